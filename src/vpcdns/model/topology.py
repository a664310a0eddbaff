"""The networks that questions come from: VPCs, on-premises networks, and what joins them.

Knows prefixes and ids; must not know gateways, names or DNS. `locate` says which VPC or
network an address belongs to (DESIGN §3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

from vpcdns.model.connections import Connection, Route
from vpcdns.model.frozen_map import FrozenMap

Address = IPv4Address | IPv6Address
Prefix = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class VSwitch:
    vswitch_id: str
    cidr_block: IPv4Network


@dataclass(frozen=True, slots=True)
class Vpc:
    """A VPC. Clients in its `source_networks` count as inside it; `routes` are its custom routes."""

    vpc_id: str
    region_id: str
    cidr_blocks: tuple[IPv4Network, ...]
    source_networks: tuple[Prefix, ...]
    vswitches: tuple[VSwitch, ...] = ()
    routes: tuple[Route, ...] = ()

    def vswitch(self, vswitch_id: str) -> VSwitch | None:
        return next((vswitch for vswitch in self.vswitches if vswitch.vswitch_id == vswitch_id), None)

    @property
    def routed_blocks(self) -> tuple[IPv4Network, ...]:
        """The blocks that it delivers to and advertises: its vSwitches', or its own if it has none."""
        return tuple(vswitch.cidr_block for vswitch in self.vswitches) or self.cidr_blocks


INBOUND_ENDPOINT: Final = "inbound_endpoint"
CUT: Final = "cut"


@dataclass(frozen=True, slots=True)
class ResolvesThrough:
    """How queries get into the VPC that a network asks as: to an inbound endpoint, or over a connection.

    `via` is INBOUND_ENDPOINT, a connection_id, or CUT: no way is left. `address` is the endpoint's, by
    default any in the VPC.
    """

    vpc_id: str
    via: str
    address: IPv4Address | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """An on-premises network; its clients ask as the VPC that it resolves through, if any (DESIGN §1.10).

    `resolves_as` takes it for granted that queries get there.
    """

    network_id: str
    cidr_blocks: tuple[IPv4Network, ...]
    source_networks: tuple[Prefix, ...]
    resolves_as: str | None = None
    routes: tuple[Route, ...] = ()
    resolves_through: ResolvesThrough | None = None

    @property
    def routed_blocks(self) -> tuple[IPv4Network, ...]:
        return self.cidr_blocks

    @property
    def asks_as(self) -> str | None:
        """The VPC that its clients count as."""
        return self.resolves_as if self.resolves_through is None else self.resolves_through.vpc_id


@dataclass(frozen=True, slots=True)
class Place:
    """Whose source network an address lies in: exactly one of the ids is set."""

    source_network: Prefix
    vpc_id: str | None = None
    network_id: str | None = None


