"""What may be done to routes and connections, for plans and rehearsals.

Each function gives the next World, or raises Refused.
"""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Literal, TypeVar

from vpcdns.model import route_rules
from vpcdns.model.changes import Refused, allow, found
from vpcdns.model.connections import (
    CenConnection,
    Connection,
    IpsecConnection,
    NetworkAttachment,
    Route,
    ServiceRoute,
    attached_id,
)
from vpcdns.model.rules import Rule, missing
from vpcdns.model.topology import CUT, Network, ResolvesThrough, Topology, Vpc
from vpcdns.model.world import World

C = TypeVar("C")
Routed = Vpc | Network | CenConnection


def add_route(world: World, owner: str, destination: IPv4Network, via: str) -> World:
    """Gives a network, a VPC or a CEN a route; one to the same destination is replaced."""
    routed = _routed(world, owner)
    others = tuple(one for one in routed.routes if one.destination != destination)
    return _with(world, replace(routed, routes=(*others, Route(destination, via))))


def remove_route(world: World, owner: str, destination: IPv4Network) -> World:
    routed = _routed(world, owner)
    rest = tuple(one for one in routed.routes if one.destination != destination)
    if rest == routed.routes:
        what, kind = f"route to {destination} at {owner}", _kind(routed)
        raise Refused(missing(Rule.REFERENCE, f"{kind} {owner}", what, "routes", ("routes",)))
    return _with(world, replace(routed, routes=rest))


def resolve_as(world: World, network_id: str, vpc_id: str | None) -> World:
    """Lets an on-premises network ask as another VPC; None is the Internet."""
    return _with(world, replace(_network(world, network_id), resolves_as=vpc_id, resolves_through=None))


def resolve_through(
    world: World, network_id: str, vpc_id: str, via: str, address: IPv4Address | None = None
) -> World:
    """Lets an on-premises network ask as a VPC to which its queries have a way."""
    through, network = ResolvesThrough(vpc_id, via, address), _network(world, network_id)
    return _with(world, replace(network, resolves_as=None, resolves_through=through))


def cut_connection(world: World, connection_id: str) -> World:
    """Takes a connection away; routes via it are withdrawn, as when an interface goes down."""
    topology = world.topology
    _connection(world, connection_id, object, "connection")
    nodes: tuple[Vpc | Network, ...] = (*topology.networks.values(), *topology.vpcs.values())
    for node in nodes:
        topology = _withdrawn(topology, node, connection_id)
    return replace(world, topology=replace(topology, connections=topology.connections.delete(connection_id)))


def set_selectors(
    world: World,
    connection_id: str,
    local_subnets: tuple[IPv4Network, ...] | None,
    remote_subnets: tuple[IPv4Network, ...] | None,
) -> World:
    """Gives an IPsec connection other selectors; None leaves a side as it is."""
    ipsec = _ipsec(world, connection_id)
    local = ipsec.local_subnets if local_subnets is None else local_subnets
    remote = ipsec.remote_subnets if remote_subnets is None else remote_subnets
    return _with(world, replace(ipsec, local_subnets=local, remote_subnets=remote))


def set_destination_routes(
    world: World, connection_id: str, destinations: tuple[IPv4Network, ...] | None
) -> World:
    """Lets a VPN gateway route by destination alone; None: by the connection's selectors."""
    return _with(world, replace(_ipsec(world, connection_id), destination_routes=destinations or ()))


def publish(world: World, connection_id: str, to: Literal["vpc", "cen"]) -> World:
    """Gives the VPC the routes of its VPN gateway to a connection, or its CENs those of the VPC."""
    return _published(world, connection_id, to, is_published=True)


def unpublish(world: World, connection_id: str, to: Literal["vpc", "cen"]) -> World:
    """Takes such routes back."""
    return _published(world, connection_id, to, is_published=False)


def _published(world: World, connection_id: str, to: str, *, is_published: bool) -> World:
    ipsec = _ipsec(world, connection_id)
    if to == "vpc":
        return _with(world, replace(ipsec, publish_vpc=is_published))
    return _with(world, replace(ipsec, publish_cen=is_published))


def attach(
    world: World,
    connection_id: str,
    attachment: str,
    kind: Literal["vbr", "ccn", "vpn"] | None = None,
    region_id: str | None = None,
) -> World:
    """Attaches a VPC or network to a CEN; attaching it again changes its kind and region, if given."""
    cen = _cen(world, connection_id)
    one = attachment if kind is None else NetworkAttachment(attachment, kind, region_id)
    if kind is None and attachment in map(attached_id, cen.attachments):
        return world
    by_id = {attached_id(other): other for other in cen.attachments} | {attachment: one}
    return _with(world, replace(cen, attachments=tuple(by_id.values())))


