"""What a World looks like in namespaces: addresses, routes, rules, listeners and links. Pure.

One namespace for each VPC, VPN gateway, network and connection. In a VPC or network the main table is asked
before the local one, and its own blocks are `throw` routes: an address there is local only if the longest
prefix says so. A VPN gateway chooses a tunnel by policy rules; a connection decides by them who may pass.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from vpcdns.lab.nameservers import NodeDns, nameservers
from vpcdns.lab.parts import (
    BEFORE_LOCAL,
    FIRST_TABLE,
    LOCAL,
    Blueprint,
    LabRoute,
    LabRule,
    Link,
    Listener,
    Namespace,
    Numbers,
)
from vpcdns.model.address_owners import representative
from vpcdns.model.connections import CenConnection, IpsecConnection, Route, ServiceRoute, ends_of
from vpcdns.model.dns import RRType
from vpcdns.model.gateway import InstanceKey
from vpcdns.model.policy import Forwarding
from vpcdns.model.route_entries import RESOLVERS, Here, Policy
from vpcdns.model.route_tables import RouteTables, route_tables
from vpcdns.model.topology import Network, Topology, Vpc, within
from vpcdns.model.world import World

_EVERYTHING: Final = IPv4Network("0.0.0.0/0")
_LOOPBACK: Final = IPv4Network("127.0.0.0/8")
_TO_VPC, _TO_TUNNELS = "vpc", "vpn"  # the interfaces between a VPC and its VPN gateway


def via(connection_id: str) -> str:
    """The namespace of a connection; an id never begins so."""
    return f"_via-{connection_id}"


def gateway(vpc_id: str) -> str:
    """The namespace of a VPC's VPN gateway."""
    return f"_vpn-{vpc_id}"


def lab_world(world: World) -> World:
    """The World that the lab's resolvers serve: clients are known by whom they ask, nothing is forwarded."""
    vpcs = [replace(vpc, source_networks=()) for vpc in world.topology.vpcs.values()]
    networks = [replace(network, source_networks=()) for network in world.topology.networks.values()]
    access = replace(world.access, clients=(_EVERYTHING,), responses_per_second=None)
    topology = Topology.of(vpcs, networks, world.topology.connections.values())
    return replace(world, topology=topology, access=access, forwarding=Forwarding())


def blueprint(world: World, numbers: Numbers) -> Blueprint:
    """The namespaces and links of a World."""
    tables, topology = route_tables(world.topology), world.topology
    devices = {name: numbers.device(via(name)) for name in topology.connections}
    dns, hosts = nameservers(world, tables, devices), _hosts(world)
    namespaces, links = [], list[Link]()
    nodes: dict[str, Vpc | Network] = {**topology.vpcs, **topology.networks}
    for name, node in nodes.items():
        listeners = tuple(_listeners(node, world, hosts))
        namespaces.append(_node(name, node, world, devices, dns[name], listeners))
        if isinstance(node, Vpc) and tables.tunnels_of(name):
            namespaces.append(_gateway(name, tables, devices))
            links.append(Link(name, _TO_TUNNELS, gateway(name), _TO_VPC))
    for connection in topology.connections.values():
        there = via(connection.connection_id)
        if isinstance(connection, IpsecConnection):
            namespaces.append(_ipsec(there, connection, numbers))
        else:
            namespaces.append(_cen(there, connection, tables, numbers))
        device = devices[connection.connection_id]
        for end in dict.fromkeys(ends_of(connection)):
            at_gateway = isinstance(connection, IpsecConnection) and end == connection.vpc_id
            place = gateway(end) if at_gateway else end
            links.append(Link(place, device, there, numbers.device(place)))
    return Blueprint(tuple(namespaces), tuple(links))


def _node(
    name: str,
    node: Vpc | Network,
    world: World,
    devices: dict[str, str],
    dns: NodeDns,
    listeners: tuple[Listener, ...],
) -> Namespace:
    own = tuple(representative(block, name, world) for block in node.routed_blocks)
    source = own[0] if own else None
    routes: dict[IPv4Network, LabRoute] = {}
    for entry in route_tables(world.topology).entries(name):
        if isinstance(entry.target, Here):
            routes[entry.destination] = LabRoute(entry.destination, kind="throw")
        elif entry.target in devices:
            ipsec = isinstance(world.topology.connections[entry.target], IpsecConnection)
            to_gateway = ipsec and isinstance(node, Vpc)
            device = _TO_TUNNELS if to_gateway else devices[entry.target]
            routes[entry.destination] = LabRoute(entry.destination, device, source=source)
    routes |= {route.destination: route for route in dns.routes}
    # What is the lab's own stays local, whatever default route there is.
    local = [_LOOPBACK] if isinstance(node, Vpc) else [_LOOPBACK, *map(IPv4Network, dns.addresses)]
    routes |= {block: LabRoute(block, kind="throw") for block in local}
    # A VPC's own queries never leave it, whatever is routed elsewhere for others.
    rules = [LabRule("lo", LOCAL, destination=IPv4Network(one)) for one in RESOLVERS if one in dns.addresses]
    # What should have got to another VPC's resolvers may go through here, and is not answered.
    rules += (
        LabRule(None, FIRST_TABLE, block, IPv4Network(one), BEFORE_LOCAL)
        for block in dns.strays
        for one in dns.addresses
    )
    refused = (LabRoute(_EVERYTHING, table=FIRST_TABLE, kind="unreachable"),) if dns.strays else ()
    addresses = dict.fromkeys((*own, *dns.addresses, *(listener.address for listener in listeners)))
    return Namespace(
        name, True, tuple(addresses), (*routes.values(), *refused), tuple(rules), listeners,
        dns.nameservers, dns.resolvers
    )  # fmt: skip


