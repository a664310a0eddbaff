"""Who is asked when: time-outs, failures, health, joining, limits, loops. Short deadlines, no sleeps."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

import dns.edns
import dns.flags
import dns.message
import pytest

from tests.support.event_loop import on_loop, until
from tests.support.example_world import IN_A, IN_B
from tests.support.messages import option
from tests.support.nameserver import Nameserver, Transport
from tests.support.resolver_and_upstreams import (
    GOOD,
    QNAME,
    SOON,
    A,
    Gated,
    Switch,
    forwarding,
    saying,
    silent,
    text,
)
from vpcdns.forward.forwarder import DEADLINE
from vpcdns.model.policy import Upstream

OK = f"NOERROR, {QNAME}. 300 192.0.2.1"
SERVFAIL, REFUSED = saying(rcode="SERVFAIL"), saying(rcode="REFUSED")


def large(message: bytes, transport: Transport) -> Iterable[bytes]:
    """4,000 addresses; made quickly, unlike with dnspython."""
    question = message[12 : message.index(b"\0", 12) + 5]
    records = b"".join(b"\xc0\x0c\0\1\0\1\0\0\1\0\0\4" + number.to_bytes(4, "big") for number in range(4_000))
    yield message[:2] + struct.pack("!5H", 0x8180, 1, 4_000, 0, 0) + question + records


def unreachable() -> Upstream:
    with Nameserver(silent) as gone:
        return gone.upstream


def test_the_deadline_leaves_dockers_resolver_time() -> None:
    assert DEADLINE <= 3.5


@pytest.mark.parametrize("first", [silent, SERVFAIL, REFUSED])
@on_loop
async def test_the_next_upstream_is_asked(first: object) -> None:
    async with forwarding(first, GOOD, deadline=SOON * 3) as ask:  # type: ignore[arg-type]
        assert text(await ask()) == OK
        assert len(ask.servers[1].queries) == 1


@on_loop
async def test_the_next_upstream_is_asked_when_one_cannot_be_reached() -> None:
    with Nameserver(GOOD) as good:
        async with forwarding(upstreams=(unreachable(), good.upstream)) as ask:
            assert text(await ask()) == OK


@pytest.mark.parametrize(
    ("scripts", "expected"),
    [
        ([silent], "SERVFAIL, EDE 22"),
        ([silent, silent], "SERVFAIL, EDE 22"),
        ([SERVFAIL], "SERVFAIL, EDE 23"),
        ([SERVFAIL, SERVFAIL], "SERVFAIL, EDE 23"),
        ([REFUSED], "SERVFAIL, EDE 23"),
        ([REFUSED] * 10, "SERVFAIL, EDE 23"),
        ([SERVFAIL, silent], "SERVFAIL, EDE 23"),
        ([silent, REFUSED], "SERVFAIL, EDE 23"),
    ],
)
@on_loop
async def test_when_all_fail_it_is_servfail_in_time(scripts: list[object], expected: str) -> None:
    """Never NXDOMAIN, never an empty NOERROR (RFC 5625 §6.2)."""
    async with forwarding(*scripts, deadline=SOON) as ask:  # type: ignore[arg-type]
        started = time.monotonic()
        assert text(await ask()) == expected
        assert time.monotonic() - started < SOON * 2
        queries = sum(len(server.queries) for server in ask.servers)
        assert len(scripts) <= queries + 2
        assert queries <= 8


@on_loop
async def test_connection_refused_is_servfail_at_once() -> None:
    async with forwarding(upstreams=(unreachable(),)) as ask:
        assert text(await ask()) == "SERVFAIL, EDE 23"


@on_loop
async def test_one_lost_datagram_is_no_loss() -> None:
    lost: list[bytes] = []

    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        if not lost:
            lost.append(message)
            return ()
        return GOOD(message, transport)

    async with forwarding(script, deadline=SOON) as ask:
        assert text(await ask()) == OK


@on_loop
async def test_a_late_answer_is_as_good_as_any() -> None:
    gated = Gated(GOOD)
    async with forwarding(gated, silent, deadline=1.5) as ask:
        answer = asyncio.ensure_future(ask())
        await until(lambda: len(ask.servers[1].queries) == 1)
        gated.open.set()
        assert text(await answer) == OK


@on_loop
async def test_an_upstream_that_is_down_is_asked_last_and_comes_back() -> None:
    first = Switch(silent)
    async with forwarding(first, GOOD, deadline=SOON) as ask:
        for number in range(2):
            await ask(f"down{number}.example.org")
        asked = len(ask.queries)
        await ask("now.example.org")
        assert len(ask.queries) == asked
        first.script = GOOD
        health = ask.resolver.forwarder.health[ask.servers[0].upstream]
        assert health.silences == 2
        health.down_until = 0.0
        await ask("back.example.org")
        assert len(ask.queries) == asked + 1
        assert not ask.resolver.forwarder.health


@on_loop
async def test_identical_queries_are_asked_once() -> None:
    gated = Gated(saying(A))
    async with forwarding(gated) as ask:
        answers = [
            asyncio.ensure_future(ask(qname, peer=peer, payload=payload))
            for qname in (QNAME, QNAME.upper(), "wWw.eXample.org")
            for peer in (IN_A, IN_B)
            for payload in (512, 1232)
        ]
        await until(lambda: len(ask.queries) == 1)
        gated.open.set()
        for answer in await asyncio.gather(*answers):
            assert answer.answer[0][0].to_text() == "192.0.2.1"
        assert len(ask.queries) == 1
        assert ask.resolver.forwarder.counters.joined == 11


@pytest.mark.parametrize(("transport", "names", "clients"), [("udp", 20, 1), ("tcp", 20, 1), ("udp", 1, 20)])
@on_loop
async def test_large_responses_are_read_one_after_the_other(
    transport: Transport, names: int, clients: int
) -> None:
    """Each costs milliseconds: 40 that were read at once kept everybody else waiting for a second."""

    def script(message: bytes, over: Transport) -> Iterable[bytes]:
        if over != transport:
            return saying(flags=dns.flags.TC)(message, over)
        return gated(message, over)

    gated = Gated(large)
    async with forwarding(script) as ask:
        answers = [
            asyncio.ensure_future(ask(f"n{name}.example.org"))
            for name in range(names)
            for _ in range(clients)
        ]
        await until(lambda: any(over == transport for over, _ in ask.queries))
        await asyncio.sleep(0.1)  # every query is sent
        gated.open.set()
        asked = names * (1 if transport == "udp" else 2)
        for _ in range(300):
            if len(ask.queries) == asked:
                break
            time.sleep(0.01)  # noqa: ASYNC251 - what is sent meanwhile is there at once when the loop goes on
        time.sleep(0.1)  # noqa: ASYNC251 - and the last one
        at_once, done = 0, 0
        while done < names * clients:
            await asyncio.sleep(0)
            before, done = done, sum(answer.done() for answer in answers)
            at_once = max(at_once, done - before)
        assert at_once <= 5
        for answer in answers:
            assert text(await answer).startswith("NOERROR")


@on_loop
async def test_a_clients_subnet_or_cookie_neither_splits_nor_shares() -> None:
    """RebirthDay: the key never holds a subnet. And nobody gets another's cookie."""
    gated = Gated(GOOD)
    async with forwarding(gated) as ask:
        answers = [
            asyncio.ensure_future(ask(peer="127.0.0.9", options=[option]))
            for option in (
                dns.edns.ECSOption("10.1.0.5", 32),
                dns.edns.ECSOption("10.2.0.5", 32),
                option(10, b"12345678"),
                option(12, bytes(50)),
            )
        ]
        await until(lambda: len(ask.queries) == 1)
        gated.open.set()
        got = [[type(o).__name__ for o in answer.options] for answer in await asyncio.gather(*answers)]
        assert got == [["ECSOption"], ["ECSOption"], [], []]
        assert len(ask.queries) == 1
        assert dns.message.from_wire(ask.queries[0][1]).options == ()


