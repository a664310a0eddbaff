"""What may be done to a World: to gateway instances and API groups here, to networks in `topology_changes`.

The cloud's API and the journal speak in these values, plans and scenarios in words (`rehearsal.change_text`).
Asks the rules and never repeats one. Inside a change, whatever is missing or breaks a rule raises `Refused`;
callers of `apply` get the Refusal as a value.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from typing import Any, TypeVar

from vpcdns.model import gateway_rules
from vpcdns.model.gateway import Binding, Group, Instance, InstanceKey
from vpcdns.model.names import Name
from vpcdns.model.rules import Refusal, Rule, duplicate, missing
from vpcdns.model.world import World

K = TypeVar("K")
V = TypeVar("V")


class Refused(Exception):
    """A rule that a change breaks."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class Change(ABC):
    """A change: immutable, compared by its parts."""

    __slots__ = ()

    def apply(self, world: World) -> World | Refusal:
        """The World after this change, its revision one higher; or the rule that the change breaks."""
        try:
            return replace(self.changed(world), revision=world.revision + 1)
        except Refused as refused:
            return refused.refusal

    @abstractmethod
    def changed(self, world: World) -> World:
        """The World after this change, the revision as it was. Raises Refused."""


def allow(refusals: Iterable[Refusal]) -> None:
    """Raises Refused with the first refusal, if there is one."""
    for refusal in refusals:
        raise Refused(refusal)


def found(
    objects: Mapping[K, V], key: K, subject: str, section: str, what: str = "", rule: Rule = Rule.REFERENCE
) -> V:
    """The object of that key; raises Refused when there is none."""
    if (value := objects.get(key)) is None:
        raise Refused(missing(rule, subject, what or subject, section, (f"{section[:-1]}_id",)))
    return value


@dataclass(frozen=True, slots=True)
class CreateInstance(Change):
    """Adds an instance, bound if it says so."""

    instance: Instance

    def changed(self, world: World) -> World:
        key, binding = self.instance.key, self.instance.binding
        if key in world.instances:
            what = f"instance {self.instance.instance_id} in {self.instance.region_id}"
            raise Refused(duplicate(what, ("instance_id",)))
        unbound = replace(self.instance, binding=None)
        allow(gateway_rules.instance_refusals(unbound, world.topology))
        created = _with_instance(world, key, unbound)
        if binding is None:
            return created
        return Bind(key, binding.vpc_id, binding.vswitch_id, binding.address).changed(created)


@dataclass(frozen=True, slots=True)
class DeleteInstance(Change):
    """Removes an instance that no group lives on."""

    instance_key: InstanceKey

    def changed(self, world: World) -> World:
        instance = _instance(world, self.instance_key)
        for group in world.groups_on(instance.key):
            problem = f"group {group.group_id} lives on it"
            raise _refused(Rule.ONE_INSTANCE, instance, problem, "migrate or delete its groups first")
        return _with_instance(world, instance.key, None)


@dataclass(frozen=True, slots=True)
class Bind(Change):
    """Binds a dedicated instance to a vSwitch, or rebinds it; all its groups follow (DESIGN §1.7).

    Without an address it keeps the one it has in that vSwitch, or takes the lowest free one.
    """

    instance_key: InstanceKey
    vpc_id: str
    vswitch_id: str
    address: IPv4Address | None = None

    def changed(self, world: World) -> World:
        instance = _instance(world, self.instance_key)
        vswitch = _allowed(gateway_rules.vswitch_for(instance, self.vpc_id, self.vswitch_id, world.topology))
        address, present = self.address, instance.binding
        if present is not None and (present.vpc_id, present.vswitch_id) == (self.vpc_id, self.vswitch_id):
            address = address or present.address
        if address is None:
            address = _allowed(gateway_rules.free_address(instance, self.vpc_id, vswitch, world.endpoints))
        binding = Binding(self.vpc_id, self.vswitch_id, address)
        allow(gateway_rules.binding_refusals(instance, binding, world.topology))
        allow(gateway_rules.endpoint_refusals(instance, binding, world.endpoints))
        return _with_instance(world, instance.key, replace(instance, binding=binding))


@dataclass(frozen=True, slots=True)
class Unbind(Change):
    """Takes a dedicated instance out of its VPC; refused while a VPC domain of its groups is on."""

    instance_key: InstanceKey

    def changed(self, world: World) -> World:
        instance = _instance(world, self.instance_key)
        if instance.binding is None:
            raise _refused(Rule.BINDING, instance, "it is not bound", "there is nothing to unbind")
        for group in world.groups_on(instance.key):
            if group.vpc_domain:
                problem = f"the VPC domain of its group {group.group_id} is on"
                way_out = "disable the VPC domains of its groups first, or rebind it to another VPC"
                raise _refused(Rule.BOUND_BEFORE_ENABLED, instance, problem, way_out)
        return _with_instance(world, instance.key, replace(instance, binding=None))


@dataclass(frozen=True, slots=True)
class CreateGroup(Change):
    """Adds a group, with whatever it has already."""

    group: Group

    def changed(self, world: World) -> World:
        group, custom_domains = self.group, world.custom_domains
        if group.group_id in world.groups:
            raise Refused(duplicate(f"group {group.group_id}", ("group_id",)))
        allow(gateway_rules.group_refusals(group, world.instances, world.answers.suffix))
        for index, name in enumerate(group.custom_domains):
            owner, where = custom_domains.values.get(name), ("custom_domains", index)
            allow(
                gateway_rules.custom_domain_refusals(
                    name, _subject(group), world.answers.suffix, owner, where
                )
            )
            custom_domains = custom_domains.put(name, group.group_id)
        return replace(world, groups=world.groups.set(group.group_id, group), custom_domains=custom_domains)


