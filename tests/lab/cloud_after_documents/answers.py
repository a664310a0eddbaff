"""Who should answer at an address, and which addresses a name has: what probes are compared by.

Rules 3, 4 and 5 of the product's documents, and "Configure access to PrivateZone" for how a network resolves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import product

from tests.lab.cloud_after_documents.kernel import Probe
from tests.lab.cloud_after_documents.routes import RESOLVERS, Cloud, Object, asks_as, blocks_of, network_table

INBOUND = "inbound_endpoint"
_HOST = 10  # in each block: not an endpoint's address in any topology


@dataclass(frozen=True, slots=True)
class Addresses:
    """Which nodes have an address, and which addresses a node's hosts have."""

    owners: dict[IPv4Address, set[str]]
    hosts: dict[str, list[IPv4Address]]

    def of(self, node: str) -> set[IPv4Address]:
        return {address for address, owners in self.owners.items() if node in owners}


def addresses(sky: Cloud, more: tuple[IPv4Address, ...] = ()) -> Addresses:
    """Endpoints, services and hosts. `more` are addresses that hosts have wherever a block holds them."""
    hosts = {name: [_host(block) for block in blocks_of(node)] for name, node in sky.nodes.items()}
    owners: dict[IPv4Address, set[str]] = {}
    for instance in sky.instances:
        for address, where in _served(sky, instance).items():
            owners.setdefault(address, set()).update(where)
    for address in {address for several in hosts.values() for address in several} | set(more):
        if address not in owners:
            holding = (name for name, node in sky.nodes.items() if _holds(node, address))
            owners[address] = set(holding)
    for resolver in RESOLVERS:
        owners[resolver] = set(sky.vpcs)
    for network in sky.networks.values():
        through = network.get("resolves_through", {})
        if "address" in through:
            owners.setdefault(IPv4Address(through["address"]), set()).add(through["vpc_id"])
    return Addresses(owners, hosts)


def _host(block: IPv4Network) -> IPv4Address:
    return block[min(_HOST, block.num_addresses - 1)]


def _holds(node: Object, address: IPv4Address) -> bool:
    return any(address in block for block in blocks_of(node))


def _served(sky: Cloud, instance: Object) -> dict[IPv4Address, set[str]]:
    """Where an instance answers: in the VPC that it is bound to, or in each of its region."""
    if instance["type"] == "dedicated":
        binding = instance.get("binding")
        return {} if binding is None else {IPv4Address(binding["address"]): {binding["vpc_id"]}}
    region = {vpc_id for vpc_id, vpc in sky.vpcs.items() if vpc["region_id"] == instance["region_id"]}
    return {IPv4Address(address): region for address in instance["addresses"]}


def resolver_probes(sky: Cloud, network_id: str) -> Iterator[tuple[Probe, str]]:
    """Packets of which one has to arrive for a network to resolve, each with the VPC that should answer."""
    network = sky.networks[network_id]
    through = network["resolves_through"]
    vpc_id, via = through["vpc_id"], through.get("via")  # none: it was cut
    wanted: tuple[IPv4Address, ...] = RESOLVERS
    if via == INBOUND:
        everywhere = tuple(_host(block) for block in blocks_of(sky.vpcs[vpc_id]))
        wanted = (IPv4Address(through["address"]),) if "address" in through else everywhere
    for source, resolver in product(map(_host, blocks_of(network)), wanted):
        if via == INBOUND or (via is not None and _way(network, resolver) == via):
            yield Probe(network_id, source, resolver), vpc_id


def _way(network: Object, address: IPv4Address) -> str | None:
    table = network_table(network)
    best = max((prefix for prefix in table if address in prefix), key=lambda one: one.prefixlen, default=None)
    return None if best is None else table[best]


def answer(sky: Cloud, node: str, group: Object) -> dict[IPv4Address, set[str]]:
    """The addresses of a VPC domain for a node whose queries arrive, each with who should answer there."""
    network = sky.networks.get(node)
    vpc_id = node if network is None else asks_as(network)
    named = [one for one in sky.instances if one["instance_id"] == group["instance_id"]]
    instance = next(one for one in named if group.get("region_id", one["region_id"]) == one["region_id"])
    if vpc_id is None or not group.get("vpc_domain"):
        return {}
    return {address: where for address, where in _served(sky, instance).items() if vpc_id in where}
