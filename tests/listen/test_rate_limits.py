"""How many responses a network gets, by a clock of our own; and the joint in the Resolver."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from tests.support.event_loop import on_loop, until
from tests.support.example_world import DEDICATED_NAME, IN_A, STRANGER, example
from tests.support.messages import query, read
from tests.support.obedient_service import Udp
from vpcdns.config import loads
from vpcdns.listen.rate_limits import STRANGERS_PER_SECOND, RateLimit, network_of
from vpcdns.listen.service import Service
from vpcdns.model.policy import Forwarding, Listen, Transport, Upstream
from vpcdns.model.topology import Address
from vpcdns.model.world import World
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


def resolver_of(per_second: int | None = None) -> tuple[Resolver, Clock, World]:
    world = example()
    world = replace(world, access=replace(world.access, responses_per_second=per_second))
    clock = Clock()
    return Resolver(State(world), clock=clock), clock, world


def answers(
    resolver: Resolver, peer: str, count: int, message: bytes, transport: Transport = "udp"
) -> list[bytes]:
    found: Iterable[object] = (
        resolver.respond(message, Arrival(ip_address(peer), transport, LISTEN)) for _ in range(count)
    )
    return [answer for answer in found if isinstance(answer, bytes)]


def test_strangers_are_always_limited_and_what_slips_is_empty_and_short() -> None:
    resolver, clock, _ = resolver_of()
    found = answers(resolver, STRANGER, STRANGERS_PER_SECOND + 10, ASKED)
    assert len(found) == STRANGERS_PER_SECOND + 5
    slipped = [octets for octets in found if read(octets).rcode() == 0]
    assert len(slipped) == 5
    for octets in slipped:
        assert octets[2] & 0x02
        assert not read(octets).answer
        assert len(octets) <= len(ASKED)
    counters = resolver.rates.strangers.counters
    assert (counters.truncated, counters.dropped) == (5, 5)
    clock.now += 1.0
    assert len(answers(resolver, STRANGER, 10, ASKED)) == 10


def test_strangers_errors_of_form_count_too() -> None:
    resolver, _, _ = resolver_of()
    assert len(answers(resolver, STRANGER, 1_000, ASKED[:20])) == STRANGERS_PER_SECOND + 450


@pytest.mark.parametrize(("per_second", "expected"), [(None, 500), (20, 20 + 240)])
def test_clients_are_limited_when_it_is_configured(per_second: int | None, expected: int) -> None:
    resolver, _, _ = resolver_of(per_second)
    assert len(answers(resolver, IN_A, 500, ASKED)) == expected


def test_neither_trusted_peers_nor_tcp_are_limited() -> None:
    resolver, _, _ = resolver_of(5)
    assert len(answers(resolver, "127.0.0.1", 50, ASKED)) == 50
    assert len(answers(resolver, IN_A, 50, ASKED, "tcp")) == 50
    assert len(answers(resolver, STRANGER, 500, ASKED, "tcp")) == 500


def test_over_the_limit_nothing_is_forwarded() -> None:
    world = replace(example(), forwarding=Forwarding((Upstream(ip_address("192.0.2.1")),)))
    world = replace(
        world, access=replace(world.access, responses_per_second=1, clients=(ip_network(f"{IN_A}/32"),))
    )
    resolver = Resolver(State(world), clock=Clock())
    assert len(answers(resolver, IN_A, 1, ASKED)) == 1
    found = answers(resolver, IN_A, 10, query("www.example.org").to_wire())
    assert len(found) == 5
    assert len(resolver.forwarder) == 0


def test_what_slips_is_not_remembered_for_others() -> None:
    resolver, clock, _ = resolver_of(1)
    assert len(answers(resolver, IN_A, 3, ASKED)) == 2
    clock.now += 1.0
    (answer,) = answers(resolver, IN_A, 1, ASKED)
    assert read(answer).answer
    views = resolver.views(1)
    assert views is not None
    recalled = views.view(ip_address(IN_A), "udp", LISTEN).recall(ASKED[2:])
    assert recalled is not None
    assert recalled[0] == answer[2:]


@pytest.mark.parametrize("batches", [True, False], ids=["recvmmsg", "recvmsg"])
@pytest.mark.parametrize(("peers", "expected"), [("[]", 10 + 20), ("[127.0.0.0/8]", 50)])
@on_loop
async def test_both_listeners_count_what_could_be_recalled(peers: str, expected: int, batches: bool) -> None:
    text = f"""
server: {{listen: ["127.0.0.1:0"], clients: [127.0.0.0/8], trusted_peers: {peers}, responses_per_second: 10}}
forward: {{upstreams: []}}
"""
    loaded = loads(text, "f")
    service = Service(Resolver(State(loaded.world), clock=Clock()), loaded.listens, batches=batches)
    port = (await service.start())[0].port
    try:
        with Udp() as client:
            for _ in range(50):
                client.send(query("localhost").to_wire(), ("127.0.0.1", port))
            await until(lambda: service.counters.udp_received == 50)
            counters = service.counters
            await until(lambda: counters.udp_answered + counters.udp_silent == 50)
            assert counters.udp_answered == expected
    finally:
        await service.stop(0)
