"""The immutable snapshot on which everything is decided.

Knows all of the model's objects and joins them; a change makes a new World that shares what stayed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Group, Instance, InstanceKey
from vpcdns.model.name_tree import NameTree
from vpcdns.model.names import Name
from vpcdns.model.policy import Access, Answers, Forwarding, ServerIdentity
from vpcdns.model.private_zones import PrivateZones
from vpcdns.model.topology import Topology

EndpointKey = tuple[str, IPv4Address]  # vpc_id, address: blocks of two VPCs may overlap


@dataclass(frozen=True, slots=True)
class World:
    """Everything that decides an answer.

    `revision` grows by one with every change; modulo 2³² it is the SOA serial (RFC 1982), so a new
    process starts it from the clock's seconds. `endpoints` says which instance has a private
    endpoint address.
    """

    revision: int = 1
    answers: Answers = field(default_factory=Answers)
    access: Access = field(default_factory=Access)
    forwarding: Forwarding = field(default_factory=Forwarding)
    identity: ServerIdentity = field(default_factory=ServerIdentity)
    topology: Topology = field(default_factory=Topology)
    instances: FrozenMap[InstanceKey, Instance] = field(default_factory=FrozenMap)
    endpoints: FrozenMap[EndpointKey, InstanceKey] = field(default_factory=FrozenMap)
    groups: FrozenMap[str, Group] = field(default_factory=FrozenMap)
    custom_domains: NameTree[str] = field(default_factory=NameTree)
    private_zones: PrivateZones = field(default_factory=PrivateZones)

    def instance_of(self, group: Group) -> Instance:
        return self.instances[group.instance_key]

    def vpc_domain(self, group: Group) -> Name:
        """The group's VPC second-level domain, enabled or not (DESIGN §1.2)."""
        return Name((group.vpc_domain_label, *self.answers.suffix.labels))

    def region_ids(self) -> set[str]:
        """The regions that have a VPC or an instance."""
        return {vpc.region_id for vpc in self.topology.vpcs.values()} | {key[0] for key in self.instances}

    def object_counts(self) -> dict[str, int]:
        """How many of each kind are configured."""
        topology = self.topology
        return {
            "vpcs": len(topology.vpcs),
            "networks": len(topology.networks),
            "connections": len(topology.connections),
            "instances": len(self.instances),
            "groups": len(self.groups),
            "custom_domains": len(self.custom_domains.values),
            "private_zones": len(self.private_zones.zones),
        }

    def groups_on(self, key: InstanceKey) -> Iterator[Group]:
        """The groups of one instance; walks all groups, 300,000 in some 10 ms."""
        region_id, instance_id = key
        groups = (group for _, group in self.groups.scan() if group.instance_id == instance_id)
        return (group for group in groups if group.region_id == region_id)
