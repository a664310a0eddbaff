"""What distinguishes two Worlds, object by object, in words for a log line.

Walks only what is not shared between the two, so that a change to one object of a million is cheap to find.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar

from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import InstanceKey
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
    for part in ("answers", "access", "forwarding"):
        yield from _changed(f"{part}.", getattr(old, part), getattr(new, part))


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
