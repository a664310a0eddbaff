"""What one TCP peer may leave with us unread, and whom an open connection asks when listeners change."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address

import dns.message

from tests.support.event_loop import on_loop, settled, until
from tests.support.messages import txt_response
from tests.support.nameserver import Nameserver, Transport
from tests.support.obedient_service import Tcp, query, response, serving
from tests.support.resolver_service import listening
from vpcdns.config import loads
from vpcdns.listen.tcp_limits import TcpLimits
from vpcdns.model.policy import Listen
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

QUERIES = 400


def large(message: bytes, transport: Transport) -> Iterable[bytes]:
    """A TXT answer of some 60 KB, over TCP."""
    if transport == "udp":
        cut = dns.message.make_response(dns.message.from_wire(message))
        cut.flags |= dns.flags.TC
        yield cut.to_wire()
    else:
        yield txt_response(message, 60_000)


@on_loop
async def test_recalled_answers_wait_until_the_peer_reads() -> None:
    """Of 25 MB that a peer asks for and does not read, only what the kernel takes is made."""
    with Nameserver(large) as nameserver:
        text = f'{{forward: {{upstreams: ["127.0.0.1:{nameserver.upstream.port}"]}}}}'
        resolver = Resolver(State(loads(text).world))
        async with listening(resolver) as (service, listen):
            client = await Tcp.connect(listen.port)
            asked = [dns.message.make_query("large.example", "TXT", id=i).to_wire() for i in range(QUERIES)]
            for message in asked[:3]:  # the first one is forwarded, the second one remembered
                client.send(message)
                assert len(await client.message()) > 60_000
            client.send(*asked[3:])
            assert await settled(lambda: service.counters.tcp_answered) < QUERIES / 2
            for message in asked[3:]:
                assert (await client.message())[:2] == message[:2]
            client.close()


@on_loop
async def test_answers_that_come_later_and_are_not_read_end_the_connection() -> None:
    limits = TcpLimits(in_flight=300, unread_at_most=200_000)
    async with serving(limits=limits) as served:
        client = await served.tcp()
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.send(*(query(ident, b"late big") for ident in range(300)))
        await until(lambda: served.responder.waiting == 300)
        served.responder.release.set()
        await until(lambda: served.counters.tcp_unread == 1 and served.counters.tcp_open == 0)
        await served.is_serving()


@on_loop
async def test_what_all_peers_together_leave_unread_is_bounded() -> None:
    """Each of them lets less wait than one alone may."""
    limits = TcpLimits(in_flight=300, unread_in_all=100_000, sweep=0.05)
    async with serving(limits=limits) as served:
        clients = [await served.tcp() for _ in range(4)]
        for client in clients:
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.send(*(query(ident, b"late big") for ident in range(300)))
        await until(lambda: served.responder.waiting == 1_200)
        served.responder.release.set()
        await until(lambda: served.counters.tcp_unread > 0)
        await served.is_serving()


@on_loop
async def test_an_open_connection_asks_the_listener_of_now() -> None:
    """A listener whose clients count as another VPC's after a reload; and one that is gone."""
    async with serving() as served:
        client = await served.tcp()
        client.send(query(1))
        assert await client.message() == response(1)
        (listen,) = served.listens
        moved = replace(listen, vpc_id="vpc-b")
        served.service.commit(served.service.prepare([moved]))
        client.send(query(2))
        assert await client.message() == response(2)
        assert [seen[3] for seen in served.responder.seen] == [listen, moved]
        late = await served.tcp()
        late.send(query(3))
        assert await late.message() == response(3)
        assert served.responder.seen[-1][3] == moved
        served.service.commit(served.service.prepare([Listen(ip_address("127.0.0.2"), 0)]))
        with suppress(ConnectionError):
            assert await client.is_closed()
