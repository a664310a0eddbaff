"""However many datagrams there are, the event loop goes on."""

from __future__ import annotations

import asyncio
import time
from itertools import count
from types import SimpleNamespace

import pytest

from tests.support.event_loop import on_loop
from tests.support.obedient_service import Udp, query, serving
from vpcdns.listen import udp

ASKED = 2 * udp.BATCH + 2


@pytest.mark.parametrize("batches", [True, False], ids=["recvmmsg", "recvmsg"])
@on_loop
async def test_a_turn_ends_by_the_clock(batches: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock takes half a turn here, so that there is time for one batch."""
    ticks = count()
    clock = SimpleNamespace(monotonic=lambda: next(ticks) * udp.TURN / 2, time=time.time, sleep=time.sleep)
    monkeypatch.setattr(udp, "time", clock)
    async with serving(batches=batches) as served:
        with Udp() as client:
            for identity in range(ASKED):
                client.send(query(identity), ("127.0.0.1", served.port))
            received = [0]
            while received[-1] < ASKED:
                await asyncio.sleep(0)
                if served.counters.udp_received != received[-1]:
                    received.append(served.counters.udp_received)
    assert received == [0, udp.BATCH, 2 * udp.BATCH, ASKED]
