"""Where every VPC, network and connection forwards packets: the route tables of a topology (DESIGN §1.10).

Knows prefixes and who is joined to whom; not packets, names or instances. Nothing is expanded: a CEN's
prefixes are kept once and looked up by each of its attachments, so a thousand attached VPCs cost a thousand
entries and not a million.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Address, IPv4Network
from typing import Final, Generic, TypeVar

from vpcdns.model.gateway import SHARED_SPACE
from vpcdns.model.topology import (
    CenConnection,
    Connection,
    IpsecConnection,
    Network,
    ServiceRoute,
    Topology,
    ends_of,
)

T = TypeVar("T")


class Here(Enum):
    """Forwarding that ends at the node itself."""

    LOCAL = "local"
    CLOUD = "cloud services"  # the system route of every VPC: the services of its region


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """The entry of a table that an address matched."""

    destination: IPv4Network
    target: T


NodeTarget = Here | str  # a str is a connection_id
CenTarget = ServiceRoute | str  # a str is the attachment that has the block


class PrefixTable(Generic[T]):
    """Longest prefix match: at most 33 look-ups, however many prefixes; of equal prefixes the first fits."""

    __slots__ = ("_lengths", "_targets")

    def __init__(self, entries: Iterable[tuple[IPv4Network, T]] = ()) -> None:
        self._targets: dict[tuple[int, int], list[T]] = {}
        for prefix, target in entries:
            self._targets.setdefault((prefix.prefixlen, int(prefix.network_address)), []).append(target)
        self._lengths = sorted({length for length, _ in self._targets}, reverse=True)

    def match(
        self, address: IPv4Address, fits: Callable[[T], bool] = lambda _: True, longer: int = -1
    ) -> Entry[T] | None:
        """The longest prefix that holds `address` with a target that fits, if longer than `longer`."""
        number = int(address)
        for length in self._lengths:
            if length <= longer:
                return None
            network = number >> (32 - length) << (32 - length)
            for target in self._targets.get((length, network), ()):
                if fits(target):
                    return Entry(IPv4Network((network, length)), target)
        return None

    def entries(self, fits: Callable[[T], bool] = lambda _: True) -> Iterator[Entry[T]]:
        """What `match` chooses from."""
        for (length, network), targets in self._targets.items():
            for target in filter(fits, targets):
                yield Entry(IPv4Network((network, length)), target)
                break


@dataclass(slots=True)
class RouteTables:
    """The tables of one topology. A node's own table is made when it is first asked for."""

    topology: Topology
    joined: dict[str, list[Connection]] = field(default_factory=dict)  # by vpc_id or network_id
    _nodes: dict[str, PrefixTable[NodeTarget]] = field(default_factory=dict)
    _cens: dict[str, PrefixTable[CenTarget]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for connection in self.topology.connections.values():
            for end in ends_of(connection):
                self.joined.setdefault(end, []).append(connection)

    def match(self, node: str, address: IPv4Address) -> Entry[NodeTarget] | None:
        """Where `node` forwards `address`. Of equal prefixes its own wins, then the first connection's."""
        best = self.own(node).match(address)
        for cen in self._learned_from(node):
            longer = -1 if best is None else best.destination.prefixlen
            learned = self.cen(cen).match(address, self.learns(node), longer)
            if learned is not None:
                best = Entry(learned.destination, cen.connection_id)
        return best

    def cross(self, cen: CenConnection, node: str, address: IPv4Address) -> Entry[CenTarget] | None:
        """Where a CEN takes a packet for `address` that comes out of `node`."""
        return self.cen(cen).match(address, self.takes(node))

    def entries(self, node: str) -> Iterator[Entry[NodeTarget]]:
        """A node's whole table, written out: what `match` chooses from."""
        table = {entry.destination: entry for entry in self.own(node).entries()}
        for cen in self._learned_from(node):
            for prefix in (entry.destination for entry in self.cen(cen).entries(self.learns(node))):
                table.setdefault(prefix, Entry(prefix, cen.connection_id))
        yield from table.values()

    def crossings(self, cen: CenConnection, node: str) -> Iterator[Entry[CenTarget]]:
        """A CEN's whole table for what comes out of `node`: what `cross` chooses from."""
        return self.cen(cen).entries(self.takes(node))

    def _learned_from(self, node: str) -> Iterator[CenConnection]:
        if node in self.topology.vpcs:
            yield from (one for one in self.joined.get(node, ()) if isinstance(one, CenConnection))

    def learns(self, node: str) -> Callable[[CenTarget], bool]:
        """Whether a VPC has a CEN's entry in its own table.

        The system route leads to the services of its own region; the CEN's route is for other regions.
        """
        region_id = self.region_of(node)

        def fits(target: CenTarget) -> bool:
            if isinstance(target, str):
                return target != node
            return node in target.access and self.region_of(target.host_vpc_id) != region_id

        return fits

    @staticmethod
    def takes(node: str) -> Callable[[CenTarget], bool]:
        """Whether a CEN forwards by an entry what comes out of `node`: never back to it."""
        return lambda target: (
            target != node
            and (isinstance(target, str) or (node in target.access and target.host_vpc_id != node))
        )

    def own(self, node: str) -> PrefixTable[NodeTarget]:
        """A node's table without what it learns from CENs."""
        if (table := self._nodes.get(node)) is None:
            table = self._nodes[node] = PrefixTable(self._own_entries(node))
        return table

    def cen(self, connection: CenConnection) -> PrefixTable[CenTarget]:
        """A CEN's prefixes: the blocks of its attachments, and its service routes."""
        if (table := self._cens.get(connection.connection_id)) is None:
            table = self._cens[connection.connection_id] = PrefixTable(self._cen_entries(connection))
        return table

    def region_of(self, node: str | None) -> str | None:
        """A VPC's region; a network's is that of the VPC that it resolves as."""
        vpc = self.topology.vpcs.get(node or "")
        if vpc is not None:
            return vpc.region_id
        network = self.topology.networks.get(node or "")
        return self.region_of(network.resolves_as) if network and network.resolves_as else None

    def allows(self, cen: CenConnection, route: ServiceRoute, node: str) -> bool:
        """Whether a CEN's edition lets `node` use a service route: Basic does so in its region only."""
        return cen.edition != "basic" or self.region_of(node) == self.region_of(route.host_vpc_id)

    def _own_entries(self, name: str) -> Iterator[tuple[IPv4Network, NodeTarget]]:
        node = self.topology.node(name)
        if node is None:
            return
        yield from ((block, Here.LOCAL) for block in node.cidr_blocks)
        if isinstance(node, Network):
            yield from ((route.destination, route.via) for route in node.routes)
            return
        yield SHARED_SPACE, Here.CLOUD
        for connection in self.joined.get(name, ()):
            if isinstance(connection, IpsecConnection):
                yield from ((subnet, connection.connection_id) for subnet in connection.remote_subnets)

    def _cen_entries(self, cen: CenConnection) -> Iterator[tuple[IPv4Network, CenTarget]]:
        for attachment in cen.attachments:
            if (node := self.topology.node(attachment)) is not None:
                yield from ((block, attachment) for block in node.cidr_blocks)
        yield from ((route.host, route) for route in cen.service_routes)


_KEPT: Final = 4  # a plan compares two; a server has one, and another while it changes
_recent: list[RouteTables] = []


def route_tables(topology: Topology) -> RouteTables:
    """The tables of a topology, remembered for the last few: a topology never changes."""
    for tables in _recent:
        if tables.topology is topology:
            return tables
    tables = RouteTables(topology)
    _recent.insert(0, tables)
    del _recent[_KEPT:]
    return tables
