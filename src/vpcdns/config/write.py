"""A World -> the configuration that makes it (DESIGN §2): what `load` reads back as the same World.

Knows the configuration's shape and the model. Where the default says the same, nothing is written.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from vpcdns.config import document, schema
from vpcdns.config.parts import part_of, plain
from vpcdns.config.values import custom_domain
from vpcdns.errors import MalformedChange
from vpcdns.model.changes import AddCustomDomain, Change, CreateGroup, CreateInstance, RenameGroup
from vpcdns.model.dns import rdata_text, type_text
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Group
from vpcdns.model.names import Name
from vpcdns.model.policy import Access, Answers, Forwarding
from vpcdns.model.private_zone_changes import AddZone, AddZoneRecord
from vpcdns.model.private_zones import PrivateZone, ZoneRecord
from vpcdns.model.topology_changes import CreateVpc, CreateVSwitch
from vpcdns.model.world import World

V = TypeVar("V")

# Parts of one object that one change may bring. The cloud allows 150 vSwitches in a VPC, and less of others.
MAX_PARTS: Final = 150

_SORTED_AT_ONCE: Final = 2_000
_WRITTEN_AT_ONCE: Final = 100  # objects in a piece of JSON, which take about a millisecond

# The sections that the cloud's API can change; the others are the operator's alone.
OBJECT_SECTIONS: Final = ("vpcs", "instances", "groups", "private_zones")


def _sections(world: World) -> dict[str, dict[str, Any] | Iterator[dict[str, Any]]]:
    """The configuration of `world`; objects are sorted at once, and made into plain data one by one."""
    topology, counts = world.topology, Counter(instance_id for _, instance_id in world.instances)
    groups = in_order(world.groups)
    return {
        "server": _differing(world.access, Access()),
        "answers": {} if world.answers == Answers() else plain(world.answers),
        "forward": _differing(world.forwarding, Forwarding(), "upstreams"),
        "vpcs": map(plain, in_order(topology.vpcs)),
        "networks": map(plain, topology.networks.values()),
        "connections": map(plain, topology.connections.values()),
        "instances": map(plain, in_order(world.instances)),
        "groups": (_group(group, counts[group.instance_id] > 1) for group in groups),
        "private_zones": map(_zone, world.private_zones.zones.values()),
    }


def written(world: World) -> dict[str, Any]:
    """The configuration of `world` as plain data: sections `server` to `groups`, empty ones left out."""
    sections = _sections(world).items()
    whole = {name: section if isinstance(section, dict) else list(section) for name, section in sections}
    return {name: section for name, section in whole.items() if section}


def written_objects(world: World) -> dict[str, list[dict[str, Any]]]:
    """The sections that the API can change."""
    sections: dict[str, Any] = _sections(world)
    return {name: list(sections[name]) for name in OBJECT_SECTIONS}


def written_json(world: World) -> Iterator[str]:
    """`written` as JSON, in pieces of some kilobytes, so that writing them does not hold up other threads."""
    return _pieces(_sections(world))


def _pieces(sections: dict[str, dict[str, Any] | Iterator[dict[str, Any]]]) -> Iterator[str]:
    before = "{"
    for name, section in sections.items():
        if isinstance(section, dict):
            if section:
                yield f'{before}"{name}":{json_text(section)}'
                before = ","
            continue
        opening = f'{before}"{name}":['
        while batch := list(islice(section, _WRITTEN_AT_ONCE)):
            yield opening + ",".join(map(json_text, batch))
            opening = before = ","
        if opening == ",":
            yield "]"
    yield "}" if before == "," else "{}"


def json_text(value: Any) -> str:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":"))


def in_order(objects: FrozenMap[Any, V]) -> list[V]:
    """In the order in which they came; a map too large to have one is sorted, so that files can be compared.

    In parts: a sort of a million stops every other thread until it is done.
    """
    if objects.is_ordered:
        return list(objects.values())
    items, by_key, parts = objects.scan(), itemgetter(0), list[list[tuple[Any, V]]]()
    while part := sorted(islice(items, _SORTED_AT_ONCE), key=by_key):
        parts.append(part)
    return [value for _, value in merge(*parts, key=by_key)]


def with_objects(text: str, world: World) -> dict[str, Any]:
    """The configuration that `text` is, with the objects of `world` in place of its own."""
    own = document.read(text).value
    assert isinstance(own, dict), "to be read only when it was found good"  # noqa: S101
    kept = {name: part for name, part in own.items() if name not in OBJECT_SECTIONS}
    return kept | {name: part for name, part in written_objects(world).items() if part}


def yaml_text(configuration: dict[str, Any] | list[Any]) -> str:
    """Plain data as YAML that no reader of any version takes for anything else."""
    return yaml.dump(
        configuration, Dumper=_Dumper, sort_keys=False, default_flow_style=None, allow_unicode=True, width=110
    )


_SafeDumper: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_SafeDumper):  # type: ignore[misc] # which one it is, is known at run time only
    """Quotes whatever is not clearly a word; writes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


