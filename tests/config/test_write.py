"""What is written is read back as the same World, by a reader that is strict."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.support.example_world import example
from tests.support.repository import EXAMPLE
from tests.support.world_checks import assert_same
from tests.support.world_strategies import worlds
from vpcdns.config import (
    forward_schema,
    load,
    loads,
    schema,
    topology_schema,
    written,
    written_json,
    yaml_text,
)
from vpcdns.config.write import with_objects
from vpcdns.errors import ConfigurationError
from vpcdns.model.connections import CenConnection, IpsecConnection, Route, ServiceRoute
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Group, Instance, InstanceType
from vpcdns.model.name_tree import NameTree
from vpcdns.model.policy import Access, Answers, Denied, Forwarding, ForwardRule, Upstream
from vpcdns.model.topology import Network, Topology
from vpcdns.model.world import World


def expressible(world: World) -> World:
    """Without what no configuration can say: rules for the root, without upstreams, or given twice."""
    rules = {
        (rule.domain, vpc_id): rule
        for rule in world.forwarding.rules
        if rule.upstreams and rule.domain.labels and not rule.domain.is_wildcard
        for vpc_id in (rule.vpcs or {""})
    }
    only = tuple(
        ForwardRule(domain, rule.upstreams, frozenset({vpc_id}) if vpc_id else frozenset())
        for (domain, vpc_id), rule in rules.items()
    )
    return replace(world, forwarding=Forwarding(world.forwarding.upstreams, only))


@given(worlds())
def test_a_world_is_read_back_from_yaml_and_from_json(world: World) -> None:
    world = expressible(world)
    plain = written(world)
    assert_same(loads(yaml_text(plain)).world, world)
    assert_same(loads(json.dumps(plain)).world, world)


@given(st.text("0123456789abcdef", min_size=32, max_size=32), st.text(max_size=40))
def test_ids_that_look_like_numbers_and_names_that_look_like_anything(group_id: str, name: str) -> None:
    instance = Instance("1e5", "cn-hangzhou", InstanceType.SERVERLESS, (IPv4Address("100.64.0.1"),))
    group = Group(group_id, "1e5", "cn-hangzhou", name)
    world = World(instances=World().instances.set(instance.key, instance))
    text = yaml_text(written(replace(world, groups=world.groups.set(group_id, group))))
    try:
        read = loads(text).world
    except ConfigurationError:  # only for what a name cannot be
        assert any(ord(character) < 32 or ord(character) >= 127 for character in name)
        return
    assert read.groups[group_id].name == name


def test_networks_connections_and_policy() -> None:
    world = example(Answers(denied=Denied.DROP, ttl=1))
    block, other = IPv4Network("192.168.0.0/16"), IPv4Network("10.1.0.0/16")
    vpcs = list(world.topology.vpcs.values())
    network = Network("idc", (block,), (ip_network("fd00:9::/48"),), vpcs[0].vpc_id, (Route(other, "vpn"),))
    vpn = IpsecConnection("vpn", vpcs[0].vpc_id, "idc", (other,), (block,))
    route = ServiceRoute(IPv4Network("100.100.80.0/24"), vpcs[0].vpc_id, ("idc",))
    cen = CenConnection("cen", "basic", (vpcs[0].vpc_id, "idc"), (route,))
    world = replace(
        world,
        topology=Topology.of(vpcs, [network], [vpn, cen]),
        access=Access((ip_network("10.0.0.0/8"), ip_network("127.0.0.0/8")), (), responses_per_second=10),
        forwarding=Forwarding((Upstream(IPv4Address("192.0.2.1"), 5353),)),
    )
    assert_same(loads(yaml_text(written(world))).world, world)


@pytest.mark.parametrize("path", [EXAMPLE])
def test_the_example_stays_what_it_is(path: Path) -> None:
    world = load(path).world
    assert_same(loads(yaml_text(written(world))).world, world)


def test_objects_are_put_into_a_file_that_keeps_the_rest() -> None:
    text = EXAMPLE.read_text()
    plain = with_objects(text, World())
    assert "vpcs" not in plain
    assert plain["answers"] == {"ttl": 60, "negative_ttl": 10}
    again = with_objects(text, load(EXAMPLE).world)
    assert_same(loads(yaml_text(again)).world, load(EXAMPLE).world)


# What a World does not have: how one process serves. The operator's file keeps it (docs/decisions/0007).
NOT_THE_WORLDS = {"server.listen", "server.log", "admin"}


def every_field(part: type[BaseModel], where: str = "") -> dict[str, object]:
    """A configuration with every field of the schema, each with a value that is not its default."""
    given: dict[str, object] = {}
    for name, field in part.model_fields.items():
        path = f"{where}.{name}".lstrip(".")
        if path in NOT_THE_WORLDS:
            continue
        kind = nested(field.annotation)
        if path in EXAMPLES:
            given[name] = EXAMPLES[path]
        elif kind is not None:
            given[name] = every_field(kind, path)
        else:
            pytest.fail(f"give {path} an example here, and let config/write.py write it")
    return given


def nested(annotation: object) -> type[BaseModel] | None:
    """The section that a field is, if it is one."""
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


EXAMPLES: dict[str, object] = {
    "server.clients": ["10.0.0.0/8"],
    "server.trusted_peers": ["10.0.0.1/32"],
    "server.responses_per_second": 7,
    "answers.suffix": "example.net",
    "answers.ttl": 61,
    "answers.negative_ttl": 11,
    "answers.denied": "nodata",
    "answers.explain": "code",
    "forward.upstreams": ["192.0.2.1:5353"],
    "forward.otherwise": "nxdomain",
    "forward.rules": [
        {
            "domain": "corp.example",
            "vpcs": ["vpc-a"],
            "upstreams": ["10.0.0.2"],
            "cache": {"max_ttl": 60, "min_ttl": 2, "negative_max_ttl": 9},
        },
        {"domain": "other.example", "upstreams": ["10.0.0.2"], "cache": False},
    ],
    "forward.cache": {"max_ttl": 61, "min_ttl": 3, "negative_max_ttl": 5, "size": 1 << 21},
    "vpcs": [
        {
            "vpc_id": "vpc-a",
            "region_id": "cn-hangzhou",
            "cidr_blocks": ["10.1.0.0/16"],
            "source_networks": ["172.30.1.0/24"],
            "vswitches": [{"vswitch_id": "vsw-a", "cidr_block": "10.1.8.0/24"}],
            "routes": [{"destination": "172.16.0.0/16", "via": "vpn-1"}],
        }
    ],
    "networks": [
        {
            "network_id": "idc",
            "cidr_blocks": ["192.168.0.0/16"],
            "source_networks": ["172.30.9.0/24"],
            "resolves_as": "vpc-a",
            "routes": [{"destination": "10.1.0.0/16", "via": "vpn-1"}],
        },
        {
            "network_id": "branch",
            "cidr_blocks": ["192.0.2.0/24"],
            "source_networks": ["172.30.10.0/24"],
            "resolves_through": {"vpc_id": "vpc-a", "via": "inbound_endpoint", "address": "10.1.8.53"},
        },
    ],
    "connections": [
        {
            "connection_id": "vpn-1",
            "type": "ipsec",
            "vpc_id": "vpc-a",
            "network_id": "idc",
            "local_subnets": ["10.1.0.0/16"],
            "remote_subnets": ["0.0.0.0/0"],
            "destination_routes": ["192.168.0.0/16"],
            "publish_vpc": False,
            "publish_cen": True,
        },
        {
            "connection_id": "cen-1",
            "type": "cen",
            "edition": "enterprise",
            "attachments": [
                "vpc-a",
                {"network_id": "idc", "kind": "vpn", "region_id": "cn-hangzhou"},
                {"network_id": "branch", "kind": "vbr"},
            ],
            "routes": [{"destination": "10.9.0.0/16", "via": "idc"}],
            "service_routes": [{"host": "100.64.0.0/24", "host_vpc_id": "vpc-a", "access": ["idc"]}],
        },
    ],
    "instances": [
        {
            "instance_id": "api-shared",
            "type": "serverless",
            "region_id": "cn-hangzhou",
            "addresses": ["100.64.0.1"],
        },
        {
            "instance_id": "api-own",
            "type": "dedicated",
            "region_id": "cn-hangzhou",
            "binding": {"vpc_id": "vpc-a", "vswitch_id": "vsw-a", "address": "10.1.8.20"},
        },
    ],
    "groups": [
        {
            "group_id": "0123456789abcdef0123456789abcdef",
            "name": "weather",
            "instance_id": "api-own",
            "region_id": "cn-hangzhou",
            "vpc_domain": True,
            "custom_domains": ["api.example.com"],
        }
    ],
    "private_zones": [
        {
            "zone": "corp.internal",
            "zone_id": "zone-1",
            "vpcs": ["vpc-a"],
            "fall_through": True,
            "rrset_order": "fixed",
            "records": [
                {
                    "name": "db",
                    "type": "A",
                    "values": ["10.1.0.9"],
                    "ttl": 7,
                    "enabled": False,
                    "record_ids": [77],
                }
            ],
        }
    ],
}

# Every object of the examples, and its part of the schema: together they have every field of it.
PARTS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("forward.rules", forward_schema.ForwardRulePart),
    ("vpcs", topology_schema.VpcPart),
    ("networks", topology_schema.NetworkPart),
    ("connections", topology_schema.IpsecPart),
    ("connections", topology_schema.CenPart),
    ("instances", schema.ServerlessPart),
    ("instances", schema.DedicatedPart),
    ("groups", schema.GroupPart),
)


def test_the_examples_have_every_field_of_the_schema() -> None:
    for path, part in PARTS:
        objects = EXAMPLES[path]
        assert isinstance(objects, list)
        fields = set(part.model_fields)
        given = (set(one) for one in objects if set(one) <= fields)
        assert set().union(*given) == fields, (path, part.__name__)


def test_every_field_is_written() -> None:
    """A field that is added to the schema and not written fails here."""
    given = every_field(schema.Configuration)
    again = written(loads(yaml_text(given)).world)
    del given["groups"][0]["region_id"]  # type: ignore[index] # said only where it is ambiguous
    assert again == given


@pytest.mark.parametrize("groups", [0, 3, 250, 5_000])
def test_json_in_pieces_says_the_same(groups: int) -> None:
    """Also of so many groups that they have no order of their own."""
    some = {
        f"{number:032x}": Group(f"{number:032x}", "api-shared-vpc-001", "cn-hangzhou")
        for number in range(groups)
    }
    world = replace(example(), groups=FrozenMap(some), custom_domains=NameTree())
    assert json.loads("".join(written_json(world))) == written(world)
