"""Who is asking: an address, and the VPC that it counts as (DESIGN §3).

Knows listeners only by their `vpc_id`. Whoever names a client, by client subnet or PROXY header, is
believed here or nowhere.
"""

from dataclasses import dataclass

from vpcdns.model.topology import Address, unmapped, within
from vpcdns.model.world import World


@dataclass(frozen=True, slots=True)
class Client:
    """Whoever asks. `vpc_id` is the VPC that it counts as, None the Internet; `matched` says by what rule.

    `network_id` is set for on-premises clients. A stranger has `allowed` False and counts as nobody.
    """

    address: Address
    vpc_id: str | None = None
    region_id: str | None = None
    network_id: str | None = None
    matched: str = "the Internet: no source network"
    allowed: bool = True

    def __str__(self) -> str:
        place = self.vpc_id or "the Internet"
        return f"{place} (through {self.network_id})" if self.network_id else place


def is_trusted(peer: Address, world: World) -> bool:
    """Whether `peer` is believed when it names another client."""
    return within(unmapped(peer), world.access.trusted_peers)


def identify(
    peer: Address, world: World, *, named: Address | None = None, listener_vpc_id: str | None = None
) -> Client:
    """The client behind a query from `peer`.

    `named` is whom the peer says it asks for; a peer that is not trusted is not believed. Identity,
    first match: the listener's VPC, the named client, the peer itself. Both the peer and the client
    must be in `server.clients`.
    """
    peer = unmapped(peer)
    address, how = peer, ""
    if named is not None and within(peer, world.access.trusted_peers):
        address, how = unmapped(named), f", named by trusted peer {peer}"
    for asked in (peer, address):
        if not within(asked, world.access.clients):
            return Client(address, matched=f"{asked} is outside server.clients", allowed=False)
    if listener_vpc_id is not None:
        listener_vpc = world.topology.vpcs.get(listener_vpc_id)
        if listener_vpc is None:  # a reload took the VPC away and left the listener
            return Client(address, matched=f"the listener's vpc_id {listener_vpc_id}, which is gone{how}")
        return Client(address, listener_vpc_id, listener_vpc.region_id, None, f"the listener's vpc_id{how}")
    place = world.topology.locate(address)
    if place is None:
        return Client(address, matched=f"the Internet: no source network holds {address}{how}")
    vpc = world.topology.audience_of(place)
    if vpc is None:
        matched = (
            f"source network {place.source_network} of {place.network_id}, which resolves as no VPC{how}"
        )
        return Client(address, network_id=place.network_id, matched=matched)
    owner = place.vpc_id or place.network_id
    matched = f"source network {place.source_network} of {owner}{how}"
    return Client(address, vpc.vpc_id, vpc.region_id, place.network_id, matched)