# YAML 1.1 and 1.2 both read this as text, except for the words below.
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*|[0-9]+(\.[0-9]+){3}(/[0-9]+)?")
_WORDS: Final = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_plain = _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain else '"')


_Dumper.add_representer(str, _text)


def _differing(value: Any, default: Any, *always: str) -> dict[str, Any]:
    """The fields that differ from the default, and those that are written in any case."""
    given = {field.name: getattr(value, field.name) for field in fields(value) if field.init}
    return {
        name: plain(one) for name, one in given.items() if name in always or one != getattr(default, name)
    }


def _group(group: Group, ambiguous: bool) -> dict[str, Any]:
    """A group as plain data, quickly, as there may be a million; with its region where it is ambiguous."""
    part: dict[str, Any] = {"group_id": group.group_id}
    if group.name:
        part["name"] = group.name
    part["instance_id"] = group.instance_id
    if ambiguous:
        part["region_id"] = group.region_id
    part["vpc_domain"] = group.vpc_domain
    if group.custom_domains:
        part["custom_domains"] = list(map(str, group.custom_domains))
    return part


def _zone(zone: PrivateZone) -> dict[str, Any]:
    """A private zone as plain data; records of one name, type and TTL together."""
    part: dict[str, Any] = {"zone": str(zone.zone), "zone_id": zone.zone_id}
    if zone.vpcs:
        part["vpcs"] = sorted(zone.vpcs)
    if zone.fall_through:
        part["fall_through"] = True
    if zone.rrset_order != "cyclic":
        part["rrset_order"] = zone.rrset_order
    entries: dict[tuple[Any, ...], dict[str, Any]] = {}
    for record_id, record in zone.records.scan():
        key = record.name, record.rtype, record.ttl, record.enabled
        entry = entries.get(key)
        if entry is None:
            entry = entries[key] = {
                "name": written_owner(record.name, zone.zone),
                "type": type_text(record.rtype),
            }
            entry["values"] = []
            if record.ttl is not None:
                entry["ttl"] = record.ttl
            if not record.enabled:
                entry["enabled"] = False
            entry["record_ids"] = []
        entry["values"].append(rdata_text(record.rdata))
        entry["record_ids"].append(record_id)
    if entries:
        part["records"] = list(entries.values())
    return part


def written_owner(name: Name, zone: Name) -> str:
    """The name of a record as in a zone file: relative to the zone, `@` for the zone's own."""
    return "@" if name == zone else str(Name(name.labels[: len(name) - len(zone)]))


def written_record(record: ZoneRecord) -> dict[str, Any]:
    """One record, which `build_zones.read_record` reads."""
    said = {"name": f"{record.name}.", "type": type_text(record.rtype), "value": rdata_text(record.rdata)}
    return {**said, "ttl": record.ttl, "enabled": record.enabled}


def check_expressible(change: Change) -> None:
    """Raises MalformedChange for a change to an object that no configuration could describe, or a huge one.

    What does not come from a file, nor from the cloud's API, may have ids and names of any form.
    """
    kind, part = _part(change)
    for name, value in part.items():
        if isinstance(value, list) and len(value) > MAX_PARTS:
            raise MalformedChange(f"{type(change).__name__}.{name}: at most {MAX_PARTS}")
    try:
        if kind is not None:
            kind.model_validate(part)
        if isinstance(change, AddCustomDomain):
            custom_domain(str(change.name))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        what = first.get("ctx", {}).get("what", first["msg"])
        raise MalformedChange(f"{type(change).__name__}.{where}: {what}") from None


def _part(change: Change) -> tuple[type[BaseModel] | None, dict[str, Any]]:
    """The part of a configuration that a change makes, and its schema."""
    match change:
        case CreateVpc(made) | CreateVSwitch(_, made) | CreateInstance(made):
            return part_of(made), plain(made)
        case CreateGroup(group):
            return schema.GroupPart, _group(group, ambiguous=True)
        case AddZone(zone_id, zone):
            return schema.PrivateZonePart, {"zone_id": zone_id, "zone": str(zone)}
        case AddZoneRecord(_, record_id, record):
            said = {"name": f"{record.name}.", "type": type_text(record.rtype)}
            return schema.ZoneRecordPart, {**said, "values": [""], "record_ids": [record_id]}
        case RenameGroup(group_id, name):
            return schema.GroupPart, {"group_id": group_id, "name": name, "instance_id": "any"}
        case _:
            return None, {}
