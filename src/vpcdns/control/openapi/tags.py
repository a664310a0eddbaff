"""The actions on tags, which are stored, returned and looked for: those of all three products."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from vpcdns.control.openapi.call import Call, Recorded, Records
from vpcdns.control.openapi.errors import ApiError, Product, missing
from vpcdns.control.openapi.given import MAX_TAGS
from vpcdns.control.openapi.parameters import Action
from vpcdns.control.openapi.private_zones import named_zone
from vpcdns.model.gateway import Group, Instance
from vpcdns.model.private_zones import PrivateZone
from vpcdns.model.topology import Vpc, VSwitch

MAX_RESOURCES: Final = 50  # that one call names


@dataclass(frozen=True, slots=True)
class _Type:
    """A ResourceType as responses write it: how a parameter names one of its objects, and all there are."""

    word: str
    named: Callable[[Call, str], Recorded]
    every: Callable[[Call], Iterable[Recorded]]


def _vswitch(call: Call, name: str) -> VSwitch:
    return call.vswitch(call.required(name))[1]


def _zone(call: Call, name: str) -> PrivateZone:
    return named_zone(call, call.required(name))


def _groups(call: Call) -> Iterable[Group]:
    return (one for _, one in call.world.groups.scan() if call.in_region(one.region_id))


def _instances(call: Call) -> Iterable[Instance]:
    return (one for one in call.world.instances.values() if call.in_region(one.region_id))


def _vpcs(call: Call) -> Iterable[Vpc]:
    return (one for one in call.world.topology.vpcs.values() if call.in_region(one.region_id))


def _vswitches(call: Call) -> Iterable[VSwitch]:
    return (vswitch for vpc in _vpcs(call) for vswitch in vpc.vswitches)


def _zones(call: Call) -> Iterable[PrivateZone]:
    return call.world.private_zones.zones.values()


_TYPES: Final = {
    Product.CLOUDAPI: (_Type("apiGroup", Call.group, _groups), _Type("instance", Call.instance, _instances)),
    Product.VPC: (_Type("VPC", Call.vpc, _vpcs), _Type("VSWITCH", _vswitch, _vswitches)),
    Product.PVTZ: (_Type("ZONE", _zone, _zones),),
}
# How many tags a response has, if the request does not say, and at most; the parameter that says it.
_SIZES: Final = {
    Product.CLOUDAPI: ("", 50, 50),
    Product.VPC: ("MaxResults", 50, 50),
    Product.PVTZ: ("Size", 20, 200),
}


def tag_resources(call: Call) -> dict[str, Any]:
    """Adds tags, or puts them in the place of all others."""
    tags, overwrite = call.tags(), call.flag("OverWrite")
    if not tags:
        raise missing("Tag.1.Key")
    given = {tag["Key"]: tag["Value"] for tag in tags}
    records: Records = {}
    for one in _named(call):
        has = given if overwrite else _tags(call, one) | given
        if len(has) > MAX_TAGS:
            text = f"A resource has at most {MAX_TAGS} tags: {_id(one)}."
            raise ApiError("QuotaExceeded.Tag", text)
        records |= _edited(call, one, has)
    return call.commit(records=records)


def untag_resources(call: Call) -> dict[str, Any]:
    """Removes the tags with these keys, or all."""
    keys, every = call.numbered("TagKey", MAX_TAGS), call.flag("All")
    if not keys and not every:
        raise missing("TagKey.1")
    records: Records = {}
    for one in _named(call):
        has = _tags(call, one)
        left = {} if every and not keys else {key: has[key] for key in has if key not in keys}
        records |= _edited(call, one, left)
    return call.commit(records=records)


def list_tag_resources(call: Call) -> dict[str, Any]:
    """Tags of those resources that have all tags that are asked for; a page's token is its first's number."""
    kind, wanted = _type(call), call.tags()
    ids = call.numbered("ResourceId", MAX_RESOURCES)
    if not ids and not wanted and call.product is not Product.PVTZ:
        raise missing("ResourceId.1")
    resources = _there(call, kind, len(ids)) if ids else kind.every(call)
    found = [
        {"ResourceId": _id(one), "ResourceType": kind.word, "TagKey": key, "TagValue": value}
        for one in resources
        if call.has_tags(one, wanted)
        for key, value in _tags(call, one).items()
    ]
    name, usual, most = _SIZES[call.product]
    start, size = call.number("NextToken", 0, len(found), 0), call.number(name, usual, most)
    more = {"NextToken": str(start + size)} if start + size < len(found) else {}
    shown = found[start : start + size]
    return {"TagResources": shown if call.product is Product.PVTZ else {"TagResource": shown}, **more}


def _type(call: Call) -> _Type:
    types = {one.word.upper(): one for one in _TYPES[call.product]}
    return types[call.one_of("ResourceType", types)]


def _named(call: Call) -> list[Recorded]:
    """The resources that are named: one at least, and each is there."""
    kind, ids = _type(call), call.numbered("ResourceId", MAX_RESOURCES)
    if not ids:
        raise missing("ResourceId.1")
    return [kind.named(call, f"ResourceId.{number}") for number in range(1, len(ids) + 1)]


def _there(call: Call, kind: _Type, count: int) -> Iterable[Recorded]:
    """Those of the resources that are named that are there; PrivateZone refuses any other."""
    for number in range(1, count + 1):
        try:
            yield kind.named(call, f"ResourceId.{number}")
        except ApiError:
            if call.product is Product.PVTZ:
                raise


def _id(one: Recorded) -> str:
    match one:
        case Group():
            return one.group_id
        case Instance():
            return one.instance_id
        case Vpc():
            return one.vpc_id
        case VSwitch():
            return one.vswitch_id
        case PrivateZone():
            return one.zone_id
    raise AssertionError(one)


def _tags(call: Call, one: Recorded) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in call.record(one).get("Tags", ())}


def _edited(call: Call, one: Recorded, tags: dict[str, str]) -> Records:
    return call.edited(one, {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})


_WHAT: Final = "ResourceType ResourceId.N"
_TAG: Final = "Tag.N.Key Tag.N.Value"


def _actions(untag: str, overwrite: str, size: str) -> dict[str, Action]:
    return {
        "TagResources": Action(tag_resources, f"{_WHAT} {_TAG} {overwrite}"),
        untag: Action(untag_resources, f"{_WHAT} All:bool TagKey.N"),
        "ListTagResources": Action(list_tag_resources, f"{_WHAT} {_TAG} NextToken {size}"),
    }


CLOUDAPI_ACTIONS: Final = _actions("UntagResources", "", "")
VPC_ACTIONS: Final = _actions("UnTagResources", "", "MaxResults:int")
PVTZ_ACTIONS: Final = _actions("UntagResources", "OverWrite:bool", "Size:int")
