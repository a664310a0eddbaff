"""Blueprints: what a World is in namespaces, without making any."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given, settings

from tests.support.hybrid_cloud import CONFIGURATION, hybrid
from tests.support.topology_strategies import worlds
from vpcdns.lab.blueprint import blueprint, gateway, lab_world, via
from vpcdns.lab.nameservers import ASSUMED_RESOLVER
from vpcdns.lab.parts import LabRoute, LabRule, Namespace, Numbers
from vpcdns.model.clients import identify
from vpcdns.model.route_entries import RESOLVERS
from vpcdns.model.world import World

SPLIT = """
  - {connection_id: vpn-2, type: ipsec, vpc_id: vpc-a, network_id: idc,
     local_subnets: [100.64.0.0/10, 10.0.0.0/8], remote_subnets: [192.168.0.0/16]}
"""
BY_DESTINATION = """
  - {connection_id: vpn-3, type: ipsec, vpc_id: vpc-a, network_id: idc, local_subnets: [0.0.0.0/0],
     remote_subnets: [0.0.0.0/0], destination_routes: [192.168.7.0/24]}
"""
ZONE = """
private_zones:
  - {zone: corp.internal, vpcs: [vpc-a], records: [{name: db, type: A, values: [10.2.8.9, 10.9.9.9]}]}
"""


def built(world: World) -> dict[str, Namespace]:
    return {namespace.name: namespace for namespace in blueprint(world, Numbers()).namespaces}


def through_text(way: str, routes: str) -> str:
    """The network's queries go that way, and it has these routes."""
    text = CONFIGURATION.replace("resolves_as: vpc-a", f"resolves_through: {{vpc_id: vpc-a, via: {way}}}")
    return text.replace("routes: [{destination: 10.1.0.0/16, via: vpn-1}]", f"routes: [{routes}]")


def through(way: str, routes: str) -> World:
    return hybrid(through_text(way, routes))


def looked_up(namespace: Namespace, source: str, destination: str) -> str | None:
    """The interface that the kernel finds for what comes out of the VPC."""
    known = sorted(
        (rule for rule in namespace.rules if rule.iif == "vpc"), key=lambda rule: (rule.order, rule.table)
    )
    for rule in known:
        if rule.source is None or IPv4Address(source) in rule.source:
            routes = [route for route in namespace.routes if route.table == rule.table]
            fitting = [route for route in routes if IPv4Address(destination) in route.destination]
            if fitting:
                return max(fitting, key=lambda route: route.destination.prefixlen).dev
    return None


def test_a_namespace_for_each_vpc_gateway_network_and_connection() -> None:
    names = {"vpc-a", "vpc-b", "vpc-c", "idc", "_vpn-vpc-a", "_via-vpn-1", "_via-cen-1"}
    assert set(built(hybrid())) == names


def test_own_blocks_are_left_to_the_local_table() -> None:
    vpc = built(hybrid())["vpc-a"]
    kinds = {str(route.destination): route.kind for route in vpc.routes if route.dev is None}
    assert kinds == {"10.1.8.0/24": "throw", "100.64.0.0/10": "throw", "127.0.0.0/8": "throw"}


def test_selectors_are_rules_in_both_directions() -> None:
    rules = {(str(rule.source), str(rule.destination)) for rule in built(hybrid())[via("vpn-1")].rules}
    assert rules == {("10.1.0.0/16", "192.168.0.0/16"), ("192.168.0.0/16", "10.1.0.0/16")}


def test_a_vpn_gateway_chooses_by_source_and_then_by_destination() -> None:
    numbers = Numbers()
    world = hybrid(CONFIGURATION.replace("\n  - {connection_id: cen-1", f"{SPLIT}{BY_DESTINATION}\\g", 1)
                   .replace("\\g", "  - {connection_id: cen-1"))  # fmt: skip
    plan = blueprint(world, numbers)
    chosen = next(one for one in plan.namespaces if one.name == gateway("vpc-a"))
    one, two, three = (numbers.device(via(f"vpn-{number}")) for number in (1, 2, 3))
    assert looked_up(chosen, "10.1.8.20", "192.168.0.5") == one, "the longest source"
    assert looked_up(chosen, "10.2.8.20", "192.168.0.5") == two
    assert looked_up(chosen, "100.100.80.10", "192.168.7.5") == two, "policies go first"
    assert looked_up(chosen, "172.16.0.1", "192.168.7.5") == three
    assert looked_up(chosen, "172.16.0.1", "192.168.8.5") is None
    ways = {link.one for link in plan.links if link.two in {via("vpn-1"), via("vpn-2"), via("vpn-3")}}
    assert ways == {"idc", gateway("vpc-a")}, "the VPC has its gateway alone"


def test_endpoints_speak_in_their_vpc_and_shared_addresses_in_each_of_their_region() -> None:
    listening = {
        name: [str(one.address) for one in namespace.listeners] for name, namespace in built(hybrid()).items()
    }
    assert listening["vpc-a"] == ["100.100.80.10", "10.1.8.20"]
    assert listening["vpc-b"] == ["100.100.80.10"]
    assert listening["vpc-c"] == listening["idc"] == []


def test_hosts_that_private_zones_name_are_where_their_block_is() -> None:
    hosts = {
        (name, str(one.address))
        for name, namespace in built(hybrid(CONFIGURATION + ZONE)).items()
        for one in namespace.listeners
        if not one.instances
    }
    assert hosts == {("vpc-b", "10.2.8.9")}


