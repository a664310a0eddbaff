"""What may be done to VPCs and vSwitches: values, for the cloud's API and the journal."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from typing import TypeVar

from vpcdns.model import route_rules, topology_rules
from vpcdns.model.changes import Change, Refused, allow, found
from vpcdns.model.connections import ends_of
from vpcdns.model.rules import Refusal, Rule, duplicate, missing
from vpcdns.model.topology import Prefix, Topology, Vpc, VSwitch
from vpcdns.model.world import World

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class CreateVpc(Change):
    """Adds a VPC, with whatever it has already."""

    vpc: Vpc

    def changed(self, world: World) -> World:
        vpc, topology = self.vpc, world.topology
        if vpc.vpc_id in topology.vpcs or vpc.vpc_id in topology.networks:
            raise Refused(duplicate(f"VPC {vpc.vpc_id}", ("vpc_id",)))
        return replace(world, topology=_with_vpc(topology, vpc))


@dataclass(frozen=True, slots=True)
class SetCidrBlocks(Change):
    """Gives a VPC other blocks, at least one, and the networks whose clients count as inside it."""

    vpc_id: str
    cidr_blocks: tuple[IPv4Network, ...]
    source_networks: tuple[Prefix, ...]

    def changed(self, world: World) -> World:
        vpc = _vpc(world, self.vpc_id)
        if not self.cidr_blocks:
            subject, way_out = f"VPC {vpc.vpc_id}", "leave it one block, or delete it"
            problem = "it would have no block"
            raise Refused(Refusal(Rule.ADDRESS_PLAN, subject, problem, way_out, ("cidr_blocks",)))
        edited = replace(vpc, cidr_blocks=self.cidr_blocks, source_networks=self.source_networks)
        return replace(world, topology=_with_vpc(world.topology, edited))


@dataclass(frozen=True, slots=True)
class DeleteVpc(Change):
    """Removes a VPC that has no vSwitches and that nothing names."""

    vpc_id: str

    def changed(self, world: World) -> World:
        vpc = _vpc(world, self.vpc_id)
        for holder, way_out in _holders(vpc, world):
            raise Refused(Refusal(Rule.REFERENCE, f"VPC {vpc.vpc_id}", holder, way_out))
        return replace(world, topology=world.topology.without_vpc(vpc.vpc_id))


@dataclass(frozen=True, slots=True)
class CreateVSwitch(Change):
    """Gives a VPC one more vSwitch."""

    vpc_id: str
    vswitch: VSwitch

    def changed(self, world: World) -> World:
        vpc = _vpc(world, self.vpc_id)
        allow(topology_rules.new_vswitch_refusals(vpc, self.vswitch))
        allow(route_rules.vswitch_route_refusals(vpc, self.vswitch, world.topology))
        larger = replace(vpc, vswitches=(*vpc.vswitches, self.vswitch))
        return replace(world, topology=_allowed(world.topology.with_vpc(larger), larger))


@dataclass(frozen=True, slots=True)
class DeleteVSwitch(Change):
    """Removes a vSwitch that no instance is bound to."""

    vpc_id: str
    vswitch_id: str

    def changed(self, world: World) -> World:
        vpc, subject = _vpc(world, self.vpc_id), f"vSwitch {self.vswitch_id}"
        if vpc.vswitch(self.vswitch_id) is None:
            what = f"vSwitch {self.vswitch_id} in VPC {vpc.vpc_id}"
            raise Refused(missing(Rule.REFERENCE, subject, what, "vswitches", ("vswitch_id",)))
        for instance_id, vswitch_id in _bound(vpc.vpc_id, world):
            if vswitch_id == self.vswitch_id:
                problem = f"instance {instance_id} is bound to it"
                raise Refused(Refusal(Rule.BINDING, subject, problem, "unbind or rebind the instance first"))
        rest = tuple(vswitch for vswitch in vpc.vswitches if vswitch.vswitch_id != self.vswitch_id)
        smaller = replace(vpc, vswitches=rest)
        return replace(world, topology=_allowed(world.topology.with_vpc(smaller), smaller))


def _with_vpc(topology: Topology, vpc: Vpc) -> Topology:
    """The topology with a VPC that is new or has other blocks, if it keeps the rules."""
    allow(topology_rules.vpc_refusals(vpc))
    claimed = {prefix: owner for prefix in vpc.source_networks if (owner := _owner(topology, prefix))}
    subject, field = f"VPC {vpc.vpc_id}", "source_networks"
    allow(topology_rules.source_network_refusals(subject, vpc.source_networks, claimed, field))
    return _allowed(topology.with_vpc(vpc), vpc)


def _allowed(topology: Topology, vpc: Vpc) -> Topology:
    """The topology with a VPC that is new or another, if it keeps the rules on routes and ways of queries."""
    allow(route_rules.vpc_route_refusals(vpc, topology))
    for network in topology.networks.values():
        if network.resolves_through is not None and network.asks_as == vpc.vpc_id:
            allow(route_rules.network_refusals(network, topology))
    return topology


def _vpc(world: World, vpc_id: str) -> Vpc:
    return found(world.topology.vpcs, vpc_id, f"VPC {vpc_id}", "vpcs")


def _owner(topology: Topology, prefix: Prefix) -> str | None:
    place = topology.claimed(prefix)
    if place is None:
        return None
    return f"VPC {place.vpc_id}" if place.vpc_id is not None else f"network {place.network_id}"


def _bound(vpc_id: str, world: World) -> Iterator[tuple[str, str]]:
    """instance_id and vswitch_id of the instances that are bound in a VPC."""
    for instance in world.instances.values():
        if instance.binding is not None and instance.binding.vpc_id == vpc_id:
            yield instance.instance_id, instance.binding.vswitch_id


def _holders(vpc: Vpc, world: World) -> Iterator[tuple[str, str]]:
    """What names a VPC, and what is to be done about it first."""
    for instance_id, _ in _bound(vpc.vpc_id, world):
        yield f"instance {instance_id} is bound to it", "unbind or rebind the instance first"
    if vpc.vswitches:
        yield f"it has vSwitch {vpc.vswitches[0].vswitch_id}", "delete its vSwitches first"
    for network in world.topology.networks.values():
        if network.asks_as == vpc.vpc_id:
            yield (f"network {network.network_id} resolves as it", "let it resolve through another first")
    for connection in world.topology.connections.values():
        if vpc.vpc_id in ends_of(connection):
            problem = f"connection {connection.connection_id} is attached to it"
            yield problem, "detach the connection first"
    for zone in world.private_zones.zones.values():
        if vpc.vpc_id in zone.vpcs:
            yield f"private zone {zone.zone} is bound to it", "bind the zone to other VPCs first"
    for rule in world.forwarding.rules:
        if vpc.vpc_id in rule.vpcs:
            yield f"the forward rule for {rule.domain} names it", "change `forward.rules` first"
