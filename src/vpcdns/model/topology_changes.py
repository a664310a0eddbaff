"""What may be done to networks: VPCs and vSwitches, and the routes and connections between networks.

Changes of VPCs and vSwitches are values, for the cloud's API and the journal. The functions are for plans and
rehearsals: each gives the next World, or raises Refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from typing import TypeVar

from vpcdns.model import topology_rules
from vpcdns.model.changes import Change, Refused, allow, found
from vpcdns.model.rules import Refusal, Rule, duplicate, missing
from vpcdns.model.topology import (
    CenConnection,
    Connection,
    IpsecConnection,
    Network,
    Prefix,
    Route,
    ServiceRoute,
    Topology,
    Vpc,
    VSwitch,
    ends_of,
)
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
        larger = replace(vpc, vswitches=(*vpc.vswitches, self.vswitch))
        return replace(world, topology=world.topology.with_vpc(larger))


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
        return replace(world, topology=world.topology.with_vpc(replace(vpc, vswitches=rest)))


def add_route(world: World, network_id: str, destination: IPv4Network, via: str) -> World:
    """Gives an on-premises network a route; one to the same destination is replaced."""
    network = _network(world, network_id)
    others = (one for one in network.routes if one.destination != destination)
    return _with_network(world, replace(network, routes=(*others, Route(destination, via))))


def remove_route(world: World, network_id: str, destination: IPv4Network) -> World:
    network = _network(world, network_id)
    rest = tuple(one for one in network.routes if one.destination != destination)
    if rest == network.routes:
        what = f"route to {destination} at {network_id}"
        raise Refused(missing(Rule.REFERENCE, f"network {network_id}", what, "routes", ("routes",)))
    return _with_network(world, replace(network, routes=rest))


def resolve_as(world: World, network_id: str, vpc_id: str | None) -> World:
    """Lets an on-premises network ask as another VPC; None is the Internet."""
    return _with_network(world, replace(_network(world, network_id), resolves_as=vpc_id))


def cut_connection(world: World, connection_id: str) -> World:
    """Takes a connection away; routes via it are withdrawn, as when an interface goes down."""
    topology = world.topology
    _connection(world, connection_id, object, "connection")
    for network in topology.networks.values():
        topology = _withdrawn(topology, network, connection_id)
    return replace(world, topology=replace(topology, connections=topology.connections.delete(connection_id)))


def set_selectors(
    world: World,
    connection_id: str,
    local_subnets: tuple[IPv4Network, ...] | None,
    remote_subnets: tuple[IPv4Network, ...] | None,
) -> World:
    """Gives an IPsec connection other selectors; None leaves a side as it is."""
    ipsec = _connection(world, connection_id, IpsecConnection, "IPsec connection")
    local = ipsec.local_subnets if local_subnets is None else local_subnets
    remote = ipsec.remote_subnets if remote_subnets is None else remote_subnets
    return _with_connection(world, replace(ipsec, local_subnets=local, remote_subnets=remote))


def attach(world: World, connection_id: str, attachment: str) -> World:
    """Attaches a VPC or network to a CEN; attaching it twice succeeds."""
    cen = _cen(world, connection_id)
    return _with_connection(
        world, replace(cen, attachments=tuple(dict.fromkeys((*cen.attachments, attachment))))
    )


def detach(world: World, connection_id: str, attachment: str) -> World:
    """Detaches a VPC or network from a CEN, its service routes included; routes via the CEN are withdrawn."""
    cen, network = _cen(world, connection_id), world.topology.networks.get(attachment)
    if network is not None:
        world = replace(world, topology=_withdrawn(world.topology, network, connection_id))
    routes = (
        replace(route, access=tuple(one for one in route.access if one != attachment))
        for route in cen.service_routes
        if route.host_vpc_id != attachment
    )
    rest = tuple(one for one in cen.attachments if one != attachment)
    service_routes = tuple(route for route in routes if route.access)
    return _with_connection(world, replace(cen, attachments=rest, service_routes=service_routes))


def add_service_route(
    world: World, connection_id: str, host: IPv4Network, host_vpc_id: str, access: tuple[str, ...]
) -> World:
    """Gives a CEN a service route; one to the same host through the same VPC is replaced."""
    cen, route = _cen(world, connection_id), ServiceRoute(host, host_vpc_id, access)
    others = (one for one in cen.service_routes if (one.host, one.host_vpc_id) != (host, host_vpc_id))
    return _with_connection(world, replace(cen, service_routes=(*others, route)))


def _with_vpc(topology: Topology, vpc: Vpc) -> Topology:
    """The topology with a VPC that is new or has other blocks, if it keeps the rules."""
    allow(topology_rules.vpc_refusals(vpc))
    claimed = {prefix: owner for prefix in vpc.source_networks if (owner := _owner(topology, prefix))}
    subject, field = f"VPC {vpc.vpc_id}", "source_networks"
    allow(topology_rules.source_network_refusals(subject, vpc.source_networks, claimed, field))
    return topology.with_vpc(vpc)


def _vpc(world: World, vpc_id: str) -> Vpc:
    return found(world.topology.vpcs, vpc_id, f"VPC {vpc_id}", "vpcs")


def _network(world: World, network_id: str) -> Network:
    return found(world.topology.networks, network_id, f"network {network_id}", "networks")


def _connection(world: World, connection_id: str, kind: type[C], word: str) -> C:
    fitting = {key: one for key, one in world.topology.connections.items() if isinstance(one, kind)}
    subject = f"connection {connection_id}"
    return found(fitting, connection_id, subject, "connections", f"{word} {connection_id}")


def _cen(world: World, connection_id: str) -> CenConnection:
    return _connection(world, connection_id, CenConnection, "CEN")


def _with_network(world: World, network: Network) -> World:
    topology = _put(world.topology, network)
    allow(topology_rules.network_refusals(network, topology))
    return replace(world, topology=topology)


def _with_connection(world: World, connection: Connection) -> World:
    connections = world.topology.connections.set(connection.connection_id, connection)
    topology = replace(world.topology, connections=connections)
    allow(topology_rules.connection_refusals(connection, topology))
    return replace(world, topology=topology)


def _withdrawn(topology: Topology, network: Network, connection_id: str) -> Topology:
    """Without the network's routes via a connection."""
    rest = tuple(route for route in network.routes if route.via != connection_id)
    return topology if rest == network.routes else _put(topology, replace(network, routes=rest))


def _put(topology: Topology, network: Network) -> Topology:
    """Source networks do not change here, so places stay as they are."""
    return replace(topology, networks=topology.networks.set(network.network_id, network))


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
            yield f"network {network.network_id} resolves as it", "change the network's `resolves_as` first"
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
