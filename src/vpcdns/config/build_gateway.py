"""Instances and groups of a configuration -> the model's, under its rules.

Knows the order that the rules need: bindings with an address are placed before those that take the
lowest free one, instances before groups. Linear in the number of groups, of which there may be
hundreds of thousands.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address
from typing import TypedDict

from vpcdns.config import schema
from vpcdns.config.passed_groups import Usual
from vpcdns.config.problems import Finding, Path, of_refusal
from vpcdns.model.frozen_map import Filling, FrozenMap
from vpcdns.model.gateway import Binding, CustomDomains, Group, Instance, InstanceKey, InstanceType
from vpcdns.model.gateway_rules import (
    custom_domain_refusals,
    endpoint_refusals,
    free_address,
    group_refusals,
    instance_refusals,
    vswitch_for,
)
from vpcdns.model.names import Name
from vpcdns.model.rules import Refusal, duplicate
from vpcdns.model.topology import Topology
from vpcdns.model.world import EndpointKey


class GatewayParts(TypedDict):
    """The fields of a World that are the gateway's."""

    instances: FrozenMap[InstanceKey, Instance]
    endpoints: FrozenMap[EndpointKey, InstanceKey]
    groups: FrozenMap[str, Group]
    custom_domains: CustomDomains


class GatewayBuilder:
    def __init__(self, topology: Topology, suffix: Name, findings: list[Finding]) -> None:
        self.topology = topology
        self.suffix = suffix
        self.findings = findings
        self.instances: dict[InstanceKey, Instance] = {}
        self._groups: Filling[str, Group] = Filling()
        self._endpoints: dict[EndpointKey, InstanceKey] = {}
        self._owners: Filling[Name, str] = Filling()
        self._usual = Usual(suffix)
        self._regions: dict[str, list[str]] = {}  # instance_id -> regions that have one
        self._lowest: dict[tuple[str, str], IPv4Address] = {}  # vSwitch -> all below it is taken

    def parts(self) -> GatewayParts:
        """What was made; nothing can be added afterwards."""
        return GatewayParts(
            instances=FrozenMap(self.instances),
            endpoints=FrozenMap(self._endpoints),
            groups=self._groups.frozen(),
            custom_domains=CustomDomains.of(self._owners.frozen()),
        )

    def add_instances(self, parts: Sequence[schema.ServerlessPart | schema.DedicatedPart]) -> None:
        unplaced: list[tuple[Path, Instance, schema.BindingPart]] = []
        for index, part in enumerate(parts):
            path: Path = ("instances", index)
            instance = _instance(part)
            if instance.key in self.instances:
                what = f"instance {instance.instance_id} in {instance.region_id}"
                self._refuse(path, [duplicate(what, ("instance_id",))])
                continue
            self.instances[instance.key] = instance
            self._regions.setdefault(instance.instance_id, []).append(instance.region_id)
            self._refuse(path, instance_refusals(instance, self.topology))
            if instance.binding is not None:
                self._place(path, instance, instance.binding)
            elif isinstance(part, schema.DedicatedPart) and part.binding is not None:
                unplaced.append((path, instance, part.binding))
        for path, instance, binding in unplaced:
            self._place_anywhere(path, instance, binding)

    def _place(self, path: Path, instance: Instance, binding: Binding) -> None:
        self._refuse(path, endpoint_refusals(instance, binding, self._endpoints))
        self._endpoints.setdefault((binding.vpc_id, binding.address), instance.key)

    def _place_anywhere(self, path: Path, instance: Instance, part: schema.BindingPart) -> None:
        vswitch = vswitch_for(instance, part.vpc_id, part.vswitch_id, self.topology)
        address: IPv4Address | Refusal
        if isinstance(vswitch, Refusal):
            address = vswitch
        else:
            above = self._lowest.get((part.vpc_id, part.vswitch_id))
            address = free_address(instance, part.vpc_id, vswitch, self._endpoints, above)
        if isinstance(address, Refusal):
            self._refuse(path, [address])
            address = IPv4Address(0)  # bound all the same, so that its groups are not refused for it
        else:
            self._lowest[part.vpc_id, part.vswitch_id] = address
            self._endpoints[part.vpc_id, address] = instance.key
        binding = Binding(part.vpc_id, part.vswitch_id, address)
        self.instances[instance.key] = Instance(
            instance.instance_id, instance.region_id, instance.type, binding=binding
        )

    def add_groups(self, groups: Iterable[Group]) -> None:
        """Adds groups with well-formed ids, of which those that name no region have an empty one."""
        for index, given in enumerate(groups):
            group = given
            if not given.region_id:
                regions = self._regions.get(given.instance_id, ())
                if len(regions) != 1:
                    self._note_region(index, given.instance_id, regions)
                    continue
                group = in_region(given, regions[0])
            if self._groups.setdefault(group.group_id, group) is not group:
                self._refuse(("groups", index), [duplicate(f"group {group.group_id}", ("group_id",))])
                continue
            if not self._usual.knows(group):
                refusals = list(group_refusals(group, self.instances, self.suffix))
                self._refuse(("groups", index), refusals)
                if not refusals:
                    self._usual.meet(group)
            if group.custom_domains:
                self._own(index, group)

    def _note_region(self, index: int, instance_id: str, regions: Sequence[str]) -> None:
        """Notes that there is no such instance, or a choice."""
        path: Path = ("groups", index)
        if regions:
            what = f"instance {instance_id} is there in {', '.join(regions)}"
            self.findings.append(Finding((*path, "region_id"), what, "say which by `region_id`"))
        else:
            what = f"there is no instance {instance_id}"
            way_out = "add it under `instances`, or mend the id"
            self.findings.append(Finding((*path, "instance_id"), what, way_out))

    def _own(self, index: int, group: Group) -> None:
        seen: set[Name] = set()
        for place, name in enumerate(group.custom_domains):
            owner = self._owners.setdefault(name, group.group_id)
            if owner is group.group_id and not place and self._usual.knows_domain(name):
                seen.add(name)
                continue
            where = ("custom_domains", place)
            twice = name in seen
            seen.add(name)
            if owner == group.group_id and twice:
                self._refuse(("groups", index), [duplicate(f"custom domain {name}", where)])
                continue
            other = None if owner == group.group_id else owner
            subject = f"group {group.group_id}"
            refusals = list(custom_domain_refusals(name, subject, self.suffix, other, where))
            self._refuse(("groups", index), refusals)
            if not refusals:
                self._usual.meet_domain(name)

    def _refuse(self, path: Path, refusals: Iterable[Refusal]) -> None:
        for refusal in refusals:
            self.findings.append(of_refusal(path, refusal))


def in_region(group: Group, region_id: str) -> Group:
    """The group in that region. `replace` takes three times as long."""
    return Group(
        group.group_id, group.instance_id, region_id, group.name, group.vpc_domain, group.custom_domains
    )


def _instance(part: schema.ServerlessPart | schema.DedicatedPart) -> Instance:
    match part:
        case schema.ServerlessPart():
            addresses = tuple(part.addresses)
            return Instance(part.instance_id, part.region_id, InstanceType.SERVERLESS, addresses)
        case schema.DedicatedPart():
            given, binding = part.binding, None
            if given is not None and given.address is not None:
                binding = Binding(given.vpc_id, given.vswitch_id, given.address)
            return Instance(part.instance_id, part.region_id, InstanceType.DEDICATED, binding=binding)
