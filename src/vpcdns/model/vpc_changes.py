"""What may be done to VPCs and their vSwitches; with `changes` the whole of what may be done to a World.

Knows the rules by calling them. What hangs on a VPC keeps it: it goes when nothing names it any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vpcdns.model.rules import Refusal, Rule, duplicate, missing
from vpcdns.model.topology import IpsecConnection, Prefix, Topology, Vpc, VSwitch
from vpcdns.model.topology_rules import source_network_refusals, vpc_refusals
from vpcdns.model.world import World


@dataclass(frozen=True, slots=True)
class CreateVpc:
    """Adds a VPC, with whatever it has already."""

    vpc: Vpc

    def apply(self, world: World) -> World | Refusal:
        vpc, topology = self.vpc, world.topology
        if vpc.vpc_id in topology.vpcs or vpc.vpc_id in topology.networks:
            return duplicate(f"VPC {vpc.vpc_id}", ("vpc_id",))
        for refusal in vpc_refusals(vpc):
            return refusal
        claimed = {prefix: owner for prefix in vpc.source_networks if (owner := _owner(topology, prefix))}
        for refusal in source_network_refusals(
            f"VPC {vpc.vpc_id}", vpc.source_networks, claimed, "source_networks"
        ):
            return refusal
        return _next(world, topology.with_vpc(vpc))


@dataclass(frozen=True, slots=True)
class DeleteVpc:
    """Removes a VPC that has no vSwitches and that nothing names."""

    vpc_id: str

    def apply(self, world: World) -> World | Refusal:
        vpc = world.topology.vpcs.get(self.vpc_id)
        if vpc is None:
            return _no_vpc(self.vpc_id)
        for holder, way_out in _holders(vpc, world):
            return Refusal(Rule.REFERENCE, f"VPC {vpc.vpc_id}", holder, way_out)
        return _next(world, world.topology.without_vpc(vpc.vpc_id))


@dataclass(frozen=True, slots=True)
class CreateVSwitch:
    """Gives a VPC one more vSwitch."""

    vpc_id: str
    vswitch: VSwitch

    def apply(self, world: World) -> World | Refusal:
        vpc = world.topology.vpcs.get(self.vpc_id)
        if vpc is None:
            return _no_vpc(self.vpc_id)
        larger = replace(vpc, vswitches=(*vpc.vswitches, self.vswitch))
        for refusal in vpc_refusals(larger):
            return refusal
        return _next(world, world.topology.with_vpc(larger))


@dataclass(frozen=True, slots=True)
class DeleteVSwitch:
    """Removes a vSwitch that no instance is bound to."""

    vpc_id: str
    vswitch_id: str

    def apply(self, world: World) -> World | Refusal:
        vpc = world.topology.vpcs.get(self.vpc_id)
        if vpc is None:
            return _no_vpc(self.vpc_id)
        subject = f"vSwitch {self.vswitch_id}"
        if vpc.vswitch(self.vswitch_id) is None:
            what = f"vSwitch {self.vswitch_id} in VPC {vpc.vpc_id}"
            return missing(Rule.REFERENCE, subject, what, "vswitches", ("vswitch_id",))
        for instance_id, vswitch_id in _bound(vpc.vpc_id, world):
            if vswitch_id == self.vswitch_id:
                problem = f"instance {instance_id} is bound to it"
                return Refusal(Rule.BINDING, subject, problem, "unbind or rebind the instance first")
        rest = tuple(vswitch for vswitch in vpc.vswitches if vswitch.vswitch_id != self.vswitch_id)
        return _next(world, world.topology.with_vpc(replace(vpc, vswitches=rest)))


VpcChange = CreateVpc | DeleteVpc | CreateVSwitch | DeleteVSwitch


def _next(world: World, topology: Topology) -> World:
    return replace(world, revision=world.revision + 1, topology=topology)


def _no_vpc(vpc_id: str) -> Refusal:
    return missing(Rule.REFERENCE, f"VPC {vpc_id}", "such VPC", "vpcs", ("vpc_id",))


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
        if network.resolves_as == vpc.vpc_id:
            yield f"network {network.network_id} resolves as it", "mend the network's `resolves_as` first"
    for connection in world.topology.connections.values():
        ends = (connection.vpc_id,) if isinstance(connection, IpsecConnection) else connection.attachments
        if vpc.vpc_id in ends:
            problem = f"connection {connection.connection_id} is attached to it"
            yield problem, "detach the connection first"
    for rule in world.forwarding.rules:
        if vpc.vpc_id in rule.vpcs:
            yield f"the forward rule for {rule.domain} names it", "mend `forward.rules` first"
