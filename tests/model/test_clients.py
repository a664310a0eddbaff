from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from tests.support.example_world import (
    HZ,
    IN_A,
    IN_B,
    IN_LAB,
    ON_INTERNET,
    ON_PREMISES,
    SH,
    STRANGER,
    VPC_A,
    VPC_B,
    VPC_C,
    example,
)
from vpcdns.model.clients import identify, is_trusted
from vpcdns.model.policy import Access
from vpcdns.model.topology import Topology, Vpc

WORLD = example()


@pytest.mark.parametrize(
    ("peer", "vpc_id", "region_id", "network_id"),
    [
        (IN_A, VPC_A, HZ, None),
        (f"::ffff:{IN_A}", VPC_A, HZ, None),
        ("fd00:1::5", VPC_A, HZ, None),
        ("10.3.0.5", VPC_C, SH, None),
        (ON_PREMISES, VPC_A, HZ, "idc"),
        (IN_LAB, None, None, "lab"),
        (ON_INTERNET, None, None, None),
    ],
)
def test_a_peer_is_where_its_address_is(
    peer: str, vpc_id: str | None, region_id: str | None, network_id: str | None
) -> None:
    client = identify(ip_address(peer), WORLD)
    assert client.allowed
    assert (client.vpc_id, client.region_id, client.network_id) == (vpc_id, region_id, network_id)
    assert client.address.version == 4 or ":" in str(client.address)


def test_a_trusted_peer_names_the_client() -> None:
    client = identify(ip_address("127.0.0.1"), WORLD, named=ip_address(IN_B))
    assert (client.vpc_id, str(client.address)) == (VPC_B, IN_B)
    assert "named by trusted peer 127.0.0.1" in client.matched
    mapped = identify(ip_address("::ffff:127.0.0.1"), WORLD, named=ip_address(f"::ffff:{IN_B}"))
    assert mapped.vpc_id == VPC_B


def test_a_peer_that_is_not_trusted_is_not_believed() -> None:
    assert identify(ip_address(IN_A), WORLD, named=ip_address(IN_B)).vpc_id == VPC_A
    assert not is_trusted(ip_address(IN_A), WORLD)
    assert is_trusted(ip_address("::ffff:127.0.0.1"), WORLD)


def test_strangers() -> None:
    loopback, stranger = ip_address("127.0.0.1"), ip_address(STRANGER)
    assert not identify(stranger, WORLD).allowed
    assert not identify(loopback, WORLD, named=stranger).allowed
    assert not identify(stranger, WORLD, listener_vpc_id=VPC_A).allowed
    assert not identify(loopback, WORLD, named=stranger, listener_vpc_id=VPC_A).allowed
    # A trusted peer outside server.clients may not ask either, whomever it names.
    only_a = replace(WORLD, access=Access(clients=(ip_network("10.1.0.0/16"),)))
    assert not identify(loopback, only_a, named=ip_address(IN_A)).allowed
    assert identify(ip_address(IN_A), only_a).allowed


def test_the_listener_comes_first() -> None:
    client = identify(ip_address(IN_A), WORLD, listener_vpc_id=VPC_B)
    assert (client.vpc_id, client.region_id, client.network_id) == (VPC_B, HZ, None)
    named = identify(ip_address("127.0.0.1"), WORLD, named=ip_address(IN_A), listener_vpc_id=VPC_B)
    assert (named.vpc_id, str(named.address)) == (VPC_B, IN_A)


def test_a_listener_whose_vpc_is_gone_is_nobodys() -> None:
    client = identify(ip_address(IN_A), WORLD, listener_vpc_id="vpc-gone")
    assert client.allowed
    assert client.vpc_id is None


def test_in_words() -> None:
    assert str(identify(ip_address(IN_A), WORLD)) == VPC_A
    assert str(identify(ip_address(ON_PREMISES), WORLD)) == f"{VPC_A} (through idc)"
    assert str(identify(ip_address(ON_INTERNET), WORLD)) == "the Internet"


