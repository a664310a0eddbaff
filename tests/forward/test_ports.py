"""A port of its own for every question, whatever becomes of the socket."""

from __future__ import annotations

import asyncio
import socket
import sys
from ipaddress import ip_address

import pytest

from tests.support.event_loop import needs_ipv6, on_loop, until
from tests.support.resolver_and_upstreams import descriptors
from vpcdns.forward.ports import IDLE_AT_MOST, Ports
from vpcdns.model.policy import Upstream

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="sockets are used again on Linux only"
)


def nothing(_mask: int) -> None:
    raise AssertionError("nobody asked")


def server(host: str) -> tuple[socket.socket, Upstream]:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    return sock, Upstream(ip_address(host), sock.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("::1", marks=needs_ipv6)])
@on_loop
async def test_every_question_has_another_port(host: str) -> None:
    ports, (listening, upstream) = Ports(), server(host)
    seen, sockets = [], set[socket.SocketType]()
    with listening:
        for _ in range(200):
            sock = ports.open(upstream, nothing)
            seen.append(sock.getsockname()[1])
            sockets.add(sock)
            assert sock.getpeername()[:2] == (host, upstream.port)
            ports.close(sock, answered=True)
            assert sock.getsockname()[1] == 0  # bound to nothing: nobody is heard
        ports.close_all()
    assert len(set(seen)) > 190
    assert [sock.fileno() for sock in sockets] == [-1]


@on_loop
async def test_a_socket_without_an_answer_is_closed() -> None:
    ports, (listening, upstream) = Ports(), server("127.0.0.1")
    with listening:
        sock = ports.open(upstream, nothing)
        ports.close(sock)
        assert sock.fileno() == -1
        ports.close_all()


@on_loop
async def test_what_comes_to_the_port_that_was_given_up_is_not_heard() -> None:
    ports, (listening, upstream) = Ports(), server("127.0.0.1")
    with listening:
        sock = ports.open(upstream, nothing)
        before = sock.getsockname()
        ports.close(sock, answered=True)
        again = ports.open(upstream, nothing)
        assert again is sock
        listening.sendto(b"late", before)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(BlockingIOError):
            again.recv(100)
        ports.close_all()
        again.close()


@on_loop
async def test_what_came_before_the_port_was_given_up_ends_the_socket() -> None:
    ports, (listening, upstream) = Ports(), server("127.0.0.1")
    with listening:
        sock = ports.open(upstream, nothing)
        listening.sendto(b"one more", sock.getsockname())
        ports.close(sock, answered=True)
        await until(lambda: sock.fileno() == -1)
        other = ports.open(upstream, nothing)
        assert other is not sock
        ports.close_all()
        other.close()


@on_loop
async def test_whoever_has_the_socket_now_is_called() -> None:
    ports, (listening, upstream) = Ports(), server("127.0.0.1")
    with listening:
        for _ in range(3):
            heard = asyncio.Event()
            sock = ports.open(upstream, lambda _, heard=heard: heard.set())  # type: ignore[misc] # bound at once
            listening.sendto(b"x", sock.getsockname())
            await asyncio.wait_for(heard.wait(), 5)
            assert sock.recv(100) == b"x"
            ports.close(sock, answered=True)
        ports.close_all()


@on_loop
async def test_idle_sockets_are_bounded() -> None:
    ports, (listening, upstream) = Ports(), server("127.0.0.1")
    with listening:
        sockets = [ports.open(upstream, nothing) for _ in range(IDLE_AT_MOST + 5)]
        for sock in sockets:
            ports.close(sock, answered=True)
        assert sum(sock.fileno() >= 0 for sock in sockets) == IDLE_AT_MOST
        ports.close_all()
        assert not any(sock.fileno() >= 0 for sock in sockets)


@on_loop
async def test_a_socket_that_cannot_be_connected_is_closed() -> None:
    ports, before = Ports(), descriptors()
    with pytest.raises(OSError, match=r"."):
        ports.open(Upstream(ip_address("255.255.255.255"), 53), nothing)
    assert descriptors() == before
    ports.close_all()