# Per address family and prefix length: network address as a number -> place. At most 33 + 129
# look-ups find the longest prefix, however many networks there are.
_Locator = FrozenMap[tuple[int, int, int], Place]
_Length = tuple[int, int, int]  # IP version, prefix length, and how many source networks have it


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Topology:
    """All networks, immutable, each map by id."""

    vpcs: FrozenMap[str, Vpc] = field(default_factory=FrozenMap)
    networks: FrozenMap[str, Network] = field(default_factory=FrozenMap)
    connections: FrozenMap[str, Connection] = field(default_factory=FrozenMap)
    _places: _Locator = field(default_factory=FrozenMap)
    _lengths: tuple[_Length, ...] = ()

    @staticmethod
    def of(
        vpcs: Iterable[Vpc], networks: Iterable[Network] = (), connections: Iterable[Connection] = ()
    ) -> Topology:
        """Builds a topology; of two equal source networks the first wins (the rules refuse them)."""
        vpcs, networks = tuple(vpcs), tuple(networks)
        places: dict[tuple[int, int, int], Place] = {}
        for vpc in vpcs:
            for prefix in vpc.source_networks:
                places.setdefault(_key(prefix), Place(prefix, vpc_id=vpc.vpc_id))
        for network in networks:
            for prefix in network.source_networks:
                places.setdefault(_key(prefix), Place(prefix, network_id=network.network_id))
        return Topology(
            FrozenMap((vpc.vpc_id, vpc) for vpc in vpcs),
            FrozenMap((network.network_id, network) for network in networks),
            FrozenMap((connection.connection_id, connection) for connection in connections),
            FrozenMap(places),
            _longest_first(Counter((version, length) for version, length, _ in places)),
        )

    def node(self, name: str) -> Vpc | Network | None:
        """The VPC or network of that id."""
        return self.vpcs.get(name) or self.networks.get(name)

    def with_vpc(self, vpc: Vpc) -> Topology:
        """This topology with `vpc` added, or put in the place of the one with its id."""
        known = self.vpcs.get(vpc.vpc_id)
        if known is not None and known.source_networks != vpc.source_networks:
            return self.without_vpc(vpc.vpc_id).with_vpc(vpc)
        own = {_key(prefix): Place(prefix, vpc_id=vpc.vpc_id) for prefix in vpc.source_networks}
        new = {key: place for key, place in own.items() if key not in self._places}
        lengths = self._counted_lengths()
        lengths.update(key[:2] for key in new)
        return self._edited(self.vpcs.set(vpc.vpc_id, vpc), self._places.edited(new), lengths)

    def without_vpc(self, vpc_id: str) -> Topology:
        """This topology without that VPC; raises KeyError when it is not there."""
        keys = set(map(_key, self.vpcs[vpc_id].source_networks))
        own = {key for key in keys if (place := self._places.get(key)) is not None and place.vpc_id == vpc_id}
        lengths = self._counted_lengths()
        lengths.subtract(key[:2] for key in own)
        return self._edited(self.vpcs.delete(vpc_id), self._places.edited({}, own), lengths)

    def _edited(
        self, vpcs: FrozenMap[str, Vpc], places: _Locator, lengths: Counter[tuple[int, int]]
    ) -> Topology:
        return replace(self, vpcs=vpcs, _places=places, _lengths=_longest_first(lengths))

    def _counted_lengths(self) -> Counter[tuple[int, int]]:
        return Counter({(version, length): count for version, length, count in self._lengths})

    def locate(self, address: Address) -> Place | None:
        """The longest source network that holds `address`; None is the Internet (DESIGN §3)."""
        address = unmapped(address)
        number, width, places = int(address), address.max_prefixlen, self._places
        for version, length, _ in self._lengths:
            if version == address.version:
                shift = width - length
                place = places.get((version, length, number >> shift << shift))
                if place is not None:
                    return place
        return None

    def longest_inside(self, prefix: Prefix) -> int:
        """The length of the longest source network inside `prefix` that is longer than it; 0: there is none.

        Costs no more than there are source networks.
        """
        version, given, start = _key(prefix)
        longer = [length for of, length, _ in self._lengths if of == version and length > given]
        if sum(1 << length - given for length in longer) > len(self._places):
            inside = (key for key in self._places if key[0] == version and key[1] in longer)
            return max(
                (length for _, length, at in inside if start <= at < start + prefix.num_addresses), default=0
            )
        for length in longer:  # the longest first
            step = 1 << prefix.max_prefixlen - length
            if any((version, length, start + n * step) in self._places for n in range(1 << length - given)):
                return length
        return 0

    def address_in(self, vpc_id: str) -> Address | None:
        """An address that counts as inside that VPC; None when there is none, or none is found at once."""
        for prefix in self.vpcs[vpc_id].source_networks:
            # A longer prefix inside may be somebody else's, but seldom at all of these places.
            for offset in (5, 1, 0, prefix.num_addresses // 2, prefix.num_addresses - 2):
                if 0 <= offset < prefix.num_addresses:
                    place = self.locate(prefix[offset])
                    if place is not None and place.vpc_id == vpc_id:
                        return prefix[offset]
        return None

    def claimed(self, prefix: Prefix) -> Place | None:
        """Who has exactly this source network."""
        return self._places.get(_key(prefix))

    def audience_of(self, place: Place | None) -> Vpc | None:
        """The VPC that a client of `place` counts as: its own, or the one its network asks as."""
        if place is None:
            return None
        if place.vpc_id is not None:
            return self.vpcs[place.vpc_id]
        asks_as = self.networks[place.network_id or ""].asks_as
        return None if asks_as is None else self.vpcs[asks_as]


def unmapped(address: Address) -> Address:
    """An IPv4-mapped IPv6 address as the IPv4 address it is (DESIGN §3)."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def within(address: Address, prefixes: Iterable[Prefix]) -> bool:
    """Whether one of `prefixes` holds `address`."""
    return any(address.version == prefix.version and address in prefix for prefix in prefixes)


def _key(prefix: Prefix) -> tuple[int, int, int]:
    return prefix.version, prefix.prefixlen, int(prefix.network_address)


def _longest_first(lengths: Counter[tuple[int, int]]) -> tuple[_Length, ...]:
    return tuple(sorted(((*length, count) for length, count in lengths.items() if count), reverse=True))