HALVES = Topology.of(
    [
        Vpc("vpc-1", "cn-hangzhou", (), (ip_network("172.30.1.0/25"), ip_network("fd00:7::/65"))),
        Vpc("vpc-2", "cn-hangzhou", (), (ip_network("172.30.1.128/25"), ip_network("fd00:7::8000:0:0:0/65"))),
        Vpc("vpc-3", "cn-hangzhou", (), (ip_network("172.31.0.0/16"),)),
        Vpc("vpc-4", "cn-hangzhou", (), (ip_network("172.31.7.0/24"),)),
    ]
)


@pytest.mark.parametrize(
    ("subnet", "allowed", "needed"),
    [
        ("10.1.5.0/24", True, None),
        ("10.1.0.0/16", True, 17),
        ("10.0.0.0/8", True, 25),
        ("172.30.1.0/24", True, 25),
        ("172.30.1.128/25", True, None),
        ("172.30.1.200/32", True, None),
        ("172.30.1.0/25", False, None),
        ("10.1.200.0/24", False, None),
        ("fd00::/16", False, None),
    ],
)
def test_a_subnet_is_admitted_as_a_whole_or_not(subnet: str, allowed: bool, needed: int | None) -> None:
    """Not by its lowest address; one that is admitted in part is too wide, and counts as nowhere."""
    clients = ("127.0.0.0/8", "10.1.0.0/17", "10.2.0.0/25", "172.30.1.128/25")
    access = Access(tuple(map(ip_network, clients)), (ip_network("127.0.0.0/8"),))
    found = identify(ip_address("127.0.0.1"), replace(WORLD, access=access), named=ip_network(subnet))
    assert (found.allowed, found.prefix_needed) == (allowed, needed)


@pytest.mark.parametrize(
    ("subnet", "vpc_id", "needed"),
    [
        ("172.30.1.200/32", "vpc-2", None),
        ("172.30.1.128/25", "vpc-2", None),
        ("172.30.1.0/24", None, 25),
        ("172.30.0.0/16", None, 25),
        ("172.31.0.0/16", None, 24),  # another network lies in it
        ("172.31.7.0/24", "vpc-4", None),
        ("172.31.0.0/22", "vpc-3", None),
        ("172.31.4.0/22", None, 24),
        ("0.0.0.0/1", None, None),
        ("128.0.0.0/1", None, 25),
        ("fd00:7::/64", None, 65),
        ("fd00:7::/65", "vpc-1", None),
        ("fd00::/8", None, 65),
    ],
)
@pytest.mark.parametrize("more", [0, 3_000])
def test_a_subnet_that_is_wider_than_a_source_network_decides_nothing(
    subnet: str, vpc_id: str | None, needed: int | None, more: int
) -> None:
    """DESIGN §3. Whether few source networks are there or many."""
    topology = HALVES
    for number in range(more // 1_000):
        sources = tuple(ip_network((f"20.{number}.{n // 250}.{n % 250}", 32)) for n in range(1_000))
        topology = topology.with_vpc(Vpc(f"more-{number}", "cn-hangzhou", (), sources))
    everybody = Access((ip_network("0.0.0.0/0"), ip_network("::/0")), (ip_network("127.0.0.0/8"),))
    world = replace(WORLD, topology=topology, access=everybody)
    if more and subnet == "0.0.0.0/1":
        needed = 32
    found = identify(ip_address("127.0.0.1"), world, named=ip_network(subnet))
    assert (found.vpc_id, found.prefix_needed) == (vpc_id, needed)
    if needed is not None:
        assert found.whereabouts == f"your client subnet is too wide, send /{needed}"
    at_listener = identify(ip_address("127.0.0.1"), world, named=ip_network(subnet), listener_vpc_id="vpc-3")
    assert at_listener.vpc_id == "vpc-3", "the listener's VPC comes first"
