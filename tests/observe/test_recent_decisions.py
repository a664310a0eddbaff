"""The latest decisions: bounded, the newest first, small."""

from __future__ import annotations

import asyncio
import gc
import weakref
from dataclasses import replace

from tests.support import decided_queries, example_world, messages
from tests.support.decided_queries import decided, relayed, state, tell
from tests.support.event_loop import on_loop, until
from vpcdns.model.changes import DisableVpcDomain
from vpcdns.observe.query_record import QueryRecord, log_data
from vpcdns.observe.recent_decisions import MAX_OCTETS, RENDERED_AT_ONCE, RecentDecisions
from vpcdns.query import Response
from vpcdns.server.resolver import Resolver
from vpcdns.state import State


def test_the_newest_come_first_and_the_oldest_go() -> None:
    holder = state()
    decisions = RecentDecisions(holder, capacity=3)
    for number in range(5):
        tell(decisions, decided(holder, f"n{number}.localhost"))
    assert [log_data(one)["qname"] for one in decisions.latest(2)] == ["n4.localhost", "n3.localhost"]
    assert len(list(decisions.latest(100))) == 3


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
    assert next(decisions.latest(1)).relayed is not None
    tell(decisions, (came, replace(result, octets=bytes(MAX_OCTETS + 1))))
    assert next(decisions.latest(1)).relayed is None


def test_cleared() -> None:
    holder = state()
    decisions = RecentDecisions(holder)
    tell(decisions, decided(holder))
    decisions.clear()
    assert list(decisions.latest(9)) == []


def recalling(times: int) -> tuple[State, RecentDecisions, Resolver]:
    """One query that is decided, and that many that are recalled."""
    holder = state()
    latest = RecentDecisions(holder)
    resolver = Resolver(holder, observer=latest)
    message, arrival = messages.query(example_world.DEDICATED_NAME, "A").to_wire(), decided_queries.arrival()
    resolver.respond(message, arrival)
    views = resolver.views(1)
    assert views is not None
    view = views.view(arrival.peer, "udp", decided_queries.LISTEN)
    for _ in range(times):
        assert view.response(message[2:], arrival.peer) is not None
    return holder, latest, resolver


@on_loop
async def test_no_former_world_is_kept() -> None:
    """What was recalled in a World that is gone is rendered, and says the same as before."""
    holder, latest, resolver = recalling(5 * RENDERED_AT_ONCE)
    former = resolver.views(1)
    assert former is not None
    before = list(latest.latest(1_000))
    assert len(before) == 1 + 5 * RENDERED_AT_ONCE
    gone = weakref.ref(former)
    del former
    holder.apply(DisableVpcDomain(example_world.DEDICATED))
    await until(lambda: gc.collect() >= 0 and gone() is None)
    assert list(latest.latest(1_000)) == before


@on_loop
async def test_many_changes_make_one_chain_of_turns() -> None:
    """A chain for each change would take that many times as long before the next query."""
    holder, latest, resolver = recalling(5 * RENDERED_AT_ONCE)
    holder.apply(DisableVpcDomain(example_world.DEDICATED))
    now = resolver.views(1)
    assert now is not None
    for _ in range(4):
        latest.remembers(now)
    await asyncio.sleep(0)
    entries = latest._entries  # noqa: SLF001 - reading them renders them
    rendered = [one for one in entries if isinstance(one, QueryRecord)]
    assert len(rendered) <= RENDERED_AT_ONCE
