"""Counts: every decided query once, under words out of fixed sets."""

from __future__ import annotations

import pickle
from ipaddress import ip_network

import pytest

from tests.support import example_world, messages
from tests.support.decided_queries import decided, relayed, state, tell
from vpcdns.model.topology import Topology, Vpc
from vpcdns.model.world import World
from vpcdns.observe import query_counts as module
from vpcdns.observe.query_counts import (
    DURATIONS,
    INTERNET,
    NOBODY,
    OTHER,
    REQUEST_SIZES,
    RESPONSE_SIZES,
    Labels,
    QueryCounts,
    count_of,
)
from vpcdns.observe.worker_counts import added
from vpcdns.state import State


def only(query_counts: QueryCounts) -> Labels:
    (labels,) = query_counts.counts()()
    return labels


def test_an_answer() -> None:
    holder, query_counts = state(), QueryCounts()
    told = decided(holder)
    for _ in range(3):
        tell(query_counts, told, 0.0002)
    labels = Labels("127.0.0.1:5300", "udp", "1", "A", example_world.VPC_A, "NOERROR", "dedicated-bound-vpc")
    assert only(query_counts) == labels
    row = query_counts.counts()()[labels]
    assert count_of(row) == 3
    assert row[DURATIONS.sum] == pytest.approx(0.0006)
    assert row[REQUEST_SIZES.sum] == 3 * len(messages.query(example_world.DEDICATED_NAME).to_wire())
    assert sum(row[RESPONSE_SIZES.buckets]) == sum(row[REQUEST_SIZES.buckets]) == 3


@pytest.mark.parametrize(
    ("client", "vpc"),
    [
        (example_world.ON_INTERNET, INTERNET),
        (example_world.STRANGER, NOBODY),
        ("fd00:1::9", example_world.VPC_A),
    ],
)
def test_who_asked(client: str, vpc: str) -> None:
    holder, query_counts = state(), QueryCounts()
    tell(query_counts, decided(holder, client=client))
    assert only(query_counts).vpc == vpc
    assert only(query_counts).family == ("2" if ":" in client else "1")


def test_types_and_rcodes_are_a_fixed_set() -> None:
    holder, query_counts = state(), QueryCounts()
    for rtype in range(1, 400):
        if rtype not in (41, 251, 252):
            tell(query_counts, decided(holder, rtype=f"TYPE{rtype}"))
    for rcode in range(1, 16):
        tell(query_counts, relayed(holder, "www.example.net", rcode=rcode))
    types = {labels.type for labels in query_counts.counts()()}
    assert OTHER in types
    assert len(types) < 30


@pytest.mark.parametrize(
    ("message", "rcode", "reason"),
    [
        (b"?", "", "malformed"),
        (b"\0\1\1\0\0\2" + bytes(6), "FORMERR", "malformed"),
        (b"\0\1\x28\0\0\1" + bytes(6), "NOTIMP", "opcode-not-implemented"),
        (messages.query("x.test", edns=1).to_wire(), "BADVERS", "edns-version"),
    ],
)
def test_what_cannot_be_resolved_is_counted_too(message: bytes, rcode: str, reason: str) -> None:
    query_counts = QueryCounts()
    tell(query_counts, decided(state(), message=message))
    assert (only(query_counts).rcode, only(query_counts).reason, only(query_counts).vpc) == (
        rcode,
        reason,
        NOBODY,
    )


def test_vpcs_beyond_the_limit_count_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_VPCS", 2)
    blocks = [ip_network(f"10.{number}.0.0/16") for number in range(1, 6)]
    vpcs = [Vpc(f"vpc-{number}", "r", (), (block,)) for number, block in enumerate(blocks, 1)]
    holder, query_counts = State(World(topology=Topology.of(vpcs))), QueryCounts()
    for number in range(1, 6):
        for _ in range(2):
            tell(query_counts, decided(holder, "localhost", client=f"10.{number}.0.1"))
    rows = {labels.vpc: count_of(row) for labels, row in query_counts.counts()().items()}
    assert rows == {"vpc-1": 2, "vpc-2": 2, OTHER: 6}


def test_counts_of_several_processes_are_put_together() -> None:
    holder, mine, theirs = state(), QueryCounts(), QueryCounts()
    tell(mine, decided(holder))
    for client in (example_world.IN_A, example_world.IN_B):
        tell(theirs, decided(holder, client=client))
    counts, sent = mine.counts()(), pickle.loads(pickle.dumps(theirs.counts()()))  # noqa: S301 - our own
    counts = added(counts, sent)
    assert sorted((labels.vpc, count_of(row)) for labels, row in counts.items()) == [
        (example_world.VPC_A, 2),
        (example_world.VPC_B, 1),
    ]
    assert sum(count_of(row) for row in sent.values()) == 2