def detach(world: World, connection_id: str, attachment: str) -> World:
    """Detaches a VPC or network from a CEN, its routes there included; routes via the CEN are withdrawn."""
    cen, node = _cen(world, connection_id), world.topology.node(attachment)
    if attachment not in map(attached_id, cen.attachments):
        what, where = f"attachment {attachment} at {connection_id}", ("attachments",)
        raise Refused(missing(Rule.REFERENCE, f"connection {connection_id}", what, "attachments", where))
    if node is not None:
        world = replace(world, topology=_withdrawn(world.topology, node, connection_id))
    routes = (
        replace(route, access=tuple(one for one in route.access if one != attachment))
        for route in cen.service_routes
        if route.host_vpc_id != attachment
    )
    service_routes = tuple(route for route in routes if route.access)
    static = tuple(route for route in cen.routes if route.via != attachment)
    rest = tuple(one for one in cen.attachments if attached_id(one) != attachment)
    return _with(world, replace(cen, attachments=rest, service_routes=service_routes, routes=static))


def add_service_route(
    world: World, connection_id: str, host: IPv4Network, host_vpc_id: str, access: tuple[str, ...]
) -> World:
    """Gives a CEN a service route; one to the same host through the same VPC is replaced."""
    cen, route = _cen(world, connection_id), ServiceRoute(host, host_vpc_id, access)
    others = (one for one in cen.service_routes if (one.host, one.host_vpc_id) != (host, host_vpc_id))
    return _with(world, replace(cen, service_routes=(*others, route)))


def remove_service_route(world: World, connection_id: str, host: IPv4Network) -> World:
    """Takes away a CEN's service routes to a host."""
    cen = _cen(world, connection_id)
    rest = tuple(one for one in cen.service_routes if one.host != host)
    if rest == cen.service_routes:
        what, where = f"service route to {host} at {connection_id}", ("service_routes",)
        raise Refused(missing(Rule.REFERENCE, f"connection {connection_id}", what, "service_routes", where))
    return _with(world, replace(cen, service_routes=rest))


def set_edition(world: World, connection_id: str, edition: Literal["basic", "enterprise"]) -> World:
    """Lets a CEN be of another edition, as when Basic Edition is upgraded."""
    return _with(world, replace(_cen(world, connection_id), edition=edition))


def _network(world: World, network_id: str) -> Network:
    return found(world.topology.networks, network_id, f"network {network_id}", "networks")


def _connection(world: World, connection_id: str, kind: type[C], word: str) -> C:
    fitting = {key: one for key, one in world.topology.connections.items() if isinstance(one, kind)}
    subject = f"connection {connection_id}"
    return found(fitting, connection_id, subject, "connections", f"{word} {connection_id}")


def _cen(world: World, connection_id: str) -> CenConnection:
    return _connection(world, connection_id, CenConnection, "CEN")


def _ipsec(world: World, connection_id: str) -> IpsecConnection:
    return _connection(world, connection_id, IpsecConnection, "IPsec connection")


def _routed(world: World, owner: str) -> Routed:
    """What has routes of its own."""
    routed = world.topology.node(owner) or world.topology.connections.get(owner)
    if isinstance(routed, Routed):
        return routed
    what, subject = f"network, VPC or CEN {owner}", f"route of {owner}"
    raise Refused(missing(Rule.REFERENCE, subject, what, "networks, vpcs or connections", ()))


def _kind(routed: Routed) -> str:
    return {Vpc: "VPC", Network: "network", CenConnection: "connection"}[type(routed)]


def _with(world: World, changed: Vpc | Network | Connection) -> World:
    """The World with a part of its topology in place of the one of that id, if it keeps the rules."""
    topology = world.topology
    match changed:
        case Vpc():
            topology = topology.with_vpc(changed)
            allow(route_rules.vpc_route_refusals(changed, topology))
        case Network():
            topology = _put(topology, changed)
            allow(route_rules.network_refusals(changed, topology))
        case _:
            connections = topology.connections.set(changed.connection_id, changed)
            topology = replace(topology, connections=connections)
            allow(route_rules.connection_refusals(changed, topology))
    return replace(world, topology=topology)


def _withdrawn(topology: Topology, node: Vpc | Network, connection_id: str) -> Topology:
    """Without a node's routes via a connection, and without queries that go by it."""
    rest = tuple(route for route in node.routes if route.via != connection_id)
    if rest != node.routes:
        node = replace(node, routes=rest)
        topology = topology.with_vpc(node) if isinstance(node, Vpc) else _put(topology, node)
    if isinstance(node, Network) and node.resolves_through and node.resolves_through.via == connection_id:
        topology = _put(topology, replace(node, resolves_through=replace(node.resolves_through, via=CUT)))
    return topology


def _put(topology: Topology, network: Network) -> Topology:
    """Source networks do not change here, so places stay as they are."""
    return replace(topology, networks=topology.networks.set(network.network_id, network))
