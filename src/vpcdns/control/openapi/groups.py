"""The actions on API groups: making and moving them, switching their VPC domains; on their custom domains.

An INTRANET name is a CNAME to the group's VPC domain, here and now (DESIGN §1.9); the cloud leaves making it
to its user. An INTERNET name is kept and described, and no DNS answer depends on it.
"""

import re
import secrets
from collections.abc import Iterable
from ipaddress import IPv4Address
from typing import Any, Final

from vpcdns.config import custom_domain
from vpcdns.control.openapi.call import Call, Records
from vpcdns.control.openapi.errors import bad_format, exceeded, invalid, missing, not_found, repeated
from vpcdns.errors import MalformedName
from vpcdns.model import changes as world_changes
from vpcdns.model.changes import Change
from vpcdns.model.gateway import Group, Instance, InstanceType
from vpcdns.model.names import Name
from vpcdns.state.api_attributes import Attributes, object_key

# Every region of the cloud has a serverless instance; ours gets one when it is first needed.
SHARED_INSTANCE: Final = "api-shared-vpc-001"
SHARED_ADDRESS: Final = IPv4Address("100.100.80.10")  # the cloud's own are unpublished (DESIGN §1.3)

_NAME: Final = re.compile(r"[^\W\d_]\w{3,49}")
_KEPT: Final = ("Description", "BasePath", "DefaultDomain", "UserLogConfig", "CustomTraceConfig")
_POLICIES: Final = ("VpcSlbIntranetEnable", "InternetEnable", "InnerDomainEnable", "InternetIPV6Enable")
PER_TYPE: Final = 5  # names that a group may have of each type
_TYPES: Final = ("INTERNET", "INTRANET")


def create_api_group(call: Call) -> dict[str, Any]:
    name = _new_name(call, call.required("GroupName"))
    changes: list[Change] = []
    instance = call.instance() if call.parameters.get("InstanceId") else _serverless(call, changes)
    group = Group(secrets.token_hex(16), instance.instance_id, instance.region_id, name)
    record = {**call.kept(*_KEPT), "CreatedTime": call.at, "ModifiedTime": call.at}
    call.commit(*changes, world_changes.CreateGroup(group), records={object_key(group): record})
    return _summary(call, group)


def _serverless(call: Call, changes: list[Change]) -> Instance:
    """The region's serverless instance; where there is none, a change that makes it is added."""
    region_id = call.region_id
    for instance in call.world.instances.values():
        if instance.region_id == region_id and instance.type is InstanceType.SERVERLESS:
            return instance
    made = Instance(SHARED_INSTANCE, region_id, InstanceType.SERVERLESS, (SHARED_ADDRESS,))
    changes.append(world_changes.CreateInstance(made))
    return made


def describe_api_group(call: Call) -> dict[str, Any]:
    group = call.group()
    record, world = call.record(group), call.world
    domains = [_domain_item(*one) | {"IsHttpRedirectToHttps": False} for one in _domains_of(call, group)]
    return {
        **_summary(call, group),
        # Empty, and never absent, while the VPC domain is off.
        "VpcDomain": str(world.vpc_domain(group)) if group.vpc_domain else "",
        "DefaultDomain": record.get("DefaultDomain", ""),
        "DedicatedInstanceType": "normal" if _is_dedicated(call, group) else "",
        **dict.fromkeys(("Status", "BillingStatus", "IllegalStatus"), "NORMAL"),
        "TrafficLimit": 500,
        "HttpsPolicy": record.get("HttpsPolicy", "HTTPS2_TLS1_2"),
        "MigrationStatus": record.get("MigrationStatus", ""),
        "MigrationError": "",
        "UserLogConfig": record.get("UserLogConfig", ""),
        "CustomDomains": {"DomainItem": domains},
        **_times(record),
    }


