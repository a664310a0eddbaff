"""Blocks that overlap: found as comparing every two would, at a cost that grows with their number alone."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vpcdns.model import topology_rules
from vpcdns.model.topology import Vpc, VSwitch
from vpcdns.model.topology_rules import first_overlaps, vpc_refusals

BLOCKS = st.builds(
    lambda number, length: IPv4Network((number >> (32 - length) << (32 - length), length)),
    st.integers(0x0A000000, 0x0A00FFFF),
    st.integers(8, 32),
)


@given(st.lists(BLOCKS, max_size=30))
def test_first_overlaps_is_what_comparing_every_two_finds(blocks: list[IPv4Network]) -> None:
    expected = [
        next((place for place, other in enumerate(blocks[:index]) if other.overlaps(block)), None)
        for index, block in enumerate(blocks)
    ]
    assert list(first_overlaps(blocks)) == expected


def vpc_of_size(size: int) -> Vpc:
    blocks = tuple(IPv4Network((0x0A000000 + (index << 8), 24)) for index in range(size))
    vswitches = tuple(VSwitch(f"vsw-{index}", block) for index, block in enumerate(blocks))
    return Vpc("vpc-large", "cn-hangzhou", blocks, (), vswitches)


def test_the_cost_of_a_vpc_grows_with_its_size_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in blocks that are looked at: four times the blocks are at most four times the looks."""
    looks = count()
    supernets = topology_rules.supernets

    def counting(block: tuple[int, int]) -> list[tuple[int, int]]:
        around = list(supernets(block))
        for _ in around:
            next(looks)
        return around

    monkeypatch.setattr(topology_rules, "supernets", counting)
    costs = []
    for size in (500, 2_000):
        before = next(looks)
        assert list(vpc_refusals(vpc_of_size(size))) == []
        costs.append(next(looks) - before)
    assert costs[1] <= 4 * costs[0] + 4


def test_a_message_names_few_of_many_blocks() -> None:
    vpc = vpc_of_size(8_000)
    outside = Vpc(
        "vpc-large", "cn-hangzhou", vpc.cidr_blocks, (), (VSwitch("vsw-x", IPv4Network("10.250.0.0/24")),)
    )
    (refusal,) = vpc_refusals(outside)
    assert len(refusal.problem) < 150
