"""What distinguishes two Worlds, object by object, in words for a log line.

Walks only what is not shared between the two, so that a change to one object of a million is cheap to find.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import InstanceKey
from vpcdns.model.private_zones import PrivateZone
from vpcdns.model.world import World

K = TypeVar("K")
V = TypeVar("V")


def differences(old: World, new: World) -> Iterator[str]:
    """Every object that differs: instances first, as they move the most names."""
    names = Counter[InstanceKey]()
    if old.instances is not new.instances:
        names.update(group.instance_key for _, group in new.groups.scan() if group.vpc_domain)
    yield from _between(
        old.instances,
        new.instances,
        lambda one: f"instance {one.instance_id} in {one.region_id} ({names[one.key]} names)",
    )
    yield from _between(old.groups, new.groups, lambda one: f"group {one.group_id} {one.name}".rstrip())
    was, now = old.topology, new.topology
    yield from _between(was.vpcs, now.vpcs, lambda one: f"VPC {one.vpc_id}")
    yield from _between(was.networks, now.networks, lambda one: f"network {one.network_id}")
    yield from _between(was.connections, now.connections, lambda one: f"connection {one.connection_id}")
    yield from _zones(old.private_zones.zones, new.private_zones.zones)
    yield from settings_differences(old, new)


def settings_differences(old: World, new: World) -> Iterator[str]:
    """What differs in how answers look, who may ask, and whom to ask for the rest."""
    for part in ("answers", "access", "forwarding"):
        yield from _changed(f"{part}.", getattr(old, part), getattr(new, part))


def _zones(old: FrozenMap[str, PrivateZone], new: FrozenMap[str, PrivateZone]) -> Iterator[str]:
    for zone_id in new.touched(old) if old is not new else ():
        was, now = old.get(zone_id), new.get(zone_id)
        if was is None or now is None:
            zone, what = (was, "removed") if now is None else (now, "added")
            if zone is not None:
                yield f"private zone {zone.zone} {what} ({len(zone.records)} records)"
            continue
        subject = f"private zone {now.zone}, "
        yield from _changed(subject, replace(was, records=FrozenMap()), replace(now, records=FrozenMap()))
        for record_id in now.records.touched(was.records) if now.records is not was.records else ():
            before, after = was.records.get(record_id), now.records.get(record_id)
            if before is None or after is None:
                yield f"{subject}{'removed' if after is None else 'added'}: {before or after}"
            elif before != after:
                yield f"{subject}changed: {before} -> {after}"


def _between(old: FrozenMap[K, V], new: FrozenMap[K, V], subject: Callable[[V], str]) -> Iterator[str]:
    for key in new.touched(old) if old is not new else ():
        was, now = old.get(key), new.get(key)
        if now is None:
            yield from (f"{subject(gone)} removed ({_text(gone)})" for gone in (was,) if gone is not None)
        elif was is None:
            yield f"{subject(now)} added ({_text(now)})"
        elif was != now:
            yield from _changed(f"{subject(now)}, ", was, now)


def _changed(subject: str, was: Any, now: Any) -> Iterator[str]:
    """The fields that are not as they were."""
    if type(was) is not type(now):
        yield f"{subject}now another: {_text(was)} -> {_text(now)}"
        return
    for name in (field.name for field in fields(was) if field.compare):
        before, after = getattr(was, name), getattr(now, name)
        if before != after:
            yield f"{subject}{name}: {_text(before)} -> {_text(after)}"


def _text(value: Any) -> str:
    match value:
        case tuple():
            return f"[{', '.join(map(_text, value))}]"
        case frozenset():
            return f"[{', '.join(sorted(map(_text, value)))}]"
        case Enum():
            return str(value.value)
        case _ if is_dataclass(value) and type(value).__str__ is object.__str__:
            return " ".join(f"{field.name}={_text(getattr(value, field.name))}" for field in fields(value))
        case _:
            return str(value)
