"""Instances and groups of a configuration -> the model's, under its rules.

Knows the order that the rules need: bindings with an address are placed before those that take the
lowest free one, instances before groups. Linear in the number of groups, of which there may be
hundreds of thousands: they differ in a few ways only, and the rules are not asked again about a group
or a custom domain that is like one they found good. A test compares that with asking about every one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from ipaddress import IPv4Address

from vpcdns.config import schema
from vpcdns.config.mistakes import Mistakes, Path
from vpcdns.model import gateway_rules as rules
from vpcdns.model.frozen_map import Filling
from vpcdns.model.gateway import VPC_LABEL_END, Binding, Group, Instance, InstanceKey, InstanceType
from vpcdns.model.names import Name
from vpcdns.model.rules import Refusal, duplicate
from vpcdns.model.topology import Topology
from vpcdns.model.world import EndpointKey


class GatewayBuilder:
    def __init__(self, topology: Topology, suffix: Name, mistakes: Mistakes) -> None:
        self.topology = topology
        self.suffix = suffix
        self.mistakes = mistakes
        self.instances: dict[InstanceKey, Instance] = {}
        self.endpoints: dict[EndpointKey, InstanceKey] = {}
        self.groups: Filling[str, Group] = Filling()
        self.owners: Filling[Name, str] = Filling()  # of custom domains
        self._regions: dict[str, list[str]] = {}  # instance_id -> regions that have one
        self._lowest: dict[tuple[str, str], IPv4Address] = {}  # vSwitch -> all below it is taken
        self._good_groups: set[tuple[str, str, bool, bool]] = set()
        self._good_parents: set[tuple[bytes, ...]] = set()
        # Custom domains may not lie under these, nor be them.
        self._taken = {taken.folded[0] for taken in (suffix, rules.VPCDNS_INTERNAL) if taken.folded}

    def add_instances(self, parts: Sequence[schema.ServerlessPart | schema.DedicatedPart]) -> None:
        unplaced: list[tuple[Path, Instance, schema.BindingPart]] = []
        for index, part in enumerate(parts):
            path: Path = ("instances", index)
            instance = _instance(part)
            if instance.key in self.instances:
                what = f"instance {instance.instance_id} in {instance.region_id}"
                self.mistakes.add_refusals(path, [duplicate(what, ("instance_id",))])
                continue
            self.instances[instance.key] = instance
            self._regions.setdefault(instance.instance_id, []).append(instance.region_id)
            self.mistakes.add_refusals(path, rules.instance_refusals(instance, self.topology))
            if (binding := instance.binding) is not None:
                self.mistakes.add_refusals(path, rules.endpoint_refusals(instance, binding, self.endpoints))
                self.endpoints.setdefault((binding.vpc_id, binding.address), instance.key)
            elif isinstance(part, schema.DedicatedPart) and part.binding is not None:
                unplaced.append((path, instance, part.binding))
        for path, instance, given in unplaced:
            self._place_anywhere(path, instance, given)

    def _place_anywhere(self, path: Path, instance: Instance, part: schema.BindingPart) -> None:
        vswitch = rules.vswitch_for(instance, part.vpc_id, part.vswitch_id, self.topology)
        address: IPv4Address | Refusal
        if isinstance(vswitch, Refusal):
            address = vswitch
        else:
            above = self._lowest.get((part.vpc_id, part.vswitch_id))
            address = rules.free_address(instance, part.vpc_id, vswitch, self.endpoints, above)
        if isinstance(address, Refusal):
            self.mistakes.add_refusals(path, [address])
            address = IPv4Address(0)  # so that its groups are not refused because it is not bound
        else:
            self._lowest[part.vpc_id, part.vswitch_id] = address
            self.endpoints[part.vpc_id, address] = instance.key
        binding = Binding(part.vpc_id, part.vswitch_id, address)
        self.instances[instance.key] = replace(instance, binding=binding)

    def add_groups(self, groups: Iterable[Group]) -> None:
        """Adds groups with well-formed ids, of which those that name no region have an empty one."""
        for index, given in enumerate(groups):
            group = given if given.region_id else self._in_its_region(index, given)
            if group is None:
                continue
            if self.groups.setdefault(group.group_id, group) is not group:
                twice = duplicate(f"group {group.group_id}", ("group_id",))
                self.mistakes.add_refusals(("groups", index), [twice])
                continue
            kind = group.region_id, group.instance_id, group.vpc_domain, not group.custom_domains
            if kind not in self._good_groups:
                refusals = list(rules.group_refusals(group, self.instances, self.suffix))
                self.mistakes.add_refusals(("groups", index), refusals)
                if not refusals:
                    self._good_groups.add(kind)
            if group.custom_domains:
                self._own(index, group)

    def _in_its_region(self, index: int, group: Group) -> Group | None:
        """The group in the only region that has an instance of that id."""
        instance_id = group.instance_id
        regions = self._regions.get(instance_id, ())
        if len(regions) == 1:  # `replace` takes three times as long
            names = group.custom_domains
            return Group(group.group_id, instance_id, regions[0], group.name, group.vpc_domain, names)
        if regions:
            what = f"instance {instance_id} is in {', '.join(regions)}"
            self.mistakes.add(("groups", index, "region_id"), what, "say which by `region_id`")
        else:
            self.mistakes.add_missing(
                ("groups", index, "instance_id"), f"instance {instance_id}", "instances"
            )
        return None

    def _own(self, index: int, group: Group) -> None:
        path: Path = ("groups", index)
        seen: set[Name] = set()
        for place, name in enumerate(group.custom_domains):
            where = ("custom_domains", place)
            if name in seen:
                self.mistakes.add_refusals(path, [duplicate(f"custom domain {name}", where)])
                continue
            seen.add(name)
            owner = self.owners.setdefault(name, group.group_id)
            other = None if owner == group.group_id else owner
            parent = self._deciding_parent(name)
            if other is None and parent in self._good_parents:
                continue
            subject = f"group {group.group_id}"
            refusals = list(rules.custom_domain_refusals(name, subject, self.suffix, other, where))
            self.mistakes.add_refusals(path, refusals)
            if parent is not None and not refusals:
                self._good_parents.add(parent)

    def _deciding_parent(self, name: Name) -> tuple[bytes, ...] | None:
        """The labels above the first one; None where the rules also look at what the first one says."""
        first = name.folded[0] if name.folded else b"*"
        if first == b"*" or first in self._taken or first.endswith(VPC_LABEL_END):
            return None
        return name.folded[1:]


def _instance(part: schema.ServerlessPart | schema.DedicatedPart) -> Instance:
    if isinstance(part, schema.ServerlessPart):
        return Instance(part.instance_id, part.region_id, InstanceType.SERVERLESS, tuple(part.addresses))
    given, binding = part.binding, None
    if given is not None and given.address is not None:
        binding = Binding(given.vpc_id, given.vswitch_id, given.address)
    return Instance(part.instance_id, part.region_id, InstanceType.DEDICATED, binding=binding)
