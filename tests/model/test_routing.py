"""Paths: every verdict, with the obstacles in the order in which a packet meets them."""

from __future__ import annotations

import gc
import time
import weakref
from ipaddress import IPv4Address, ip_address

import pytest

from tests.support.hybrid_cloud import CONFIGURATION, DEDICATED_NAME, SERVERLESS_NAME, hybrid
from vpcdns.errors import ConfigurationError
from vpcdns.model.names import Name
from vpcdns.model.routing import Path, path, source_of
from vpcdns.model.world import World
from vpcdns.rehearsal.change_text import changed


def to(world: World, source: str, name: str) -> Path:
    found = source_of(source, world)
    if found is None:
        found = source_of(ip_address(source), world)
    assert found is not None
    return path(found, Name.from_text(name), world)


def codes(found: Path) -> list[str]:
    return [problem.code.value for problem in found.problems]


def edited(*edits: tuple[str, str]) -> World:
    text = CONFIGURATION
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return hybrid(text)


VPN_ROUTE = "{destination: 10.1.0.0/16, via: vpn-1}"


def test_a_dedicated_instance_is_reached_over_ipsec_and_back() -> None:
    found = to(hybrid(), "idc", DEDICATED_NAME)
    assert found.verdict.value == "reachable"
    assert [(hop.at, str(hop.destination), hop.via) for hop in (*found.there, *found.back)] == [
        ("idc", "10.1.0.0/16", "vpn-1"),
        ("vpn-1", "10.1.0.0/16", "vpc-a"),
        ("vpc-a", "10.1.8.0/24", "local"),
        ("vpc-a", "192.168.0.0/16", "vpn-1"),
        ("vpn-1", "192.168.0.0/16", "idc"),
        ("idc", "192.168.0.0/16", "local"),
    ]


@pytest.mark.parametrize("source", ["vpc-a", "10.1.0.7", "127.10.0.5"])
def test_a_vpc_reaches_its_own(source: str) -> None:
    for name in (SERVERLESS_NAME, DEDICATED_NAME):
        assert to(hybrid(), source, name).reachable


def test_a_stand_in_is_its_network() -> None:
    one, other = (to(hybrid(), source, DEDICATED_NAME) for source in ("127.40.0.5", "idc"))
    assert (one.there, one.back) == (other.there, other.back)


def test_shared_addresses_are_not_routed_on_premises() -> None:
    found = to(hybrid(), "idc", SERVERLESS_NAME)
    assert codes(found) == ["no_route", "selector_mismatch"]
    assert found.verdict.value == "no_route"
    assert [(where, str(route.destination), route.via) for where, route in found.missing] == [
        ("idc", "100.100.80.10/32", "vpn-1")
    ]


def test_a_route_alone_does_not_mend_it_and_selectors_do() -> None:
    route = (VPN_ROUTE, VPN_ROUTE + ", {destination: 100.64.0.0/10, via: vpn-1}")
    assert codes(to(edited(route), "idc", SERVERLESS_NAME)) == ["selector_mismatch"]
    selectors = ("local_subnets: [10.1.0.0/16]", "local_subnets: [10.1.0.0/16, 100.64.0.0/10]")
    assert to(edited(route, selectors), "idc", SERVERLESS_NAME).reachable


@pytest.mark.parametrize("source", ["vpc-b", "vpc-c", "198.51.100.1"])
def test_not_resolved(source: str) -> None:
    found = to(edited(("server: {}", "server: {clients: [0.0.0.0/0]}")), source, DEDICATED_NAME)
    assert found.verdict.value == "not_resolved"
    assert found.problems[0].remedy


def test_a_cen_without_the_vpc() -> None:
    found = to(
        edited(
            (VPN_ROUTE, "{destination: 10.1.0.0/16, via: cen-1}"), ("[vpc-a, vpc-b, idc]", "[vpc-b, idc]")
        ),
        "idc",
        DEDICATED_NAME,
    )
    assert found.verdict.value == "not_attached"


CEN_ROUTE = (VPN_ROUTE, VPN_ROUTE + ", {destination: 100.64.0.0/10, via: cen-1}")
SERVICE = "{host: 100.100.80.0/24, host_vpc_id: vpc-b, access: [idc]}"


def test_a_cen_needs_a_service_route() -> None:
    assert to(edited(CEN_ROUTE), "idc", SERVERLESS_NAME).verdict.value == "no_route"
    routed = edited(CEN_ROUTE, ("service_routes: []", f"service_routes: [{SERVICE}]"))
    found = to(routed, "idc", SERVERLESS_NAME)
    assert found.reachable
    assert ("cen-1", "100.100.80.0/24", "vpc-b") in [
        (hop.at, str(hop.destination), hop.via) for hop in (*found.there, *found.back)
    ]


