"""How many responses a network gets, by a clock of our own; and over sockets, with both kinds of batches."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network

import pytest

from tests.support.event_loop import on_loop, until
from tests.support.example_world import DEDICATED_NAME, VPC_A, example
from tests.support.messages import query, read
from tests.support.obedient_service import Tcp, Udp
from tests.support.resolver_service import FREE_PORT, listening
from vpcdns.listen.rate_limits import STRANGERS_PER_SECOND, RateLimit, network_of
from vpcdns.listen.service import Service
from vpcdns.model.policy import Access, Forwarding, Listen, Upstream
from vpcdns.model.topology import Address
from vpcdns.query import Arrival, Drop, Response, begin
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

PEER = ip_address("203.0.113.5")
LISTEN = Listen(ip_address("127.0.0.1"), 53)
ASKED = query(DEDICATED_NAME).to_wire()


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def asked(limit: RateLimit, count: int, now: float, peer: Address = PEER) -> list[str]:
    """What becomes of so many responses of 10 a second."""
    begun = begin(ASKED, Arrival(peer, "udp", LISTEN), example())
    assert isinstance(begun, Response)
    results = [limit.limited(begun, peer, 10, now) for _ in range(count)]
    return [
        "sent" if result is begun else "dropped" if isinstance(result, Drop) else "cut" for result in results
    ]


def test_a_seconds_worth_at_once_then_every_second_one_slips() -> None:
    limit = RateLimit()
    assert asked(limit, 10, 5.0) == ["sent"] * 10
    assert asked(limit, 4, 5.0) == ["dropped", "cut"] * 2
    assert (limit.counters.truncated, limit.counters.dropped) == (2, 2)


def test_the_rate_holds_over_time_and_recovers() -> None:
    limit = RateLimit()
    sent = sum(asked(limit, 10, tenth / 10).count("sent") for tenth in range(100))  # 100 a second, for 10 s
    assert 100 <= sent <= 111
    assert asked(limit, 10, 20.0) == ["sent"] * 10


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.5", "203.0.113.250", True),
        ("203.0.113.5", "203.0.112.5", False),
        ("2001:db8:0:ff::1", "2001:db8:0:1::2", True),
        ("2001:db8:0:100::1", "2001:db8:0:1::2", False),
        ("::203.0.113.5", "203.0.113.5", False),
    ],
)
def test_networks(one: str, other: str, same: bool) -> None:
    assert (network_of(ip_address(one)) == network_of(ip_address(other))) is same


def test_the_table_is_bounded_and_forgets_who_was_silent_for_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vpcdns.listen.rate_limits.NETWORKS_AT_MOST", 3)
    limit, peers = RateLimit(), [ip_address(f"203.0.{network}.1") for network in range(4)]
    for peer in (*peers, peers[1]):
        asked(limit, 10, 5.0, peer)
    assert asked(limit, 1, 5.0, peers[1]) != ["sent"]
    assert asked(limit, 1, 5.0, peers[0]) == ["sent"], "it was forgotten"
    assert asked(limit, 1, 5.0, peers[2]) == ["sent"], "and made room for the first one"


# Who asks over sockets. The listener counts everybody as one VPC's, which admits no stranger (DESIGN §3).
CLIENT, TRUSTED, STRANGER = "127.1.0.5", "127.9.0.9", "127.2.0.5"
ACCESS = Access((ip_network("127.1.0.0/16"), ip_network(TRUSTED)), (ip_network(TRUSTED),))
AT_ONCE = 100  # queries that a socket's buffer holds


@dataclass(frozen=True, slots=True)
class Limited:
    """A resolver with a clock of its own, behind listeners of one kind."""

    resolver: Resolver
    clock: Clock
    service: Service
    listen: Listen

    async def answers(self, source: str, count: int, message: bytes = ASKED) -> list[bytes]:
        """What so many queries over UDP are answered with."""
        found, counters, at = [], self.service.counters, ("127.0.0.1", self.listen.port)
        with Udp(source=source) as client:
            for asked_before in range(0, count, AT_ONCE):
                number = min(AT_ONCE, count - asked_before)
                answered, done = counters.udp_answered, counters.udp_answered + counters.udp_silent + number

                def all_are_done(done: int = done) -> bool:
                    return counters.udp_answered + counters.udp_silent == done

                for _ in range(number):
                    client.send(message, at)
                await until(all_are_done)
                found += [(await client.receive())[0] for _ in range(counters.udp_answered - answered)]
        return found


@pytest.fixture(params=[True, False], ids=["recvmmsg", "recvmsg"])
def batches(request: pytest.FixtureRequest) -> bool:
    """The two kinds of listeners."""
    return bool(request.param)


@asynccontextmanager
async def limited(
    batches: bool, per_second: int | None = None, forwarding: Forwarding | None = None
) -> AsyncIterator[Limited]:
    access, clock = replace(ACCESS, responses_per_second=per_second), Clock()
    world = replace(example(), access=access, forwarding=forwarding or Forwarding())
    resolver = Resolver(State(world), clock=clock)
    async with listening(resolver, replace(FREE_PORT, vpc_id=VPC_A), batches=batches) as (service, listen):
        yield Limited(resolver, clock, service, listen)


@on_loop
async def test_strangers_are_always_limited_and_what_slips_is_empty_and_short(batches: bool) -> None:
    async with limited(batches) as it:
        found = await it.answers(STRANGER, STRANGERS_PER_SECOND + 10)
        assert len(found) == STRANGERS_PER_SECOND + 5
        slipped = [octets for octets in found if read(octets).rcode() == 0]
        assert len(slipped) == 5
        for octets in slipped:
            assert octets[2] & 0x02
            assert not read(octets).answer
            assert len(octets) <= len(ASKED)
        counters = it.resolver.rates.strangers.counters
        assert (counters.truncated, counters.dropped) == (5, 5)
        it.clock.now += 1.0
        assert len(await it.answers(STRANGER, 10)) == 10


@on_loop
async def test_strangers_errors_of_form_count_too(batches: bool) -> None:
    async with limited(batches) as it:
        assert len(await it.answers(STRANGER, 1_000, ASKED[:20])) == STRANGERS_PER_SECOND + 450


@pytest.mark.parametrize(("per_second", "expected"), [(None, 500), (20, 20 + 240)])
@on_loop
async def test_clients_are_limited_when_it_is_configured(
    batches: bool, per_second: int | None, expected: int
) -> None:
    """Also where the answer could be recalled, as it can here from the second on."""
    async with limited(batches, per_second) as it:
        assert len(await it.answers(CLIENT, 500)) == expected


@on_loop
async def test_neither_trusted_peers_nor_tcp_are_limited(batches: bool) -> None:
    async with limited(batches, 5) as it:
        assert [read(octets).rcode() for octets in await it.answers(TRUSTED, 50)] == [0] * 50
        for source, count in ((CLIENT, 50), (STRANGER, 500)):
            client = await Tcp.connect(it.listen.port, source=source)
            for _ in range(count):
                client.send(ASKED)
                assert (await client.message())[:2] == ASKED[:2]
            client.close()


@on_loop
async def test_over_the_limit_nothing_is_forwarded(batches: bool) -> None:
    async with limited(batches, 1, Forwarding((Upstream(ip_address("192.0.2.1")),))) as it:
        assert len(await it.answers(CLIENT, 1)) == 1
        assert len(await it.answers(CLIENT, 10, query("www.example.org").to_wire())) == 5
        assert len(it.resolver.forwarder) == 0


@on_loop
async def test_what_slips_is_not_remembered_for_others(batches: bool) -> None:
    async with limited(batches, 1) as it:
        assert len(await it.answers(CLIENT, 3)) == 2
        it.clock.now += 1.0
        (answer,) = await it.answers(CLIENT, 1)
        assert read(answer).answer
        views = it.resolver.views(1)
        assert views is not None
        recalled = views.view(ip_address(CLIENT), "udp", it.listen).recall(ASKED[2:])
        assert recalled is not None
        assert recalled[0] == answer[2:]
