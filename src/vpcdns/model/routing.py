"""Whether a source reaches a name: what it resolves to, the way there and the way back (DESIGN §1.10).

`path` is total and deterministic; it asks `dns_leg` whether queries arrive, `resolution` for the answer and
`round_trip` for the ways. A
way has to arrive at the endpoint's own VPC, or at the cloud services of the instance's region; another VPC
that merely has the same block does not count.
"""

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address
from itertools import product
from typing import Final

from vpcdns.model import private_answers
from vpcdns.model.address_owners import goals_of, representative
from vpcdns.model.clients import Client, identify
from vpcdns.model.connections import Route
from vpcdns.model.decision import OWN_NAMES, Outcome, Reason
from vpcdns.model.dns import Question, RRType
from vpcdns.model.dns_leg import DnsLeg, dns_leg
from vpcdns.model.gateway import Instance, InstanceType
from vpcdns.model.names import Name
from vpcdns.model.resolution import Resolution, resolve
from vpcdns.model.round_trip import RoundTrip, round_trip
from vpcdns.model.route_tables import route_tables
from vpcdns.model.topology import Address, Network, Vpc, within
from vpcdns.model.vpc_domains import group_at
from vpcdns.model.way import Goal, Hop, PathProblem, Verdict
from vpcdns.model.world import World


