"""Who is asking: a client's address, and the VPC that it counts as (DESIGN §3).

Knows listeners only by their `vpc_id`. Decides whether a peer may name another client, by client subnet or
PROXY header.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from vpcdns.model.topology import Address, Prefix, unmapped, within
from vpcdns.model.world import World


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks. `vpc_id` is the VPC that it counts as, None the Internet; `matched` says by which rule.

    `network_id` is set for on-premises clients. A stranger has `allowed` False and counts as nobody.
    `prefix_needed` is set when the client subnet was too wide: the length that it needs.
    """

    address: Address
    vpc_id: str | None = None
    region_id: str | None = None
    network_id: str | None = None
    matched: str = "the Internet: no source network"
    allowed: bool = True
    prefix_needed: int | None = None

    def __str__(self) -> str:
        place = self.vpc_id or "the Internet"
        return f"{place} (through {self.network_id})" if self.network_id else place

    @property
    def whereabouts(self) -> str:
        """Where the client is, in words for the client."""
        if self.prefix_needed is not None:
            return f"your client subnet is too wide, send /{self.prefix_needed}"
        return f"you are in {self.vpc_id}" if self.vpc_id else "you are on the Internet"


def is_trusted(peer: Address, world: World) -> bool:
    """Whether `peer` is believed when it names another client."""
    return within(unmapped(peer), world.access.trusted_peers)


def identify(
    peer: Address, world: World, *, named: Address | Prefix | None = None, listener_vpc_id: str | None = None
) -> Client:
    """The client behind a query from `peer`.

    `named` is whom the peer says it asks for, an address or a prefix; a peer that is not trusted is not
    believed. A prefix with a longer source network inside it decides nothing (DESIGN §3). Identity,
    first match: the listener's VPC, the named client, the peer itself. Both the peer and the client
    must be in `server.clients`.
    """
    peer = unmapped(peer)
    address, how, subnet = peer, "", None
    if named is not None and within(peer, world.access.trusted_peers):
        if not isinstance(named, IPv4Address | IPv6Address):
            subnet, named = named, named.network_address
        address, how = unmapped(named), f", named by trusted peer {peer}"
    for asked in (peer, address) if subnet is None else (peer,):
        if not within(asked, world.access.clients):
            return Client(address, matched=f"{asked} is outside server.clients", allowed=False)
    if subnet is not None and (admitted := _partly_admitted(subnet, world.access.clients)) is not None:
        needed = max(admitted, world.topology.longest_inside(subnet)) if admitted else None
        matched = f"client subnet {subnet} is {'partly ' if admitted else ''}outside server.clients{how}"
        return Client(address, matched=matched, allowed=bool(admitted), prefix_needed=needed)
    if listener_vpc_id is not None:
        return _at_listener(address, listener_vpc_id, how, world)
    if subnet is not None and (needed := world.topology.longest_inside(subnet)):
        matched = f"the Internet: client subnet {subnet} holds more than one source network{how}"
        return Client(address, matched=matched, prefix_needed=needed)
    place = world.topology.locate(address)
    if place is None:
        return Client(address, matched=f"the Internet: no source network holds {address}{how}")
    vpc = world.topology.audience_of(place)
    matched = f"source network {place.source_network} of {place.vpc_id or place.network_id}"
    if vpc is None:
        matched = f"{matched}, which resolves as no VPC{how}"
        return Client(address, network_id=place.network_id, matched=matched)
    matched = f"{matched}{how}"
    return Client(address, vpc.vpc_id, vpc.region_id, place.network_id, matched)


def _partly_admitted(subnet: Prefix, clients: tuple[Prefix, ...]) -> int | None:
    """The length of the longest admitted prefix inside; 0: there is none. None: all of it is admitted."""
    number, inside = int(subnet.network_address), 0
    for one in clients:
        if one.version == subnet.version:
            length = min(one.prefixlen, subnet.prefixlen)
            shift = subnet.max_prefixlen - length
            if number >> shift != int(one.network_address) >> shift:
                continue
            if length == one.prefixlen:
                return None
            inside = max(inside, one.prefixlen)
    return inside


def _at_listener(address: Address, vpc_id: str, how: str, world: World) -> Client:
    vpc = world.topology.vpcs.get(vpc_id)
    if vpc is None:  # a reload took the VPC away and left the listener
        return Client(address, matched=f"the listener's vpc_id {vpc_id}, which is gone{how}")
    return Client(address, vpc_id, vpc.region_id, None, f"the listener's vpc_id{how}")


def shut_out(world: World) -> Iterator[str]:
    """Warnings: source networks whose clients may not ask at all, as `server.clients` leaves them out."""
    clients = world.access.clients
    admitted = {(one.version, one.prefixlen, int(one.network_address)) for one in clients}
    lengths = {(version, length) for version, length, _ in admitted}
    owners = [(f"VPC {vpc.vpc_id}", vpc.source_networks) for vpc in world.topology.vpcs.values()]
    owners += [(f"network {one.network_id}", one.source_networks) for one in world.topology.networks.values()]
    named = ", ".join(map(str, clients[:5])) + (", …" if len(clients) > 5 else "") or "nobody"
    for owner, sources in owners:
        for source in sources:
            above = (
                source.supernet(new_prefix=length)
                for of, length in lengths
                if length <= source.prefixlen and of == source.version
            )
            if not any((one.version, one.prefixlen, int(one.network_address)) in admitted for one in above):
                why = f"server.clients ({named}) does not hold its source network {source}"
                yield f"{owner}: {why}: clients there get REFUSED; add it to server.clients"
