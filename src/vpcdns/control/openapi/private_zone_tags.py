"""The actions on tags of private zones, which are stored, returned and looked for."""

from typing import Any, Final

from vpcdns.control.openapi.call import Call, Records
from vpcdns.control.openapi.errors import ApiError, missing
from vpcdns.control.openapi.given import MAX_TAGS
from vpcdns.control.openapi.parameters import Action
from vpcdns.control.openapi.private_zones import named_zone
from vpcdns.model.private_zones import PrivateZone

MAX_ZONES: Final = 50  # that one call names
MAX_SIZE: Final = 200  # tags in one response
_TYPES: Final = ("ZONE",)


def tag_resources(call: Call) -> dict[str, Any]:
    """Adds tags, or puts them in the place of all others."""
    tags, overwrite = call.tags(), call.flag("OverWrite")
    if not tags:
        raise missing("Tag.1.Key")
    given = {tag["Key"]: tag["Value"] for tag in tags}
    records: Records = {}
    for zone in _zones(call, required=True):
        has = given if overwrite else _tags(call, zone) | given
        if len(has) > MAX_TAGS:
            raise ApiError("QuotaExceeded.Tag", f"A zone has at most {MAX_TAGS} tags: {zone.zone}.")
        records |= _edited(call, zone, has)
    return call.commit(records=records)


def untag_resources(call: Call) -> dict[str, Any]:
    """Removes the tags with these keys, or all."""
    keys, every = call.numbered("TagKey", MAX_TAGS), call.flag("All")
    if not keys and not every:
        raise missing("TagKey.1")
    records: Records = {}
    for zone in _zones(call, required=True):
        has = _tags(call, zone)
        left = {} if every and not keys else {key: has[key] for key in has if key not in keys}
        records |= _edited(call, zone, left)
    return call.commit(records=records)


def list_tag_resources(call: Call) -> dict[str, Any]:
    """Tags of zones, a page at a time; a page's token is the number of its first."""
    wanted = {(tag["Key"], tag["Value"]) for tag in call.tags()}
    zones = _zones(call, required=False) or call.world.private_zones.zones.values()
    found = [
        {"ResourceId": zone.zone_id, "ResourceType": "ZONE", "TagKey": key, "TagValue": value}
        for zone in zones
        if wanted <= (tags := _tags(call, zone)).items()
        for key, value in tags.items()
    ]
    start, size = call.number("NextToken", 0, len(found), 0), call.number("Size", 20, MAX_SIZE)
    more = {"NextToken": str(start + size)} if start + size < len(found) else {}
    return {"TagResources": found[start : start + size], **more}


def _zones(call: Call, *, required: bool) -> list[PrivateZone]:
    """The zones that are named, one at least if that is required."""
    call.one_of("ResourceType", _TYPES)
    ids = call.numbered("ResourceId", MAX_ZONES)
    if required and not ids:
        raise missing("ResourceId.1")
    return [named_zone(call, zone_id) for zone_id in ids]


def _tags(call: Call, zone: PrivateZone) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in call.record(zone).get("Tags", ())}


def _edited(call: Call, zone: PrivateZone, tags: dict[str, str]) -> Records:
    return call.edited(zone, {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})


_WHAT: Final = "ResourceType ResourceId.N"
ACTIONS: Final = {
    "TagResources": Action(tag_resources, f"{_WHAT} OverWrite:bool Tag.N.Key Tag.N.Value"),
    "UntagResources": Action(untag_resources, f"{_WHAT} All:bool TagKey.N"),
    "ListTagResources": Action(list_tag_resources, f"{_WHAT} Tag.N.Key Tag.N.Value NextToken:int Size:int"),
}
