"""The actions on API groups: making and moving them, switching their VPC domains."""

import heapq
import re
import secrets
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address
from itertools import chain, islice
from typing import Any, Final

from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.domain_items import domain_items, intranet_domain, sub_domain
from vpcdns.control.openapi.errors import ApiError, bad_format, missing, repeated
from vpcdns.control.openapi.given import Counted, Runs
from vpcdns.control.openapi.instances import dedicated_type
from vpcdns.control.openapi.kept_objects import all_kept
from vpcdns.control.openapi.parameters import Action
from vpcdns.model import changes as world_changes
from vpcdns.model.changes import Change
from vpcdns.model.gateway import Group, Instance, InstanceType
from vpcdns.state.api_attributes import GROUP_KEY, Attributes, Kind, group_key, object_key

# Every region of the cloud has a serverless instance; ours gets one when it is first needed.
SHARED_INSTANCE: Final = "api-shared-vpc-001"
SHARED_ADDRESS: Final = IPv4Address("100.100.80.10")  # the cloud's own are unpublished (DESIGN §1.3)

_NAME: Final = re.compile(r"[^\W\d_]\w{3,49}")
# Stored and returned, by the names that they have in requests and in responses alike.
_CONFIGS: Final = (
    *("DefaultDomain", "UserLogConfig", "PassthroughHeaders", "CompatibleFlags"),
    *("CustomTraceConfig", "CustomerConfigs", "CustomAppCodeConfig"),
)
_KEPT: Final = ("Description", "BasePath", *_CONFIGS)
_POLICIES: Final = ("VpcSlbIntranetEnable", "InternetEnable", "InnerDomainEnable", "InternetIPV6Enable")
_ORDERS: Final = ("ASC", "DESC")
SORTED_AT_ONCE: Final = 1_000


def create_api_group(call: Call) -> dict[str, Any]:
    changes: list[Change] = []
    instance = call.instance() if call.parameters.get("InstanceId") else _serverless(call, changes)
    name = _new_name(call, call.required("GroupName"), instance.region_id)
    group = Group(secrets.token_hex(16), instance.instance_id, instance.region_id, name)
    record = {**call.kept(*_KEPT), "CreatedTime": call.at, "ModifiedTime": call.at}
    call.commit(*changes, world_changes.CreateGroup(group), records={object_key(group): record})
    return _summary(call, group)


def _serverless(call: Call, changes: list[Change]) -> Instance:
    """The region's serverless instance; where there is none, a change that makes it is added."""
    region_id = call.region_id
    for key in call.look_ups.serverless_instances(region_id):
        return call.world.instances[key]
    made = Instance(SHARED_INSTANCE, region_id, InstanceType.SERVERLESS, (SHARED_ADDRESS,))
    changes.append(world_changes.CreateInstance(made))
    return made


def describe_api_group(call: Call) -> dict[str, Any]:
    group = call.group()
    record, world, intranet = call.record(group), call.world, intranet_domain(call, group)
    return {
        **_summary(call, group),
        # Empty, and never absent, while the domain is off.
        "VpcDomain": str(world.vpc_domain(group)) if group.vpc_domain else "",
        "VpcSlbIntranetDomain": intranet if _is_on(record, "VpcSlbIntranetEnable") else "",
        "DisableInnerDomain": not _is_on(record, "InnerDomainEnable", "true"),
        "Ipv6Status": "NORMAL" if _is_on(record, "InternetIPV6Enable") else "",
        "DedicatedInstanceType": dedicated_type(call, world.instance_of(group)),
        "Status": "NORMAL",
        "MigrationStatus": record.get("MigrationStatus", ""),
        "MigrationError": "",
        **{name: record.get(name, "") for name in _CONFIGS},
        "StageItems": {"StageInfo": []},
        "CustomDomains": {"DomainItem": domain_items(call, group)},
    }