def test_a_service_route_that_is_open_to_others() -> None:
    closed = SERVICE.replace("[idc]", "[vpc-a]")
    found = to(
        edited(CEN_ROUTE, ("service_routes: []", f"service_routes: [{closed}]")), "idc", SERVERLESS_NAME
    )
    assert found.verdict.value == "no_route"
    assert "add idc to its `access`" in found.problems[0].remedy


def test_basic_edition_serves_its_own_region_only() -> None:
    edits = (
        CEN_ROUTE,
        ("service_routes: []", f"service_routes: [{SERVICE.replace('vpc-b', 'vpc-c')}], edition: basic"),
        ("[vpc-a, vpc-b, idc]", "[vpc-a, vpc-b, vpc-c, idc]"),
    )
    found = to(edited(*edits), "idc", SERVERLESS_NAME)
    assert codes(found) == ["region_mismatch", "region_mismatch"]


def test_the_wrong_region_by_ipsec() -> None:
    edits = (
        (VPN_ROUTE, "{destination: 100.64.0.0/10, via: vpn-1}"),
        ("type: ipsec, vpc_id: vpc-a", "type: ipsec, vpc_id: vpc-c"),
        ("local_subnets: [10.1.0.0/16]", "local_subnets: [100.64.0.0/10]"),
    )
    assert codes(to(edited(*edits), "idc", SERVERLESS_NAME)) == ["region_mismatch"]


def with_shared_space_routed(block: str) -> World:
    """The network has `block`, and routes and selectors for all of the shared space."""
    return edited(
        (VPN_ROUTE, "{destination: 100.100.80.0/24, via: vpn-1}"),
        ("local_subnets: [10.1.0.0/16]", "local_subnets: [10.1.0.0/16, 100.64.0.0/10]"),
        ("cidr_blocks: [192.168.0.0/16]", f"cidr_blocks: [{block}]"),
        ("remote_subnets: [192.168.0.0/16]", f"remote_subnets: [{block}]"),
        ("source_networks: [192.168.0.0/17, 127.40.0.0/16]", "source_networks: [127.40.0.0/16]"),
    )


def test_a_source_that_the_vpc_has_itself_gets_no_answer() -> None:
    found = to(with_shared_space_routed("10.0.0.0/15"), "idc", SERVERLESS_NAME)
    assert found.reachable, "10.0.0.5 is not the VPC's"
    assert to(with_shared_space_routed("10.1.0.0/16"), "idc", SERVERLESS_NAME).reachable, "nor is 10.1.0.5"
    found = to(with_shared_space_routed("10.1.8.0/23"), "idc", SERVERLESS_NAME)
    assert codes(found) == ["overlap"], "10.1.8.5 lies in a vSwitch"
    assert [hop.at for hop in found.there] == ["idc", "vpn-1", "vpc-a"]


@pytest.mark.parametrize("block", ["100.100.0.0/16", "100.64.0.0/10"])
def test_a_vpn_gateway_routes_nothing_into_the_shared_space(block: str) -> None:
    with pytest.raises(ConfigurationError, match=r"service-space") as refused:
        with_shared_space_routed(block)
    assert "remote_subnets[0]" in str(refused.value)


def test_pods_in_the_shared_space_are_told_to_be_translated_first() -> None:
    world = edited(
        (VPN_ROUTE, "{destination: 100.100.80.0/24, via: vpn-1}"),
        ("cidr_blocks: [192.168.0.0/16]", "cidr_blocks: [100.112.0.0/12]"),
    )
    found = to(world, "idc", SERVERLESS_NAME)
    assert codes(found) == ["overlap", "selector_mismatch"]
    assert "translate its addresses" in found.problems[0].remedy


@pytest.mark.parametrize("block", ["10.1.0.0/16", "10.1.0.0/17"])
def test_the_same_block_on_both_sides(block: str) -> None:
    world = edited(("cidr_blocks: [192.168.0.0/16]", f"cidr_blocks: [{block}]"))
    assert to(world, "idc", DEDICATED_NAME).verdict.value == "overlap"


def test_shared_space_used_on_premises() -> None:
    world = edited(("cidr_blocks: [192.168.0.0/16]", "cidr_blocks: [192.168.0.0/16, 100.100.0.0/16]"))
    assert to(world, "idc", SERVERLESS_NAME).verdict.value == "overlap"


def test_another_vpc_with_the_same_block_is_not_the_endpoints() -> None:
    world = edited(
        ("cidr_blocks: [10.3.0.0/16]", "cidr_blocks: [10.1.0.0/16], source_networks: [172.30.3.0/24]"),
        ("vpc_id: vpc-a, network_id: idc", "vpc_id: vpc-c, network_id: idc"),
    )
    assert to(world, "idc", DEDICATED_NAME).verdict.value == "overlap"


