"""A way there and the way back, and whether they end where they should (DESIGN §1.10)."""

from dataclasses import dataclass
from ipaddress import IPv4Address

from vpcdns.model.connections import Route
from vpcdns.model.gateway import SHARED_SPACE
from vpcdns.model.packet_walk import Walk
from vpcdns.model.route_entries import Here
from vpcdns.model.route_tables import RouteTables
from vpcdns.model.way import Goal, Hop, PathProblem, Verdict
from vpcdns.model.way_out import another_way, in_shared_space


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """`there` and `back` are the hops up to the first problem. `missing` are the routes that networks lack,
    each with its network_id.
    """

    there: tuple[Hop, ...] = ()
    back: tuple[Hop, ...] = ()
    problems: tuple[PathProblem, ...] = ()
    missing: tuple[tuple[str, Route], ...] = ()


def round_trip(
    node: str, start: IPv4Address, address: IPv4Address, goal: Goal, tables: RouteTables
) -> RoundTrip:
    """There from one address to another, and back if it arrives."""
    there = Walk(tables, start, address, goal).go(node)
    problems, missing = list(there.problems), list(there.missing)
    back: tuple[Hop, ...] = ()
    if there.end is not None and not goal.is_at(there.end, tables):
        problems.append(_strayed(there, there.end, node))
    elif there.end is not None:
        returned = Walk(tables, address, start, Goal(node), back=True).go(there.end[0])
        if returned.end is not None and not returned.goal.is_at(returned.end, tables):
            returned.problems.append(_strayed(returned, returned.end, there.end[0]))
        seen = {(problem.code, problem.remedy) for problem in problems}
        problems += (one for one in returned.problems if (one.code, one.remedy) not in seen)
        missing += returned.missing
        back = () if there.problems else tuple(returned.hops)
    return RoundTrip(tuple(there.hops), back, tuple(problems), tuple(missing))


def _strayed(walk: Walk, end: tuple[str, Here], start: str) -> PathProblem:
    """The way ended somewhere else: at a block that is there twice, or in another region."""
    (node, here), address = end, walk.destination
    if here is Here.CLOUD and address in SHARED_SPACE and not walk.back:
        region = walk.tables.region_of(node)
        if walk.goal.node is not None:
            detail = f"{node} takes {address} to its own services, and not to those of {walk.goal}"
            remedy = another_way(address, start, node, walk.goal.node, walk.hops, walk.tables)
            return PathProblem(Verdict.OVERLAP, detail, remedy)
        detail = f"{node} takes {address} to the services of {region}; this one is in {walk.goal.region_id}"
        remedy = f"route it through a VPC of {walk.goal.region_id}, or use a dedicated instance in reach"
        return PathProblem(Verdict.REGION_MISMATCH, detail, remedy)
    if here is Here.CLOUD:
        return in_shared_space(address, str(walk.goal), node)
    block = next((hop.destination for hop in reversed(walk.hops) if hop.at == node), address)
    if node == start:
        detail = f"{address} of {walk.goal} lies in {node}'s own block {block}: it never leaves {node}"
    else:
        detail = f"{address} is taken to {node}, which has {block} as well, and not to {walk.goal}"
    another = another_way(address, start, node, str(walk.goal), walk.hops, walk.tables)
    remedy = f"renumber one of them, or {another}"
    if address in SHARED_SPACE:
        remedy = f"renumber {block} at {node}: {SHARED_SPACE} is the cloud's own"
        if walk.source not in SHARED_SPACE:  # to which no VPC would bring an answer back
            remedy += f"; or {another}"
    if start in walk.tables.topology.vpcs:  # which takes no route inside a vSwitch of its own
        remedy = f"renumber one of them, or ask from {walk.goal}"
    if walk.back:
        remedy = f"renumber one of them, or translate the addresses of {walk.goal} on the way"
    return PathProblem(Verdict.OVERLAP, detail, remedy)
