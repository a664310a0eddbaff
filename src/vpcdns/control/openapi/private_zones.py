"""The actions on private zones: PrivateZone's zones, the VPCs that see them, and names that they lack."""

from collections.abc import Iterable
from datetime import datetime
from itertools import count
from typing import Any, Final

from vpcdns.config import host_name
from vpcdns.control.openapi.call import Call, Records
from vpcdns.control.openapi.errors import ApiError, token_of_another
from vpcdns.control.openapi.parameters import Action
from vpcdns.errors import MalformedName
from vpcdns.model.names import Name
from vpcdns.model.private_zone_changes import AddZone, BindZone, DeleteZone, SetFallThrough
from vpcdns.model.private_zone_rules import zone_refusals
from vpcdns.model.private_zones import PrivateZone
from vpcdns.model.special_use import REVERSE
from vpcdns.state.api_attributes import Attributes, keys_of_zone, object_key

# Whether names that a zone lacks are resolved as if it were not there.
_PATTERNS: Final = {"ZONE": False, "RECORD": True}
_DNS_GROUPS: Final = ("NORMAL_ZONE", "FAST_ZONE")
_ZONE_TYPES: Final = ("AUTH_ZONE", "CLOUD_PRODUCT_ZONE")
MAX_REMARK: Final = 50  # characters
SEARCH_MODES: Final = ("LIKE", "EXACT")
_TIMES: Final = {"CreatedTime": "Create", "ModifiedTime": "Update"}


def add_zone(call: Call) -> dict[str, Any]:
    """A zone without records, bound to no VPC. Several may have one name, for different VPCs."""
    try:
        name = host_name(call.required("ZoneName"))
    except MalformedName as error:
        raise ApiError("Zone.Invalid.Name", f"Zone name is invalid: {error}.") from None
    fall_through = _PATTERNS[call.one_of("ProxyPattern", _PATTERNS, "ZONE")]
    call.one_of("DnsGroup", _DNS_GROUPS, "NORMAL_ZONE")
    call.one_of("ZoneType", _ZONE_TYPES[:1], "AUTH_ZONE")
    zone = PrivateZone(call.new_id(), name, fall_through=fall_through)
    there = call.world.private_zones.zones.get(zone.zone_id)
    if there is None:
        record = {**call.kept("DnsGroup", "ResourceGroupId"), "CreatedTime": call.at, "ModifiedTime": call.at}
        call.commit(AddZone(zone.zone_id, name, fall_through), records={object_key(zone): record})
    elif there.zone != name:
        raise token_of_another(f"zone {there.zone}")
    return {"ZoneId": zone.zone_id, "ZoneName": str(name), "Success": True}


def delete_zone(call: Call) -> dict[str, Any]:
    zone = named_zone(call)
    kept = call.state.contents.attributes
    records: Records = {key: None for key in keys_of_zone(zone) if key in kept}
    call.commit(DeleteZone(zone.zone_id), records=records)
    return {"ZoneId": zone.zone_id}


def describe_zones(call: Call) -> dict[str, Any]:
    keyword, mode = call.parameters.get("Keyword"), call.one_of("SearchMode", SEARCH_MODES, "LIKE")
    vpc_id, region_id = call.parameters.get("QueryVpcId"), call.parameters.get("QueryRegionId")
    zones: Iterable[PrivateZone] = call.world.private_zones.zones.values()
    if call.one_of("ZoneType", _ZONE_TYPES, "AUTH_ZONE") != "AUTH_ZONE":
        zones = ()  # what the cloud's products make for themselves
    if keyword is not None:
        wanted = keyword.lower().removesuffix(".")
        if mode == "EXACT":
            zones = (one for one in zones if str(one.zone).lower() == wanted)
        else:
            zones = (one for one in zones if wanted in str(one.zone).lower())
    if vpc_id is not None:
        zones = (one for one in zones if vpc_id in one.vpcs)
    if region_id is not None:
        vpcs = call.world.topology.vpcs
        zones = (one for one in zones if any(vpcs[vpc].region_id == region_id for vpc in one.vpcs))
    if (group_id := call.parameters.get("ResourceGroupId")) is not None:
        zones = (one for one in zones if call.record(one).get("ResourceGroupId", "") == group_id)
    if tags := call.tags("ResourceTag"):
        zones = (one for one in zones if all(tag in call.record(one).get("Tags", ()) for tag in tags))
    return call.page(list(zones), "Zones", "Zone", lambda zone: _summary(call, zone))


def describe_zone_info(call: Call) -> dict[str, Any]:
    zone = named_zone(call)
    vpcs = [call.world.topology.vpcs[vpc_id] for vpc_id in sorted(zone.vpcs)]
    bound = [
        {
            "VpcId": vpc.vpc_id,
            "VpcName": call.record(vpc).get("VpcName", ""),
            "RegionId": vpc.region_id,
            "RegionName": vpc.region_id,
            "VpcType": "STANDARD",
        }
        for vpc in vpcs
    ]
    return {**_summary(call, zone), "SlaveDns": False, "BindVpcs": {"Vpc": bound}}


