"""The latest decisions: bounded, the newest first, small."""

from __future__ import annotations

from dataclasses import replace

from tests.support.decided_queries import decided, relayed, state, tell
from vpcdns.observe.query_record import log_data
from vpcdns.observe.recent_decisions import MAX_OCTETS, RecentDecisions
from vpcdns.query import Response


def test_the_newest_come_first_and_the_oldest_go() -> None:
    holder = state()
    decisions = RecentDecisions(holder, capacity=3)
    for number in range(5):
        tell(decisions, decided(holder, f"n{number}.localhost"))
    assert len(decisions) == 3
    assert [log_data(one)["qname"] for one in decisions.latest(2)] == ["n4.localhost", "n3.localhost"]
    assert len(decisions.latest(100)) == 3


def test_the_revision_is_that_of_the_moment() -> None:
    holder = state()
    decisions = RecentDecisions(holder)
    tell(decisions, decided(holder))
    holder.reload(holder.world)
    tell(decisions, decided(holder))
    new, old = decisions.latest(2)
    assert new.revision == old.revision + 1


def test_a_long_response_is_not_kept() -> None:
    holder = state()
    decisions = RecentDecisions(holder)
    came, result = relayed(holder, "www.example.net", "www.example.net 60 IN A 192.0.2.7")
    assert isinstance(result, Response)
    tell(decisions, (came, result))
    assert decisions.latest(1)[0].relayed is not None
    tell(decisions, (came, replace(result, octets=bytes(MAX_OCTETS + 1))))
    assert decisions.latest(1)[0].relayed is None


def test_cleared() -> None:
    holder = state()
    decisions = RecentDecisions(holder)
    tell(decisions, decided(holder))
    decisions.clear()
    assert decisions.latest(9) == []