@dataclass(frozen=True, slots=True)
class DeleteGroup(Change):
    """Removes a group, its VPC domain and its custom domains."""

    group_id: str

    def changed(self, world: World) -> World:
        group, custom_domains = _group(world, self.group_id), world.custom_domains
        for name in group.custom_domains:
            custom_domains = custom_domains.remove(name)
        return replace(world, groups=world.groups.delete(group.group_id), custom_domains=custom_domains)


@dataclass(frozen=True, slots=True)
class RenameGroup(Change):
    group_id: str
    name: str

    def changed(self, world: World) -> World:
        return _edited(world, _group(world, self.group_id), name=self.name)


@dataclass(frozen=True, slots=True)
class EnableVpcDomain(Change):
    """Switches a group's VPC domain on; enabling twice succeeds."""

    group_id: str

    def changed(self, world: World) -> World:
        return _edited(world, _group(world, self.group_id), vpc_domain=True)


@dataclass(frozen=True, slots=True)
class DisableVpcDomain(Change):
    """Switches a group's VPC domain off; its name and its custom domains stay."""

    group_id: str

    def changed(self, world: World) -> World:
        return _edited(world, _group(world, self.group_id), vpc_domain=False)


@dataclass(frozen=True, slots=True)
class MigrateGroup(Change):
    """Moves a group to another instance of its region, under the same name (DESIGN §1.8, §1.9)."""

    group_id: str
    instance_id: str

    def changed(self, world: World) -> World:
        group = _group(world, self.group_id)
        return _edited(world, group, Rule.BOUND_BEFORE_MIGRATED, instance_id=self.instance_id)


@dataclass(frozen=True, slots=True)
class AddCustomDomain(Change):
    """Gives a group on a dedicated instance one more name."""

    group_id: str
    name: Name

    def changed(self, world: World) -> World:
        group = _group(world, self.group_id)
        owner = world.custom_domains.values.get(self.name)
        if owner == group.group_id:
            what = f"custom domain {self.name} of group {group.group_id}"
            raise Refused(duplicate(what, ("custom_domains",)))
        allow(gateway_rules.custom_domain_refusals(self.name, _subject(group), world.answers.suffix, owner))
        edited = _edited(world, group, custom_domains=(*group.custom_domains, self.name))
        return replace(edited, custom_domains=world.custom_domains.put(self.name, group.group_id))


@dataclass(frozen=True, slots=True)
class RemoveCustomDomain(Change):
    group_id: str
    name: Name

    def changed(self, world: World) -> World:
        group, where = _group(world, self.group_id), ("custom_domains",)
        if world.custom_domains.values.get(self.name) != group.group_id:
            what = f"custom domain {self.name}"
            raise Refused(missing(Rule.REFERENCE, _subject(group), what, "custom_domains", where))
        # Ten times as fast as comparing Names: a group may have thousands, and one call remove a thousand.
        at = [name.folded for name in group.custom_domains].index(self.name.folded)
        rest = group.custom_domains[:at] + group.custom_domains[at + 1 :]
        edited = _edited(world, group, custom_domains=rest)
        return replace(edited, custom_domains=world.custom_domains.remove(self.name))


def _group(world: World, group_id: str) -> Group:
    return found(world.groups, group_id, f"group {group_id}", "groups")


def _instance(world: World, key: InstanceKey) -> Instance:
    region_id, instance_id = key
    what = f"instance {instance_id} in {region_id}"
    return found(world.instances, key, f"instance {instance_id}", "instances", what, Rule.ONE_INSTANCE)


def _allowed(value: V | Refusal) -> V:
    """The value that a rule gives instead of a refusal. Raises Refused."""
    if isinstance(value, Refusal):
        raise Refused(value)
    return value


def _edited(world: World, group: Group, unbound: Rule = Rule.BOUND_BEFORE_ENABLED, **fields: Any) -> World:
    """The World with other values in those fields of a group, if the rules allow it."""
    edited = replace(group, **fields)
    allow(gateway_rules.group_refusals(edited, world.instances, world.answers.suffix, unbound))
    return replace(world, groups=world.groups.set(group.group_id, edited))


def _refused(rule: Rule, instance: Instance, problem: str, way_out: str) -> Refused:
    return Refused(Refusal(rule, f"instance {instance.instance_id}", problem, way_out))


def _with_instance(world: World, key: InstanceKey, instance: Instance | None) -> World:
    """The World with `instance` under that key, or without any; its endpoint likewise."""
    before, endpoints = world.instances.get(key), world.endpoints
    if before is not None and before.binding is not None:
        endpoints = endpoints.delete((before.binding.vpc_id, before.binding.address))
    if instance is None:
        return replace(world, instances=world.instances.delete(key), endpoints=endpoints)
    if instance.binding is not None:
        endpoints = endpoints.set((instance.binding.vpc_id, instance.binding.address), key)
    return replace(world, instances=world.instances.set(key, instance), endpoints=endpoints)


def _subject(group: Group) -> str:
    return f"group {group.group_id}"
