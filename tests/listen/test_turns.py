"""However many datagrams there are, the event loop goes on."""

from __future__ import annotations

import socket
import time
from ipaddress import ip_address
from itertools import count
from types import SimpleNamespace

import pytest

from tests.support import messages
from tests.support.example_world import DEDICATED_NAME, example
from vpcdns.listen import udp_batches
from vpcdns.listen.counters import ListenerCounters
from vpcdns.listen.dispatch import Dispatch
from vpcdns.model.policy import Listen
from vpcdns.net.recvmmsg import is_available
from vpcdns.server.resolver import Resolver
from vpcdns.state import State


@pytest.mark.skipif(not is_available(), reason="there is no recvmmsg here")
def test_a_turn_ends_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock takes half a turn here, so that there is time for one batch."""
    ticks = count()
    clock = SimpleNamespace(
        monotonic=lambda: next(ticks) * udp_batches.TURN / 2, time=time.time, sleep=time.sleep
    )
    monkeypatch.setattr(udp_batches, "time", clock)
    counters, asked = ListenerCounters(), 2 * udp_batches.BATCH + 2
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        listen = Listen(ip_address("127.0.0.1"), sock.getsockname()[1])
        dispatch = Dispatch(Resolver(State(example())), counters)
        listener = udp_batches.BatchListener(sock, listen, dispatch, counters)
        client.connect(sock.getsockname())
        for identity in range(asked):
            client.send(messages.query(DEDICATED_NAME, identity=identity).to_wire())
        received = []
        for _ in range(3):
            listener._drain()
            received.append(counters.udp_received)
    assert received == [udp_batches.BATCH, 2 * udp_batches.BATCH, asked]
