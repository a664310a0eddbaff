"""However many TCP connections pipeline queries, datagrams are answered in between."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import dns.message
import pytest

from tests.support.event_loop import on_loop, until
from tests.support.repository import EXAMPLE
from vpcdns.net.turns import Turns
from vpcdns.testing import Server


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(EXAMPLE) as running:
        yield running


def pipelined(number: int) -> bytes:
    """Queries that are never remembered, and cost more than most."""
    octets = b""
    for place in range(400):
        name = f"n{number}-{place}.example.com.explain.vpcdns.internal"
        message = dns.message.make_query(name, "TXT", id=place).to_wire()
        octets += len(message).to_bytes(2, "big") + message
    return octets


def test_pipelining_connections_leave_datagrams_their_turn(server: Server) -> None:
    slowest = 0.0
    with ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection(server.dns, 20)) for _ in range(100)]
        messages = [pipelined(number) for number in range(len(connections))]
        probe = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        probe.connect(server.dns)
        probe.settimeout(10)

        def flood() -> None:
            for connection, octets in zip(connections, messages, strict=True):
                connection.setblocking(False)
                try:
                    connection.send(octets)
                except BlockingIOError:
                    continue

        flooding = threading.Thread(target=flood)
        flooding.start()
        for ident in range(100):
            before = time.monotonic()
            probe.send(dns.message.make_query("localhost", "A", id=ident).to_wire())
            assert probe.recv(4_096)[:2] == ident.to_bytes(2, "big")
            slowest = max(slowest, time.monotonic() - before)
        flooding.join()
    assert slowest < 1  # some 10 ms; the machine may be busy


@on_loop
async def test_whoever_has_not_had_a_turn_goes_first_and_the_others_in_order() -> None:
    turns, seen = Turns(), list[str]()

    def again(name: str, times: int) -> None:
        seen.append(name)
        if times:
            turns.wait(lambda: again(name, times - 1))

    turns.wait(lambda: again("a", 2))
    turns.wait(lambda: again("b", 1))
    turns.wait(lambda: again("c", 0), first=True)
    assert len(turns.waiting) == 3
    await until(lambda: not turns.waiting)
    assert seen == ["c", "a", "b", "a", "b", "a"]