def describe_api_groups(call: Call) -> dict[str, Any]:
    """The latest changed first, unless they are to be sorted otherwise.

    Only what is asked for is compared: over 100,000 groups each comparison takes 10 ms.
    """
    group_id, instance_id = call.parameters.get("GroupId"), call.parameters.get("InstanceId")
    part, path = call.parameters.get("GroupName"), call.parameters.get("BasePath")
    newest_first, tags = call.one_of("Sort", _ORDERS, "DESC") == "DESC", call.tags()

    def item(group: Group) -> dict[str, Any]:
        return _summary(call, group)

    if not (group_id or instance_id or part or path or tags):
        everything = _all_by_time(call, newest_first=newest_first)
        return call.page(everything, "ApiGroupAttributes", "ApiGroupAttribute", item)
    groups: Iterable[Group] = (group for _, group in call.world.groups.scan())
    if group_id is not None:
        groups = filter(None, [call.world.groups.get(group_id)])
    if (region_id := call.named_region) is not None:
        groups = (one for one in groups if one.region_id == region_id)
    if instance_id is not None:
        groups = (one for one in groups if one.instance_id == instance_id)
    if part is not None:
        groups = (one for one in groups if part in one.name)
    if path is not None:
        groups = (one for one in groups if call.record(one).get("BasePath", "/") == path)
    if tags:
        groups = (one for one in groups if call.has_tags(one, tags))
    found = _by_time(call, groups, newest_first=newest_first)
    return call.page(found, "ApiGroupAttributes", "ApiGroupAttribute", item)


def _all_by_time(call: Call, *, newest_first: bool) -> Counted[Group]:
    """All of the region, or of all: only those up to the page that is asked for are looked at."""
    groups, look_ups = call.world.groups, call.look_ups
    by_time, region_id = look_ups.records_by_time(), call.named_region
    record, parts = call.state.contents.attributes.finder(), groups.pieces()

    def timed() -> Iterator[Group]:
        for time in _sorted(by_time, newest_first=newest_first):
            keys = by_time[time]
            for key in reversed(keys) if newest_first else keys:
                group = groups.get(key.removeprefix(GROUP_KEY))
                if group is not None:
                    yield group

    def untimed() -> Iterator[Group]:
        for part in reversed(parts) if newest_first else parts:
            for group in reversed(part.values()) if newest_first else part.values():
                if "ModifiedTime" not in (record(group_key(group.group_id)) or ()):
                    yield group

    ordered = chain(timed(), untimed()) if newest_first else chain(untimed(), timed())
    if region_id is None:
        return Counted(len(groups), ordered)
    there = (group for group in ordered if group.region_id == region_id)
    return Counted(look_ups.groups_in(region_id), there)


def _sorted(times: Iterable[str], *, newest_first: bool) -> Iterator[str]:
    """Sorted in small parts, as sorting stops every other thread."""
    left = iter(times)
    parts = iter(lambda: sorted(islice(left, SORTED_AT_ONCE), reverse=newest_first), [])
    return heapq.merge(*parts, reverse=newest_first)


def _by_time(call: Call, groups: Iterable[Group], *, newest_first: bool) -> Runs[Group]:
    """Sorted by their ModifiedTime."""
    record, by_time = call.state.contents.attributes.finder(), dict[str, list[Group]]()
    for group in groups:
        kept = record(group_key(group.group_id))
        time = "" if kept is None else kept.get("ModifiedTime", "")
        by_time.setdefault(time, []).append(group)
    if newest_first:
        for run in by_time.values():
            run.reverse()
    return Runs([by_time[time] for time in _sorted(by_time, newest_first=newest_first)])


def modify_api_group(call: Call) -> dict[str, Any]:
    """Name and attributes; what is absent stays. Neither migrates nor enables."""
    group, changes = call.group(), list[Change]()
    name = call.parameters.get("GroupName")
    if name is not None and name != group.name:
        changes.append(world_changes.RenameGroup(group.group_id, _new_name(call, name, group.region_id)))
    call.commit(*changes, records=call.edited(group, call.kept(*_KEPT)))
    return _summary(call, call.world.groups[group.group_id])


def delete_api_group(call: Call) -> dict[str, Any]:
    """Succeeds when there is no such group; one that has APIs is refused, as in the cloud."""
    group_id = call.required("GroupId")
    group = call.world.groups.get(group_id)
    if group is not None and call.in_region(group.region_id):
        if has := len(all_kept(call, Kind.API, group_id)):
            raise ApiError(
                "DependencyViolationApiGroup", f"The specified ApiGroup has {has} Api definitions."
            )
        call.commit(world_changes.DeleteGroup(group_id), records={object_key(group): None})
    return {}


