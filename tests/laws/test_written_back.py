"""Law: whatever a World becomes by changes, a configuration says it, and is read back as the same World."""

from __future__ import annotations

import json
from ipaddress import IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from tests.support.world_checks import assert_same
from tests.support.world_strategies import VPC_CHANGES
from vpcdns.config import loads, written, yaml_text
from vpcdns.errors import MalformedChange
from vpcdns.model.changes import Change
from vpcdns.model.connections import Route
from vpcdns.model.topology import Vpc
from vpcdns.model.topology_changes import CreateVpc, DeleteVSwitch
from vpcdns.model.world import World
from vpcdns.rehearsal.change_text import changed

START = """
forward: {upstreams: []}
vpcs:
  - {vpc_id: vpc-a, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16],
     vswitches: [{vswitch_id: vsw-a, cidr_block: 10.1.8.0/24}],
     routes: [{destination: 172.16.0.0/12, via: vpn-1}]}
  - {vpc_id: vpc-b, region_id: cn-shanghai, cidr_blocks: [10.2.0.0/16]}
networks:
  - {network_id: idc, cidr_blocks: [192.168.0.0/17], resolves_as: vpc-a,
     routes: [{destination: 10.1.0.0/16, via: vpn-1}]}
  - {network_id: branch, cidr_blocks: [192.168.128.0/17], resolves_through: {vpc_id: vpc-b, via: tr-1},
     routes: [{destination: 10.0.0.0/8, via: tr-1}]}
connections:
  - {connection_id: vpn-1, type: ipsec, vpc_id: vpc-a, network_id: idc,
     local_subnets: [10.1.0.0/16], remote_subnets: [192.168.0.0/17]}
  - {connection_id: tr-1, type: cen,
     attachments: [vpc-a, vpc-b, {network_id: branch, region_id: cn-shanghai}],
     routes: [{destination: 192.168.0.0/17, via: vpc-a}, {destination: 100.100.2.136/32, via: vpc-b}]}
  - {connection_id: cen-1, type: cen, edition: basic, attachments: [vpc-a, idc],
     service_routes: [{host: 100.100.80.0/24, host_vpc_id: vpc-a, access: [idc]}]}
instances: [{instance_id: gw, type: dedicated, region_id: cn-hangzhou}]
groups: [{group_id: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, instance_id: gw}]
"""
WORLD = loads(START).world
POOLS = {
    "connection": ["vpn-1", "tr-1", "cen-1", "cut", "inbound_endpoint"],
    "node": ["vpc-a", "vpc-b", "idc", "branch"],
    "block": [
        "10.1.0.0/16",
        "10.1.8.0/25",
        "0.0.0.0/0",
        "100.100.2.136/32",
        "192.168.128.0/17",
        "172.16.0.0/12",
    ],
    "kind": ["vbr", "ccn", "vpn"],
    "region": ["cn-hangzhou", "cn-shanghai", "no region"],
    "word": ["vpc", "cen"],
    "edition": ["basic", "enterprise", "gold"],
    "vswitch": ["vsw-a", "vsw-new", "'no id'"],
    "address": ["10.1.8.53", "10.2.0.53", "10.9.0.1"],
    "name": ["'orders'", "'a\nb'", "''", "x.example", "'*.example'"],
}
FORMS = [
    *("cut {connection}", "detach {connection} {node}", "attach {connection} {node}"),
    *("attach {connection} {node} {kind}", "attach {connection} {node} {kind} '{region}'"),
    *("route {node} {block} {connection}", "route {connection} {block} {node}", "unroute {node} {block}"),
    *("selectors {connection} {block} {block}", "destinations {connection} {block}", "unroute tr-1 {block}"),
    *("destinations {connection} -", "publish {connection} {word}", "unpublish {connection} {word}"),
    *("resolve-as {node} {node}", "resolve-as {node} -", "resolve-through {node} {node} {connection}"),
    "resolve-through {node} {node} inbound_endpoint {address}",
    "service-route {connection} {block} {node} {node},{node}",
    *(
        "service-unroute {connection} {block}",
        "edition {connection} {edition}",
        "delete-vswitch {node} vsw-a",
    ),
    "create-vswitch {node} {vswitch} {block}",
    *("bind gw {node} vsw-a", "unbind gw", "enable {'a' * 32}", "add-domain {'a' * 32} {name}"),
    "create-group bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb gw {name}",
]


@st.composite
def words(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(FORMS)).replace("{'a' * 32}", "a" * 32)
    for word, pool in POOLS.items():
        while f"{{{word}}}" in text:
            text = text.replace(f"{{{word}}}", draw(st.sampled_from(pool)), 1)
    return text


@given(st.lists(words(), max_size=12))
def test_a_world_after_changes_is_read_back(texts: list[str]) -> None:
    """A change that is refused leaves the World; one that is made can be written."""
    world = WORLD
    for text in texts:
        try:
            world = changed(world, text)
        except MalformedChange:
            continue
        plain = written(world)
        assert_same(loads(yaml_text(plain)).world, world)
        assert_same(loads(json.dumps(plain)).world, world)


INBOUND = """
forward: {upstreams: []}
vpcs:
  - {vpc_id: vpc-0, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16], source_networks: [172.30.1.0/24]}
  - {vpc_id: vpc-1, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16, 10.4.0.0/16],
     source_networks: [172.30.2.0/24], routes: [{destination: 10.1.8.0/23, via: vpn-1}],
     vswitches: [{vswitch_id: vsw-1, cidr_block: 10.4.8.0/24}, {vswitch_id: vsw-2, cidr_block: 10.1.10.0/24}]}
networks:
  - {network_id: idc, cidr_blocks: [192.168.0.0/16], resolves_through: {vpc_id: vpc-1, via: inbound_endpoint,
     address: 10.4.8.53}}
  - {network_id: branch, cidr_blocks: [172.16.0.0/16],
     resolves_through: {vpc_id: vpc-0, via: inbound_endpoint, address: 10.1.16.53}}
connections:
  - {connection_id: vpn-1, type: ipsec, vpc_id: vpc-1, network_id: idc,
     local_subnets: [10.4.0.0/16], remote_subnets: [192.168.0.0/16, 10.4.16.0/24]}
"""


@given(st.lists(VPC_CHANGES, max_size=6))
def test_vpcs_that_change_keep_what_is_routed_and_resolved_in_them(changes: list[Change]) -> None:
    world = loads(INBOUND).world
    for change in changes:
        after = change.apply(world)
        world = after if isinstance(after, World) else world
    assert_same(loads(yaml_text(written(world))).world, world)


def test_a_vpc_that_is_made_with_a_route_needs_its_connection() -> None:
    block = (IPv4Network("10.7.0.0/16"),)
    made = Vpc("vpc-new", "cn-hangzhou", block, block, (), (Route(IPv4Network("10.9.0.0/16"), "vpn-1"),))
    refused = CreateVpc(made).apply(WORLD)
    assert "via vpn-1, which does not join it" in str(refused)


def test_an_inbound_endpoint_holds_its_vswitch() -> None:
    refused = DeleteVSwitch("vpc-1", "vsw-1").apply(loads(INBOUND).world)
    assert "network idc: its inbound endpoint 10.4.8.53 is in no vSwitch of vpc-1" in str(refused)


def test_what_cut_leaves_is_a_word() -> None:
    world = changed(WORLD, "cut tr-1")
    branch = next(one for one in written(world)["networks"] if one["network_id"] == "branch")
    assert branch["resolves_through"] == {"vpc_id": "vpc-b", "via": "cut"}
