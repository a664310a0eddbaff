"""One way through a topology, by longest prefix from node to node, every step checked (DESIGN §1.10).

Knows route tables, IPsec selectors, CEN attachments and service routes; not names, and not whether the place
where a walk ends is the right one. If a connection refuses a step, the walk notes that and goes on, so that
one walk finds every problem. It ends where no next step can be guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Address, IPv4Network

from vpcdns.model.gateway import SHARED_SPACE
from vpcdns.model.route_tables import Here, RouteTables
from vpcdns.model.topology import CenConnection, Connection, IpsecConnection, Route, ServiceRoute


class Verdict(Enum):
    """What becomes of a connection attempt; all but the first are also codes of problems."""

    REACHABLE = "reachable"
    NOT_RESOLVED = "not_resolved"
    NO_ROUTE = "no_route"
    SELECTOR_MISMATCH = "selector_mismatch"
    NOT_ATTACHED = "not_attached"
    REGION_MISMATCH = "region_mismatch"
    OVERLAP = "overlap"
    NO_RETURN_ROUTE = "no_return_route"


@dataclass(frozen=True, slots=True)
class PathProblem:
    """Something that stops a packet, and what to do about it."""

    code: Verdict
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Hop:
    """What `at` does with the packet: the entry that it matches, and whom it is handed to.

    `via` is a connection, a VPC or network, or `local` or `cloud services` where the way ends.
    """

    at: str
    destination: IPv4Network
    via: str


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a way should end: at one VPC or network, at the cloud services of a region, or anywhere."""

    node: str | None = None
    region_id: str | None = None

    def leads_through(self, node: str, tables: RouteTables) -> bool:
        """Whether a way to the goal may go to `node`."""
        if self.node is not None or self.region_id is None:
            return node == self.node
        return node in tables.topology.vpcs and tables.region_of(node) == self.region_id

    def is_at(self, end: tuple[str, Here], tables: RouteTables) -> bool:
        node, here = end
        if self.node is not None:
            return here is Here.LOCAL and node == self.node
        return self.region_id is None or (here is Here.CLOUD and self.leads_through(node, tables))

    def __str__(self) -> str:
        return self.node or (f"a VPC of {self.region_id}" if self.region_id else "where it is")


