"""Each rule refuses what breaks it, and says which rule, which object, and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, ip_network

import pytest

from tests.support.example_world import (
    BOUND,
    CUSTOM,
    DEDICATED,
    HZ,
    SH,
    SHARED,
    UNBOUND,
    VPC_A,
    VPC_C,
    example,
    topology,
    vpc,
)
from vpcdns.model import gateway_rules, route_rules, topology_rules
from vpcdns.model.connections import CenConnection, Connection, IpsecConnection, Route, ServiceRoute
from vpcdns.model.gateway import Binding, Group, Instance, InstanceType
from vpcdns.model.names import Name
from vpcdns.model.rules import Refusal, Rule
from vpcdns.model.topology import Network, Topology, VSwitch

WORLD = example()
TOPOLOGY = topology()
LAN = IPv4Network("192.168.0.0/16")


def broken(refusals: Iterable[Refusal]) -> list[tuple[Rule, tuple[str | int, ...]]]:
    found = list(refusals)
    for refusal in found:
        assert refusal.subject
        assert refusal.problem
        assert refusal.way_out
        assert str(refusal.rule) in str(refusal)
    return [(refusal.rule, refusal.where) for refusal in found]


def test_vpcs() -> None:
    good = vpc("vpc-x", HZ, "10.9.0.0/16")
    assert broken(topology_rules.vpc_refusals(good)) == []
    shared = replace(good, cidr_blocks=(*good.cidr_blocks, IPv4Network("100.64.0.0/24")))
    assert broken(topology_rules.vpc_refusals(shared)) == [(Rule.ADDRESS_PLAN, ("cidr_blocks", 1))]
    twice = replace(good, cidr_blocks=(*good.cidr_blocks, IPv4Network("10.9.1.0/24")))
    assert broken(topology_rules.vpc_refusals(twice)) == [(Rule.ADDRESS_PLAN, ("cidr_blocks", 1))]


def test_vswitches() -> None:
    good = vpc("vpc-x", HZ, "10.9.0.0/16")
    for added, where in [
        (VSwitch("vsw-3", IPv4Network("10.8.0.0/24")), "cidr_block"),
        (VSwitch("vsw-3", IPv4Network("10.9.8.128/25")), "cidr_block"),
        (VSwitch("vsw-1", IPv4Network("10.9.10.0/24")), "vswitch_id"),
    ]:
        found = broken(topology_rules.vpc_refusals(replace(good, vswitches=(*good.vswitches, added))))
        assert [place for _, place in found] == [("vswitches", 2, where)]


def test_the_same_vswitch_written_twice_is_found() -> None:
    good = vpc("vpc-x", HZ, "10.9.0.0/16")
    found = broken(topology_rules.vpc_refusals(replace(good, vswitches=(*good.vswitches, good.vswitches[0]))))
    assert (Rule.UNIQUE, ("vswitches", 2, "vswitch_id")) in found


def test_source_networks() -> None:
    claimed = {ip_network("10.1.0.0/16"): "VPC vpc-a"}
    prefixes = [ip_network("10.1.1.0/24"), ip_network("10.1.0.0/16")]
    found = broken(topology_rules.source_network_refusals("VPC vpc-x", prefixes, claimed, "source_networks"))
    assert found == [(Rule.SOURCE_NETWORK, ("source_networks", 1))]
    assert (
        broken(topology_rules.source_network_refusals("VPC vpc-a", prefixes, claimed, "source_networks"))
        == []
    )


def test_networks() -> None:
    joined = Topology.of(
        TOPOLOGY.vpcs.values(),
        TOPOLOGY.networks.values(),
        [CenConnection("cen-1", "basic", (VPC_A, "idc")), CenConnection("cen-2", "basic", (VPC_A,))],
    )
    network = Network("idc", (LAN,), (LAN,), VPC_A, (Route(IPv4Network("10.1.0.0/16"), "cen-1"),))
    assert broken(route_rules.network_refusals(network, joined)) == []
    assert broken(route_rules.network_refusals(replace(network, resolves_as=None), joined)) == []
    astray = replace(network, resolves_as="vpc-gone")
    assert broken(route_rules.network_refusals(astray, joined)) == [(Rule.HYBRID, ("resolves_as",))]
    for via in ("cen-2", "cen-3"):
        elsewhere = replace(network, routes=(Route(IPv4Network("10.1.0.0/16"), via),))
        assert broken(route_rules.network_refusals(elsewhere, joined)) == [
            (Rule.REFERENCE, ("routes", 0, "via"))
        ]


SERVICES = IPv4Network("100.100.80.0/24")


@pytest.mark.parametrize(
    ("connection", "places"),
    [
        (IpsecConnection("vpn", VPC_A, "idc", (), ()), []),
        (IpsecConnection("vpn", "vpc-gone", "gone", (), ()), [("vpc_id",), ("network_id",)]),
        (CenConnection("cen", "basic", (VPC_A, "idc"), (ServiceRoute(SERVICES, VPC_A, ("idc",)),)), []),
        (CenConnection("cen", "basic", (VPC_A, "gone")), [("attachments", 1)]),
        (CenConnection("cen", "basic", (VPC_A, VPC_A)), [("attachments", 1)]),
        (
            CenConnection("cen", "basic", (VPC_A,), (ServiceRoute(LAN, VPC_C, (VPC_A, "idc")),)),
            [
                ("service_routes", 0, "host"),
                ("service_routes", 0, "host_vpc_id"),
                ("service_routes", 0, "access", 1),
            ],
        ),
        (
            CenConnection("cen", "basic", (VPC_A, "idc"), (ServiceRoute(SERVICES, "idc", ()),)),
            [("service_routes", 0, "host_vpc_id")],
        ),
    ],
)
def test_connections(connection: Connection, places: list[tuple[str | int, ...]]) -> None:
    assert [where for _, where in broken(route_rules.connection_refusals(connection, TOPOLOGY))] == places


SERVERLESS_INSTANCE = Instance("i", HZ, InstanceType.SERVERLESS, (IPv4Address("100.64.0.1"),))
DEDICATED_INSTANCE = Instance("i", HZ, InstanceType.DEDICATED)


def bound(vpc_id: str, vswitch_id: str, address: str) -> Instance:
    return replace(DEDICATED_INSTANCE, binding=Binding(vpc_id, vswitch_id, IPv4Address(address)))


@pytest.mark.parametrize(
    ("instance", "found"),
    [
        (SERVERLESS_INSTANCE, []),
        (DEDICATED_INSTANCE, []),
        (replace(SERVERLESS_INSTANCE, addresses=()), [(Rule.SHARED_ADDRESS, ("addresses",))]),
        (
            replace(
                SERVERLESS_INSTANCE, addresses=(IPv4Address("100.127.255.255"), IPv4Address("100.128.0.0"))
            ),
            [(Rule.SHARED_ADDRESS, ("addresses", 1))],
        ),
        (
            replace(SERVERLESS_INSTANCE, binding=Binding(VPC_A, "vsw-1", IPv4Address("10.1.8.9"))),
            [(Rule.BINDING, ("binding",))],
        ),
        (
            replace(DEDICATED_INSTANCE, addresses=(IPv4Address("100.64.0.1"),)),
            [(Rule.SHARED_ADDRESS, ("addresses",))],
        ),
        (bound(VPC_A, "vsw-1", "10.1.8.1"), []),
        (bound(VPC_A, "vsw-1", "10.1.8.252"), []),
        (bound(VPC_A, "vsw-1", "10.1.8.0"), [(Rule.BINDING, ("binding", "address"))]),
        (bound(VPC_A, "vsw-1", "10.1.8.253"), [(Rule.BINDING, ("binding", "address"))]),
        (bound(VPC_A, "vsw-1", "10.1.8.255"), [(Rule.BINDING, ("binding", "address"))]),
        (bound(VPC_A, "vsw-1", "10.1.7.9"), [(Rule.BINDING, ("binding", "address"))]),
        (bound(VPC_A, "vsw-9", "10.1.8.9"), [(Rule.BINDING, ("binding", "vswitch_id"))]),
        (bound(VPC_C, "vsw-1", "10.3.8.9"), [(Rule.BINDING, ("binding", "vpc_id"))]),
        (bound("vpc-gone", "vsw-1", "10.1.8.9"), [(Rule.BINDING, ("binding", "vpc_id"))]),
    ],
)
def test_instances(instance: Instance, found: list[tuple[Rule, tuple[str | int, ...]]]) -> None:
    assert broken(gateway_rules.instance_refusals(instance, TOPOLOGY)) == found


@pytest.mark.parametrize("length", range(24, 33))
def test_free_addresses_are_the_ones_that_are_not_reserved(length: int) -> None:
    vswitch = VSwitch("vsw", IPv4Network(f"10.1.8.0/{length}"))
    endpoints: dict[tuple[str, IPv4Address], tuple[str, str]] = {}
    while isinstance(
        address := gateway_rules.free_address(DEDICATED_INSTANCE, VPC_A, vswitch, endpoints), IPv4Address
    ):
        assert address in vswitch.cidr_block
        endpoints[VPC_A, address] = (HZ, f"other-{address}")
    free = [
        address
        for address in vswitch.cidr_block
        if not gateway_rules.is_reserved(address, vswitch.cidr_block)
    ]
    assert [address for _, address in endpoints] == free
    assert address.rule is Rule.BINDING
    # Another VPC's endpoints are not in the way: their blocks may overlap.
    elsewhere = gateway_rules.free_address(DEDICATED_INSTANCE, "vpc-other", vswitch, endpoints)
    assert elsewhere == free[0] if free else isinstance(elsewhere, Refusal)


def test_endpoints() -> None:
    binding = Binding(VPC_A, "vsw-1", IPv4Address("10.1.8.20"))
    other, same = Instance(UNBOUND, HZ, InstanceType.DEDICATED), WORLD.instances[HZ, BOUND]
    found = broken(gateway_rules.endpoint_refusals(other, binding, WORLD.endpoints))
    assert found == [(Rule.UNIQUE, ("binding", "address"))]
    assert broken(gateway_rules.endpoint_refusals(same, binding, WORLD.endpoints)) == []


GROUP = Group("1" * 32, BOUND, HZ)


@pytest.mark.parametrize(
    ("group", "rule"),
    [
        (GROUP, None),
        (replace(GROUP, vpc_domain=True, custom_domains=(Name.from_text("a.b"),)), None),
        (replace(GROUP, instance_id=UNBOUND), None),
        (replace(GROUP, instance_id=UNBOUND, custom_domains=(Name.from_text("a.b"),)), None),
        (replace(GROUP, instance_id=UNBOUND, vpc_domain=True), Rule.BOUND_BEFORE_ENABLED),
        (replace(GROUP, instance_id=SHARED, vpc_domain=True), None),
        (replace(GROUP, instance_id=SHARED, custom_domains=(Name.from_text("a.b"),)), Rule.CUSTOM_DOMAIN),
        (replace(GROUP, region_id=SH), Rule.ONE_INSTANCE),
        (replace(GROUP, instance_id="gone"), Rule.ONE_INSTANCE),
        (replace(GROUP, group_id="1" * 31), Rule.DOMAIN_NAME),
        (replace(GROUP, group_id="A" * 32), Rule.DOMAIN_NAME),
        (replace(GROUP, group_id="1" * 32 + "\n"), Rule.DOMAIN_NAME),
    ],
)
def test_groups(group: Group, rule: Rule | None) -> None:
    found = broken(gateway_rules.group_refusals(group, WORLD.instances, WORLD.answers.suffix))
    assert [broken_rule for broken_rule, _ in found] == ([] if rule is None else [rule])


def test_a_vpc_domain_must_fit_into_a_name() -> None:
    region = "r" * 26
    instance = replace(SERVERLESS_INSTANCE, region_id=region)
    group = Group("1" * 32, "i", region)
    assert len(group.vpc_domain_label) == 63
    instances = {instance.key: instance}
    assert broken(gateway_rules.group_refusals(group, instances, WORLD.answers.suffix)) == []
    long_suffix = Name((b"s" * 63,) * 3)
    assert broken(gateway_rules.group_refusals(group, instances, long_suffix)) == [
        (Rule.DOMAIN_NAME, ("region_id",))
    ]
    longer = replace(instance, region_id=region + "r")
    found = gateway_rules.group_refusals(
        replace(group, region_id=longer.region_id), {longer.key: longer}, long_suffix
    )
    assert broken(found) == [(Rule.DOMAIN_NAME, ("region_id",))]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("api.example.com", None),
        ("*.example.com", None),
        ("example", None),
        ("*", Rule.CUSTOM_DOMAIN),
        (".", Rule.CUSTOM_DOMAIN),
        ("a.*.example.com", Rule.CUSTOM_DOMAIN),
        ("*.*.example.com", Rule.CUSTOM_DOMAIN),
        ("alicloudapi.com", Rule.CUSTOM_DOMAIN),
        ("A.ALIcloudapi.com", Rule.CUSTOM_DOMAIN),
        ("x.vpcdns.internal", Rule.CUSTOM_DOMAIN),
        ("x-vpc.alicloudapi.com.example.com", Rule.CUSTOM_DOMAIN),
    ],
)
def test_custom_domains(name: str, rule: Rule | None) -> None:
    found = broken(
        gateway_rules.custom_domain_refusals(Name.from_text(name), "group x", WORLD.answers.suffix, None)
    )
    assert [broken_rule for broken_rule, _ in found] == ([] if rule is None else [rule])


def test_a_custom_domain_belongs_to_one_group() -> None:
    found = gateway_rules.custom_domain_refusals(
        Name.from_text(CUSTOM), "group x", WORLD.answers.suffix, DEDICATED
    )
    assert broken(found) == [(Rule.UNIQUE, ())]
