"""What may be done to the ways between networks: routes, selectors, attachments, connections cut.

Like `changes`, each gives a new World or the Refusal of the rule it breaks. These are for rehearsals: the
cloud's API that vpcdns speaks has none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Network

from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.rules import Refusal, Rule, missing
from vpcdns.model.topology import CenConnection, IpsecConnection, Network, Route, ServiceRoute, Topology
from vpcdns.model.topology_rules import connection_refusals, network_refusals
from vpcdns.model.world import World


@dataclass(frozen=True, slots=True)
class AddRoute:
    """Gives an on-premises network a route; one to the same destination is replaced."""

    network_id: str
    route: Route

    def apply(self, world: World) -> World | Refusal:
        network = world.topology.networks.get(self.network_id)
        if network is None:
            return _no_network(self.network_id)
        others = tuple(one for one in network.routes if one.destination != self.route.destination)
        return _with_network(world, replace(network, routes=(*others, self.route)))


@dataclass(frozen=True, slots=True)
class RemoveRoute:
    network_id: str
    destination: IPv4Network

    def apply(self, world: World) -> World | Refusal:
        network = world.topology.networks.get(self.network_id)
        if network is None:
            return _no_network(self.network_id)
        rest = tuple(one for one in network.routes if one.destination != self.destination)
        if rest == network.routes:
            what = f"route to {self.destination} at {self.network_id}"
            return missing(Rule.REFERENCE, f"network {self.network_id}", what, "routes", ("routes",))
        return _with_network(world, replace(network, routes=rest))


@dataclass(frozen=True, slots=True)
class CutConnection:
    """Takes a connection away; routes via it are withdrawn, as when an interface goes down."""

    connection_id: str

    def apply(self, world: World) -> World | Refusal:
        if self.connection_id not in world.topology.connections:
            return _no_connection(self.connection_id)
        topology = world.topology
        networks = topology.networks
        for network in topology.networks.values():
            rest = tuple(route for route in network.routes if route.via != self.connection_id)
            if rest != network.routes:
                networks = networks.set(network.network_id, replace(network, routes=rest))
        connections = topology.connections.delete(self.connection_id)
        return _next(world, replace(topology, networks=networks, connections=connections))


@dataclass(frozen=True, slots=True)
class SetSelectors:
    """Gives an IPsec connection other selectors; None leaves a side as it is."""

    connection_id: str
    local_subnets: tuple[IPv4Network, ...] | None = None
    remote_subnets: tuple[IPv4Network, ...] | None = None

    def apply(self, world: World) -> World | Refusal:
        ipsec = world.topology.connections.get(self.connection_id)
        if not isinstance(ipsec, IpsecConnection):
            return _no_connection(self.connection_id, "IPsec connection")
        local = ipsec.local_subnets if self.local_subnets is None else self.local_subnets
        remote = ipsec.remote_subnets if self.remote_subnets is None else self.remote_subnets
        changed = replace(ipsec, local_subnets=local, remote_subnets=remote)
        return _with_connection(world, changed)


@dataclass(frozen=True, slots=True)
class Attach:
    """Attaches a VPC or network to a CEN; twice succeeds."""

    connection_id: str
    attachment: str

    def apply(self, world: World) -> World | Refusal:
        return _edit_cen(
            world,
            self.connection_id,
            lambda cen: replace(cen, attachments=tuple(dict.fromkeys((*cen.attachments, self.attachment)))),
        )


@dataclass(frozen=True, slots=True)
class Detach:
    """Detaches a VPC or network from a CEN, its service routes included; routes via the CEN are withdrawn."""

    connection_id: str
    attachment: str

    def apply(self, world: World) -> World | Refusal:
        network = world.topology.networks.get(self.attachment)
        if network is not None:
            rest = tuple(route for route in network.routes if route.via != self.connection_id)
            world = replace(world, topology=_put(world.topology, replace(network, routes=rest)))
        return _edit_cen(world, self.connection_id, self._without)

    def _without(self, cen: CenConnection) -> CenConnection:
        routes = (
            replace(route, access=tuple(one for one in route.access if one != self.attachment))
            for route in cen.service_routes
            if route.host_vpc_id != self.attachment
        )
        rest = tuple(one for one in cen.attachments if one != self.attachment)
        return replace(cen, attachments=rest, service_routes=tuple(route for route in routes if route.access))


@dataclass(frozen=True, slots=True)
class AddServiceRoute:
    """Gives a CEN a service route; one to the same host through the same VPC is replaced."""

    connection_id: str
    route: ServiceRoute

    def apply(self, world: World) -> World | Refusal:
        return _edit_cen(world, self.connection_id, self._with)

    def _with(self, cen: CenConnection) -> CenConnection:
        key = self.route.host, self.route.host_vpc_id
        others = (one for one in cen.service_routes if (one.host, one.host_vpc_id) != key)
        return replace(cen, service_routes=(*others, self.route))


@dataclass(frozen=True, slots=True)
class ResolveAs:
    """Lets an on-premises network ask as another VPC; None is the Internet."""

    network_id: str
    vpc_id: str | None

    def apply(self, world: World) -> World | Refusal:
        network = world.topology.networks.get(self.network_id)
        if network is None:
            return _no_network(self.network_id)
        return _with_network(world, replace(network, resolves_as=self.vpc_id))


TopologyChange = (
    AddRoute | RemoveRoute | CutConnection | SetSelectors | Attach | Detach | AddServiceRoute | ResolveAs
)


def _edit_cen(
    world: World, connection_id: str, edit: Callable[[CenConnection], CenConnection]
) -> World | Refusal:
    cen = world.topology.connections.get(connection_id)
    if not isinstance(cen, CenConnection):
        return _no_connection(connection_id, "CEN")
    return _with_connection(world, edit(cen))


def _with_network(world: World, network: Network) -> World | Refusal:
    topology = _put(world.topology, network)
    return _first(network_refusals(network, topology)) or _next(world, topology)


def _with_connection(world: World, connection: CenConnection | IpsecConnection) -> World | Refusal:
    connections = world.topology.connections.set(connection.connection_id, connection)
    topology = replace(world.topology, connections=connections)
    return _first(connection_refusals(connection, topology)) or _next(world, topology)


def _first(refusals: Iterable[Refusal]) -> Refusal | None:
    return next(iter(refusals), None)


def _put(topology: Topology, network: Network) -> Topology:
    """Source networks do not change here, so places stay as they are."""
    networks: FrozenMap[str, Network] = topology.networks.set(network.network_id, network)
    return replace(topology, networks=networks)


def _next(world: World, topology: Topology) -> World:
    return replace(world, topology=topology, revision=world.revision + 1)


def _no_network(network_id: str) -> Refusal:
    what = f"network {network_id}"
    return missing(Rule.REFERENCE, what, what, "networks", ("network_id",))


def _no_connection(connection_id: str, kind: str = "connection") -> Refusal:
    what = f"{kind} {connection_id}"
    return missing(Rule.REFERENCE, f"connection {connection_id}", what, "connections", ("connection_id",))
