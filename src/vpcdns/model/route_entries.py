"""The entries of route tables, as the cloud makes them out of a topology (DESIGN §1.10).

Knows what VPCs, networks, VPN gateways and CENs have in their tables; not how tables are looked up.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from vpcdns.model.connections import CenConnection, IpsecConnection, Route, ServiceRoute
from vpcdns.model.gateway import SHARED_SPACE
from vpcdns.model.topology import Network, Topology, Vpc

# The resolvers of every VPC ("PrivateZone", DESIGN §1.12).
RESOLVERS: Final = (IPv4Address("100.100.2.136"), IPv4Address("100.100.2.138"))


class Here(Enum):
    """Forwarding that ends at the node itself."""

    LOCAL = "local"
    CLOUD = "cloud services"  # the system route of every VPC: the services of its region


@dataclass(frozen=True, slots=True)
class Clash:
    """A block that several VPCs on one CEN have as a vSwitch: nobody else on it reaches any of them.

    CEN, "Resolve overlapping vSwitch CIDR blocks in CEN", 2026-02-28.
    """

    owners: tuple[str, ...]


NodeTarget = Here | str  # a str is a connection_id
CenTarget = (
    ServiceRoute | Route | Clash | str
)  # a str is the attachment that has the block, a Route is static


@dataclass(frozen=True, slots=True)
class Policy:
    """A route of a VPN gateway: for traffic from `source`, or from anywhere in destination routing mode."""

    source: IPv4Network | None
    connection_id: str


def own_entries(
    name: str, topology: Topology, tunnels: Iterable[IpsecConnection]
) -> Iterator[tuple[IPv4Network, NodeTarget]]:
    """A VPC's or network's table without what it learns from CENs."""
    node = topology.node(name)
    if node is None:
        return
    yield from ((block, Here.LOCAL) for block in node.routed_blocks)
    if isinstance(node, Network):
        yield from ((route.destination, route.via) for route in node.routes)
        return
    yield SHARED_SPACE, Here.CLOUD
    vswitches = vswitch_keys(node)
    routes = [(route.destination, route.via) for route in node.routes]
    for ipsec in tunnels:
        routes += ((block, ipsec.connection_id) for block in ipsec.destinations if ipsec.publish_vpc)
    yield from ((block, via) for block, via in routes if not is_inside(block, vswitches))


def gateway_entries(tunnels: Iterable[IpsecConnection]) -> Iterator[tuple[IPv4Network, Policy]]:
    """The routes of a VPN gateway; those for longer sources first."""
    policies = [
        (remote, Policy(local, ipsec.connection_id))
        for ipsec in tunnels
        for remote in ipsec.destinations
        for local in ((None,) if ipsec.destination_routes else ipsec.local_subnets)
    ]
    yield from sorted(policies, key=lambda one: 0 if one[1].source is None else -one[1].source.prefixlen)


def cen_entries(
    cen: CenConnection,
    attached: Sequence[str],
    topology: Topology,
    tunnels_of: Callable[[str], Iterable[IpsecConnection]],
) -> Iterator[tuple[IPv4Network, CenTarget]]:
    """A CEN's table; of equal prefixes static routes come first, then the blocks of attachments in order."""
    yield from (_static_entry(route, attached, topology) for route in cen.routes)
    owners: dict[IPv4Network, list[str]] = {}
    for vpc in (topology.vpcs[one] for one in attached if one in topology.vpcs):
        for vswitch in vpc.vswitches:
            owners.setdefault(vswitch.cidr_block, []).append(vpc.vpc_id)
    clashes = {block: Clash(tuple(vpcs)) for block, vpcs in owners.items() if len(vpcs) > 1}
    yield from clashes.items()
    for name in attached:
        match topology.node(name):
            case Vpc() as vpc:
                yield from ((block, name) for block in vpc.routed_blocks if block not in clashes)
                yield from ((block, name) for block in _published(vpc, tunnels_of(name)))
            case Network() as network:
                yield from ((block, name) for block in network.cidr_blocks)
                yield from _to_resolvers(cen, network, attached)
    yield from ((route.host, route) for route in cen.service_routes)


def _static_entry(route: Route, attached: Sequence[str], topology: Topology) -> tuple[IPv4Network, CenTarget]:
    """On Enterprise Edition, a route to cloud services is a static route through a VPC."""
    if route.destination.subnet_of(SHARED_SPACE) and route.via in topology.vpcs:
        return route.destination, ServiceRoute(route.destination, route.via, tuple(attached))
    return route.destination, route


def _published(vpc: Vpc, tunnels: Iterable[IpsecConnection]) -> Iterator[IPv4Network]:
    """The routes of a VPC via its VPN gateway that its CENs have (PublishRouteEntries)."""
    for ipsec in tunnels:
        if ipsec.publish_cen:
            yield from ipsec.destinations if ipsec.publish_vpc else ()
            yield from (route.destination for route in vpc.routes if route.via == ipsec.connection_id)


def _to_resolvers(
    cen: CenConnection, network: Network, attached: Sequence[str]
) -> Iterator[tuple[IPv4Network, ServiceRoute]]:
    """On Basic Edition, a network resolves over it by RoutePrivateZoneInCenToVpc, through an attached VPC."""
    through = network.resolves_through
    if through is None or through.via != cen.connection_id or through.vpc_id not in attached:
        return
    if cen.edition == "basic":
        for host in map(IPv4Network, RESOLVERS):
            yield host, ServiceRoute(host, through.vpc_id, (network.network_id,))


def vswitch_keys(vpc: Vpc | None) -> frozenset[tuple[int, int]]:
    """A VPC's vSwitches, by length and address."""
    vswitches = () if vpc is None else vpc.vswitches
    blocks = (vswitch.cidr_block for vswitch in vswitches)
    return frozenset((block.prefixlen, int(block.network_address)) for block in blocks)


def is_inside(block: IPv4Network, vswitches: frozenset[tuple[int, int]]) -> bool:
    """Whether a block is a vSwitch's, or a subset of one."""
    number, length = int(block.network_address), block.prefixlen
    return any(
        (shorter, number >> (32 - shorter) << (32 - shorter)) in vswitches for shorter in range(length + 1)
    )
