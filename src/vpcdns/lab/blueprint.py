"""What a World looks like in namespaces: addresses, routes, rules, listeners and links. Pure.

One namespace for each VPC, network and connection, and one for the resolver. In a VPC or network the main
table is asked before the local one, and its own blocks are `throw` routes: an address there is local only
if the longest prefix says so. A connection decides who may pass by policy rules on the interface where
a packet comes in.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from typing import Final, Literal

from vpcdns.model.address_owners import representative
from vpcdns.model.connections import CenConnection, IpsecConnection, Route, ServiceRoute, ends_of
from vpcdns.model.policy import Forwarding
from vpcdns.model.route_entries import Here
from vpcdns.model.route_tables import RouteTables, route_tables
from vpcdns.model.topology import Topology
from vpcdns.model.world import World

RESOLVER: Final = IPv4Address("169.254.53.53")  # RFC 3927: link-local, so nobody's block
CLIENTS: Final = IPv4Network("169.254.64.0/18")  # whom the resolver sees; one address for each node
_LOOPBACK: Final = IPv4Network("127.0.0.0/8")
DNS_NAMESPACE: Final = "_dns"
MAIN: Final = 254
FIRST_TABLE: Final = 1000


@dataclass(frozen=True, slots=True)
class LabRoute:
    """A route; `dev` None is a destination that this table says nothing about (throw) or refuses."""

    destination: IPv4Network
    dev: str | None = None
    table: int = MAIN
    kind: Literal["unicast", "throw", "unreachable"] = "unicast"
    source: IPv4Address | None = None


@dataclass(frozen=True, slots=True)
class LabRule:
    """What comes in by `iif`, from `source` to `destination`, is forwarded by `table`."""

    iif: str
    table: int
    source: IPv4Network | None = None
    destination: IPv4Network | None = None


@dataclass(frozen=True, slots=True)
class Namespace:
    """The contents of a namespace. A node asks its main table before the local one."""

    name: str
    node: bool
    addresses: tuple[IPv4Address, ...] = ()
    routes: tuple[LabRoute, ...] = ()
    rules: tuple[LabRule, ...] = ()
    listeners: tuple[tuple[IPv4Address, str], ...] = ()  # with what the responder says there


@dataclass(frozen=True, slots=True)
class Link:
    """A veth pair: two namespaces, and the interface in each."""

    one: str
    one_dev: str
    two: str
    two_dev: str


@dataclass(frozen=True, slots=True)
class Blueprint:
    namespaces: tuple[Namespace, ...]
    links: tuple[Link, ...]


@dataclass(slots=True)
class Numbers:
    """Numbers for interfaces and tables; an id keeps its own from one World to the next."""

    known: dict[str, int] = field(default_factory=dict)

    def of(self, name: str) -> int:
        return self.known.setdefault(name, len(self.known))

    def client(self, node: str) -> IPv4Address:
        """The address that a node asks the resolver from: what tells nodes apart whose blocks overlap."""
        return CLIENTS[1 + self.of(node)]


def via(connection_id: str) -> str:
    """The namespace of a connection; an id never begins so."""
    return f"_via-{connection_id}"


def lab_world(world: World, numbers: Numbers) -> World:
    """The World that the lab's resolver serves: nodes are known by lab addresses, nothing is forwarded."""

    def sources(node: str) -> tuple[IPv4Network]:
        return (IPv4Network(numbers.client(node)),)

    vpcs = [replace(vpc, source_networks=sources(name)) for name, vpc in world.topology.vpcs.items()]
    networks = [replace(one, source_networks=sources(name)) for name, one in world.topology.networks.items()]
    access = replace(world.access, clients=(*world.access.clients, CLIENTS))
    topology = Topology.of(vpcs, networks, world.topology.connections.values())
    return replace(world, topology=topology, access=access, forwarding=Forwarding())


