"""What may be done to a World: each change gives a new World, or the Refusal of the rule it breaks.

The command line, the cloud's API, scenarios and the journal all speak in these values. Knows the
rules by calling them; never repeats one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Binding, Group, Instance, InstanceKey, InstanceType
from vpcdns.model.names import Name
from vpcdns.model.rules import (
    Refusal,
    Rule,
    binding_refusals,
    custom_domain_on_serverless,
    custom_domain_refusals,
    duplicate,
    endpoint_refusals,
    free_address,
    group_refusals,
    instance_refusals,
    missing,
    vswitch_for,
)
from vpcdns.model.vpc_changes import VpcChange
from vpcdns.model.world import EndpointKey, World


@dataclass(frozen=True, slots=True)
class CreateInstance:
    """Adds an instance, unbound."""

    instance: Instance

    def apply(self, world: World) -> World | Refusal:
        key = self.instance.key
        if key in world.instances:
            return duplicate(
                f"instance {self.instance.instance_id} in {self.instance.region_id}", ("instance_id",)
            )
        unbound = replace(self.instance, binding=None)
        for refusal in instance_refusals(unbound, world.topology):
            return refusal
        created = _next(world, instances=world.instances.set(key, unbound))
        binding = self.instance.binding
        if binding is None:
            return created
        bound = Bind(key, binding.vpc_id, binding.vswitch_id, binding.address).apply(created)
        return bound if isinstance(bound, Refusal) else replace(bound, revision=created.revision)


@dataclass(frozen=True, slots=True)
class DeleteInstance:
    """Removes an instance that no group lives on."""

    instance_key: InstanceKey

    def apply(self, world: World) -> World | Refusal:
        instance = world.instances.get(self.instance_key)
        if instance is None:
            return _no_instance(self.instance_key)
        group = next(world.groups_on(self.instance_key), None)
        if group is not None:
            return Refusal(
                Rule.ONE_INSTANCE,
                f"instance {instance.instance_id}",
                f"group {group.group_id} lives on it",
                "migrate or delete its groups first",
            )
        return _next(
            world,
            instances=world.instances.delete(instance.key),
            endpoints=_without_endpoint(world, instance),
        )


@dataclass(frozen=True, slots=True)
class Bind:
    """Binds a dedicated instance to a vSwitch, or rebinds it; all its groups follow (DESIGN §1.7).

    Without an address it keeps the one it has in that vSwitch, or takes the lowest free one.
    """

    instance_key: InstanceKey
    vpc_id: str
    vswitch_id: str
    address: IPv4Address | None = None

    def apply(self, world: World) -> World | Refusal:
        instance = world.instances.get(self.instance_key)
        if instance is None:
            return _no_instance(self.instance_key)
        if instance.type is not InstanceType.DEDICATED:
            return Refusal(
                Rule.BINDING,
                f"instance {instance.instance_id}",
                "a serverless instance cannot be bound: it answers every VPC of its region",
                "bind a dedicated instance, and migrate the groups to it",
                ("binding",),
            )
        vswitch = vswitch_for(instance, self.vpc_id, self.vswitch_id, world.topology)
        if isinstance(vswitch, Refusal):
            return vswitch
        address = (
            self.address
            or _present_address(instance, self)
            or free_address(instance, self.vpc_id, vswitch, world.endpoints)
        )
        if isinstance(address, Refusal):
            return address
        binding = Binding(self.vpc_id, self.vswitch_id, address)
        for refusal in binding_refusals(instance, binding, world.topology):
            return refusal
        for refusal in endpoint_refusals(instance, binding, world.endpoints):
            return refusal
        return _next(
            world,
            instances=world.instances.set(instance.key, replace(instance, binding=binding)),
            endpoints=_without_endpoint(world, instance).set((self.vpc_id, address), instance.key),
        )


@dataclass(frozen=True, slots=True)
class Unbind:
    """Takes a dedicated instance out of its VPC; refused while a VPC domain of its groups is on."""

    instance_key: InstanceKey

    def apply(self, world: World) -> World | Refusal:
        instance = world.instances.get(self.instance_key)
        if instance is None:
            return _no_instance(self.instance_key)
        if instance.binding is None:
            return Refusal(
                Rule.BINDING,
                f"instance {instance.instance_id}",
                "it is not bound",
                "there is nothing to unbind",
            )
        enabled = next((group for group in world.groups_on(instance.key) if group.vpc_domain), None)
        if enabled is not None:
            return Refusal(
                Rule.BOUND_BEFORE_ENABLED,
                f"instance {instance.instance_id}",
                f"the VPC domain of its group {enabled.group_id} is on",
                "disable the VPC domains of its groups first, or rebind it to another VPC",
            )
        return _next(
            world,
            instances=world.instances.set(instance.key, replace(instance, binding=None)),
            endpoints=_without_endpoint(world, instance),
        )


@dataclass(frozen=True, slots=True)
class CreateGroup:
    """Adds a group, with whatever it has already."""

    group: Group

    def apply(self, world: World) -> World | Refusal:
        if self.group.group_id in world.groups:
            return duplicate(f"group {self.group.group_id}", ("group_id",))
        for refusal in group_refusals(self.group, world.instances, world.answers.suffix):
            return refusal
        custom_domains = world.custom_domains
        for index, name in enumerate(self.group.custom_domains):
            where = ("custom_domains", index)
            owner = custom_domains.owners.get(name)
            for refusal in custom_domain_refusals(
                name, _group(self.group), world.answers.suffix, owner, where
            ):
                return refusal
            custom_domains = custom_domains.add(name, self.group.group_id)
        groups = world.groups.set(self.group.group_id, self.group)
        return _next(world, groups=groups, custom_domains=custom_domains)


@dataclass(frozen=True, slots=True)
class DeleteGroup:
    """Removes a group, its VPC domain and its custom domains."""

    group_id: str

    def apply(self, world: World) -> World | Refusal:
        group = world.groups.get(self.group_id)
        if group is None:
            return _no_group(self.group_id)
        custom_domains = world.custom_domains
        for name in group.custom_domains:
            custom_domains = custom_domains.remove(name)
        return _next(world, groups=world.groups.delete(group.group_id), custom_domains=custom_domains)


@dataclass(frozen=True, slots=True)
class RenameGroup:
    group_id: str
    name: str

    def apply(self, world: World) -> World | Refusal:
        return _edit(world, self.group_id, name=self.name)


@dataclass(frozen=True, slots=True)
class EnableVpcDomain:
    """Switches a group's VPC domain on; enabling twice succeeds."""

    group_id: str

    def apply(self, world: World) -> World | Refusal:
        return _edit(world, self.group_id, vpc_domain=True)


