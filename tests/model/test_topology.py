from ipaddress import IPv4Network, ip_address, ip_network

import pytest

from tests.support.example_world import (
    HZ,
    IN_A,
    IN_LAB,
    ON_INTERNET,
    ON_PREMISES,
    VPC_A,
    VPC_B,
    topology,
    vpc,
)
from vpcdns.model.topology import Network, Topology, unmapped, within


@pytest.mark.parametrize(
    ("address", "owner", "prefix"),
    [
        (IN_A, VPC_A, "10.1.0.0/16"),
        ("::ffff:10.1.0.5", VPC_A, "10.1.0.0/16"),
        ("fd00:1::5", VPC_A, "fd00:1::/48"),
        ("10.1.255.255", VPC_A, "10.1.0.0/16"),
        ("10.0.255.255", None, None),
        (ON_PREMISES, "idc", "192.168.0.0/16"),
        (IN_LAB, "lab", "192.168.77.0/24"),
        (ON_INTERNET, None, None),
        ("fd00:2::1", None, None),
        ("::10.1.0.5", None, None),
    ],
)
def test_locate(address: str, owner: str | None, prefix: str | None) -> None:
    place = topology().locate(ip_address(address))
    assert (None if place is None else place.vpc_id or place.network_id) == owner
    assert (None if place is None else str(place.source_network)) == prefix


def test_the_longest_prefix_wins_down_to_one_address_and_up_to_everything() -> None:
    nested = Topology.of(
        [
            vpc("vpc-all", HZ, "10.0.0.0/16", "0.0.0.0/0", "::/0"),
            vpc("vpc-ten", HZ, "10.4.0.0/16", "10.0.0.0/8"),
            vpc("vpc-one", HZ, "10.5.0.0/16", "10.1.2.3/32", "fd00::1/128"),
        ]
    )
    for address, owner in [
        ("10.1.2.3", "vpc-one"),
        ("10.1.2.4", "vpc-ten"),
        ("11.0.0.1", "vpc-all"),
        ("fd00::1", "vpc-one"),
        ("fd00::2", "vpc-all"),
    ]:
        place = nested.locate(ip_address(address))
        assert place is not None
        assert place.vpc_id == owner


def test_a_network_counts_as_the_vpc_that_it_resolves_as() -> None:
    networks = topology()
    for address, audience in [(ON_PREMISES, VPC_A), (IN_LAB, None), (IN_A, VPC_A), (ON_INTERNET, None)]:
        found = networks.audience_of(networks.locate(ip_address(address)))
        assert (found.vpc_id if found else None) == audience


def test_a_vpc_is_put_in_replaced_and_taken_out() -> None:
    before = topology()
    added = before.with_vpc(vpc("vpc-new", HZ, "10.7.0.0/16", "10.1.7.0/24"))
    place = added.locate(ip_address("10.1.7.1"))
    assert place is not None
    assert place.vpc_id == "vpc-new"
    moved = added.with_vpc(vpc("vpc-new", HZ, "10.7.0.0/16", "fd00:7::/64"))
    assert [moved.locate(ip_address(text)) is not None for text in ("fd00:7::1", "10.1.7.1")] == [True, True]
    place = moved.locate(ip_address("10.1.7.1"))
    assert place is not None
    assert place.vpc_id == VPC_A
    removed = moved.without_vpc("vpc-new")
    assert removed.vpcs == before.vpcs
    assert removed.locate(ip_address("fd00:7::1")) is None
    with pytest.raises(KeyError):
        before.without_vpc("vpc-new")


def test_of_equal_source_networks_the_first_counts() -> None:
    block = IPv4Network("10.2.0.0/16")
    both = Topology.of([vpc(VPC_B, HZ, "10.2.0.0/16")], [Network("twin", (block,), (block,))])
    claimed = both.claimed(block)
    assert claimed is not None
    assert claimed.vpc_id == VPC_B
    assert both.claimed(ip_network("10.2.0.0/17")) is None
    # A later VPC with the same block does not take it away, nor does it take it along when it goes.
    with_twin = both.with_vpc(vpc("vpc-twin", HZ, "10.2.0.0/16"))
    assert with_twin.claimed(block) == claimed
    assert with_twin.without_vpc("vpc-twin").claimed(block) == claimed


def test_addresses() -> None:
    assert unmapped(ip_address("::ffff:1.2.3.4")) == ip_address("1.2.3.4")
    assert unmapped(ip_address("::1.2.3.4")) == ip_address("::1.2.3.4")
    assert within(ip_address("10.0.0.1"), [ip_network("::/0"), ip_network("10.0.0.0/8")])
    assert not within(ip_address("10.0.0.1"), [ip_network("::/0")])