def describe_api_groups(call: Call) -> dict[str, Any]:
    """Only what is asked for is compared: over 100,000 groups each comparison takes 10 ms."""
    group_id, instance_id = call.parameters.get("GroupId"), call.parameters.get("InstanceId")
    part, path = call.parameters.get("GroupName"), call.parameters.get("BasePath")
    groups: Iterable[Group] = (group for _, group in call.world.groups.scan())
    if group_id is not None:
        groups = filter(None, [call.world.groups.get(group_id)])
    if instance_id is not None:
        groups = (one for one in groups if one.instance_id == instance_id)
    if part is not None:
        groups = (one for one in groups if part in one.name)
    if path is not None:
        groups = (one for one in groups if call.record(one).get("BasePath", "/") == path)

    def attribute(group: Group) -> dict[str, Any]:
        return {**_summary(call, group), **_times(call.record(group))}

    found = [one for one in groups if call.in_region(one.region_id)]
    return call.page(found, "ApiGroupAttributes", "ApiGroupAttribute", attribute)


def modify_api_group(call: Call) -> dict[str, Any]:
    """Name and attributes; what is absent stays. Neither migrates nor enables."""
    group, changes = call.group(), list[Change]()
    name = call.parameters.get("GroupName")
    if name is not None and name != group.name:
        changes.append(world_changes.RenameGroup(group.group_id, _new_name(call, name)))
    call.commit(*changes, records=call.edited(group, call.kept(*_KEPT)))
    return _summary(call, call.world.groups[group.group_id])


def delete_api_group(call: Call) -> dict[str, Any]:
    """Succeeds when there is no such group."""
    group_id = call.required("GroupId")
    group = call.world.groups.get(group_id)
    if group is not None and call.in_region(group.region_id):
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
    for name in _POLICIES:
        call.flag(name)
    changes = [] if enable is None else _switched(group, enable)
    return call.commit(*changes, records=call.edited(group, call.kept(*_POLICIES, "HttpsPolicy")))


def modify_api_group_instance(call: Call) -> dict[str, Any]:
    """Migrates a group, at once."""
    group = call.group()
    target = call.instance("TargetInstanceId", group.region_id)
    records = call.edited(group, {"MigrationStatus": "Success", **call.kept("Remark")})
    return call.commit(world_changes.MigrateGroup(group.group_id, target.instance_id), records=records)


def _domains_of(call: Call, group: Group) -> list[tuple[str, str]]:
    """Its custom domains and their types: those that DNS knows, and public ones that are only kept."""
    record = call.record(group)
    internal = [(str(name), "INTRANET") for name in group.custom_domains]
    return [*internal, *((name, "INTERNET") for name in record.get("InternetDomains", []))]


def _sub_domain(call: Call, group: Group) -> str:
    """The public second-level domain, which nothing here resolves."""
    return f"{group.group_id}-{group.region_id}.{call.world.answers.suffix}"


def _times(record: Attributes) -> dict[str, Any]:
    return {name: record[name] for name in ("CreatedTime", "ModifiedTime") if name in record}


def _switched(group: Group, enable: bool) -> list[Change]:
    return [(world_changes.EnableVpcDomain if enable else world_changes.DisableVpcDomain)(group.group_id)]


