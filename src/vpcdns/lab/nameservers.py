"""Whom each VPC and network asks, by which way, and the resolvers that are in it. Pure.

A VPC has the cloud's resolvers itself, and inbound endpoints. A network with `resolves_through` gets to them
by that way or not at all; for any other one, a resolver of its own stands for what is taken for granted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from vpcdns.lab.parts import LabRoute
from vpcdns.model.address_owners import representative
from vpcdns.model.dns_leg import DnsLeg, dns_leg
from vpcdns.model.policy import Listen
from vpcdns.model.route_entries import RESOLVERS, Here
from vpcdns.model.route_tables import RouteTables
from vpcdns.model.topology import INBOUND_ENDPOINT, Network, ResolvesThrough, Vpc
from vpcdns.model.world import World

ASSUMED_RESOLVER: Final = IPv4Address("169.254.53.53")  # RFC 3927: link-local, so nobody's block
DNS_PORT: Final = 53


@dataclass(frozen=True, slots=True)
class NodeDns:
    """The nameservers of a VPC or network, and the routes to them that it has in any case.

    At `addresses` it has resolvers itself, whose clients count as `vpc_id`. They do not answer `strays`.
    """

    nameservers: tuple[IPv4Address, ...]
    addresses: tuple[IPv4Address, ...] = ()
    vpc_id: str | None = None
    routes: tuple[LabRoute, ...] = ()
    strays: tuple[IPv4Network, ...] = ()

    @property
    def resolvers(self) -> tuple[Listen, ...]:
        return tuple(Listen(address, DNS_PORT, self.vpc_id) for address in self.addresses)


def nameservers(world: World, tables: RouteTables, devices: dict[str, str]) -> dict[str, NodeDns]:
    """Of every VPC and network; `devices` are the interfaces by connection_id."""
    legs = {one.network_id: dns_leg(one.network_id, world) for one in world.topology.networks.values()}
    found = {}
    for vpc_id, vpc in world.topology.vpcs.items():
        addresses = (*RESOLVERS, *dict.fromkeys(_inbound(vpc_id, world, legs)))
        found[vpc_id] = NodeDns(RESOLVERS, addresses, vpc_id, strays=tuple(_strays(vpc, world)))
    for network_id, leg in legs.items():
        network = world.topology.networks[network_id]
        if (through := network.resolves_through) is None:
            found[network_id] = NodeDns((ASSUMED_RESOLVER,), (ASSUMED_RESOLVER,), network.asks_as)
        else:
            found[network_id] = _through(network, through, leg, world, tables, devices)
    return found


def _inbound(vpc_id: str, world: World, legs: dict[str, DnsLeg | None]) -> Iterable[IPv4Address]:
    """The inbound endpoints of a VPC that networks resolve through."""
    for network in world.topology.networks.values():
        through, leg = network.resolves_through, legs[network.network_id]
        if through is None or leg is None or leg.resolver is None:
            continue
        if through.via == INBOUND_ENDPOINT and through.vpc_id == vpc_id:
            yield leg.resolver


def _strays(vpc: Vpc, world: World) -> Iterator[IPv4Network]:
    """The blocks of networks that resolve through other VPCs, where they can be told from others."""
    asking = [one for one in world.topology.networks.values() if one.resolves_through is not None]
    own = [block for one in asking if one.asks_as == vpc.vpc_id for block in one.cidr_blocks]
    own += vpc.routed_blocks
    others = (block for one in asking if one.asks_as != vpc.vpc_id for block in one.cidr_blocks)
    for block in dict.fromkeys(others):
        if not any(block.overlaps(ours) for ours in own):
            yield block


def _through(
    network: Network,
    through: ResolvesThrough,
    leg: DnsLeg | None,
    world: World,
    tables: RouteTables,
    devices: dict[str, str],
) -> NodeDns:
    """What works is asked first, from where it works. No other connection than the one said is used."""
    first = () if leg is None or leg.resolver is None else (leg.resolver,)
    inbound = through.via == INBOUND_ENDPOINT
    asked = first if inbound else tuple(dict.fromkeys((*first, *RESOLVERS)))
    start = None if leg is None else leg.start
    start = start or representative(network.cidr_blocks[0], network.network_id, world)
    routes = []
    for address in asked:
        host, entry = IPv4Network(address), tables.match(network.network_id, address, start)
        via = None if entry is None or isinstance(entry.target, Here) else entry.target
        if via is not None and via in devices and (inbound or via == through.via):
            routes.append(LabRoute(host, devices[via], source=start))
        elif not inbound:
            routes.append(LabRoute(host, kind="unreachable"))
    return NodeDns(asked, routes=tuple(routes))
