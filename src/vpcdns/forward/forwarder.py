"""Asks upstreams on a query's behalf, many at a time, and no longer than may be.

Knows which questions are under way; one of them is a `flight`. Identical queries are asked once (RebirthDay,
security.md §4). Whatever upstreams do, a query is decided in time.
"""

from __future__ import annotations

import asyncio
from typing import Final

from vpcdns.forward.attempt import Errand
from vpcdns.forward.counters import ForwardCounters
from vpcdns.forward.health import Healths
from vpcdns.forward.outstanding import Flight, Sender, Told
from vpcdns.forward.ports import Ports
from vpcdns.query import Failure, ForwardKey

DEADLINE: Final = 3.5  # seconds; Docker's resolver gives up after 4, stubs after 5 (containers.md §3)
MAX_FLIGHTS: Final = 1_000  # security.md §3: UDP has no back-pressure
# One timer looks after all flights, this often within a deadline. Two timers for each flight would all go
# through the loop's heap, to be cancelled nearly always.
_SWEEPS: Final = 70


class Forwarder:
    """Queries in flight to upstreams. Belongs to one event loop."""

    def __init__(self, *, deadline: float = DEADLINE, max_flights: int = MAX_FLIGHTS) -> None:
        self.counters = ForwardCounters()
        self.health = Healths()
        self.deadline = deadline
        self._max_flights = max_flights
        self._flights: dict[ForwardKey, Flight] = {}
        self._ports: Ports | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sweeping: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._flights)

    def has_room_for(self, key: ForwardKey) -> bool:
        """Whether a question would be asked at once: there is room, and nobody is asking it."""
        return key not in self._flights and len(self._flights) < self._max_flights

    def ask(self, errand: Errand, told: Told, within: float, sender: Sender | None = None) -> None:
        """Calls `told` once, within so many seconds, with what the upstreams say.

        At once, if there is nothing to wait for. A loop cannot hide, because it has the same question as a
        flight.
        """
        flight = self._flights.get(errand.key)
        if flight is None and len(self._flights) < self._max_flights:
            self._start(errand, told, within)
        elif flight is None:
            self.counters.overloaded += 1
            told(Failure.OVERLOADED)
        elif sender is not None and flight.sent(sender):
            self.counters.loops += 1
            told(Failure.LOOP)
        else:
            self.counters.joined += 1
            flight.waiters.append(told)

    def _start(self, errand: Errand, told: Told, within: float) -> None:
        if self._ports is None or self._loop is None:
            self._ports, self._loop = Ports(), asyncio.get_running_loop()
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(self.deadline / _SWEEPS, self._sweep, self._loop)
        now = self._loop.time()
        flight = self._flights[errand.key] = Flight(self, self._ports, errand, told, now, within)
        flight.try_next(now)

    def close(self) -> None:
        """Gives up everything in flight."""
        for flight in tuple(self._flights.values()):
            flight.finish(Failure.SILENT)
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        if self._ports is not None:
            self._ports.close_all()
            self._ports = self._loop = None

    def landed(self, flight: Flight) -> None:
        del self._flights[flight.errand.key]

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeping = None
        now = loop.time()
        for flight in tuple(self._flights.values()):
            if now >= flight.due:
                flight.waited(now)
        if self._flights:
            self._sweeping = loop.call_later(self.deadline / _SWEEPS, self._sweep, loop)
