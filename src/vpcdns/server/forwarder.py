"""Asks upstreams on a query's behalf: who is asked when, and how long all may take.

Knows upstreams, deadlines and which of them answer; `upstream` knows the sockets. Identical queries in
flight are asked once (RebirthDay, security.md §4). Whatever upstreams do, a query is decided in time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from vpcdns.exchange import Failure, ForwardKey
from vpcdns.model.dns import Rcode
from vpcdns.model.policy import Upstream
from vpcdns.server.ports import Ports
from vpcdns.server.upstream import Attempt, Errand, Fault, TcpAttempt, UdpAttempt
from vpcdns.wire.relay import Relayed

DEADLINE: Final = 3.5  # seconds; Docker's resolver gives up after 4, stubs after 5 (containers.md §3)
MAX_FLIGHTS: Final = 1_000  # security.md §3: UDP has no back-pressure
# Each try gets its share of the deadline; three at least, so that one lost packet is no loss.
_TRIES_AT_LEAST: Final = 3
_TRIES_AT_MOST: Final = 8
# One timer looks after all flights, this often within a deadline. Two timers for each flight would all go
# through the loop's heap, to be cancelled nearly always.
_SWEEPS: Final = 70
_DOWN_AFTER: Final = 2  # silences in a row
_DOWN_AT_MOST: Final = 30.0  # seconds until an upstream that is down is asked first again
_NEXT_UPSTREAM: Final = frozenset({Rcode.SERVFAIL, Rcode.REFUSED})

Told = Callable[[Relayed | Failure], None]


@dataclass(slots=True)
class Health:
    """How an upstream has done: silences in a row, and until when others are asked before it."""

    silences: int = 0
    down_until: float = 0.0


@dataclass(slots=True)
class ForwardCounters:
    """For the metrics: what was asked of upstreams, and how it went."""

    queries: dict[Upstream, int] = field(default_factory=dict)
    silences: dict[Upstream, int] = field(default_factory=dict)
    joined: int = 0
    overloaded: int = 0
    loops: int = 0
    discarded: int = 0
    over_tcp: int = 0
    failures: int = 0


class Sender(NamedTuple):
    """Where a query came from, and under which id: one that we sent ourselves is a loop."""

    host: str
    port: int
    identity: int


class Forwarder:
    """Queries in flight to upstreams. Belongs to one event loop."""

    def __init__(self, *, deadline: float = DEADLINE, max_flights: int = MAX_FLIGHTS) -> None:
        self.counters = ForwardCounters()
        self.health: dict[Upstream, Health] = {}
        self.deadline = deadline
        self._max_flights = max_flights
        self._flights: dict[ForwardKey, _Flight] = {}
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
        flight = _Flight(self, errand, within, self._ports, self._loop)
        self._flights[errand.key] = flight
        flight.waiters.append(told)
        flight.start()

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

    def landed(self, flight: _Flight) -> None:
        """Called by a flight when it is over."""
        del self._flights[flight.errand.key]

    def in_order(self, upstreams: tuple[Upstream, ...], now: float) -> tuple[Upstream, ...]:
        """The upstreams as configured, those that are down last."""
        if not self.health:
            return upstreams
        down = {upstream for upstream, health in self.health.items() if health.down_until > now}
        return tuple(sorted(upstreams, key=down.__contains__))

    def heard(self, upstream: Upstream) -> None:
        """An upstream said something."""
        if self.health:
            self.health.pop(upstream, None)

    def silent(self, upstream: Upstream, now: float) -> None:
        """An upstream did not answer within its share of the deadline, or could not be reached."""
        self.counters.silences[upstream] = self.counters.silences.get(upstream, 0) + 1
        health = self.health.setdefault(upstream, Health())
        health.silences += 1
        if health.silences >= _DOWN_AFTER:
            health.down_until = now + min(_DOWN_AT_MOST, 2.0 ** min(health.silences, 10))

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeping = None
        now = loop.time()
        for flight in tuple(self._flights.values()):
            if now >= flight.due:
                flight.waited(now)
        if self._flights:
            self._sweeping = loop.call_later(self.deadline / _SWEEPS, self._sweep, loop)


class _Flight:
    """One question on its way: attempts at one upstream after the other, until one says something useful.

    Earlier attempts stay open when the next begins: a late answer is as good as any.
    """

    __slots__ = (
        "_asked",
        "_attempts",
        "_end",
        "_failure",
        "_fallback",
        "_forwarder",
        "_loop",
        "_over",
        "_ports",
        "_share",
        "_tries",
        "_upstreams",
        "due",
        "errand",
        "waiters",
    )

    def __init__(
        self,
        forwarder: Forwarder,
        errand: Errand,
        within: float,
        ports: Ports,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.errand = errand
        self.waiters: list[Told] = []
        self._forwarder = forwarder
        self._ports = ports
        self._loop = loop
        now = loop.time()
        # Those that are not given up, the next to be asked first.
        self._upstreams = forwarder.in_order(errand.upstreams, now)
        self._tries = min(max(len(self._upstreams), _TRIES_AT_LEAST), _TRIES_AT_MOST)
        self._share = within / self._tries
        self._end = now + within
        self.due = now
        self._attempts: list[Attempt] = []
        self._fallback: Relayed | None = None
        self._failure = Failure.SILENT
        self._over = False

    def start(self) -> None:
        self._try_next(self.due)

    def sent(self, sender: Sender) -> bool:
        """Whether a query is one of our own, come back."""
        return any(attempt.sent(*sender) for attempt in self._attempts)

    def waited(self, now: float) -> None:
        """The latest attempt has had its share of the deadline, or all of it is over."""
        self._forwarder.silent(self._asked, now)
        if now >= self._end:
            self._give_up()
        else:
            self._try_next(now)

    def _try_next(self, now: float) -> None:
        if not self._upstreams or (self._tries == 0 and not self._attempts):
            self._give_up()
            return
        if self._tries == 0:
            self.due = self._end
            return
        self._tries -= 1
        # The last share lasts until the end: what rounding and sweeping leave over is no time for another.
        self.due = self._end if self._tries == 0 else min(self._end, now + self._share)
        self._asked = upstream = self._upstreams[0]
        self._upstreams = (*self._upstreams[1:], upstream)
        queries = self._forwarder.counters.queries
        queries[upstream] = queries.get(upstream, 0) + 1
        self._begin(UdpAttempt(upstream, self.errand, self, self._ports))

    def received(self, attempt: Attempt, relayed: Relayed) -> None:
        """An attempt has a response to our question."""
        if self._over:
            return
        self._forwarder.heard(attempt.upstream)
        if relayed.truncated and isinstance(attempt, UdpAttempt):
            self._fallback = self._fallback or relayed
            self._drop(attempt)
            self._over_tcp(attempt.upstream)
        elif relayed.rcode in _NEXT_UPSTREAM:
            if relayed.rcode == Rcode.REFUSED:
                self._failure = Failure.REFUSED
            elif self._fallback is None:
                self._fallback = relayed
            self._next_after(attempt.upstream)
        else:
            self.finish(relayed)

    def failed(self, attempt: Attempt, fault: Fault) -> None:
        """An attempt will not get a response."""
        if self._over:
            return
        self._drop(attempt)
        if fault is Fault.UNUSABLE:
            self._failure = Failure.UNUSABLE
        elif self._failure is Failure.SILENT:
            self._failure = Failure.UNREACHABLE
        if all(other.upstream != attempt.upstream for other in self._attempts):
            self._forwarder.silent(attempt.upstream, self._loop.time())
            self._next_after(attempt.upstream)

    def discarded(self, attempt: Attempt, *, wrong_id: bool) -> None:
        """Something came that is no response to our question; the wait goes on, over TCP besides."""
        self._forwarder.counters.discarded += 1
        self._failure = Failure.UNUSABLE
        if wrong_id:
            self._over_tcp(attempt.upstream)

    def finish(self, result: Relayed | Failure) -> None:
        """Tells whoever waits."""
        if self._over:
            return
        self._over = True
        for attempt in self._attempts:
            attempt.close()
        self._attempts.clear()
        self._forwarder.landed(self)
        for told in self.waiters:
            told(result)

    def _over_tcp(self, upstream: Upstream) -> None:
        """Once for each upstream."""
        if any(isinstance(other, TcpAttempt) and other.upstream == upstream for other in self._attempts):
            return
        self._forwarder.counters.over_tcp += 1
        self._begin(TcpAttempt(upstream, self.errand, self))

    def _begin(self, attempt: Attempt) -> None:
        self._attempts.append(attempt)
        attempt.start()

    def _next_after(self, upstream: Upstream) -> None:
        """That upstream has said what it has to say, and is not asked again."""
        for attempt in [attempt for attempt in self._attempts if attempt.upstream == upstream]:
            self._drop(attempt)
        self._upstreams = tuple(other for other in self._upstreams if other != upstream)
        if upstream == self._asked or not self._upstreams:
            self._try_next(self._loop.time())

    def _drop(self, attempt: Attempt) -> None:
        attempt.close()
        if attempt in self._attempts:
            self._attempts.remove(attempt)

    def _give_up(self) -> None:
        if self._fallback is None:
            self._forwarder.counters.failures += 1
        self.finish(self._fallback or self._failure)