def _hosts(world: World) -> frozenset[IPv4Address]:
    """The addresses that private zones name, without those of gateways."""
    gateways = {address for instance in world.instances.values() for address in instance.all_addresses}
    records = (
        record
        for zone in world.private_zones.zones.values()
        for _, record in zone.records.scan()
        if record.enabled and record.rtype == RRType.A
    )
    named = {record.rdata for record in records if isinstance(record.rdata, IPv4Address)}
    return frozenset(named - gateways)


def _listeners(node: Vpc | Network, world: World, hosts: Iterable[IPv4Address]) -> Iterator[Listener]:
    """The endpoints in a VPC, the shared addresses of its region, which it reaches by itself, and hosts."""
    found: dict[IPv4Address, list[InstanceKey]] = {}
    if isinstance(node, Vpc):
        for key, instance in world.instances.items():
            for address in instance.addresses_in(node):
                found.setdefault(address, []).append(key)
    for address in hosts:
        if within(address, node.routed_blocks):
            found.setdefault(address, [])
    yield from (Listener(address, tuple(keys)) for address, keys in found.items())


def _gateway(vpc_id: str, tables: RouteTables, devices: dict[str, str]) -> Namespace:
    """A table for each source of policy-based routes, with those of wider ones too; one for all others."""
    table, tunnels = tables.gateway(vpc_id), tables.tunnels_of(vpc_id)
    policy_based = (one for one in tunnels if not one.destination_routes)
    sources = sorted({source for ipsec in policy_based for source in ipsec.local_subnets})
    back, last = FIRST_TABLE, FIRST_TABLE + 1
    routes = [LabRoute(_EVERYTHING, _TO_VPC, back)]
    rules = [LabRule(devices[one.connection_id], back) for one in tunnels]
    for number, source in enumerate((None, *sources), last):
        entries = table.entries(_takes(source))
        routes += (LabRoute(one.destination, devices[one.target.connection_id], number) for one in entries)
        rules.append(LabRule(_TO_VPC, number, source, order=33 if source is None else 32 - source.prefixlen))
    return Namespace(gateway(vpc_id), False, (), tuple(routes), tuple(rules))


def _takes(source: IPv4Network | None) -> Callable[[Policy], bool]:
    """Whether a gateway's route is for all that comes from `source`; None: whatever comes from anywhere."""

    def takes(policy: Policy) -> bool:
        if source is None or policy.source is None:
            return source is policy.source
        return source.subnet_of(policy.source)

    return takes


def _ipsec(name: str, ipsec: IpsecConnection, numbers: Numbers) -> Namespace:
    """Selectors are pairs: what matches none of them has no route."""
    inside, outside = numbers.device(gateway(ipsec.vpc_id)), numbers.device(ipsec.network_id)
    out, back = FIRST_TABLE, FIRST_TABLE + 1
    routes = (LabRoute(_EVERYTHING, outside, out), LabRoute(_EVERYTHING, inside, back))
    pairs = [(local, remote) for local in ipsec.local_subnets for remote in ipsec.remote_subnets]
    rules = dict.fromkeys(
        rule
        for local, remote in pairs
        for rule in (LabRule(inside, out, local, remote), LabRule(outside, back, remote, local))
    )
    return Namespace(name, False, (), routes, tuple(rules))


def _cen(name: str, cen: CenConnection, tables: RouteTables, numbers: Numbers) -> Namespace:
    """A table for each attachment: service routes are for those who may use them."""
    routes: list[LabRoute] = []
    rules: list[LabRule] = []
    for node in tables.attached(cen):
        table = FIRST_TABLE + numbers.of(node)
        rules.append(LabRule(numbers.device(node), table))
        for entry in tables.crossings(cen, node):
            match entry.target:
                case ServiceRoute(_, on) | Route(_, on) | str(on):
                    pass
                case _:
                    routes.append(LabRoute(entry.destination, None, table, "unreachable"))
                    continue
            routes.append(LabRoute(entry.destination, numbers.device(on), table))
    return Namespace(name, False, (), tuple(routes), tuple(rules))
