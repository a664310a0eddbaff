"""TCP peers in numbers, peers that go away at the worst moment, and answers that overtake one another."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections.abc import Iterable

import dns.message
import dns.rrset
import pytest

from tests.support.event_loop import on_loop, until
from tests.support.nameserver import Nameserver, Transport
from tests.support.obedient_service import Tcp, framed, query, response, serving
from tests.support.resolver_service import listening
from vpcdns.config import loads
from vpcdns.listen.tcp_limits import TcpLimits
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

IDLE = 2_000


@pytest.mark.slow
@on_loop
async def test_2000_idle_connections_while_new_clients_are_served() -> None:
    """The longest idle makes room for each new one, which is answered at once."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < 3 * IDLE:
        pytest.skip(f"no more than {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (3 * IDLE, hard))
    async with serving(limits=TcpLimits(idle=60, idle_when_crowded=60)) as served:
        for number in range(IDLE):
            await served.tcp(source=f"127.1.{number % 20}.1")
            await asyncio.sleep(0)  # the server's turn: what overflows its backlog waits for a second
        await until(lambda: served.counters.tcp_open == IDLE)
        waits = []
        for number in range(100):
            started = time.perf_counter()
            client = await served.tcp(source="127.2.0.1")
            client.send(query(number))
            assert await client.message() == response(number)
            waits.append(time.perf_counter() - started)
        assert served.counters.tcp_evicted == 100
        assert served.counters.tcp_open == IDLE
        assert sorted(waits)[98] < 0.5


@on_loop
async def test_a_peer_that_resets_in_the_middle_of_a_write() -> None:
    async with serving() as served:
        for _ in range(20):
            client = await served.tcp()
            client.send(*(query(ident, b"big") for ident in range(90)))
            assert len(await client.read(10)) > 0
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
        await until(lambda: served.counters.tcp_open == 0)
        await served.is_serving()
        assert served.counters.responder_exceptions == 0


@on_loop
async def test_a_peer_that_resets_while_its_answer_is_outstanding() -> None:
    async with serving() as served:
        client = await served.tcp()
        client.send(query(1, b"late"), query(2, b"late raise"))
        await until(lambda: served.responder.waiting == 2)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        await until(lambda: served.counters.tcp_open == 0)
        served.responder.release.set()
        await served.is_serving()


@on_loop
async def test_an_octet_at_a_time_in_both_directions() -> None:
    async with serving() as served:
        client = await served.tcp()
        for octet in framed(query(1)):
            client.write(bytes((octet,)))
            await asyncio.sleep(0)
        octets = b""
        while len(octets) < 2 + len(response(1)):
            octets += await client.read(1)
        assert octets == framed(response(1))


@on_loop
async def test_half_open_ones_cost_their_time_and_no_more() -> None:
    """Connections that say nothing, a length, or half a message are closed by their deadlines."""
    async with serving(limits=TcpLimits(idle=0.3, message=0.3, sweep=0.02)) as served:
        clients = []
        for octets in (b"", b"\0", b"\0\x20", framed(query(1))[:-1]) * 10:
            client = await served.tcp()
            if octets:
                client.write(octets)
            clients.append(client)
        await served.is_serving()
        for client in clients:
            assert await client.is_closed()
        assert served.counters.tcp_expired >= len(clients)


def slow_at_first(message: bytes, transport: Transport) -> Iterable[bytes]:
    """Says nothing to the first query for slow.example, and answers every further one."""
    asked = dns.message.from_wire(message)
    name = asked.question[0].name
    if name.to_text() == "slow.example." and not _asked:
        _asked.append(message)
        return
    answer = dns.message.make_response(asked)
    answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.1"))
    yield answer.to_wire()


_asked: list[bytes] = []


@on_loop
async def test_answers_overtake_a_forwarded_one_that_is_slow() -> None:
    _asked.clear()
    with Nameserver(slow_at_first) as nameserver:
        upstream = nameserver.upstream
        text = (
            f'{{server: {{listen: ["127.0.0.1:0"]}}, forward: {{upstreams: ["127.0.0.1:{upstream.port}"]}}}}'
        )
        resolver = Resolver(State(loads(text, "f").world))
        async with listening(resolver) as (_, listen):
            client = await Tcp.connect(listen.port)
            names = ["slow.example", "localhost", "quick.example", "nothing.invalid"]
            client.send(*(dns.message.make_query(n, "A", id=i).to_wire() for i, n in enumerate(names)))
            order = [int.from_bytes((await client.message())[:2], "big") for _ in names]
            assert sorted(order) == [0, 1, 2, 3]
            assert order[-1] == 0
            client.close()
