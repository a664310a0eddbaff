"""What is to be done where packets do not get on: causes and remedies in the cloud's words.

Knows what a topology has that would help; walks nowhere.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network

from vpcdns.model.connections import CenConnection, Connection, IpsecConnection
from vpcdns.model.gateway import SHARED_SPACE
from vpcdns.model.route_tables import RouteTables
from vpcdns.model.topology import Vpc
from vpcdns.model.way import Hop, PathProblem, Verdict


def in_shared_space(address: IPv4Address, network: str, vpc_id: str) -> PathProblem:
    """No selector and no route helps: a VPC's own services are there."""
    detail = f"{address} of {network} lies in 100.64.0.0/10, which {vpc_id} takes to the cloud's services"
    return PathProblem(Verdict.OVERLAP, detail, f"renumber {network}, or translate its addresses on the way")


def never_remote(address: IPv4Address, network: str, vpc: Vpc | None) -> PathProblem | None:
    """Why no IPsec connection of a VPC may have an address on its far side: selectors would not help."""
    if vpc is None:
        return None
    if address in SHARED_SPACE:
        return in_shared_space(address, network, vpc.vpc_id)
    if vpc.vswitches and (block := holding(address, vpc.routed_blocks)) is not None:
        detail = f"{address} of {network} lies in {vpc.vpc_id}'s own vSwitch {block}, which no answer leaves"
        remedy = f"renumber {network}, or translate its addresses on the way"
        return PathProblem(Verdict.OVERLAP, detail, remedy)
    return None


def clash(cen: str, address: IPv4Address, owners: tuple[str, ...]) -> tuple[Verdict, str, str]:
    first, *others = owners
    detail = f"{first} and {', '.join(others)} have the same vSwitch block around {address}: "
    detail += f"on {cen} none of them is reached there"
    return Verdict.OVERLAP, detail, f"detach all but one of them from {cen}, or move to other vSwitches"


def nobody(address: IPv4Address, vpc_id: str) -> tuple[str, str]:
    return (
        f"{address} lies in {vpc_id}, but in none of its vSwitches",
        "add its vSwitch to `vswitches`, or take another address",
    )


def unrouted(
    vpc_id: str, address: IPv4Address, goal: str | None, tables: RouteTables, *, back: bool
) -> tuple[str, str]:
    """A VPC has no route to an address; rather than a new one, publish what is there."""
    detail = f"{vpc_id} has no route {'back to' if back else 'to'} {address}: no connection of it brings one"
    tunnels = [one for one in tables.joined.get(goal or "", ()) if isinstance(one, IpsecConnection)]
    for ipsec in tunnels:
        name, is_routed = ipsec.connection_id, holding(address, ipsec.destinations) is not None
        if ipsec.vpc_id == vpc_id and ipsec.destination_routes and not is_routed:
            return detail, f"add {host(address)} to destination_routes of {name}"
        if ipsec.vpc_id == vpc_id and is_routed:
            published = f"publish the routes of {name} to {vpc_id} (`publish_vpc`)"
            return detail, f"{published}, or add the route {host(address)} via {name} to {vpc_id}"
        for cen in tables.joined.get(vpc_id, ()) if is_routed else ():
            if isinstance(cen, CenConnection) and ipsec.vpc_id in tables.attached(cen):
                where = [] if ipsec.publish_vpc else [f"{ipsec.vpc_id} (`publish_vpc`)"]
                where += [] if ipsec.publish_cen else [f"{cen.connection_id} (`publish_cen`)"]
                if where:
                    return detail, f"publish the routes of {ipsec.vpc_id} via {name} to {' and '.join(where)}"
    for cen in tables.joined.get(vpc_id, ()):
        for other in tables.attached(cen) if isinstance(cen, CenConnection) else ():
            vpc = tables.topology.vpcs.get(other)
            if (
                vpc is not None
                and holding(address, vpc.cidr_blocks)
                and not holding(address, vpc.routed_blocks)
            ):
                return nobody(address, other)
    into = f"remote_subnets of an IPsec connection of {vpc_id}"
    return detail, f"put {host(address)} into {into}, or attach both ends to one CEN"


def another_way(
    address: IPv4Address, start: str, wrong: str, goal: str, hops: Iterable[Hop], tables: RouteTables
) -> str:
    """How to take an address elsewhere: at a transit router that takes it wrong, or where it comes from."""
    for hop in hops:
        cen = tables.topology.connections.get(hop.at)
        if hop.via != wrong or not isinstance(cen, CenConnection) or cen.edition == "basic":
            continue
        if goal in tables.attached(cen):
            return f"let a static route of {hop.at} take {host(address)} via {goal}"
    return f"route {host(address)} at {start} to {goal}"


def equal_routes(
    came_by: Connection | None, address: IPv4Address, goal: str | None, tables: RouteTables
) -> tuple[str, str] | None:
    """Why a VPN gateway takes a packet to another network: two destination routes to the same block."""
    if not isinstance(came_by, IpsecConnection):
        return None
    block = holding(address, came_by.destination_routes)
    for other in tables.joined.get(goal or "", ()) if block is not None else ():
        if isinstance(other, CenConnection) or other is came_by or other.vpc_id != came_by.vpc_id:
            continue
        if holding(address, other.destination_routes) == block:
            both = f"{came_by.connection_id} and {other.connection_id}"
            detail = f"{both} have the same destination route {block}, and the first one takes {address}"
            return detail, f"narrow destination_routes of {both} to what is behind each"
    return None


def holding(address: IPv4Address, prefixes: Iterable[IPv4Network]) -> IPv4Network | None:
    """The longest of the prefixes that hold an address."""
    holding = (prefix for prefix in prefixes if address in prefix)
    return max(holding, key=lambda prefix: prefix.prefixlen, default=None)


def host(address: IPv4Address) -> IPv4Network:
    return IPv4Network(address)
