"""One way through a topology, by longest prefix from node to node, every step checked (DESIGN §1.10).

Knows route tables, IPsec selectors, CEN attachments and service routes; not names, and not whether the place
where a walk ends is the right one. If a connection refuses a step, the walk notes that and goes on, so that
one walk finds every problem. It ends where no next step can be guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from vpcdns.model.connections import CenConnection, Connection, IpsecConnection, Route, ServiceRoute
from vpcdns.model.gateway import SHARED_SPACE
from vpcdns.model.route_entries import RESOLVERS, Clash, Here
from vpcdns.model.route_tables import RouteTables
from vpcdns.model.way import Goal, Hop, PathProblem, Verdict
from vpcdns.model.way_out import clash, equal_routes, holding, host, never_remote, nobody, unrouted


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
        entry = self.tables.match(node, self.destination, self.source)
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
        """IPsec lets through what its selectors hold, either way, if the VPN gateway routes to it."""
        outbound, name = node == ipsec.vpc_id, ipsec.connection_id
        if outbound and ipsec.destination_routes and not holding(self.destination, ipsec.destinations):
            detail = f"the VPN gateway of {node} has no route to {self.destination} via {name}"
            self._lost(detail, f"add {host(self.destination)} to destination_routes of {name}")
        at_vpc, on_premises = (self.source, self.destination) if outbound else (self.destination, self.source)
        remote = "remote_subnets", ipsec.remote_subnets, on_premises
        local = "local_subnets", ipsec.local_subnets, at_vpc
        for side, subnets, address in (remote, local):
            if holding(address, subnets) is not None:
                continue
            vpc = self.tables.topology.vpcs.get(ipsec.vpc_id)
            if side == "remote_subnets" and (used := never_remote(address, ipsec.network_id, vpc)):
                self.problems.append(used)
                continue
            detail = f"{name} carries {', '.join(map(str, subnets))} as {side}, and {address} is not in it"
            remedy = f"add {host(address)} to {side} of {name}, at both of its ends"
            self._problem(Verdict.SELECTOR_MISMATCH, detail, remedy)
        on, towards = (ipsec.network_id, remote) if outbound else (ipsec.vpc_id, local)
        self._hop(name, holding(self.destination, towards[1]) or host(self.destination), on)
        return on

    def _through_cen(self, cen: CenConnection, node: str) -> str | None:
        name, attached = cen.connection_id, self.tables.attached(cen)
        if node not in attached:
            self._problem(
                Verdict.NOT_ATTACHED, f"{node} is not attached to {name}", f"attach {node} to {name}"
            )
        entry = self.tables.cross(cen, node, self.destination)
        match None if entry is None else entry.target:
            case ServiceRoute() as service:
                return self._by_service_route(cen, service, node)
            case Clash(owners):
                self._problem(*clash(name, self.destination, owners))
                return self.goal.node if self.goal.node in owners else None
            case Route(block, on) if on == node:
                detail = f"{name} has a static route to {block} via {node}, and takes it back there"
                remedy = f"remove the route to {block} from {name}, or correct where it leads"
                if any(hop.via == node for hop in self.hops):  # it comes from elsewhere, and has to get on
                    remedy = f"let {node} route {host(self.destination)} another way to {self.goal}"
                self._lost(detail, remedy)
                return None
            case Route(block, on):
                return self._hop(name, block, on)
            case str() as attachment if entry is not None:
                return self._hop(name, entry.destination, attachment)
        if self.destination in SHARED_SPACE and (self.goal.node is None or self.goal.node in attached):
            return self._without_service_route(cen, node)
        return self._not_on_cen(cen, node)

    def _not_on_cen(self, cen: CenConnection, node: str) -> str | None:
        """A CEN has no route that it would take for `node`."""
        name, topology = cen.connection_id, self.tables.topology
        others = self.tables.cen(cen).match(self.destination, lambda target: target in topology.networks)
        if others is not None and node in topology.networks:
            detail = f"{name} takes nothing from network to network: route policy 5000 rejects their routes"
            static = f"a static route to {others.destination} via {others.target}"
            first = "" if cen.edition == "enterprise" else "use an Enterprise Edition transit router: "
            self._lost(detail, f"{first}add {static} to {name}")
            return str(others.target)
        if self.goal.node is not None and self.goal.node in self.tables.attached(cen):
            self._lost(*nobody(self.destination, self.goal.node))
            return None
        code = Verdict.NO_RETURN_ROUTE if self.back else Verdict.NOT_ATTACHED
        if self.goal.node is None:
            self._lost(f"nobody attached to {name} has {self.destination}", "attach whoever has it")
            return None
        detail = f"nobody attached to {name} has {self.destination}: {self.goal} is not attached to it"
        self._problem(code, detail, f"attach {self.goal} to {name}")
        return None

    def _by_service_route(self, cen: CenConnection, route: ServiceRoute, node: str) -> str:
        if not self.tables.allows(cen, route, node):
            there, here = self.tables.region_of(route.host_vpc_id), self.tables.enters_at(cen, node)
            detail = (
                f"{cen.connection_id} is Basic Edition: its service route to {route.host} is for {there}, "
                f"and {node} is in {here or 'no region: it resolves as no VPC'}"
            )
            instead = "a dedicated instance in reach"
            if self.destination in RESOLVERS:
                instead = f"resolve through a VPC of {here}"
            remedy = f"use an Enterprise Edition transit router, or {instead}"
            self._problem(Verdict.REGION_MISMATCH, detail, remedy)
        return self._hop(cen.connection_id, route.host, route.host_vpc_id)

    def _without_service_route(self, cen: CenConnection, node: str) -> str | None:
        name, table = cen.connection_id, self.tables.cen(cen)
        far = table.match(self.destination, lambda one: isinstance(one, ServiceRoute) and node in one.access)
        if far is not None and isinstance(far.target, ServiceRoute):  # another region's
            return self._by_service_route(cen, far.target, node)
        closed = next((route for route in cen.service_routes if self.destination in route.host), None)
        if closed is not None and closed.host_vpc_id != node:
            detail = f"the service route of {name} to {closed.host} is not open to {node}"
            self._lost(detail, f"add {node} to its `access`")
            return self._by_service_route(cen, closed, node)
        through = self._on_cen(cen, node)
        via = through or "an attached VPC of the service's region"
        if cen.edition == "basic":
            detail = f"{name} has no service route to {self.destination}: 100.64.0.0/10 is each VPC's own"
            self._lost(
                detail,
                f"add a service route to {host(self.destination)} through {via}, open to {node}, to {name}",
            )
        else:
            detail = f"{name} has no static route to {self.destination}: 100.64.0.0/10 is each VPC's own"
            self._lost(detail, f"add a static route to {host(self.destination)} via {via} to {name}")
        return through

    def _on_cen(self, cen: CenConnection, node: str) -> str | None:
        """Another attachment of a CEN that leads to the goal."""
        attached = self.tables.attached(cen)
        if self.goal.node is not None:
            return self.goal.node if self.goal.node in attached and self.goal.node != node else None
        towards = (one for one in attached if one != node and self.goal.leads_through(one, self.tables))
        return next(towards, None)

    def _stranded(self, node: str) -> str | None:
        """`node` has no route; a network with a connection that fits lacks only that one route."""
        vpc = self.tables.topology.vpcs.get(node)
        if vpc is not None:
            if holding(self.destination, vpc.cidr_blocks):
                self._lost(*nobody(self.destination, node))
            else:
                self._lost(*unrouted(node, self.destination, self.goal.node, self.tables, back=self.back))
            return None
        verb = "back to" if self.back else "to"
        found = self._guess(node)
        came_by = self.tables.topology.connections.get(self.hops[-1].at) if self.hops else None
        alike = equal_routes(came_by, self.destination, self.goal.node, self.tables)
        if found is None and alike is not None:
            self._problem(Verdict.OVERLAP, *alike)
            return None
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
            if isinstance(connection, CenConnection):
                target = self._on_cen(connection, node)
                fits = self.tables.cross(connection, node, self.destination) is not None
            else:
                towards = self.goal.leads_through(connection.vpc_id, self.tables)
                target = connection.vpc_id if towards else None
                fits = holding(self.destination, connection.local_subnets) is not None
            if target is not None:
                guesses.append((not fits, connection, target))
        best = min(guesses, key=lambda guess: guess[0], default=None)
        return None if best is None else best[1:]

    def _worth_routing(self, node: str, target: str) -> IPv4Network:
        """The block to route: the VPC's that holds the address, unless the network uses part of it itself."""
        there, here = self.tables.topology.node(target), self.tables.topology.node(node)
        block = None if there is None else holding(self.destination, there.cidr_blocks)
        own = () if here is None else here.cidr_blocks
        if block is None or any(block.overlaps(other) for other in own):
            return host(self.destination)
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

    def _hop(self, at: str, destination: IPv4Network, via: str) -> str:
        if not self.problems:
            self.hops.append(Hop(at, destination, via))
        return via

    def _lost(self, detail: str, remedy: str) -> None:
        self._problem(Verdict.NO_RETURN_ROUTE if self.back else Verdict.NO_ROUTE, detail, remedy)

    def _problem(self, code: Verdict, detail: str, remedy: str) -> None:
        self.problems.append(PathProblem(code, detail, remedy))