@pytest.mark.parametrize("how", [{"use_edns": False}, {"want_dnssec": True}, {"flags": dns.flags.CD}])
@on_loop
async def test_what_the_upstream_would_answer_otherwise_is_not_joined(how: dict[str, Any]) -> None:
    gated = Gated(GOOD)
    async with forwarding(gated) as ask:
        answers = [asyncio.ensure_future(ask()), asyncio.ensure_future(ask(**how))]
        gated.open.set()
        await asyncio.gather(*answers)
        assert len(ask.queries) == 2


@on_loop
async def test_too_many_in_flight_are_servfail_at_once() -> None:
    gated = Gated(GOOD)
    async with forwarding(gated, max_outstanding=20) as ask:
        answers = [asyncio.ensure_future(ask(f"n{number}.example.org")) for number in range(20)]
        await asyncio.sleep(0)
        assert len(ask.resolver.forwarder) == 20
        assert text(await ask()) == "SERVFAIL, EDE 0"
        joined = asyncio.ensure_future(ask("n0.example.org"))  # one that is on its way costs nothing
        gated.open.set()
        await asyncio.gather(*answers, joined)
        assert text(await ask()) == OK  # and it was not remembered as a failure


@on_loop
async def test_a_thousand_at_once() -> None:
    async with forwarding(silent) as ask:
        answers = [asyncio.ensure_future(ask(f"n{number}.example.org")) for number in range(1001)]
        rcodes = (await answers[1000]).rcode()
        assert rcodes == dns.rcode.SERVFAIL
        assert len(ask.resolver.forwarder) == 1000
        ask.resolver.close()
        await asyncio.gather(*answers)


@on_loop
async def test_closing_gives_up_what_is_in_flight() -> None:
    async with forwarding(silent) as ask:
        answer = asyncio.ensure_future(ask())
        await until(lambda: len(ask.queries) == 1)
        ask.resolver.close()
        assert text(await answer) == "SERVFAIL, EDE 22"


@on_loop
async def test_no_socket_to_be_had_is_servfail(monkeypatch: pytest.MonkeyPatch) -> None:
    async with forwarding(GOOD, deadline=SOON) as ask:
        import socket

        def none(*_: object) -> None:
            raise OSError(24, "Too many open files")

        monkeypatch.setattr(socket, "SocketType", none)
        try:
            assert text(await ask()) == "SERVFAIL, EDE 23"
        finally:
            monkeypatch.undo()
        ask.now += 10
        assert text(await ask()) == OK


def test_upstreams_are_written_as_sockets_want_them() -> None:
    assert Upstream(ip_address("::1"), 5).socket_address == ("::1", 5)
