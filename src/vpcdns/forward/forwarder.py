"""Asks upstreams on behalf of queries: many at a time, each within the deadline.

Knows which questions are outstanding. Identical queries are asked once (RebirthDay, security.md §4).
"""

import asyncio
from typing import Final

from vpcdns.forward.attempt import UpstreamQuery
from vpcdns.forward.counters import ForwardCounters
from vpcdns.forward.health import Healths
from vpcdns.forward.outstanding import OnResult, OutstandingQuery, Sender
from vpcdns.forward.ports import Ports
from vpcdns.query import Failure, ForwardKey

DEADLINE: Final = 3.5  # seconds; Docker's resolver gives up after 4, stubs after 5 (containers.md §3)
MAX_OUTSTANDING: Final = 1_000  # security.md §3: UDP has no back-pressure
# One timer looks after all outstanding queries, this often within a deadline. Two timers for each query would
# all go through the loop's heap, and nearly always be cancelled.
_SWEEPS: Final = 70


class Forwarder:
    """The queries that upstreams are asked. Belongs to one event loop."""

    def __init__(self, *, deadline: float = DEADLINE, max_outstanding: int = MAX_OUTSTANDING) -> None:
        self.counters = ForwardCounters()
        self.health = Healths()
        self.deadline = deadline
        self._max_outstanding = max_outstanding
        self._outstanding: dict[ForwardKey, OutstandingQuery] = {}
        self._ports: Ports | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sweeping: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._outstanding)

    def has_room_for(self, key: ForwardKey) -> bool:
        """Whether a question would be asked at once: there is room, and nobody is asking it."""
        return key not in self._outstanding and len(self._outstanding) < self._max_outstanding

    def ask(
        self, upstream_query: UpstreamQuery, on_result: OnResult, within: float, sender: Sender | None = None
    ) -> None:
        """Calls `on_result` once, within so many seconds, with what the upstreams say.

        At once, if there is nothing to wait for. A forwarding loop is found because its question is the same
        as an outstanding one, and comes from an upstream that was asked it.
        """
        outstanding = self._outstanding.get(upstream_query.key)
        if outstanding is None and len(self._outstanding) < self._max_outstanding:
            self._start(upstream_query, on_result, within)
        elif outstanding is None:
            self.counters.overloaded += 1
            on_result(Failure.OVERLOADED)
        elif sender is not None and outstanding.looped(sender):
            self.counters.loops += 1
            on_result(Failure.LOOP)
        else:
            self.counters.joined += 1
            outstanding.waiters.append(on_result)

    def _start(self, upstream_query: UpstreamQuery, on_result: OnResult, within: float) -> None:
        if self._ports is None or self._loop is None:
            self._ports, self._loop = Ports(), asyncio.get_running_loop()
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(self.deadline / _SWEEPS, self._sweep, self._loop)
        now = self._loop.time()
        outstanding = self._outstanding[upstream_query.key] = OutstandingQuery(
            self, self._ports, upstream_query, on_result, now, within
        )
        outstanding.try_next(now)

    def close(self) -> None:
        """Gives up everything that is outstanding."""
        for outstanding in tuple(self._outstanding.values()):
            outstanding.finish(Failure.SILENT)
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        if self._ports is not None:
            self._ports.close_all()
            self._ports = self._loop = None

    def finished(self, outstanding: OutstandingQuery) -> None:
        del self._outstanding[outstanding.upstream_query.key]

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeping = None
        now = loop.time()
        for outstanding in tuple(self._outstanding.values()):
            if now >= outstanding.due:
                outstanding.waited(now)
        if self._outstanding:
            self._sweeping = loop.call_later(self.deadline / _SWEEPS, self._sweep, loop)