@dataclass(slots=True)
class Walk:
    """A walk under way. `hops` are those before the first problem; `end` is where it got to."""

    tables: RouteTables
    source: IPv4Address
    destination: IPv4Address
    goal: Goal
    back: bool = False
    hops: list[Hop] = field(default_factory=list)
    problems: list[PathProblem] = field(default_factory=list)
    missing: list[tuple[str, Route]] = field(default_factory=list)
    end: tuple[str, Here] | None = None

    def go(self, start: str) -> Walk:
        """Walks from `start`. A node forwards without regard to where from, so one seen twice is a loop."""
        node: str | None = start
        seen: set[str] = set()
        while node is not None:
            if node in seen:
                self._loop(node)
                break
            seen.add(node)
            node = self._step(node)
        return self

    def _step(self, node: str) -> str | None:
        entry = self.tables.match(node, self.destination)
        if entry is None:
            return self._stranded(node)
        if isinstance(entry.target, Here):
            self._hop(node, entry.destination, entry.target.value)
            self.end = node, entry.target
            return None
        self._hop(node, entry.destination, entry.target)
        connection = self.tables.topology.connections.get(entry.target)
        if connection is None:
            detail = f"{node} routes {self.destination} via {entry.target}, which is not there"
            self._lost(detail, f"restore {entry.target}, or route via another connection")
            return None
        return self._cross(connection, node)

    def _cross(self, connection: Connection, node: str) -> str | None:
        if isinstance(connection, IpsecConnection):
            return self._through_ipsec(connection, node)
        return self._through_cen(connection, node)

    def _through_ipsec(self, ipsec: IpsecConnection, node: str) -> str:
        """IPsec lets through what its selectors hold, in either direction."""
        outbound = node == ipsec.vpc_id
        at_vpc, on_premises = (self.source, self.destination) if outbound else (self.destination, self.source)
        local = "local_subnets", ipsec.local_subnets, at_vpc
        remote = "remote_subnets", ipsec.remote_subnets, on_premises
        for side, subnets, address in (local, remote):
            if _holding(address, subnets) is None:
                shown = ", ".join(map(str, subnets))
                detail = f"{ipsec.connection_id} carries {shown} as {side}, and {address} is not in it"
                remedy = f"add {_host(address)} to {side} of {ipsec.connection_id}, at both of its ends"
                self._problem(Verdict.SELECTOR_MISMATCH, detail, remedy)
        on, towards = (ipsec.network_id, remote) if outbound else (ipsec.vpc_id, local)
        self._hop(ipsec.connection_id, _holding(self.destination, towards[1]) or _host(self.destination), on)
        return on

    def _through_cen(self, cen: CenConnection, node: str) -> str | None:
        name = cen.connection_id
        if node not in cen.attachments:
            self._problem(
                Verdict.NOT_ATTACHED, f"{node} is not attached to {name}", f"attach {node} to {name}"
            )
        entry = self.tables.cross(cen, node, self.destination)
        if entry is not None:
            if isinstance(entry.target, ServiceRoute):
                return self._by_service_route(cen, entry.target, node)
            self._hop(name, entry.destination, entry.target)
            return entry.target
        if self.destination in SHARED_SPACE:
            return self._without_service_route(cen, node)
        if self.goal.node in cen.attachments:
            detail = f"{name} takes nothing back to {node}, where it comes from"
            self._lost(detail, f"route {self.destination} at {node} another way")
            return None
        detail = f"nobody attached to {name} has {self.destination}: {self.goal} is not attached to it"
        code = Verdict.NO_RETURN_ROUTE if self.back else Verdict.NOT_ATTACHED
        self._problem(code, detail, f"attach {self.goal} to {name}")
        return None

    def _by_service_route(self, cen: CenConnection, route: ServiceRoute, node: str) -> str:
        if not self.tables.allows(cen, route, node):
            host, asking = self.tables.region_of(route.host_vpc_id), self.tables.region_of(node)
            self._problem(
                Verdict.REGION_MISMATCH,
                f"{cen.connection_id} is Basic Edition: its service route to {route.host} is for {host}, "
                f"and {node} is in {asking or 'no region: it resolves as no VPC'}",
                "use an Enterprise Edition transit router, or a dedicated instance in reach",
            )
        self._hop(cen.connection_id, route.host, route.host_vpc_id)
        return route.host_vpc_id

    def _without_service_route(self, cen: CenConnection, node: str) -> str | None:
        name, others = cen.connection_id, (one for one in cen.attachments if one != node)
        closed = next((route for route in cen.service_routes if self.destination in route.host), None)
        if closed is not None and closed.host_vpc_id != node:
            detail = f"the service route of {name} to {closed.host} is not open to {node}"
            self._lost(detail, f"add {node} to its `access`")
            return self._by_service_route(cen, closed, node)
        host = next((one for one in others if self.goal.leads_through(one, self.tables)), None)
        detail = f"{name} has no service route to {self.destination}: 100.64.0.0/10 is each VPC's own"
        through = host or "an attached VPC of the service's region"
        route = f"a service route to {_host(self.destination)} through {through}"
        self._lost(detail, f"add {route}, open to {node}, to {name}")
        return host

    def _stranded(self, node: str) -> str | None:
        """`node` has no route; a network with a connection that fits lacks only that one route."""
        verb = "back to" if self.back else "to"
        if node in self.tables.topology.vpcs:
            detail = f"{node} has no route {verb} {self.destination}: no connection of it brings one"
            into = f"remote_subnets of an IPsec connection of {node}"
            self._lost(detail, f"put {_host(self.destination)} into {into}, or attach both ends to one CEN")
            return None
        found = self._guess(node)
        if found is None:
            detail = f"{node} has no route {verb} {self.destination}, and no connection of it leads there"
            self._lost(detail, f"connect {node} to {self.goal} by IPsec or CEN, and route it there")
            return None
        connection, target = found
        route = Route(self._worth_routing(node, target), connection.connection_id)
        self.missing.append((node, route))
        detail = f"{node} has no route {verb} {self.destination}"
        self._lost(detail, f"add the route {route.destination} via {route.via} to {node}")
        return self._cross(connection, node)

    def _guess(self, node: str) -> tuple[Connection, str] | None:
        """A connection from `node` towards the goal; rather one that would let the packet through."""
        guesses: list[tuple[bool, Connection, str]] = []
        for connection in self.tables.joined.get(node, ()):
            ends = connection.attachments if isinstance(connection, CenConnection) else (connection.vpc_id,)
            towards = (end for end in ends if end != node and self.goal.leads_through(end, self.tables))
            target = next(towards, None)
            if target is None:
                continue
            if isinstance(connection, CenConnection):
                fits = self.tables.cross(connection, node, self.destination) is not None
            else:
                fits = _holding(self.destination, connection.local_subnets) is not None
            guesses.append((not fits, connection, target))
        best = min(guesses, key=lambda guess: guess[0], default=None)
        return None if best is None else best[1:]

    def _worth_routing(self, node: str, target: str) -> IPv4Network:
        """The block to route: the VPC's that holds the address, unless the network uses part of it itself."""
        there, here = self.tables.topology.node(target), self.tables.topology.node(node)
        block = None if there is None else _holding(self.destination, there.cidr_blocks)
        own = () if here is None else here.cidr_blocks
        if block is None or any(block.overlaps(other) for other in own):
            return _host(self.destination)
        return block

    def _loop(self, node: str) -> None:
        way = " -> ".join(dict.fromkeys(hop.at for hop in self.hops))
        detail = f"{self.destination} goes round: {way} -> {node}"
        away = next((hop for hop in self.hops if self.goal.leads_through(hop.at, self.tables)), None)
        if away is None:
            self._lost(detail, "correct the routes on that way")
            return
        detail += f"; {away.at} is where it should stay, but {away.destination} via {away.via} takes it away"
        self._problem(Verdict.OVERLAP, detail, f"renumber whoever has {away.destination} behind {away.via}")

    def _hop(self, at: str, destination: IPv4Network, via: str) -> None:
        if not self.problems:
            self.hops.append(Hop(at, destination, via))

    def _lost(self, detail: str, remedy: str) -> None:
        self._problem(Verdict.NO_RETURN_ROUTE if self.back else Verdict.NO_ROUTE, detail, remedy)

    def _problem(self, code: Verdict, detail: str, remedy: str) -> None:
        self.problems.append(PathProblem(code, detail, remedy))


def _holding(address: IPv4Address, prefixes: Iterable[IPv4Network]) -> IPv4Network | None:
    holding = (prefix for prefix in prefixes if address in prefix)
    return max(holding, key=lambda prefix: prefix.prefixlen, default=None)


def _host(address: IPv4Address) -> IPv4Network:
    return IPv4Network(address)
