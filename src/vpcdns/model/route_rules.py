"""The rules on routes and connections: what the cloud refuses, and what they may name.

As in `topology_rules`, each function yields a Refusal for every way in which an object breaks one.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from vpcdns.model.connections import (
    CenConnection,
    Connection,
    IpsecConnection,
    NetworkAttachment,
    Route,
    attached_id,
    ends_of,
)
from vpcdns.model.gateway import SHARED_SPACE
from vpcdns.model.gateway_rules import is_reserved
from vpcdns.model.route_entries import is_inside, vswitch_keys
from vpcdns.model.rules import Refusal, Rule, duplicate, missing
from vpcdns.model.topology import (
    CUT,
    INBOUND_ENDPOINT,
    Network,
    ResolvesThrough,
    Topology,
    Vpc,
    VSwitch,
    within,
)

_Where = tuple[str | int, ...]


def vpc_route_refusals(vpc: Vpc, topology: Topology) -> Iterator[Refusal]:
    """What is wrong with a VPC's custom routes (CreateRouteEntry, 2026-01-07)."""
    subject = f"VPC {vpc.vpc_id}"
    yield from _via_refusals(subject, vpc.vpc_id, vpc.routes, topology)
    for index, route in enumerate(vpc.routes):
        where = ("routes", index, "destination")
        yield from _inside_vswitch(subject, route.destination, vpc, where)
        if route.destination.subnet_of(SHARED_SPACE):
            yield _into_services(subject, f"a route to {route.destination}", where)


def vswitch_route_refusals(vpc: Vpc, vswitch: VSwitch, topology: Topology) -> Iterator[Refusal]:
    """Routes that a new vSwitch would swallow."""
    ways = [(route.destination, vpc.vpc_id) for route in vpc.routes]
    for one in topology.connections.values():
        if isinstance(one, IpsecConnection) and one.vpc_id == vpc.vpc_id:
            ways += ((block, one.connection_id) for block in one.destinations)
    for destination, owner in ways:
        if destination.subnet_of(vswitch.cidr_block):
            own = f"vSwitch {vswitch.vswitch_id} ({vswitch.cidr_block})"
            problem = f"{own} would hold the route of {owner} to {destination}"
            way_out = "give it another block, or remove the route first"
            where = ("vswitches", len(vpc.vswitches), "cidr_block")
            yield Refusal(Rule.VSWITCH_ROUTE, f"VPC {vpc.vpc_id}", problem, way_out, where)


def network_refusals(network: Network, topology: Topology) -> Iterator[Refusal]:
    subject, through = f"network {network.network_id}", network.resolves_through
    if network.resolves_as is not None and network.resolves_as not in topology.vpcs:
        yield missing(Rule.HYBRID, subject, f"VPC {network.resolves_as}", "vpcs", ("resolves_as",))
    if through is not None:
        yield from _resolving_refusals(network, through, topology)
    yield from _via_refusals(subject, network.network_id, network.routes, topology)


def _resolving_refusals(network: Network, through: ResolvesThrough, topology: Topology) -> Iterator[Refusal]:
    subject, vpc = f"network {network.network_id}", topology.vpcs.get(through.vpc_id)
    if network.resolves_as is not None:
        problem, way_out = "it has both `resolves_as` and `resolves_through`", "remove one of them"
        yield Refusal(Rule.HYBRID, subject, problem, way_out, ("resolves_as",))
    if vpc is None:
        where = ("resolves_through", "vpc_id")
        yield missing(Rule.HYBRID, subject, f"VPC {through.vpc_id}", "vpcs", where)
    if through.via == INBOUND_ENDPOINT:
        if vpc is not None and through.address is not None:
            yield from _inbound_refusals(subject, through.address, vpc)
        return
    if through.address is not None:
        problem = f"it resolves through {through.via}, and has an address, {through.address}"
        way_out = f"remove the address, or write `via: {INBOUND_ENDPOINT}`"
        yield Refusal(Rule.HYBRID, subject, problem, way_out, ("resolves_through", "address"))
    if through.via != CUT:
        yield from _via_refusal(
            subject, network.network_id, "its queries go", through.via, topology, ("resolves_through", "via")
        )


