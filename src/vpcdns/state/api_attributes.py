"""Attributes of objects that the cloud's API stores and returns, and that decide nothing.

Descriptions, specifications, charge types, times, tags: plain JSON for each object, under its key.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Group, Instance
from vpcdns.model.private_zones import PrivateZone
from vpcdns.model.topology import Vpc, VSwitch
from vpcdns.model.world import World

Attributes = Mapping[str, Any]
ObjectAttributes = FrozenMap[str, Attributes]


GROUP_KEY: Final = "group "  # what the keys of groups begin with


class RecordKey(NamedTuple):
    """A record of a private zone."""

    zone_id: str
    record_id: int


class Kind(Enum):
    """Objects of the cloud's API that are in no World; each belongs to a group, to a VPC or to a region."""

    API = ("api", "group")
    VPC_ACCESS = ("vpc-access", "vpc")
    ACL = ("acl", "")
    PRIVATE_DNS = ("private-dns", "")

    def __init__(self, word: str, owned_by: str) -> None:
        self.word = word
        self.owned_by = owned_by


class KeptKey(NamedTuple):
    """One of them: its owner's id, a region's if none else owns it, and its own."""

    kind: Kind
    owner: str
    kept_id: str


_OWNED_BY = {kind.word: kind.owned_by for kind in Kind}


def object_key(of: Group | Instance | Vpc | VSwitch | PrivateZone | RecordKey | KeptKey) -> str:
    match of:
        case Group():
            return group_key(of.group_id)
        case Instance():
            return f"instance {of.region_id} {of.instance_id}"
        case Vpc():
            return f"vpc {of.vpc_id}"
        case VSwitch():
            return f"vswitch {of.vswitch_id}"
        case PrivateZone():
            return f"zone {of.zone_id}"
        case RecordKey():
            return f"record {of.zone_id} {of.record_id}"
        case KeptKey():
            return f"{of.kind.word} {of.owner} {of.kept_id}"


def group_key(group_id: str) -> str:
    return f"{GROUP_KEY}{group_id}"


def of_objects_in(attributes: ObjectAttributes, world: World) -> ObjectAttributes:
    """The attributes of objects that are in `world`, and of those that their owners keep."""
    if not attributes:
        return attributes
    keys = {object_key(group) for _, group in world.groups.scan()}
    keys.update(object_key(instance) for instance in world.instances.values())
    for vpc in world.topology.vpcs.values():
        keys.add(object_key(vpc))
        keys.update(map(object_key, vpc.vswitches))
    for zone in world.private_zones.zones.values():
        keys.update(keys_of_zone(zone))
    return FrozenMap((key, one) for key, one in attributes.items() if _has_place(key, keys))


def _has_place(key: str, keys: set[str]) -> bool:
    word, _, rest = key.partition(" ")
    owned_by = _OWNED_BY.get(word)
    if owned_by is None:
        return key in keys
    return not owned_by or f"{owned_by} {rest.partition(' ')[0]}" in keys


def keys_of_zone(zone: PrivateZone) -> Iterator[str]:
    """The keys of a zone and of its records."""
    yield object_key(zone)
    prefix = object_key(RecordKey(zone.zone_id, 0)).removesuffix("0")
    for record_id in zone.records:
        yield f"{prefix}{record_id}"