@dataclass(frozen=True, slots=True)
class DisableVpcDomain:
    """Switches a group's VPC domain off; its name and its custom domains stay."""

    group_id: str

    def apply(self, world: World) -> World | Refusal:
        return _edit(world, self.group_id, vpc_domain=False)


@dataclass(frozen=True, slots=True)
class MigrateGroup:
    """Moves a group to another instance of its region, under the same name (DESIGN §1.8, §1.9)."""

    group_id: str
    instance_id: str

    def apply(self, world: World) -> World | Refusal:
        group = world.groups.get(self.group_id)
        if group is None:
            return _no_group(self.group_id)
        target = world.instances.get((group.region_id, self.instance_id))
        if target is None:
            return _no_instance((group.region_id, self.instance_id), _group(group))
        if target.type is InstanceType.SERVERLESS and group.custom_domains:
            return custom_domain_on_serverless(_group(group), target.instance_id)
        if target.type is InstanceType.DEDICATED and target.binding is None and group.vpc_domain:
            return Refusal(
                Rule.BOUND_BEFORE_MIGRATED,
                _group(group),
                f"its VPC domain is on, but dedicated instance {target.instance_id} is not bound to a VPC",
                f"bind {target.instance_id} first, or disable the group's VPC domain",
                ("instance_id",),
            )
        return _edit(world, self.group_id, instance_id=self.instance_id)