def test_basic_edition_has_no_service_routes_of_other_regions() -> None:
    service = "service_routes: [{host: 100.64.0.0/10, host_vpc_id: vpc-c, access: [idc]}], edition: basic"
    text = CONFIGURATION.replace("service_routes: []", service).replace("vpc-b, idc]", "vpc-b, vpc-c, idc]")
    routes = built(hybrid(text))[via("cen-1")].routes
    assert "100.64.0.0/10" not in {str(route.destination) for route in routes}


def test_numbers_stay_when_a_connection_goes() -> None:
    numbers = Numbers()
    blueprint(hybrid(), numbers)
    before = dict(numbers.known)
    blueprint(
        hybrid(
            CONFIGURATION.replace("{connection_id: vpn-1", "{connection_id: vpn-9").replace(
                "via: vpn-1", "via: vpn-9"
            )
        ),
        numbers,
    )
    assert {name: numbers.known[name] for name in before} == before


def test_every_vpc_has_the_resolvers_of_the_cloud_and_keeps_its_own_queries() -> None:
    vpc = built(hybrid())["vpc-c"]
    assert vpc.nameservers == RESOLVERS
    assert {(one.address, one.port, one.vpc_id) for one in vpc.resolvers} == {
        (address, 53, "vpc-c") for address in RESOLVERS
    }
    assert vpc.rules == tuple(LabRule("lo", 255, destination=IPv4Network(one)) for one in RESOLVERS)


@pytest.mark.parametrize(("resolves", "vpc_id"), [("resolves_as: vpc-a,", "vpc-a"), ("", None)])
def test_a_way_that_is_taken_for_granted_is_a_resolver_in_the_network(
    resolves: str, vpc_id: str | None
) -> None:
    network = built(hybrid(CONFIGURATION.replace("resolves_as: vpc-a,", resolves)))["idc"]
    assert network.nameservers == (ASSUMED_RESOLVER,)
    assert [(one.address, one.vpc_id) for one in network.resolvers] == [(ASSUMED_RESOLVER, vpc_id)]


def test_queries_go_over_the_connection_that_is_said_or_nowhere() -> None:
    numbers = Numbers()
    world = through(
        "vpn-1", "{destination: 100.100.2.136/32, via: vpn-1}, {destination: 100.64.0.0/10, via: cen-1}"
    )
    network = next(one for one in blueprint(world, numbers).namespaces if one.name == "idc")
    device, source = numbers.device(via("vpn-1")), IPv4Address("192.168.0.5")
    ways = {one.destination: one for one in network.routes if one.destination.prefixlen == 32}
    first, second = map(IPv4Network, RESOLVERS)
    assert ways == {
        first: LabRoute(first, device, source=source),
        second: LabRoute(second, kind="unreachable"),
    }
    assert network.resolvers == ()


def test_the_resolver_that_works_is_asked_first() -> None:
    way = "{destination: 100.100.2.138/32, via: vpn-1}"
    assert built(through("vpn-1", way))["idc"].nameservers == RESOLVERS, "neither: the selectors lack them"
    local = "local_subnets: [10.1.0.0/16, 100.100.2.0/24]"
    text = through_text("vpn-1", way).replace("local_subnets: [10.1.0.0/16]", local)
    assert built(hybrid(text))["idc"].nameservers == RESOLVERS[::-1]


def test_an_inbound_endpoint_is_a_resolver_in_its_vpc() -> None:
    spaces = built(through("inbound_endpoint, address: 10.1.8.53", "{destination: 10.0.0.0/8, via: vpn-1}"))
    endpoint = IPv4Address("10.1.8.53")
    assert spaces["idc"].nameservers == (endpoint,)
    assert (endpoint, "vpc-a") in {(one.address, one.vpc_id) for one in spaces["vpc-a"].resolvers}
    assert endpoint in spaces["vpc-a"].addresses
    assert endpoint not in {one.address for one in spaces["vpc-b"].resolvers}


def test_queries_for_another_vpc_are_not_answered_where_they_can_be_told() -> None:
    text = through_text("vpn-1", "{destination: 100.64.0.0/10, via: vpn-1}")
    spaces = built(hybrid(text))
    refused = {(str(one.source), str(one.destination)) for one in spaces["vpc-b"].rules if one.iif is None}
    assert refused == {("192.168.0.0/16", f"{address}/32") for address in RESOLVERS}
    assert not [one for one in spaces["vpc-a"].rules if one.iif is None]
    overlapping = built(
        hybrid(text.replace("10.2.0.0/16", "192.168.0.0/16").replace("10.2.8.0/24", "192.168.8.0/24"))
    )
    assert not [one for one in overlapping["vpc-b"].rules if one.iif is None]


@settings(max_examples=30)
@given(worlds())
def test_whoever_asks_a_resolver_counts_as_its_vpc_whatever_overlaps(world: World) -> None:
    served = lab_world(world)
    for name, space in built(world).items():
        for listen in space.resolvers:
            client = identify(space.addresses[0], served, listener_vpc_id=listen.vpc_id)
            assert client.allowed
            network = world.topology.networks.get(name)
            assert client.vpc_id == (name if network is None else network.asks_as)
