"""How the queries of an on-premises network get to the VPC that it asks as (DESIGN §1.12).

Knows route tables, not names: where this way is cut, nothing resolves.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from itertools import product
from typing import Final

from vpcdns.model.address_owners import representative
from vpcdns.model.connections import Route
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import InstanceKey
from vpcdns.model.remembered import Remembered
from vpcdns.model.round_trip import round_trip
from vpcdns.model.route_entries import RESOLVERS
from vpcdns.model.route_tables import route_tables
from vpcdns.model.topology import CUT, INBOUND_ENDPOINT, Network, ResolvesThrough, Topology, Vpc
from vpcdns.model.way import Goal, Hop, PathProblem, Verdict
from vpcdns.model.world import EndpointKey, World


@dataclass(frozen=True, slots=True)
class DnsLeg:
    """The way of queries into `vpc_id`, from `start` to `resolver`, and back.

    No resolver: it is taken for granted.
    """

    vpc_id: str
    start: IPv4Address | None = None
    resolver: IPv4Address | None = None
    there: tuple[Hop, ...] = ()
    back: tuple[Hop, ...] = ()
    problems: tuple[PathProblem, ...] = ()
    missing: tuple[tuple[str, Route], ...] = ()

    @property
    def is_assumed(self) -> bool:
        return self.resolver is None and not self.problems


def dns_leg(network_id: str | None, world: World) -> DnsLeg | None:
    """The leg of a network's clients; None for what is in no network, or asks as the Internet.

    The network's resolver may stand in any of its blocks and ask either of the VPC's resolvers, or an inbound
    endpoint in any vSwitch: one way that works is enough. Remembered, as a plan asks for every name again.
    """
    if network_id is None:
        return None
    legs = _LEGS.of(world.topology).of(world.endpoints)
    if network_id not in legs:
        legs[network_id] = _leg(network_id, world)
    return legs[network_id]


_Legs = dict[str, DnsLeg | None]
_ByEndpoints = Remembered[FrozenMap[EndpointKey, InstanceKey], _Legs]
_LEGS: Final[Remembered[Topology, _ByEndpoints]] = Remembered(lambda _: Remembered(lambda _: {}))


def _leg(network_id: str, world: World) -> DnsLeg | None:
    network = world.topology.networks.get(network_id)
    vpc = world.topology.vpcs.get((network.asks_as or "") if network else "")
    if network is None or vpc is None:
        return None
    through = network.resolves_through
    if through is None:
        return DnsLeg(vpc.vpc_id)
    if through.via == CUT:
        detail = f"the connection is cut by which queries of {network.network_id} got to {vpc.vpc_id}"
        remedy = "restore it, or let the network resolve another way (`resolves_through`)"
        return DnsLeg(vpc.vpc_id, problems=(PathProblem(Verdict.NOT_RESOLVED, detail, remedy),))
    legs = list(_legs(network, through, vpc, world))
    return next((leg for leg in legs if not leg.problems), None) or _told(legs[0], network)


def _legs(network: Network, through: ResolvesThrough, vpc: Vpc, world: World) -> Iterator[DnsLeg]:
    tables = route_tables(world.topology)
    inbound = through.via == INBOUND_ENDPOINT
    resolvers: tuple[IPv4Address, ...] = RESOLVERS
    if inbound and through.address is not None:
        resolvers = (through.address,)
    elif inbound:
        resolvers = tuple(representative(block, vpc.vpc_id, world) for block in vpc.routed_blocks)
    starts = (representative(block, network.network_id, world) for block in network.cidr_blocks)
    for start, resolver in product(list(starts), resolvers):
        goal = Goal(vpc.vpc_id, services=not inbound)
        way = round_trip(network.network_id, start, resolver, goal, tables)
        leg = DnsLeg(vpc.vpc_id, start, resolver, way.there, way.back, way.problems, way.missing)
        taken = way.there[0].via if way.there else through.via
        if not inbound and taken != through.via:
            detail = f"{network.network_id} takes {resolver} via {taken}, and not via {through.via}"
            remedy = f"add the route {resolver}/32 via {through.via} to {network.network_id}"
            leg = replace(leg, problems=(PathProblem(Verdict.NO_ROUTE, detail, remedy), *leg.problems))
        yield leg


def _told(leg: DnsLeg, network: Network) -> DnsLeg:
    """A leg that fails; its first problem is why nothing resolves."""
    first, *others = leg.problems
    detail = f"queries of {network.network_id} do not get to {leg.resolver} in {leg.vpc_id}: {first.detail}"
    return replace(leg, problems=(PathProblem(Verdict.NOT_RESOLVED, detail, first.remedy), *others))