@dataclass(frozen=True, slots=True)
class AddCustomDomain:
    """Gives a group on a dedicated instance one more name."""

    group_id: str
    name: Name

    def apply(self, world: World) -> World | Refusal:
        group = world.groups.get(self.group_id)
        if group is None:
            return _no_group(self.group_id)
        owner = world.custom_domains.owners.get(self.name)
        if owner == group.group_id:
            return duplicate(f"custom domain {self.name} of group {group.group_id}", ("custom_domains",))
        for refusal in custom_domain_refusals(self.name, _group(group), world.answers.suffix, owner):
            return refusal
        edited = _edit(world, self.group_id, custom_domains=(*group.custom_domains, self.name))
        if isinstance(edited, Refusal):
            return edited
        return replace(edited, custom_domains=world.custom_domains.add(self.name, group.group_id))


@dataclass(frozen=True, slots=True)
class RemoveCustomDomain:
    group_id: str
    name: Name

    def apply(self, world: World) -> World | Refusal:
        group = world.groups.get(self.group_id)
        if group is None:
            return _no_group(self.group_id)
        if self.name not in group.custom_domains:
            return missing(
                Rule.REFERENCE,
                _group(group),
                f"custom domain {self.name}",
                "custom_domains",
                ("custom_domains",),
            )
        rest = tuple(name for name in group.custom_domains if name != self.name)
        edited = _edit(world, self.group_id, custom_domains=rest)
        if isinstance(edited, Refusal):
            return edited
        return replace(edited, custom_domains=world.custom_domains.remove(self.name))


Change = (
    CreateInstance
    | DeleteInstance
    | Bind
    | Unbind
    | CreateGroup
    | DeleteGroup
    | RenameGroup
    | EnableVpcDomain
    | DisableVpcDomain
    | MigrateGroup
    | AddCustomDomain
    | RemoveCustomDomain
    | VpcChange
)


def _present_address(instance: Instance, bind: Bind) -> IPv4Address | None:
    """The address that the instance has already, if it stays in its vSwitch."""
    binding = instance.binding
    if binding is None or (binding.vpc_id, binding.vswitch_id) != (bind.vpc_id, bind.vswitch_id):
        return None
    return binding.address


def _next(world: World, **parts: object) -> World:
    return replace(world, revision=world.revision + 1, **parts)  # type: ignore[arg-type]


def _edit(world: World, group_id: str, **parts: object) -> World | Refusal:
    group = world.groups.get(group_id)
    if group is None:
        return _no_group(group_id)
    edited: Group = replace(group, **parts)  # type: ignore[arg-type]
    for refusal in group_refusals(edited, world.instances, world.answers.suffix):
        return refusal
    return _next(world, groups=world.groups.set(group_id, edited))


def _without_endpoint(world: World, instance: Instance) -> FrozenMap[EndpointKey, InstanceKey]:
    if instance.binding is None:
        return world.endpoints
    return world.endpoints.delete((instance.binding.vpc_id, instance.binding.address))


def _group(group: Group) -> str:
    return f"group {group.group_id}"


def _no_group(group_id: str) -> Refusal:
    return missing(Rule.REFERENCE, f"group {group_id}", "such group", "groups", ("group_id",))


def _no_instance(key: InstanceKey, subject: str = "") -> Refusal:
    region_id, instance_id = key
    what = f"instance {instance_id} in {region_id}"
    return missing(
        Rule.ONE_INSTANCE, subject or f"instance {instance_id}", what, "instances", ("instance_id",)
    )