def modify_intranet_domain_policy(call: Call) -> dict[str, Any]:
    """Switches the VPC domain on or off."""
    group, enable = call.group(), call.flag("VpcIntranetEnable")
    if enable is None:
        raise missing("VpcIntranetEnable")
    return call.commit(*_switched(group, enable), records=call.edited(group, {}))


def modify_api_group_network_policy(call: Call) -> dict[str, Any]:
    """The VPC domain again; what concerns other domains is only kept."""
    group, enable = call.group(), call.flag("VpcIntranetEnable")
    changes = [] if enable is None else _switched(group, enable)
    return call.commit(*changes, records=call.edited(group, call.kept(*_POLICIES, "HttpsPolicy")))


def modify_api_group_instance(call: Call) -> dict[str, Any]:
    """Migrates a group, at once."""
    group = call.group()
    target = call.instance("TargetInstanceId", group.region_id)
    records = call.edited(group, {"MigrationStatus": "Success", **call.kept("Remark")})
    return call.commit(world_changes.MigrateGroup(group.group_id, target.instance_id), records=records)


def _is_on(record: Attributes, name: str, default: str = "false") -> bool:
    return str(record.get(name, default)).lower() == "true"


def _switched(group: Group, enable: bool) -> list[Change]:
    return [(world_changes.EnableVpcDomain if enable else world_changes.DisableVpcDomain)(group.group_id)]


def _new_name(call: Call, name: str, region_id: str) -> str:
    if not _NAME.fullmatch(name):
        raise bad_format("GroupName", "4 to 50 letters, digits and `_`, a letter first.")
    same = (call.world.groups[group_id] for group_id in call.look_ups.groups_named(name))
    if any(group.region_id == region_id for group in same):
        raise repeated("GroupName", f"There is a group {name} in {region_id} already.")
    return name


def _summary(call: Call, group: Group) -> dict[str, Any]:
    """What all answers about a group have. Items of lists have no VpcDomain."""
    record, is_dedicated = call.record(group), bool(dedicated_type(call, call.world.instance_of(group)))
    return {
        "GroupId": group.group_id,
        "GroupName": group.name,
        "Description": record.get("Description", ""),
        "BasePath": record.get("BasePath", "/"),
        "SubDomain": sub_domain(call, group),
        "RegionId": group.region_id,
        "InstanceId": group.instance_id,
        "InstanceType": "VPC_DEDICATED" if is_dedicated else "VPC_SHARED",
        "HttpsPolicy": record.get("HttpsPolicy", "HTTPS2_TLS1_2"),
        "TrafficLimit": 500,
        "BillingStatus": "NORMAL",
        "IllegalStatus": "NORMAL",
        "Tags": {"TagInfo": list(record.get("Tags", []))},
        **{name: record[name] for name in ("CreatedTime", "ModifiedTime") if name in record},
    }


_TAGS: Final = "Tag.N.Key Tag.N.Value"
ACTIONS: Final = {
    "CreateApiGroup": Action(
        create_api_group, f"GroupName Description BasePath InstanceId {_TAGS}", quick=True
    ),
    "DescribeApiGroup": Action(describe_api_group, "GroupId", _TAGS, quick=True),
    "DescribeApiGroups": Action(
        describe_api_groups,
        f"GroupId GroupName InstanceId BasePath Sort {_TAGS} PageNumber:int PageSize:int",
        "EnableTagAuth:bool",
    ),
    "ModifyApiGroup": Action(
        modify_api_group,
        f"GroupId GroupName {' '.join(_KEPT)}",
        f"RpcPattern FilterAppCodeForBackend RpsLimitForServerless SupportSSE {_TAGS}",
    ),
    "DeleteApiGroup": Action(delete_api_group, "GroupId", _TAGS),
    "ModifyIntranetDomainPolicy": Action(
        modify_intranet_domain_policy, "GroupId VpcIntranetEnable:bool", quick=True
    ),
    "ModifyApiGroupNetworkPolicy": Action(
        modify_api_group_network_policy,
        "GroupId VpcIntranetEnable:bool HttpsPolicy " + " ".join(f"{name}:bool" for name in _POLICIES),
    ),
    "ModifyApiGroupInstance": Action(modify_api_group_instance, "GroupId TargetInstanceId Remark", _TAGS),
}
