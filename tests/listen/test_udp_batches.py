"""What is recalled leaves the sockets as it was decided: octets, addresses and counts."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest

from tests.support import messages
from tests.support.event_loop import needs_ipv6, on_loop
from tests.support.example_world import CUSTOM, DEDICATED, DEDICATED_NAME, VPC_A, example
from tests.support.obedient_service import Udp
from tests.support.resolver_service import listening
from vpcdns.model.changes import DisableVpcDomain
from vpcdns.model.policy import Listen
from vpcdns.observe.query_counts import QueryCounts, count_of
from vpcdns.observe.recent_decisions import RecentDecisions
from vpcdns.query import Arrival, Response, begin
from vpcdns.server.observer import Observer, Observers
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

pytestmark = pytest.mark.parametrize("batches", [True, False], ids=["recvmmsg", "recvmsg"])


@asynccontextmanager
async def answering(
    host: str, batches: bool, observer: Observer | None = None
) -> AsyncIterator[tuple[Resolver, State, Listen]]:
    state = State(example())
    resolver = Resolver(state, observer=observer or Observer())
    async with listening(resolver, Listen(ip_address(host), 0, VPC_A), batches=batches) as (_, listen):
        yield resolver, state, listen


def decided(state: State, message: bytes, peer: str, listen: Listen) -> bytes:
    result = begin(message, Arrival(ip_address(peer), "udp", listen), state.world)
    assert isinstance(result, Response)
    return result.octets


@pytest.mark.parametrize(
    ("host", "asked", "family", "peer"),
    [
        ("127.0.0.1", "127.0.0.1", socket.AF_INET, "127.0.0.1"),
        ("0.0.0.0", "127.0.0.2", socket.AF_INET, "127.0.0.1"),
        pytest.param("::1", "::1", socket.AF_INET6, "::1", marks=needs_ipv6),
        pytest.param("::", "127.0.0.2", socket.AF_INET, "127.0.0.1", marks=needs_ipv6),
    ],
)
@on_loop
async def test_a_recalled_answer_is_the_decided_one(
    batches: bool, host: str, asked: str, family: int, peer: str
) -> None:
    async with answering(host, batches) as (resolver, state, listen):
        with Udp(family) as client:
            for name in (DEDICATED_NAME, DEDICATED_NAME.upper(), CUSTOM):
                for identity in range(1, 5):
                    message = messages.query(name, identity=identity).to_wire()
                    octets, source = await client.ask(message, (asked, listen.port))
                    assert octets == decided(state, message, peer, listen)
                    assert source == asked
        # One was decided for each of the two instances' kinds; DEDICATED_NAME in capitals needed no decision.
        assert sum(kind.count for kind in resolver.remembered.kinds.values()) == 12 - 2


@on_loop
async def test_all_are_counted_and_told(batches: bool) -> None:
    query_counts, decisions = QueryCounts(), RecentDecisions(State(example()))
    async with answering("127.0.0.1", batches, Observers(query_counts, decisions)) as (_, _, listen):
        with Udp() as client:
            for identity in range(50):
                client.send(
                    messages.query(DEDICATED_NAME, identity=identity).to_wire(), ("127.0.0.1", listen.port)
                )
            for _ in range(50):
                await client.receive()
        assert sum(map(count_of, query_counts.counts()().values())) == 50
        told = list(decisions.latest(100))
        assert len(told) == 50
        assert {str(one.question.name) for one in told if one.question} == {DEDICATED_NAME}
        assert {str(one.arrival.peer) for one in told} == {"127.0.0.1"}


@on_loop
async def test_a_change_holds_for_the_very_next_query(batches: bool) -> None:
    async with answering("127.0.0.1", batches) as (_, state, listen):
        message = messages.query(DEDICATED_NAME).to_wire()
        with Udp() as client:
            before = [await client.ask(message, ("127.0.0.1", listen.port)) for _ in range(3)]
            state.apply(DisableVpcDomain(DEDICATED))
            after, _ = await client.ask(message, ("127.0.0.1", listen.port))
        assert before[0] == before[1] == before[2]
        assert after == decided(state, message, "127.0.0.1", listen)
        assert after != before[0][0]


@on_loop
async def test_recalled_and_asked_ones_mix_in_a_batch(batches: bool) -> None:
    """Silence for one datagram must not silence, or shift, another."""
    async with answering("127.0.0.1", batches) as (_, state, listen):
        with Udp() as client:
            await client.ask(messages.query(DEDICATED_NAME).to_wire(), ("127.0.0.1", listen.port))
            sent = {}
            for identity in range(100, 160):
                message = messages.query(
                    CUSTOM if identity % 3 else DEDICATED_NAME, identity=identity
                ).to_wire()
                if identity % 5 == 0:
                    message = message[:2] + b"\x81" + message[3:]  # a response: owed nothing
                else:
                    sent[identity] = message
                client.send(message, ("127.0.0.1", listen.port))
            for _ in range(len(sent)):
                octets, _ = await client.receive()
                message = sent.pop(int.from_bytes(octets[:2], "big"))
                assert octets == decided(state, message, "127.0.0.1", listen)
            await asyncio.sleep(0)
        assert not sent
