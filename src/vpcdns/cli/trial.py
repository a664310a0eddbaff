"""A dig command to try: one that gets an address from this World, on these listeners.

Candidates are guessed and given to `resolve`; one that resolves is printed. Pure: opens nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from itertools import chain, islice
from typing import Final

from vpcdns.model.clients import identify, is_trusted
from vpcdns.model.dns import Question, RRType
from vpcdns.model.gateway import Group, InstanceType
from vpcdns.model.gateway_rules import WHOAMI
from vpcdns.model.names import Name
from vpcdns.model.policy import Listen
from vpcdns.model.resolution import resolve
from vpcdns.model.topology import Address
from vpcdns.model.world import World

AT_MOST: Final = 20  # groups, and client addresses for each: a start must not wait for this
_LOOPBACK: Final[dict[int, Address]] = {4: IPv4Address("127.0.0.1"), 6: IPv6Address("::1")}


@dataclass(frozen=True, slots=True)
class Trial:
    """A query by dig: of which listener, from which address (`source`), or on whose behalf (`subnet`)."""

    listen: Listen
    name: Name
    source: Address | None = None
    subnet: Address | None = None

    @property
    def server(self) -> Address:
        """Where to ask on this host; a wildcard is asked on loopback."""
        address = self.listen.address
        return _LOOPBACK[address.version] if address.is_unspecified else address

    def works(self, world: World) -> bool:
        """Whether it gets an address. Linux asks its own address from itself, all of 127/8 from 127.0.0.1."""
        peer = self.source or (_LOOPBACK[self.server.version] if self.server.is_loopback else self.server)
        if self.subnet is not None and not is_trusted(peer, world):
            return False
        client = identify(peer, world, named=self.subnet, listener_vpc_id=self.listen.vpc_id)
        return bool(resolve(Question(self.name, RRType.A), client, world).answers)

    def __str__(self) -> str:
        source = "" if self.source is None else f" -b {self.source}"
        port = "" if self.listen.port == 53 else f" -p {self.listen.port}"
        subnet = "" if self.subnet is None else f" +subnet={self.subnet}/{self.subnet.max_prefixlen}"
        return f"dig{source} @{self.server}{port}{subnet} {self.name}"


def trial(world: World, listens: Sequence[Listen]) -> Trial | None:
    """The first candidate that works; the last ones ask who is asking. None: this host may not ask at all."""
    named = (one for group in _groups(world) for one in _candidates(group, world, listens))
    asking_who = (Trial(listen, WHOAMI) for listen in listens)
    return next((one for one in chain(named, asking_who) if one.works(world)), None)


def _groups(world: World) -> list[Group]:
    """Enabled groups, dedicated ones first: they are the ones that tell clients apart."""
    enabled = list(islice((group for group in world.groups.values() if group.vpc_domain), AT_MOST))
    return sorted(enabled, key=lambda group: world.instance_of(group).type is not InstanceType.DEDICATED)


def _candidates(group: Group, world: World, listens: Sequence[Listen]) -> Iterator[Trial]:
    clients = list(islice(_clients(group, world), AT_MOST))
    for listen in listens:
        plain = Trial(listen, world.vpc_domain(group))
        if plain.server.is_loopback and plain.server.version == 4:
            near = (client for client in clients if client.is_loopback and client.version == 4)
            yield from (replace(plain, source=client) for client in near)
        yield plain
        yield from (replace(plain, subnet=client) for client in clients)


def _clients(group: Group, world: World) -> Iterator[Address]:
    """Addresses in source networks of VPCs that the group may be open to, loopback first."""
    instance = world.instance_of(group)
    if instance.binding is not None:
        vpcs = [world.topology.vpcs[instance.binding.vpc_id]]
    else:
        all_vpcs = world.topology.vpcs.values()
        vpcs = list(islice((vpc for vpc in all_vpcs if vpc.region_id == instance.region_id), AT_MOST))
    networks = [prefix for vpc in vpcs for prefix in vpc.source_networks]
    for prefix in sorted(networks, key=lambda prefix: not prefix.is_loopback):
        if prefix.num_addresses == 1:
            yield prefix[0]
        # Two hosts of each: a longer prefix inside it may belong to somebody else.
        yield from (prefix[offset] for offset in (5, 1) if offset < prefix.num_addresses - 1)
