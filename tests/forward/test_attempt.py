"""What comes back from an upstream, and what of it counts: everything that a hostile one could think of."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from ipaddress import ip_address

import dns.flags
import dns.message
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.event_loop import needs_ipv6, on_loop
from tests.support.nameserver import Nameserver, Transport
from tests.support.resolver_and_upstreams import GOOD, NEVER, QNAME, SOON, A, forwarding, made, silent, text
from tests.support.wrong_responses import FORGED, WRONG, forged
from vpcdns.forward.attempt import random_id
from vpcdns.model.policy import Upstream

OK = f"NOERROR, {QNAME}. 300 192.0.2.1"


@pytest.mark.parametrize("wrong", WRONG)
@on_loop
async def test_a_wrong_response_is_discarded_and_the_wait_goes_on(wrong: str) -> None:
    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        if transport == "udp":
            yield WRONG[wrong](message)
        yield made(message, A)

    async with forwarding(script) as ask:
        assert text(await ask()) == OK
        assert ask.resolver.forwarder.counters.discarded == 1


@pytest.mark.parametrize("wrong", WRONG)
@on_loop
async def test_nothing_but_wrong_responses_is_servfail(wrong: str) -> None:
    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        yield WRONG[wrong](message)

    async with forwarding(script, deadline=SOON) as ask:
        assert text(await ask()) == "SERVFAIL, EDE 23"


@on_loop
async def test_a_wrong_id_has_tcp_asked() -> None:
    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        yield forged(message, 1) if transport == "udp" else made(message, A)

    async with forwarding(script) as ask:
        assert text(await ask()) == OK
        assert [transport for transport, _ in ask.queries] == ["udp", "tcp"]
        udp, tcp = (message for _, message in ask.queries)
        assert udp[2:] == tcp[2:]


@on_loop
async def test_an_endless_flood_ends_the_ear() -> None:
    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        return (forged(message, 14) for _ in range(200))

    async with forwarding(script) as ask:
        assert text(await ask()) == "SERVFAIL, EDE 23"


@on_loop
async def test_another_address_is_not_heard() -> None:
    """The socket is connected: the kernel shows us only what the upstream's address and port sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))

        def script(message: bytes, transport: Transport) -> Iterable[bytes]:
            (forgery,) = FORGED(message, "udp")
            assert stranger.sendto(forgery, ("127.0.0.1", ask.servers[0].ports[-1]))
            return [made(message, A)]

        async with forwarding(script) as ask:
            assert text(await ask()) == OK
            assert ask.resolver.forwarder.counters.discarded == 0


@on_loop
async def test_a_truncated_response_is_asked_for_over_tcp() -> None:
    many = [f"{QNAME} 60 IN A 192.0.2.{n}" for n in range(200)]

    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        yield made(message, many[0], flags=dns.flags.TC) if transport == "udp" else made(message, *many)

    async with forwarding(script) as ask:
        over_udp = await ask()
        assert over_udp.flags & dns.flags.TC
        assert len(over_udp.answer[0]) > 60
        over_tcp = await ask(transport="tcp")
        assert not over_tcp.flags & dns.flags.TC
        assert len(over_tcp.answer[0]) == 200
        assert [transport for transport, _ in ask.queries] == ["udp", "tcp"]


@pytest.mark.parametrize("tcp", ["truncated again", "closed", "wrong", "silent"])
@on_loop
async def test_when_tcp_does_not_help_udp_clients_get_what_there_is(tcp: str) -> None:
    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        if transport == "udp" or tcp == "truncated again":
            yield made(message, A, flags=dns.flags.TC)
        elif tcp == "wrong":
            yield forged(message, 1)
        elif tcp == "closed":
            raise OSError

    async with forwarding(script, deadline=SOON) as ask:
        over_udp = await ask()
        assert text(over_udp) == OK
        assert over_udp.flags & dns.flags.TC
        assert text(await ask(transport="tcp")) == "SERVFAIL, EDE 23"


class SlowTcp:
    """Truncates over UDP; over TCP it sends the response octet by octet, so far as it is told to."""

    def __init__(self, octets: int) -> None:
        self.octets = octets
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(self.tcp.getsockname())
        self.upstream = Upstream(ip_address("127.0.0.1"), self.tcp.getsockname()[1])
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self) -> None:
        message, peer = self.udp.recvfrom(4096)
        self.udp.sendto(made(message, flags=dns.flags.TC), peer)
        connection, _ = self.tcp.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            response = made(connection.recv(4096)[2:], A)
            octets = len(response).to_bytes(2, "big") + response
            for octet in octets[: self.octets]:
                connection.send(bytes((octet,)))
            connection.recv(1)  # until we are given up


@pytest.mark.parametrize(("octets", "whole"), [(1000, True), (40, False), (1, False), (0, False)])
@on_loop
async def test_slow_tcp(octets: int, whole: bool) -> None:
    upstream = SlowTcp(octets)
    upstream.thread.start()
    deadline = NEVER if whole else SOON
    try:
        async with forwarding(upstreams=(upstream.upstream,), deadline=deadline) as ask:
            answer = await ask()
            assert text(answer) == (OK if whole else "NOERROR")
            assert bool(answer.flags & dns.flags.TC) is not whole
    finally:
        upstream.thread.join(5)
        upstream.tcp.close()
        upstream.udp.close()


@on_loop
async def test_ids_and_ports_are_fresh() -> None:
    async with forwarding(GOOD) as ask:
        for number in range(60):
            await ask(f"n{number}.example.org")
        idents = [message[:2] for _, message in ask.queries]
        assert len(set(idents)) > 50
        assert len(set(ask.servers[0].ports)) > 50


def test_ids_are_all_there() -> None:
    idents = {random_id() for _ in range(20_000)}
    assert len(idents) > 15_000
    assert min(idents) < 500
    assert max(idents) > 65_000


@needs_ipv6
@on_loop
async def test_an_upstream_on_ipv6() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
        server.bind(("::1", 0))

        def serve() -> None:
            message, peer = server.recvfrom(4096)
            server.sendto(made(message, A), peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        upstream = Upstream(ip_address("::1"), server.getsockname()[1])
        async with forwarding(upstreams=(upstream,)) as ask:
            assert text(await ask()) == OK
        thread.join(5)


@pytest.mark.parametrize("address", ["127.0.0.1", "240.0.0.1"])
@on_loop
async def test_an_upstream_that_cannot_be_reached(address: str) -> None:
    with Nameserver(silent) as gone:
        port = gone.upstream.port
    async with forwarding(upstreams=(Upstream(ip_address(address), port),), deadline=SOON) as ask:
        assert text(await ask()) in ("SERVFAIL, EDE 23", "SERVFAIL, EDE 22")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(2, 90), st.integers(0, 255)), max_size=5), st.integers(0, 120))
def test_any_response_gives_a_well_formed_one(changes: list[tuple[int, int]], length: int) -> None:
    """Invariant: whatever octets an upstream sends, the client gets a well-formed response in time."""

    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        octets = bytearray(made(message, A, f"{QNAME} 60 IN CNAME x.example"))
        for place, octet in changes:
            octets[place % len(octets)] = octet
        yield bytes(octets[: len(octets) - length % len(octets)])

    @on_loop
    async def run() -> None:
        async with forwarding(script, deadline=0.02) as ask:
            answer = await ask()
            assert answer.rcode() < 16 or answer.edns == 0

    run()