@dataclass(frozen=True, slots=True)
class Source:
    """Where packets come from: a VPC or network, and addresses in it; the Internet has neither."""

    text: str
    client: Client
    node: str | None = None
    addresses: tuple[IPv4Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """What becomes of a connection from `source` to `name`.

    `there` and `back` are the hops up to the first problem; `verdict` is its code. `missing` are the
    routes that networks lack, each with its network_id. `dns` is how the queries of a network get to a VPC.
    """

    source: str
    name: str
    resolution: Resolution | None
    addresses: tuple[IPv4Address, ...]
    verdict: Verdict
    there: tuple[Hop, ...] = ()
    back: tuple[Hop, ...] = ()
    problems: tuple[PathProblem, ...] = ()
    missing: tuple[tuple[str, Route], ...] = ()
    dns: DnsLeg | None = None

    @property
    def reachable(self) -> bool:
        return self.verdict is Verdict.REACHABLE


def source_of(text: str | Address, world: World) -> Source | None:
    """A vpc_id, a network_id or an address as a source; None when there is no such thing.

    A VPC or network stands for one address of each of its vSwitches or blocks. So does an address that
    lies in none of them, only in `source_networks`: it is a stand-in.
    """
    if isinstance(text, str) and (node := world.topology.node(text)) is not None:
        addresses = _representatives(node, text, world)
        return Source(text, _client(node, text, addresses, world), text, addresses)
    try:
        address = ip_address(text)
    except ValueError:
        return None
    client, place = identify(address, world), world.topology.locate(address)
    name = "" if place is None else place.vpc_id or place.network_id or ""
    owner = world.topology.node(name)
    if owner is None:
        return Source(str(text), client)
    if isinstance(address, IPv4Address) and within(address, owner.routed_blocks):
        return Source(str(text), client, name, (address,))
    return Source(str(text), client, name, _representatives(owner, name, world))


def _client(node: Vpc | Network, name: str, addresses: tuple[IPv4Address, ...], world: World) -> Client:
    """Any client of a VPC or network, whatever stands in for it."""
    network_id = name if isinstance(node, Network) else None
    vpc = world.topology.vpcs.get(node.asks_as or "") if isinstance(node, Network) else node
    vpc_id, region_id = (None, None) if vpc is None else (vpc.vpc_id, vpc.region_id)
    return Client(addresses[0], vpc_id, region_id, network_id, f"any client of {name}")


def _representatives(node: Vpc | Network, name: str, world: World) -> tuple[IPv4Address, ...]:
    return tuple(representative(block, name, world) for block in node.routed_blocks)


def path(source: Source, destination: Name | IPv4Address, world: World) -> Path:
    """What becomes of a connection from `source` to a name or an address.

    Where it stands for several addresses, or the name has several, the first that fails decides.
    """
    if isinstance(destination, IPv4Address):
        found = Path(source.text, str(destination), None, (destination,), Verdict.REACHABLE)
        return _to_address(found, source, destination, world)
    leg = dns_leg(source.client.network_id, world)
    if leg is not None and leg.problems:
        failed = Path(source.text, str(destination), None, (), Verdict.NOT_RESOLVED, dns=leg)
        return replace(failed, problems=leg.problems, missing=leg.missing)
    resolution = resolve(Question(destination, RRType.A), source.client, world)
    answers = [record.rdata for record in resolution.answers if record.rtype == RRType.A]
    addresses = tuple(address for address in answers if isinstance(address, IPv4Address))
    found = Path(source.text, str(destination), resolution, addresses, Verdict.REACHABLE, dns=leg)
    if resolution.outcome is not Outcome.RESPOND or not addresses or resolution.reason not in OWN_NAMES:
        return _failed(found, _not_resolved(resolution, world))
    if (group := group_at(resolution.target, world)) is not None:
        return _walked(found, source, addresses, _goal(world.instance_of(group)), world)
    ways = [_to_address(found, source, address, world) for address in addresses]
    return next((way for way in ways if not way.reachable), ways[0])


def _to_address(found: Path, source: Source, address: IPv4Address, world: World) -> Path:
    """The way to an address that may be anybody's: to any place that has it."""
    goals = goals_of(address, source.node, world)
    if not goals:
        detail = f"{address} is nobody's: it lies in 100.64.0.0/10, and no instance has it"
        remedy = "take an address that the configuration has"
        return _failed(found, PathProblem(Verdict.NO_ROUTE, detail, remedy))
    ways = [_walked(found, source, (address,), goal, world) for goal in goals]
    return next((way for way in ways if way.reachable), ways[0])


def _failed(found: Path, problem: PathProblem) -> Path:
    return replace(found, verdict=problem.code, problems=(problem,))


def _walked(
    found: Path, source: Source, addresses: tuple[IPv4Address, ...], goal: Goal, world: World
) -> Path:
    """The first way that fails, from any address of the source to any of these; or the first of all."""
    tables, first = route_tables(world.topology), None
    if source.node is not None:
        for address, start in product(addresses, source.addresses):
            way = round_trip(source.node, start, address, goal, tables)
            if way.problems:
                return _along(found, way)
            first = first or way
    if first is not None:
        return _along(found, first)
    detail = f"{source.text} is in no VPC and no network: it has no way into one"
    remedy = "name a source that is in `vpcs` or `networks`"
    return _failed(found, PathProblem(Verdict.NO_ROUTE, detail, remedy))


def _along(found: Path, way: RoundTrip) -> Path:
    verdict = way.problems[0].code if way.problems else Verdict.REACHABLE
    return replace(
        found, verdict=verdict, there=way.there, back=way.back, problems=way.problems, missing=way.missing
    )


def _goal(instance: Instance) -> Goal:
    """Where an instance is. Only a VPC domain has its addresses, at the end of the name's chain."""
    if instance.type is InstanceType.SERVERLESS or instance.binding is None:
        return Goal(region_id=instance.region_id)
    return Goal(instance.binding.vpc_id)


def _not_resolved(resolution: Resolution, world: World) -> PathProblem:
    got = resolution.rcode.name if resolution.rcode else "no address"
    if resolution.outcome is Outcome.DROP:
        got = "no response at all"
    # The last step says what the answer is, the one before it why.
    why = resolution.steps[-2].detail if len(resolution.steps) > 1 else ""
    detail = f"{got} ({resolution.reason.value}): {why}"
    remedy = _REMEDIES.get(resolution.reason, "check the name, and the VPC that the source asks as")
    if resolution.outcome is Outcome.FORWARD:
        detail = "the name is not the gateway's: an upstream answers, and its addresses are not looked at"
        remedy = "ask for a VPC domain, a custom domain or a name in a private zone"
    zones = private_answers.unseen(resolution.target, resolution.client, world)
    if zones and resolution.reason in _NOT_OURS:
        remedy = f"bind private zone {zones[0]} to the VPC that the source resolves as"
    return PathProblem(Verdict.NOT_RESOLVED, detail, remedy)


_NOT_OURS: Final = {Reason.FORWARDED, Reason.NO_UPSTREAMS, Reason.SPECIAL_USE}
_REMEDIES: Final = {
    Reason.OTHER_VPC: "ask from the bound VPC, let the network resolve through it, or rebind",
    Reason.OTHER_REGION: "ask from a VPC of the instance's region, or let the network resolve through one",
    Reason.INTERNET: "let the network resolve through a VPC (`resolves_through`)",
    Reason.NOT_BOUND: "bind the instance to a VPC",
    Reason.VPC_DOMAIN_OFF: "enable the group's VPC domain",
    Reason.STRANGER: "add the client to `server.clients`",
    Reason.NO_SUCH_GROUP: "check the group_id and the region_id in the name",
    Reason.PRIVATE_ZONE: "add an A record to the private zone, or set its `fall_through`",
}