def test_no_way_back() -> None:
    world = edited(
        (VPN_ROUTE, "{destination: 10.1.0.0/16, via: vpn-1}, {destination: 10.1.8.0/24, via: cen-1}"),
        ("remote_subnets: [192.168.0.0/16]", "remote_subnets: [172.16.0.0/16]"),
        ("[vpc-a, vpc-b, idc]", "[vpc-a, vpc-b, idc]"),
    )
    assert to(world, "idc", DEDICATED_NAME).reachable, "the CEN brings it back"
    stranded = edited(
        ("remote_subnets: [192.168.0.0/16]", "remote_subnets: [172.16.0.0/16]"),
        ("[vpc-a, vpc-b, idc]", "[vpc-b, idc]"),
    )
    assert codes(to(stranded, "idc", DEDICATED_NAME)) == ["selector_mismatch", "no_return_route"]


def test_routes_that_go_round() -> None:
    hub = "{network_id: hub, cidr_blocks: [10.0.0.0/9], routes: [{destination: 10.1.0.0/16, via: cen-3}]}"
    statics = "[{destination: 10.0.0.0/9, via: %s}]"
    ring = f"{{connection_id: %s, type: cen, attachments: [idc, hub], routes: {statics}}}"
    world = edited(
        ("\nnetworks:", f"\nnetworks:\n  - {hub}"),
        (VPN_ROUTE, "{destination: 10.1.0.0/16, via: cen-2}"),
        ("connections:", f"connections:\n  - {ring % ('cen-2', 'hub')}\n  - {ring % ('cen-3', 'idc')}"),
    )
    found = to(world, "idc", DEDICATED_NAME)
    assert found.verdict.value == "no_route"
    assert "goes round" in found.problems[0].detail


def test_a_static_route_back_to_where_a_packet_comes_from() -> None:
    static = "service_routes: [], routes: [{destination: 10.1.8.16/28, via: idc}]"
    world = edited((VPN_ROUTE, "{destination: 10.1.0.0/16, via: cen-1}"), ("service_routes: []", static))
    found = to(world, "idc", DEDICATED_NAME)
    assert codes(found) == ["no_route"]
    assert "takes it back there" in found.problems[0].detail
    assert "remove the route to 10.1.8.16/28 from cen-1" in found.problems[0].remedy


def test_an_address_is_a_destination_too() -> None:
    world = hybrid()
    source = source_of("idc", world)
    assert source is not None
    assert path(source, IPv4Address("10.1.8.3"), world).reachable
    nobody = path(source, IPv4Address("10.1.3.3"), world)
    assert codes(nobody) == ["no_route"]
    assert "in none of its vSwitches" in nobody.problems[0].detail
    assert path(source, IPv4Address("10.7.3.3"), world).verdict.value == "no_route"


def test_a_path_takes_less_than_a_millisecond() -> None:
    world, name = hybrid(), Name.from_text(DEDICATED_NAME)
    best = 1.0
    for _ in range(200):
        started = time.perf_counter()
        source = source_of("idc", world)
        assert source is not None
        path(source, name, world)
        best = min(best, time.perf_counter() - started)
    assert best < 0.001


def test_a_network_inside_a_vswitch_of_the_vpc_is_told_to_renumber_and_not_to_widen_selectors() -> None:
    """Wider selectors would be refused: the VPC takes no route inside a vSwitch of its own."""
    inside = ("cidr_blocks: [192.168.0.0/16]", "cidr_blocks: [10.1.8.128/25]")
    endpoint = ("{destination: 10.1.0.0/16, via: vpn-1}", "{destination: 10.1.8.20/32, via: vpn-1}")
    found = to(edited(inside, endpoint), "idc", DEDICATED_NAME)
    assert found.verdict.value == "overlap"
    assert "lies in vpc-a's own vSwitch 10.1.8.0/24" in found.problems[0].detail
    assert found.problems[0].remedy == "renumber idc, or translate its addresses on the way"


def test_pods_in_the_shared_space_are_told_to_be_renumbered_before_a_route_that_would_not_help() -> None:
    pods = ("cidr_blocks: [192.168.0.0/16]", "cidr_blocks: [100.96.0.0/11]")
    first = to(edited(pods), "idc", SERVERLESS_NAME).problems[0]
    assert first.remedy == "renumber 100.96.0.0/11 at idc: 100.64.0.0/10 is the cloud's own"
    beside = ("cidr_blocks: [192.168.0.0/16]", "cidr_blocks: [192.168.0.0/16, 100.96.0.0/11]")
    first = to(edited(beside), "idc", SERVERLESS_NAME).problems[0]
    assert first.remedy.endswith("; or route 100.100.80.10/32 at idc to a VPC of cn-hangzhou")


def to_address(world: World, source: str, address: str) -> Path:
    found = source_of(source, world)
    assert found is not None
    return path(found, IPv4Address(address), world)


