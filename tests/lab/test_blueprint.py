"""Blueprints: what a World is in namespaces, without making any."""

from __future__ import annotations

from hypothesis import given, settings

from tests.support.hybrid_cloud import CONFIGURATION, hybrid
from tests.support.topology_strategies import worlds
from vpcdns.lab.blueprint import CLIENTS, Namespace, Numbers, blueprint, lab_world, via
from vpcdns.model.clients import identify
from vpcdns.model.world import World


def built(world: World) -> dict[str, Namespace]:
    return {namespace.name: namespace for namespace in blueprint(world, Numbers()).namespaces}


def test_a_namespace_for_each_vpc_network_and_connection() -> None:
    assert set(built(hybrid())) == {"vpc-a", "vpc-b", "vpc-c", "idc", "_via-vpn-1", "_via-cen-1", "_dns"}


def test_own_blocks_are_left_to_the_local_table() -> None:
    vpc = built(hybrid())["vpc-a"]
    kinds = {str(route.destination): route.kind for route in vpc.routes if route.dev is None}
    lab = {"127.0.0.0/8": "throw", f"{CLIENTS[1]}/32": "throw"}
    assert kinds == {"10.1.8.0/24": "throw", "100.64.0.0/10": "throw", **lab}


def test_selectors_are_rules_in_both_directions() -> None:
    rules = {(str(rule.source), str(rule.destination)) for rule in built(hybrid())[via("vpn-1")].rules}
    assert rules == {("10.1.0.0/16", "192.168.0.0/16"), ("192.168.0.0/16", "10.1.0.0/16")}


def test_endpoints_speak_in_their_vpc_and_shared_addresses_in_each_of_their_region() -> None:
    listening = {
        name: [str(address) for address, _ in one.listeners] for name, one in built(hybrid()).items()
    }
    assert listening["vpc-a"] == ["100.100.80.10", "10.1.8.20"]
    assert listening["vpc-b"] == ["100.100.80.10"]
    assert listening["vpc-c"] == listening["idc"] == []


def test_basic_edition_refuses_service_routes_of_other_regions() -> None:
    service = "service_routes: [{host: 100.64.0.0/10, host_vpc_id: vpc-c, access: [idc]}], edition: basic"
    text = CONFIGURATION.replace("service_routes: []", service).replace("vpc-b, idc]", "vpc-b, vpc-c, idc]")
    routes = built(hybrid(text))[via("cen-1")].routes
    assert "unreachable" in {route.kind for route in routes if str(route.destination) == "100.64.0.0/10"}


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


@settings(max_examples=30)
@given(worlds())
def test_every_node_is_told_apart_whatever_overlaps(world: World) -> None:
    numbers = Numbers()
    served = lab_world(world, numbers)
    for node in (*world.topology.vpcs, *world.topology.networks):
        client = identify(numbers.client(node), served)
        assert client.address in CLIENTS
        assert client.allowed
        assert node in (client.vpc_id, client.network_id)