def _inbound_refusals(subject: str, address: IPv4Address, vpc: Vpc) -> Iterator[Refusal]:
    problem, where = "", ("resolves_through", "address")
    if not within(address, vpc.routed_blocks):
        problem = f"its inbound endpoint {address} is in no vSwitch of {vpc.vpc_id}"
    elif any(address in one.cidr_block and is_reserved(address, one.cidr_block) for one in vpc.vswitches):
        problem = (
            f"its inbound endpoint {address} is reserved by the cloud: the first or one of the last three"
        )
    if problem:
        yield Refusal(
            Rule.HYBRID, subject, problem, "take another address of one of the VPC's vSwitches", where
        )


def _via_refusals(
    subject: str, node: str, routes: tuple[Route, ...], topology: Topology
) -> Iterator[Refusal]:
    for index, route in enumerate(routes):
        what = f"its route to {route.destination} goes"
        yield from _via_refusal(subject, node, what, route.via, topology, ("routes", index, "via"))


def _via_refusal(
    subject: str, node: str, what: str, via: str, topology: Topology, where: _Where
) -> Iterator[Refusal]:
    connection = topology.connections.get(via)
    if connection is None:
        yield missing(Rule.REFERENCE, subject, f"connection {via}", "connections", where)
    elif node not in ends_of(connection):
        problem = f"{what} via {via}, which does not join it"
        way_out = f"attach {node} to {via}, or route via another connection"
        yield Refusal(Rule.REFERENCE, subject, problem, way_out, where)


def connection_refusals(connection: Connection, topology: Topology) -> Iterator[Refusal]:
    subject = f"connection {connection.connection_id}"
    if connection.connection_id in (INBOUND_ENDPOINT, CUT):
        problem = f"`{connection.connection_id}` is a word of `resolves_through`"
        yield Refusal(Rule.UNIQUE, subject, problem, "give it another id", ("connection_id",))
    match connection:
        case IpsecConnection():
            vpc = topology.vpcs.get(connection.vpc_id)
            if vpc is None:
                yield missing(Rule.REFERENCE, subject, f"VPC {connection.vpc_id}", "vpcs", ("vpc_id",))
            if connection.network_id not in topology.networks:
                what = f"network {connection.network_id}"
                yield missing(Rule.REFERENCE, subject, what, "networks", ("network_id",))
            yield from _gateway_refusals(connection, vpc, subject)
        case CenConnection():
            yield from _cen_refusals(connection, topology, subject)


def _gateway_refusals(ipsec: IpsecConnection, vpc: Vpc | None, subject: str) -> Iterator[Refusal]:
    """Routes of a VPN gateway ("Configure destination-based routes", "Configure policy-based routes")."""
    field = "destination_routes" if ipsec.destination_routes else "remote_subnets"
    for index, block in enumerate(ipsec.destinations):
        where = (field, index)
        if vpc is not None:
            yield from _inside_vswitch(subject, block, vpc, where)
        if block.overlaps(SHARED_SPACE):
            yield _into_services(subject, f"the VPN gateway's route to {block}", where)


def _inside_vswitch(subject: str, block: IPv4Network, vpc: Vpc, where: _Where) -> Iterator[Refusal]:
    if is_inside(block, vswitch_keys(vpc)):
        problem = f"its route to {block} leads into a vSwitch of {vpc.vpc_id} itself"
        way_out = "route to a block that is not the VPC's, or renumber one of them"
        yield Refusal(Rule.VSWITCH_ROUTE, subject, problem, way_out, where)