def bind_zone_vpc(call: Call) -> dict[str, Any]:
    """Binds a zone to the VPCs that are named, and to no others."""
    zone, vpc_ids = named_zone(call), list[str]()
    for number in count(1):
        names = [f"Vpcs.{number}.{name}" for name in ("VpcId", "RegionId", "VpcType")]
        if call.parameters.keys().isdisjoint(names):
            break
        vpc_ids.append(call.required(names[0]))
        vpc = call.world.topology.vpcs.get(vpc_ids[-1])
        region_id = call.parameters.get(names[1])
        if vpc is not None and region_id not in (None, vpc.region_id):
            text = f"There is no VPC {vpc.vpc_id} in {region_id}; it is in {vpc.region_id}."
            raise ApiError("ZoneVpc.NotExists.VpcId", text)
    return call.commit(BindZone(zone.zone_id, tuple(vpc_ids)), records=call.edited(zone, {}))


def set_proxy_pattern(call: Call) -> dict[str, Any]:
    zone, pattern = named_zone(call), call.one_of("ProxyPattern", _PATTERNS)
    call.commit(SetFallThrough(zone.zone_id, _PATTERNS[pattern]), records=call.edited(zone, {}))
    return {"ZoneId": zone.zone_id}


def change_zone_dns_group(call: Call) -> dict[str, Any]:
    zone, group = named_zone(call), call.one_of("DnsGroup", _DNS_GROUPS)
    call.commit(records=call.edited(zone, {"DnsGroup": group}))
    return {"ZoneId": zone.zone_id}


def check_zone_name(call: Call) -> dict[str, Any]:
    """Whether a zone may have that name."""
    try:
        name: Name | None = host_name(call.required("ZoneName"))
    except MalformedName:
        name = None
    good = name is not None and not any(zone_refusals(PrivateZone("", name), {}, {}))
    return {"Success": True, "Check": good}


def update_zone_remark(call: Call) -> dict[str, Any]:
    """Sets a zone's remark; without one it has none."""
    zone, remark = named_zone(call), call.parameters.get("Remark")
    if remark is not None and len(remark) > MAX_REMARK:
        raise ApiError("Zone.Remark", f"A remark has at most {MAX_REMARK} characters.")
    call.commit(records=call.edited(zone, {"Remark": remark}))
    return {"ZoneId": zone.zone_id}


def describe_sync_ecs_host_task(call: Call) -> dict[str, Any]:
    """No zone has a task that copies the names of servers into it: there are no servers here."""
    zone = named_zone(call)
    raise ApiError("Ecs.SyncTask.NotExists", f"Private zone {zone.zone} has no such task.")


def named_zone(call: Call, zone_id: str = "") -> PrivateZone:
    """The zone with that id, or else the one that `ZoneId` names."""
    zone_id = zone_id or call.required("ZoneId")
    zone = call.world.private_zones.zones.get(zone_id)
    if zone is None:
        raise ApiError("Zone.NotExists", f"Zone is not exists: there is no private zone {zone_id[:128]}.")
    return zone


def times(attributes: Attributes) -> dict[str, Any]:
    """When an object was made and last changed, twice as the cloud says it; nothing for a file's own."""
    said: dict[str, Any] = {}
    for name, prefix in _TIMES.items():
        if (at := attributes.get(name)) is not None:
            said[f"{prefix}Time"] = f"{at[:16]}Z"
            said[f"{prefix}Timestamp"] = int(datetime.fromisoformat(at).timestamp()) * 1_000
    return said


def _summary(call: Call, zone: PrivateZone) -> dict[str, Any]:
    """What all answers about a zone have."""
    attributes = call.record(zone)
    return {
        "ZoneId": zone.zone_id,
        "ZoneName": str(zone.zone),
        "ZoneType": "AUTH_ZONE",
        "ZoneTag": "",
        "IsPtr": any(zone.zone.is_at_or_below(reverse) for reverse in REVERSE),
        "ProxyPattern": "RECORD" if zone.fall_through else "ZONE",
        "RecordCount": len(zone.records),
        "Remark": attributes.get("Remark", ""),
        "DnsGroup": attributes.get("DnsGroup", "NORMAL_ZONE"),
        "DnsGroupChanging": False,
        "ResourceGroupId": attributes.get("ResourceGroupId", ""),
        "ResourceTags": {"ResourceTag": list(attributes.get("Tags", []))},
        **times(attributes),
    }


ACTIONS: Final = {
    "AddZone": Action(
        add_zone, "ZoneName ProxyPattern DnsGroup ZoneType ResourceGroupId ClientToken", refused="ZoneTag"
    ),
    "DeleteZone": Action(delete_zone, "ZoneId"),
    "DescribeZones": Action(
        describe_zones,
        "Keyword SearchMode QueryVpcId QueryRegionId ResourceGroupId ZoneType"
        " ResourceTag.N.Key ResourceTag.N.Value PageNumber:int PageSize:int",
        refused="ZoneTag.N",
    ),
    "DescribeZoneInfo": Action(describe_zone_info, "ZoneId"),
    "BindZoneVpc": Action(bind_zone_vpc, "ZoneId Vpcs.N.VpcId Vpcs.N.RegionId Vpcs.N.VpcType"),
    "SetProxyPattern": Action(set_proxy_pattern, "ZoneId ProxyPattern"),
    "ChangeZoneDnsGroup": Action(change_zone_dns_group, "ZoneId DnsGroup ClientToken"),
    "CheckZoneName": Action(check_zone_name, "ZoneName"),
    "UpdateZoneRemark": Action(update_zone_remark, "ZoneId Remark"),
    "DescribeSyncEcsHostTask": Action(describe_sync_ecs_host_task, "ZoneId"),
}
