"""Route tables as commands of `ip`: for each namespace those that give it its routes, rules and addresses.

A namespace for every VPC, its VPN gateway, every network and every CEN. A node asks its main table first: a
block of its own is `throw` there, so that an address is local only where the longest prefix says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from itertools import count, product

from tests.lab.cloud_after_documents.routes import (
    LOCAL,
    NOWHERE,
    VPN,
    Cloud,
    Table,
    attachments,
    destination_routes,
    network_table,
    policies,
    router_table,
    tunnels_of,
    vpc_table,
)

Link = tuple[str, str, int]  # two namespaces, and which of several between them
PROTOCOL = 99  # of all routes made here, so that they are found again
SELECTED, MAIN, OWN, END = 20, 30, 40, 50  # priorities of rules of a VPC or network
_OUT, _BACK, _TUNNEL = 100, 101, 102  # tables of a VPN gateway


@dataclass(slots=True)
class Wiring:
    """Commands by namespace, and the links that they use. `names` are the namespaces of ids."""

    names: dict[str, str]
    links: set[Link] = field(default_factory=set)
    commands: dict[str, list[str]] = field(default_factory=dict)

    def device(self, here: str, there: str, number: int = 0) -> str:
        """The interface of one namespace that leads to another."""
        one, two = sorted((here, there))
        self.links.add((one, two, number))
        return f"{there}.{number}"


def wiring(sky: Cloud, addresses: Mapping[str, set[IPv4Address]]) -> Wiring:
    """Everything there is; a node has those addresses."""
    letters = {"v": sky.vpcs, "n": sky.networks, "c": sky.routers}
    names = {
        name: f"{letter}{number}" for letter, named in letters.items() for number, name in enumerate(named)
    }
    made = Wiring(names)
    for vpc_id in sky.vpcs:
        table = _node(made, vpc_id, vpc_table(sky, vpc_id), addresses[vpc_id])
        made.commands[names[vpc_id]] = [*table, *_rules()]
        made.commands[_gateway_of(made, vpc_id)] = list(_gateway(made, sky, vpc_id))
    for network_id, network in sky.networks.items():
        table = _node(
            made, network_id, _via_gateways(made, sky, network_table(network)), addresses[network_id]
        )
        made.commands[names[network_id]] = [*table, *_selectors(made, sky, network_id), *_rules()]
    for router_id in sky.routers:
        made.commands[names[router_id]] = list(_router(made, sky, router_id))
    return made


def _gateway_of(made: Wiring, vpc_id: str) -> str:
    return made.names[vpc_id].replace("v", "g")


def _node(made: Wiring, node: str, table: Table, addresses: set[IPv4Address]) -> Iterator[str]:
    here = made.names[node]
    yield from (f"address add {address}/32 dev lo" for address in sorted(addresses))
    for prefix, hop in table.items():
        if hop == LOCAL:
            yield f"route add throw {prefix} protocol {PROTOCOL}"
            continue
        there = _gateway_of(made, node) if hop == VPN else made.names.get(hop, "")
        yield _route(prefix, made.device(here, there) if there else hop)


def _route(prefix: IPv4Network, device: str, table: int | str = "main") -> str:
    """One neighbour for each device: the address of the next hop is nobody's."""
    return f"route add {prefix} via 169.254.1.1 dev {device} onlink protocol {PROTOCOL} table {table}"


def _rules() -> Iterator[str]:
    yield f"rule add priority {MAIN} lookup main"
    yield f"rule add priority {OWN} lookup local"
    yield f"rule add priority {END} unreachable"


def _tunnel_device(made: Wiring, sky: Cloud, tunnel_id: str, *, on_premises: bool = False) -> str:
    tunnel = sky.tunnels[tunnel_id]
    ends = [_gateway_of(made, tunnel["vpc_id"]), made.names[tunnel["network_id"]]]
    here, there = reversed(ends) if on_premises else ends
    alike = [
        one["connection_id"]
        for one in tunnels_of(sky, tunnel["vpc_id"])
        if one["network_id"] == tunnel["network_id"]
    ]
    return made.device(here, there, alike.index(tunnel_id))


def _via_gateways(made: Wiring, sky: Cloud, table: Table) -> Table:
    """A network's router sends into the tunnel itself."""
    return {
        prefix: _tunnel_device(made, sky, hop, on_premises=True) if hop in sky.tunnels else hop
        for prefix, hop in table.items()
    }


def _selectors(made: Wiring, sky: Cloud, network_id: str) -> Iterator[str]:
    """RFC 4301 §5.2: what comes out of a tunnel and does not match its selectors is discarded."""
    for tunnel_id, tunnel in sky.tunnels.items():
        if tunnel["network_id"] == network_id:
            device = _tunnel_device(made, sky, tunnel_id, on_premises=True)
            for local, remote in product(tunnel["local_subnets"], tunnel["remote_subnets"]):
                yield f"rule add priority {SELECTED - 1} iif {device} from {local} to {remote} goto {MAIN}"
            yield f"rule add priority {SELECTED} iif {device} unreachable"


def _gateway(made: Wiring, sky: Cloud, vpc_id: str) -> Iterator[str]:
    """A VPN gateway: policy-based routes, then destination-based ones; back to its VPC by selectors."""
    here, vpc = _gateway_of(made, vpc_id), made.names[vpc_id]
    inside, priority = made.device(here, vpc), count(1000)
    tables: dict[str, int] = {}
    for number, tunnel in enumerate(tunnels_of(sky, vpc_id)):
        tables[tunnel["connection_id"]] = _TUNNEL + number
        device = _tunnel_device(made, sky, tunnel["connection_id"])
        yield _route(IPv4Network("0.0.0.0/0"), device, _TUNNEL + number)
        for local, remote in product(tunnel["local_subnets"], tunnel["remote_subnets"]):
            yield f"rule add priority 10 iif {device} from {remote} to {local} lookup {_BACK}"
    for source, destination, tunnel_id in policies(sky, vpc_id):
        which = f"iif {inside} from {source} to {destination} lookup {tables[tunnel_id]}"
        yield f"rule add priority {next(priority)} {which}"
    for destination, tunnel_id in destination_routes(sky, vpc_id).items():
        yield _route(destination, _tunnel_device(made, sky, tunnel_id), _OUT)
    yield f"rule add priority 5000 iif {inside} lookup {_OUT}"
    yield _route(IPv4Network("0.0.0.0/0"), inside, _BACK)
    yield "rule add priority 6000 unreachable"


def _router(made: Wiring, sky: Cloud, router_id: str) -> Iterator[str]:
    here, router = made.names[router_id], sky.routers[router_id]
    for number, attachment in enumerate(attachments(router)):
        table = 100 + number
        yield f"rule add priority 100 iif {made.device(here, made.names[attachment])} lookup {table}"
        for prefix, hop in router_table(sky, router, attachment).items():
            if hop == NOWHERE:
                yield f"route add unreachable {prefix} protocol {PROTOCOL} table {table}"
            else:
                yield _route(prefix, made.device(here, made.names[hop]), table)
    yield "rule add priority 200 unreachable"