def _new_name(call: Call, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise bad_format("GroupName", "4 to 50 letters, digits and `_`, a letter first.")
    if any(group.name == name and group.region_id == call.region for _, group in call.world.groups.scan()):
        raise repeated("GroupName", f"There is a group {name} already.")
    return name


def _is_dedicated(call: Call, group: Group) -> bool:
    return call.world.instance_of(group).type is InstanceType.DEDICATED


def _summary(call: Call, group: Group) -> dict[str, Any]:
    """What all answers about a group have. Items of lists have no VpcDomain."""
    record = call.record(group)
    return {
        "GroupId": group.group_id,
        "GroupName": group.name,
        "Description": record.get("Description", ""),
        "BasePath": record.get("BasePath", "/"),
        "SubDomain": _sub_domain(call, group),
        "RegionId": group.region_id,
        "InstanceId": group.instance_id,
        "InstanceType": "VPC_DEDICATED" if _is_dedicated(call, group) else "VPC_SHARED",
        "HttpsPolicy": record.get("HttpsPolicy", "HTTPS2_TLS1_2"),
        "Tags": {"TagInfo": list(record.get("Tags", []))},
    }


def _domain_item(name: str, kind: str) -> dict[str, Any]:
    """What all answers about a custom domain have."""
    return {
        "DomainName": name,
        "CustomDomainType": kind,
        "DomainBindingStatus": "BINDING",  # bound, sic
        "DomainCNAMEStatus": "RESOLVED" if kind == "INTRANET" else "UNRESOLVED",
        "DomainLegalStatus": "NORMAL",
        "DomainRemark": "",
        "DomainWebSocketStatus": "CLOSE",
    }


def set_domain(call: Call) -> dict[str, Any]:
    """Binds a name to a group; with IsForce it is taken from another. Binding it again succeeds."""
    group, name = call.group(), _domain_name(call)
    kind = (call.parameters.get("CustomDomainType") or "INTERNET").upper()
    if kind not in _TYPES:
        raise invalid("CustomDomainType", f"Write one of {', '.join(_TYPES)}.")
    for flag in ("IsHttpRedirectToHttps", "IsForce"):
        call.flag(flag)
    if (str(name).lower(), kind) not in _folded(call, group):
        if sum(had == kind for _, had in _domains_of(call, group)) >= PER_TYPE:
            raise exceeded("DomainName", f"A group has at most {PER_TYPE} names of a type.")
        _bind(call, group, name, kind)
    return _described(call, call.world.groups[group.group_id], str(name), kind)


def describe_domain(call: Call) -> dict[str, Any]:
    group, name = call.group(), str(_domain_name(call))
    kinds = dict(sorted(_folded(call, group)))
    if name.lower() not in kinds:
        raise not_found("Domain", f"custom domain {name} of group {group.group_id}.")
    return _described(call, group, name, kinds[name.lower()])


def delete_domain(call: Call) -> dict[str, Any]:
    """Succeeds when there is no such name."""
    group, name = call.group(), _domain_name(call)
    records, changes = _without(call, group, name), list[Change]()
    if name in group.custom_domains:
        changes.append(world_changes.RemoveCustomDomain(group.group_id, name))
    if records or changes:
        call.commit(*changes, records=records)
    return {}


def _bind(call: Call, group: Group, name: Name, kind: str) -> None:
    """Takes the name from whoever has it, which needs IsForce."""
    public, changes, records = kind == "INTERNET", list[Change](), Records()
    owner_id = _internet(call, name) if public else call.world.custom_domains.values.get(name)
    if owner_id is not None and owner_id != group.group_id:
        if not call.flag("IsForce"):
            raise repeated(
                "DomainName", f"{name} belongs to group {owner_id}; IsForce=true takes it from there."
            )
        if public:
            records = _without(call, call.world.groups[owner_id], name)
        else:
            changes.append(world_changes.RemoveCustomDomain(owner_id, name))
    if public:
        names = [*call.record(group).get("InternetDomains", []), str(name)]
        records |= call.edited(group, {"InternetDomains": names})
    else:
        changes.append(world_changes.AddCustomDomain(group.group_id, name))
    call.commit(*changes, records=records)


def _internet(call: Call, name: Name) -> str | None:
    """The group that has a public name."""
    wanted = str(name).lower()
    for key, record in call.state.contents.attributes.scan():
        if any(one.lower() == wanted for one in record.get("InternetDomains", ())):
            return key.partition(" ")[2]
    return None


def _without(call: Call, group: Group, name: Name) -> Records:
    """The group's record without a public name; nothing when it has none such."""
    names = call.record(group).get("InternetDomains", [])
    rest = [one for one in names if one.lower() != str(name).lower()]
    return {} if rest == names else call.edited(group, {"InternetDomains": rest})


def _domain_name(call: Call) -> Name:
    try:
        return custom_domain(call.required("DomainName"))
    except MalformedName as error:
        raise bad_format("DomainName", f"{error}.") from None


def _folded(call: Call, group: Group) -> set[tuple[str, str]]:
    return {(name.lower(), kind) for name, kind in _domains_of(call, group)}


def _described(call: Call, group: Group, name: str, kind: str) -> dict[str, Any]:
    return {"GroupId": group.group_id, "SubDomain": _sub_domain(call, group), **_domain_item(name, kind)}