def blueprint(world: World, numbers: Numbers) -> Blueprint:
    """The namespaces and links of a World."""
    tables, topology = route_tables(world.topology), world.topology
    nodes = [*topology.vpcs, *topology.networks]
    namespaces = [_node(name, world, tables, numbers) for name in nodes]
    links = [Link(name, "dns", DNS_NAMESPACE, f"n{numbers.of(name)}") for name in nodes]
    for connection in topology.connections.values():
        there = via(connection.connection_id)
        match connection:
            case IpsecConnection():
                namespaces.append(_ipsec(there, connection, numbers))
            case CenConnection():
                namespaces.append(_cen(there, connection, tables, numbers))
        number = numbers.of(there)
        links += (
            Link(end, f"c{number}", there, f"n{numbers.of(end)}")
            for end in dict.fromkeys(ends_of(connection))
        )
    clients = (
        LabRoute(IPv4Network(numbers.client(name)), f"n{numbers.of(name)}", source=RESOLVER) for name in nodes
    )
    resolver = Namespace(DNS_NAMESPACE, node=False, addresses=(RESOLVER,), routes=tuple(clients))
    return Blueprint((*namespaces, resolver), tuple(links))


def _node(name: str, world: World, tables: RouteTables, numbers: Numbers) -> Namespace:
    node = world.topology.node(name)
    blocks = () if node is None else node.routed_blocks
    own = tuple(representative(block, name, world) for block in blocks)
    listeners = tuple(_listeners(name, world))
    client = numbers.client(name)
    routes = [LabRoute(IPv4Network(RESOLVER), "dns", source=client)]
    # What is the lab's own stays local, whatever default route there is.
    routes += (LabRoute(ours, kind="throw") for ours in (IPv4Network(client), _LOOPBACK))
    for entry in tables.entries(name):
        if isinstance(entry.target, Here):
            routes.append(LabRoute(entry.destination, kind="throw"))
        elif entry.target in world.topology.connections:
            dev = f"c{numbers.of(via(entry.target))}"
            routes.append(LabRoute(entry.destination, dev, source=own[0] if own else None))
    addresses = dict.fromkeys((*own, *(address for address, _ in listeners), client))
    return Namespace(name, True, tuple(addresses), tuple(routes), (), listeners)


def _listeners(name: str, world: World) -> Iterator[tuple[IPv4Address, str]]:
    """The endpoints in a VPC, and the shared addresses of its region, which it reaches by itself."""
    vpc = world.topology.vpcs.get(name)
    said: dict[IPv4Address, list[str]] = {}
    for instance in world.instances.values():
        label = f"{instance.region_id}/{instance.instance_id}"
        for address in instance.addresses_in(vpc) if vpc else ():
            said.setdefault(address, []).append(label)
    yield from ((address, " ".join(labels)) for address, labels in said.items())


def _ipsec(name: str, ipsec: IpsecConnection, numbers: Numbers) -> Namespace:
    """Selectors are pairs: what matches none of them has no route."""
    inside, outside = f"n{numbers.of(ipsec.vpc_id)}", f"n{numbers.of(ipsec.network_id)}"
    everything = IPv4Network("0.0.0.0/0")
    out, back = FIRST_TABLE, FIRST_TABLE + 1
    routes = (LabRoute(everything, outside, out), LabRoute(everything, inside, back))
    pairs = [(local, remote) for local in ipsec.local_subnets for remote in ipsec.remote_subnets]
    rules = dict.fromkeys(
        rule
        for local, remote in pairs
        for rule in (LabRule(inside, out, local, remote), LabRule(outside, back, remote, local))
    )
    return Namespace(name, False, (), routes, tuple(rules))


def _cen(name: str, cen: CenConnection, tables: RouteTables, numbers: Numbers) -> Namespace:
    """A table for each attachment: nobody is sent back, and service routes are for those who may use them."""
    routes: list[LabRoute] = []
    rules: list[LabRule] = []
    for node in tables.attached(cen):
        table = FIRST_TABLE + numbers.of(node)
        rules.append(LabRule(f"n{numbers.of(node)}", table))
        for entry in tables.crossings(cen, node):
            match entry.target:
                case ServiceRoute() as route if tables.allows(cen, route, node):
                    on = route.host_vpc_id
                case Route(_, on) | str(on):
                    pass
                case _:
                    routes.append(LabRoute(entry.destination, None, table, "unreachable"))
                    continue
            routes.append(LabRoute(entry.destination, f"n{numbers.of(on)}", table))
    return Namespace(name, False, (), tuple(routes), tuple(rules))