def test_an_address_of_another_vpc_in_none_of_its_vswitches() -> None:
    """Both are on one CEN already, and no IPsec connection would help."""
    problem = to_address(hybrid(), "vpc-b", "10.1.200.1").problems[0]
    assert problem.detail == "10.1.200.1 lies in vpc-a, but in none of its vSwitches"
    assert problem.remedy.startswith("add its vSwitch to `vswitches`")


TUNNELS = """
server: {}
forward: {upstreams: []}
vpcs:
  - {vpc_id: vpc-a, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16],
     vswitches: [{vswitch_id: vsw-a, cidr_block: 10.1.8.0/24}]}
  - {vpc_id: vpc-b, region_id: cn-hangzhou, cidr_blocks: [10.2.0.0/16],
     vswitches: [{vswitch_id: vsw-b, cidr_block: 10.2.8.0/24}]}
networks:
  - {network_id: near, cidr_blocks: [192.168.0.0/17],
     routes: [{destination: 10.1.0.0/16, via: vpn-1}, {destination: 10.2.0.0/16, via: vpn-1}]}
  - {network_id: far, cidr_blocks: [192.168.128.0/17], routes: [{destination: 10.1.0.0/16, via: vpn-2}]}
connections:
  - {connection_id: vpn-1, type: ipsec, vpc_id: vpc-a, network_id: near, local_subnets: [0.0.0.0/0],
     remote_subnets: [0.0.0.0/0], destination_routes: [192.168.0.0/16], publish_vpc: false, publish_cen: true}
  - {connection_id: vpn-2, type: ipsec, vpc_id: vpc-a, network_id: far, local_subnets: [0.0.0.0/0],
     remote_subnets: [0.0.0.0/0], destination_routes: [192.168.0.0/16]}
  - {connection_id: tr, type: cen, edition: enterprise, attachments: [vpc-a, vpc-b]}
"""


def test_routes_that_a_vpc_has_not_are_not_in_its_cen_either() -> None:
    """Publishing them to the CEN is on already: they have to be in the VPC first."""
    alone = (
        TUNNELS[: TUNNELS.index("  - {connection_id: vpn-2")]
        + TUNNELS[TUNNELS.index("  - {connection_id: tr") :]
    )
    alone = alone.replace(", routes: [{destination: 10.1.0.0/16, via: vpn-2}]", "")
    world = hybrid(alone)
    problem = to_address(world, "near", "10.2.8.9").problems[0]
    assert problem.remedy == "publish the routes of vpc-a via vpn-1 to vpc-a (`publish_vpc`)"
    assert to_address(changed(world, "publish vpn-1 vpc"), "near", "10.2.8.9").reachable


def test_equal_destination_routes_of_two_tunnels_are_told_as_the_cause() -> None:
    problem = to_address(
        hybrid(TUNNELS.replace("publish_vpc: false", "publish_vpc: true")), "far", "10.1.8.9"
    ).problems[0]
    assert problem.code.value == "overlap"
    assert "vpn-1 and vpn-2 have the same destination route 192.168.0.0/16" in problem.detail
    assert problem.remedy == "narrow destination_routes of vpn-1 and vpn-2 to what is behind each"


def test_a_transit_router_that_takes_an_address_wrong_is_told_to_take_it_elsewhere() -> None:
    """A longer block of another VPC; what asks has no other way than the transit router."""
    text = (
        CONFIGURATION[: CONFIGURATION.index("  - {connection_id: vpn-1")]
        + CONFIGURATION[CONFIGURATION.index("  - {connection_id: cen-1") :]
    )
    text = text.replace("cidr_block: 10.2.8.0/24", "cidr_block: 10.1.8.0/25").replace(
        "[10.2.0.0/16]", "[10.1.8.0/24]"
    )
    world = hybrid(text.replace(VPN_ROUTE, "{destination: 10.1.0.0/16, via: cen-1}"))
    problem = to(world, "idc", DEDICATED_NAME).problems[0]
    assert (
        problem.remedy == "renumber one of them, or let a static route of cen-1 take 10.1.8.20/32 via vpc-a"
    )
    assert to(changed(world, "route cen-1 10.1.8.20/32 vpc-a"), "idc", DEDICATED_NAME).there[-1].at == "vpc-a"


def test_nothing_is_remembered_of_a_world_that_is_gone() -> None:
    world = edited(("resolves_as: vpc-a", "resolves_through: {vpc_id: vpc-a, via: vpn-1}"))
    assert to(world, "idc", DEDICATED_NAME).problems
    assert to_address(world, "vpc-a", "10.1.8.20").reachable
    kept = [weakref.ref(one) for one in (world.topology, world.endpoints, world.instances)]
    del world
    gc.collect()
    assert [one() for one in kept] == [None, None, None]
