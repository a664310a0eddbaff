"""What every change of a World does: it looks objects up, asks the rules, and gives the next World.

Knows no single change. Inside a change, whatever is missing or breaks a rule raises `Refused`; callers get a
Refusal as a value.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from vpcdns.model.gateway import Group, Instance, InstanceKey
from vpcdns.model.gateway_rules import group_refusals
from vpcdns.model.rules import Refusal, Rule, missing
from vpcdns.model.topology import Network, Vpc
from vpcdns.model.world import World

K = TypeVar("K")
V = TypeVar("V")


class Refused(Exception):
    """Never leaves this room: `WorldChange.apply` gives its Refusal as a value."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class WorldChange:
    """A change: immutable, compared by its parts."""

    __slots__ = ()

    def apply(self, world: World) -> World | Refusal:
        """The World after this change, its revision one higher; or the rule that the change breaks."""
        try:
            return replace(self.changed(world), revision=world.revision + 1)
        except Refused as refused:
            return refused.refusal

    def changed(self, world: World) -> World:
        """The World after this change, the revision as it was. Raises Refused."""
        raise NotImplementedError


def allow(refusals: Iterable[Refusal]) -> None:
    """Raises Refused with the first refusal, if there is one."""
    for refusal in refusals:
        raise Refused(refusal)


def allowed(value: V | Refusal) -> V:
    """The value that a rule gives instead of a refusal. Raises Refused."""
    if isinstance(value, Refusal):
        raise Refused(value)
    return value


def group_of(world: World, group_id: str) -> Group:
    return _found(world.groups, group_id, f"group {group_id}", "groups", ("group_id",), what="such group")


def instance_of(world: World, key: InstanceKey) -> Instance:
    region_id, instance_id = key
    what, subject = f"instance {instance_id} in {region_id}", f"instance {instance_id}"
    return _found(world.instances, key, subject, "instances", ("instance_id",), what, Rule.ONE_INSTANCE)


def vpc_of(world: World, vpc_id: str) -> Vpc:
    return _found(world.topology.vpcs, vpc_id, f"VPC {vpc_id}", "vpcs", ("vpc_id",), what="such VPC")


def network_of(world: World, network_id: str) -> Network:
    return _found(world.topology.networks, network_id, f"network {network_id}", "networks", ("network_id",))


def with_group(world: World, group: Group) -> World:
    """The World with `group` in the place of the one with its id, if the rules allow it."""
    allow(group_refusals(group, world.instances, world.answers.suffix))
    return replace(world, groups=world.groups.set(group.group_id, group))


def _found(
    objects: Mapping[K, V],
    key: K,
    subject: str,
    section: str,
    where: tuple[str | int, ...],
    what: str = "",
    rule: Rule = Rule.REFERENCE,
) -> V:
    found = objects.get(key)
    if found is None:
        raise Refused(missing(rule, subject, what or subject, section, where))
    return found