def _into_services(subject: str, what: str, where: _Where) -> Refusal:
    problem = f"{what} leads into {SHARED_SPACE}, the cloud's own services"
    if where[0] != "routes":
        problem += ": the connection would break"
    way_out = f"route to blocks apart from {SHARED_SPACE}; renumber or translate what lies in it"
    if where[0] == "remote_subnets":
        way_out += "; or let selectors be wide, and give it `destination_routes`"
    return Refusal(Rule.SERVICE_SPACE, subject, problem, way_out, where)


def _cen_refusals(cen: CenConnection, topology: Topology, subject: str) -> Iterator[Refusal]:
    attached: set[str] = set()
    for index, given in enumerate(cen.attachments):
        attachment = attached_id(given)
        if isinstance(given, NetworkAttachment):
            yield from _attachment_refusals(cen, given, topology, subject, ("attachments", index))
        if attachment not in topology.vpcs and attachment not in topology.networks:
            what, where = f"VPC or network {attachment}", ("attachments", index)
            yield missing(Rule.REFERENCE, subject, what, "vpcs or networks", where)
        if attachment in attached:
            yield duplicate(f"attachment {attachment} of {cen.connection_id}", ("attachments", index))
        attached.add(attachment)
    for index, route in enumerate(cen.service_routes):
        where = ("service_routes", index)
        if not route.host.subnet_of(SHARED_SPACE):
            problem = f"service route to {route.host}, which is outside {SHARED_SPACE}"
            way_out = (
                "a service route is for the cloud's services; private blocks are routed by being attached"
            )
            yield Refusal(Rule.ADDRESS_PLAN, subject, problem, way_out, (*where, "host"))
        named: list[tuple[tuple[str | int, ...], str]] = [(("host_vpc_id",), route.host_vpc_id)]
        named += [(("access", position), user) for position, user in enumerate(route.access)]
        for place, attachment in named:
            if attachment not in attached:
                problem = f"service route to {route.host} names {attachment}, which is not attached"
                way_out = f"add {attachment} to `attachments`"
                yield Refusal(Rule.REFERENCE, subject, problem, way_out, (*where, *place))
        if route.host_vpc_id in attached and route.host_vpc_id not in topology.vpcs:
            yield missing(
                Rule.REFERENCE, subject, f"VPC {route.host_vpc_id}", "vpcs", (*where, "host_vpc_id")
            )
    yield from _static_refusals(cen, attached, topology, subject)


def _attachment_refusals(
    cen: CenConnection, one: NetworkAttachment, topology: Topology, subject: str, where: _Where
) -> Iterator[Refusal]:
    if one.network_id in topology.vpcs:
        problem = f"{one.network_id} is a VPC: it has a kind and a region of its own"
        yield Refusal(Rule.REFERENCE, subject, problem, "write its id alone", (*where, "network_id"))
    if one.kind == "vpn" and cen.edition == "basic":
        problem = f"{one.network_id} is attached by an IPsec-VPN connection, and it is Basic Edition"
        way_out = "use Enterprise Edition, or an IPsec connection to a VPC"
        yield Refusal(Rule.EDITION, subject, problem, way_out, (*where, "kind"))


def _static_refusals(
    cen: CenConnection, attached: set[str], topology: Topology, subject: str
) -> Iterator[Refusal]:
    for index, static in enumerate(cen.routes):
        where = ("routes", index)
        if cen.edition == "basic":
            problem = f"it has a static route to {static.destination}, and is Basic Edition"
            way_out = "use `service_routes` for cloud services, or Enterprise Edition"
            yield Refusal(Rule.EDITION, subject, problem, way_out, where)
        if static.via not in attached:
            problem = f"its route to {static.destination} goes via {static.via}, which is not attached"
            way_out = f"add {static.via} to `attachments`"
            if topology.node(static.via) is None:
                way_out = f"let it lead to an attachment: {', '.join(sorted(attached))}"
            yield Refusal(Rule.REFERENCE, subject, problem, way_out, (*where, "via"))
