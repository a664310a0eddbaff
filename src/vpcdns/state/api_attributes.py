"""Attributes of objects that the cloud's API stores and returns, and that decide nothing.

Descriptions, specifications, charge types, times, tags: plain JSON for each object, under its key.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Group, Instance
from vpcdns.model.private_zones import PrivateZone
from vpcdns.model.topology import Vpc, VSwitch
from vpcdns.model.world import World

Attributes = Mapping[str, Any]
ObjectAttributes = FrozenMap[str, Attributes]
_RECORD: Final = "record "


class RecordKey(NamedTuple):
    """A record of a private zone."""

    zone_id: str
    record_id: int


def object_key(of: Group | Instance | Vpc | VSwitch | PrivateZone | RecordKey) -> str:
    match of:
        case Group():
            return f"group {of.group_id}"
        case Instance():
            return f"instance {of.region_id} {of.instance_id}"
        case Vpc():
            return f"vpc {of.vpc_id}"
        case VSwitch():
            return f"vswitch {of.vswitch_id}"
        case PrivateZone():
            return f"zone {of.zone_id}"
        case RecordKey():
            return f"{_RECORD}{of.zone_id} {of.record_id}"


def of_objects_in(attributes: ObjectAttributes, world: World) -> ObjectAttributes:
    """The attributes of objects that are in `world`."""
    if not attributes:
        return attributes
    keys = {object_key(group) for _, group in world.groups.scan()}
    keys.update(object_key(instance) for instance in world.instances.values())
    for vpc in world.topology.vpcs.values():
        keys.add(object_key(vpc))
        keys.update(map(object_key, vpc.vswitches))
    zones = world.private_zones.zones
    keys.update(object_key(zone) for zone in zones.values())
    return FrozenMap(
        (key, one)
        for key, one in attributes.items()
        if (_is_record(key, zones) if key.startswith(_RECORD) else key in keys)
    )


def _is_record(key: str, zones: Mapping[str, PrivateZone]) -> bool:
    zone_id, _, record_id = key.removeprefix(_RECORD).rpartition(" ")
    zone = zones.get(zone_id)
    return zone is not None and int(record_id) in zone.records
