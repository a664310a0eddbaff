"""Where every VPC, network and connection forwards packets: the route tables of a topology (DESIGN §1.10).

Knows prefixes and who is joined to whom; not packets, names or instances. Nothing is expanded: a CEN's
prefixes are kept once and looked up by each of its attachments, so a thousand attached VPCs cost a thousand
entries and not a million.
"""

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Final

from vpcdns.model.connections import (
    CenConnection,
    Connection,
    IpsecConnection,
    NetworkAttachment,
    Route,
    ServiceRoute,
    attached_id,
    ends_of,
)
from vpcdns.model.prefix_table import Entry, PrefixTable
from vpcdns.model.remembered import Remembered
from vpcdns.model.route_entries import (
    CenTarget,
    Here,
    NodeTarget,
    Policy,
    cen_entries,
    gateway_entries,
    is_inside,
    own_entries,
    vswitch_keys,
)
from vpcdns.model.topology import Topology


@dataclass(slots=True)
class RouteTables:
    """The tables of one topology. A node's own table is made when it is first asked for."""

    topology: Topology
    joined: dict[str, list[Connection]] = field(default_factory=dict)  # by vpc_id or network_id
    _nodes: dict[str, PrefixTable[NodeTarget]] = field(default_factory=dict)
    _cens: dict[str, PrefixTable[CenTarget]] = field(default_factory=dict)
    _attached: dict[str, dict[str, NetworkAttachment | None]] = field(default_factory=dict)
    _gateways: dict[str, PrefixTable[Policy]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for connection in self.topology.connections.values():
            for end in ends_of(connection):
                self.joined.setdefault(end, []).append(connection)

    def match(self, node: str, address: IPv4Address, source: IPv4Address) -> Entry[NodeTarget] | None:
        """Where `node` forwards what goes from `source` to `address`.

        Of equal prefixes its own wins, then the first connection's. A VPC accepts no route inside a vSwitch
        of its own (CEN, "Enable overlapping routing", the default since 2019-03-01).
        """
        best = self.own(node).match(address)
        vpc = self.topology.vpcs.get(node)
        if vpc is None or (best is not None and best.target is Here.LOCAL and vpc.vswitches):
            return best
        for cen in self._learned_from(node):
            longer = -1 if best is None else best.destination.prefixlen
            learned = self.cen(cen).match(address, self.takes(cen, node), longer, self.learns(node))
            if learned is not None:
                best = Entry(learned.destination, cen.connection_id)
        if best is None or isinstance(best.target, Here):
            return best
        if isinstance(self.topology.connections.get(best.target), IpsecConnection):
            return Entry(best.destination, self.tunnel(node, source, address) or best.target)
        return best

    def tunnel(self, vpc_id: str, source: IPv4Address, destination: IPv4Address) -> str | None:
        """The IPsec connection that a VPC's VPN gateway takes; None: it has no route.

        Policy-based routes, which match source and destination, go before destination-based ones
        (VPN Gateway, "Configure policy-based routes", 2024-11-28).
        """
        table = self.gateway(vpc_id)
        found = table.match(destination, lambda policy: policy.source is not None and source in policy.source)
        found = found or table.match(destination, lambda policy: policy.source is None)
        return None if found is None else found.target.connection_id

    def cross(self, cen: CenConnection, node: str, address: IPv4Address) -> Entry[CenTarget] | None:
        """Where a CEN takes a packet for `address` that comes out of `node`."""
        return self.cen(cen).match(address, self.takes(cen, node))

    def entries(self, node: str) -> Iterator[Entry[NodeTarget]]:
        """A node's whole table, written out: what `match` chooses from."""
        table = {entry.destination: entry for entry in self.own(node).entries()}
        vpc = self.topology.vpcs.get(node)
        vswitches = vswitch_keys(vpc)
        for cen in self._learned_from(node):
            for learned in self.cen(cen).entries(self.takes(cen, node), self.learns(node)):
                prefix = learned.destination
                if not is_inside(prefix, vswitches):
                    table.setdefault(prefix, Entry(prefix, cen.connection_id))
        yield from table.values()

    def crossings(self, cen: CenConnection, node: str) -> Iterator[Entry[CenTarget]]:
        """A CEN's whole table for what comes out of `node`: what `cross` chooses from."""
        yield from self.cen(cen).entries(self.takes(cen, node))

    def _learned_from(self, node: str) -> Iterator[CenConnection]:
        if node in self.topology.vpcs:
            yield from (one for one in self.joined.get(node, ()) if isinstance(one, CenConnection))

    def learns(self, node: str) -> Callable[[CenTarget], bool]:
        """Whether a VPC has an entry in its own table that a CEN has for it: none that leads to itself.

        The system route leads to the services of its own region; a transit router's route is for other
        regions.
        """
        region_id = self.region_of(node)

        def counts(target: CenTarget) -> bool:
            match target:
                case ServiceRoute(_, host_vpc_id):
                    return self.region_of(host_vpc_id) != region_id
                case Route(_, on) | str(on):
                    return on != node
            return True

        return counts

    def takes(self, cen: CenConnection, node: str) -> Callable[[CenTarget], bool]:
        """Whether a CEN forwards by an entry what comes out of `node`; also back to it, as it has one table.

        Routes of a network are not given to other networks: route policy 5000 rejects them between VBR, CCN
        and VPN (CEN, "Attach an IPsec-VPN connection to a transit router"). Static routes are not learned.
        """
        networks = self.topology.networks if node in self.topology.networks else ()

        def fits(target: CenTarget) -> bool:
            if isinstance(target, ServiceRoute):
                return node in target.access and self.allows(cen, target, node)
            return not isinstance(target, str) or target == node or target not in networks

        return fits

    def own(self, node: str) -> PrefixTable[NodeTarget]:
        """A node's table without what it learns from CENs."""
        if (table := self._nodes.get(node)) is None:
            table = self._nodes[node] = PrefixTable(own_entries(node, self.topology, self.tunnels_of(node)))
        return table

    def cen(self, connection: CenConnection) -> PrefixTable[CenTarget]:
        """A CEN's prefixes: static routes, the blocks of its attachments, and its service routes."""
        if (table := self._cens.get(connection.connection_id)) is None:
            table = self._cens[connection.connection_id] = PrefixTable(
                cen_entries(connection, list(self.attached(connection)), self.topology, self.tunnels_of)
            )
        return table

    def gateway(self, vpc_id: str) -> PrefixTable[Policy]:
        """The routes of a VPC's VPN gateway."""
        if (table := self._gateways.get(vpc_id)) is None:
            table = self._gateways[vpc_id] = PrefixTable(gateway_entries(self.tunnels_of(vpc_id)))
        return table

    def attached(self, cen: CenConnection) -> dict[str, NetworkAttachment | None]:
        """A CEN's attachments by id, in order, with how those networks are attached of which that is said."""
        if (found := self._attached.get(cen.connection_id)) is None:
            found = self._attached[cen.connection_id] = {
                attached_id(one): None if isinstance(one, str) else one for one in cen.attachments
            }
        return found

    def tunnels_of(self, vpc_id: str) -> list[IpsecConnection]:
        """The IPsec connections of a VPC."""
        return [one for one in self.joined.get(vpc_id, ()) if isinstance(one, IpsecConnection)]

    def region_of(self, node: str | None) -> str | None:
        """A VPC's region; a network's is that of the VPC that it asks as."""
        network = self.topology.networks.get(node or "")
        vpc = self.topology.vpcs.get((network.asks_as if network else node) or "")
        return None if vpc is None else vpc.region_id

    def enters_at(self, cen: CenConnection, node: str) -> str | None:
        """The region in which something is attached to a CEN: of a network, that of its VBR."""
        attachment = self.attached(cen).get(node)
        return (attachment.region_id if attachment else None) or self.region_of(node)

    def allows(self, cen: CenConnection, route: ServiceRoute, node: str) -> bool:
        """Whether a CEN's edition lets `node` use a service route.

        On Basic Edition, a VBR reaches services of its own region, a CCN of the Chinese mainland those of all
        of it, and VPCs keep their own (ResolveAndRouteServiceInCen, 2025-07-01; RoutePrivateZoneInCenToVpc).
        """
        if cen.edition != "basic":
            return True
        here, there = self.enters_at(cen, node), self.region_of(route.host_vpc_id)
        attachment = self.attached(cen).get(node)
        is_ccn = attachment is not None and attachment.kind == "ccn"
        return here == there or (is_ccn and _is_mainland(here) and _is_mainland(there))


def _is_mainland(region_id: str | None) -> bool:
    return region_id is not None and region_id.startswith("cn-") and region_id != "cn-hongkong"


# Tables of a copy, as what is remembered must not refer to its key.
_TABLES: Final[Remembered[Topology, RouteTables]] = Remembered(lambda topology: RouteTables(copy(topology)))


def route_tables(topology: Topology) -> RouteTables:
    """The tables of a topology, made once."""
    return _TABLES.of(topology)
