"""How queries of a network get to a VPC: where they do not, nothing resolves, and the path says why."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from tests.support.hybrid_cloud import CONFIGURATION, DEDICATED_NAME, hybrid
from vpcdns.model.clients import identify
from vpcdns.model.names import Name
from vpcdns.model.rendering import path_data
from vpcdns.model.routing import Path, path, source_of
from vpcdns.model.world import World
from vpcdns.rehearsal.change_text import changed

RESOLVER_ROUTE = "route idc 100.100.2.136/31 vpn-1"
# The VPC's own route to the network, over the tunnel, would take the responses.
OVER_CEN = ("resolve-through idc vpc-a cen-1", "route idc 100.100.2.136/31 cen-1", "unpublish vpn-1 vpc")
SELECTORS = "selectors vpn-1 10.1.0.0/16,100.100.2.136/31 -"


def told(*changes: str) -> Path:
    world = changed(hybrid(), *changes)
    source = source_of("idc", world)
    assert source is not None
    return path(source, Name.from_text(DEDICATED_NAME), world)


def test_the_short_form_takes_it_for_granted() -> None:
    leg = told().dns
    assert leg is not None
    assert leg.is_assumed
    assert told("cut vpn-1").verdict.value == "no_route", "it resolves, and is not reached"


def test_whoever_is_in_a_vpc_has_no_leg() -> None:
    world = hybrid()
    source = source_of("vpc-a", world)
    assert source is not None
    assert path(source, Name.from_text(DEDICATED_NAME), world).dns is None


def test_an_inbound_endpoint_is_an_address_in_the_vpc() -> None:
    found = told("resolve-through idc vpc-a inbound_endpoint 10.1.8.53")
    assert found.reachable
    assert found.dns is not None
    assert [hop.via for hop in (*found.dns.there, *found.dns.back)] == [
        *("vpn-1", "vpc-a", "local"),
        *("vpn-1", "idc", "local"),
    ]
    assert path_data(found)["dns"]["resolver"] == "10.1.8.53"


@pytest.mark.parametrize(
    ("changes", "detail", "remedy"),
    [
        (["cut vpn-1"], "the connection is cut", "restore it"),
        ([], "idc has no route to 100.100.2.136", "add the route 100.100.2.136/32 via vpn-1 to idc"),
        ([RESOLVER_ROUTE], "vpn-1 carries 10.1.0.0/16 as local_subnets", "add 100.100.2.136/32 to local"),
        ([SELECTORS, "route idc 100.100.2.136/31 cen-1"], "not via vpn-1", "via vpn-1 to idc"),
    ],
)
def test_the_leg_that_fails_is_named(changes: list[str], detail: str, remedy: str) -> None:
    found = told("resolve-through idc vpc-a vpn-1", *changes)
    assert found.verdict.value == "not_resolved"
    assert found.addresses == ()
    assert detail in found.problems[0].detail
    assert remedy in found.problems[0].remedy
    assert path_data(found)["resolution"]["reason"] == "no-way"


def test_through_the_tunnel_with_routes_and_selectors() -> None:
    assert told("resolve-through idc vpc-a vpn-1", RESOLVER_ROUTE, SELECTORS).reachable


def test_one_of_the_two_resolvers_is_enough() -> None:
    only_one = ("route idc 100.100.2.138/32 vpn-1", "selectors vpn-1 10.1.0.0/16,100.100.2.138/32 -")
    found = told("resolve-through idc vpc-a vpn-1", *only_one)
    assert found.dns is not None
    assert str(found.dns.resolver) == "100.100.2.138"


@pytest.mark.parametrize(
    ("kind", "region_id", "resolves"),
    [
        ("vbr", "cn-hangzhou", True),
        ("vbr", "cn-shanghai", False),
        ("ccn", "cn-shanghai", True),
        ("ccn", "cn-hongkong", False),
    ],
)
def test_basic_edition_resolves_in_the_region(kind: str, region_id: str, resolves: bool) -> None:
    text_of_cen = ("type: cen,", "type: cen, edition: basic,")
    world = hybrid_with(text_of_cen)
    world = changed(world, f"attach cen-1 idc {kind} {region_id}", *OVER_CEN)
    source = source_of("idc", world)
    assert source is not None
    found = path(source, Name.from_text(DEDICATED_NAME), world)
    assert found.reachable is resolves
    if not resolves:
        assert f"resolve through a VPC of {region_id}" in found.problems[0].remedy


def hybrid_with(*edits: tuple[str, str]) -> World:
    text = CONFIGURATION
    for old, new in edits:
        text = text.replace(old, new)
    return hybrid(text)


def test_a_transit_router_needs_a_static_route() -> None:
    asks = ("attach cen-1 idc vpn cn-shanghai", *OVER_CEN)
    found = told(*asks)
    assert found.problems[0].remedy == "add a static route to 100.100.2.136/32 via vpc-a to cen-1"
    assert told(*asks, "route cen-1 100.100.2.136/31 vpc-a").reachable


def test_its_clients_count_as_the_vpc() -> None:
    client = identify(
        IPv4Address("127.40.0.5"), changed(hybrid(), "resolve-through idc vpc-b inbound_endpoint")
    )
    assert (client.vpc_id, client.network_id) == ("vpc-b", "idc")
