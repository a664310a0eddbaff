from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.example_world import HZ, vpc
from tests.support.world_strategies import ADDRESSES, VPCS, prefixes, topologies
from vpcdns.model.topology import Address, Topology, unmapped


def longest(topology: Topology, address: Address) -> tuple[str, str] | None:
    """Brute force: of all source networks that hold the address, the longest."""
    address = unmapped(address)
    holding = [
        (prefix.prefixlen, owner, str(prefix))
        for owner, prefixes_ in [
            *((vpc.vpc_id, vpc.source_networks) for vpc in topology.vpcs.values()),
            *((network.network_id, network.source_networks) for network in topology.networks.values()),
        ]
        for prefix in prefixes_
        if prefix.version == address.version and address in prefix
    ]
    return max(holding)[1:] if holding else None


def located(topology: Topology, address: Address) -> tuple[str, str] | None:
    place = topology.locate(address)
    return None if place is None else (place.vpc_id or place.network_id or "", str(place.source_network))


@given(topologies(), st.lists(ADDRESSES, min_size=1))
def test_the_longest_prefix_is_what_brute_force_finds(topology: Topology, addresses: list[Address]) -> None:
    """The longest source network that holds an address, in either family, mapped addresses as IPv4."""
    for address in addresses:
        assert located(topology, address) == longest(topology, address)


@given(
    st.lists(prefixes(), min_size=8, max_size=8, unique=True),
    st.lists(st.tuples(st.booleans(), st.integers(0, 7)), max_size=12),
    st.lists(ADDRESSES, min_size=1, max_size=10),
)
def test_a_topology_edited_is_one_built_anew(
    claimed: list[str], edits: list[tuple[bool, int]], addresses: list[Address]
) -> None:
    """After any VPCs were put in, replaced or taken out, every address is where a new topology has it."""
    topology, there = Topology.of([]), dict[str, int]()
    for put, number in edits:
        vpc_id = VPCS[number % len(VPCS)]
        if put and number not in there.values():
            topology = topology.with_vpc(vpc(vpc_id, HZ, "10.1.0.0/16", str(claimed[number])))
            there[vpc_id] = number
        elif vpc_id in there:
            topology = topology.without_vpc(vpc_id)
            del there[vpc_id]
    assert set(topology.vpcs) == set(there)
    anew = Topology.of(topology.vpcs.values())
    for address in addresses:
        assert located(topology, address) == located(anew, address) == longest(topology, address)
