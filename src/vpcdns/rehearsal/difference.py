"""What distinguishes two Worlds, object by object, in words for a log line or a plan.

Walks only what is not shared between the two, so that a change to one object of a million is cheap to find.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import TypeVar

from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Group, Instance, InstanceKey
from vpcdns.model.topology import Connection, Network, Vpc
from vpcdns.model.world import World

K = TypeVar("K")
V = TypeVar("V")

NOTHING = "none"


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that is not as it was; `before` or `after` is `none` for what came or went."""

    subject: str
    before: str
    after: str

    def __str__(self) -> str:
        if self.before == NOTHING:
            return f"{self.subject} added ({self.after})"
        if self.after == NOTHING:
            return f"{self.subject} removed ({self.before})"
        return f"{self.subject}: {self.before} -> {self.after}"


def differences(old: World, new: World) -> Iterator[Difference]:
    """Every object that differs: instances first, as they move the most names."""
    names = Counter[InstanceKey]() if old.instances is new.instances else _enabled(new)
    yield from _of(old.instances, new.instances, lambda i: _instance(i, names))
    yield from _of(old.groups, new.groups, _group)
    yield from _of(old.topology.vpcs, new.topology.vpcs, _vpc)
    yield from _of(old.topology.networks, new.topology.networks, _network)
    yield from _of(old.topology.connections, new.topology.connections, _connection)
    for part in ("answers", "access", "forwarding"):
        before, after = getattr(old, part), getattr(new, part)
        for field in fields(before):
            was, now = getattr(before, field.name), getattr(after, field.name)
            if was != now:
                yield Difference(f"{part}.{field.name}", _setting(was), _setting(now))


def _of(
    old: FrozenMap[K, V], new: FrozenMap[K, V], describe: Callable[[V], tuple[str, str]]
) -> Iterator[Difference]:
    if old is new:
        return
    gone: list[Difference] = []
    for key in new.touched(old):
        was, now = old.get(key), new.get(key)
        if was == now:
            continue
        subject = next(describe(one)[0] for one in (now, was) if one is not None)
        before, after = (NOTHING if one is None else describe(one)[1] for one in (was, now))
        found = Difference(subject, before, after)
        if now is None:
            gone.append(found)
        else:
            yield found
    yield from gone


def _enabled(world: World) -> Counter[InstanceKey]:
    return Counter(group.instance_key for _, group in world.groups.scan() if group.vpc_domain)


def _instance(instance: Instance, names: Counter[InstanceKey]) -> tuple[str, str]:
    count = names[instance.key]
    subject = f"instance {instance.instance_id} in {instance.region_id} ({count} names)"
    if instance.binding is not None:
        return subject, f"{instance.binding.vpc_id} {instance.binding.vswitch_id} {instance.binding.address}"
    return subject, ", ".join(map(str, instance.addresses)) or "not bound"


def _group(group: Group) -> tuple[str, str]:
    state = "on" if group.vpc_domain else "off"
    custom = ", ".join(map(str, group.custom_domains))
    text = f"{group.instance_id}, VPC domain {state}{', ' if custom else ''}{custom}"
    return f"group {group.group_id}{f' {group.name}' if group.name else ''}", text


def _vpc(vpc: Vpc) -> tuple[str, str]:
    sources = ", ".join(map(str, vpc.source_networks))
    vswitches = ", ".join(f"{vswitch.vswitch_id} {vswitch.cidr_block}" for vswitch in vpc.vswitches)
    blocks = ", ".join(map(str, vpc.cidr_blocks))
    text = f"{vpc.region_id}, blocks {blocks}, from {sources}, vSwitches {vswitches or NOTHING}"
    return f"VPC {vpc.vpc_id}", text


def _network(network: Network) -> tuple[str, str]:
    sources = ", ".join(map(str, network.source_networks))
    routes = ", ".join(f"{route.destination} via {route.via}" for route in network.routes)
    resolves = network.resolves_as or "the Internet"
    text = f"resolves as {resolves}, from {sources}, routes {routes or NOTHING}"
    return f"network {network.network_id}", text


def _connection(connection: Connection) -> tuple[str, str]:
    values = (f"{field.name} {_setting(getattr(connection, field.name))}" for field in fields(connection)[1:])
    return f"connection {connection.connection_id}", ", ".join(values)


def _setting(value: object) -> str:
    if isinstance(value, tuple | frozenset):
        return "[" + ", ".join(sorted(map(_setting, value))) + "]"
    return str(getattr(value, "value", value))
