"""Asks upstreams on a query's behalf: who is asked when, and how long all may take.

Knows upstreams, deadlines and which of them answer; `upstream` knows the sockets. Identical queries in
flight are asked once (RebirthDay, security.md §4). Whatever upstreams do, a query is decided in time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final

from vpcdns.exchange import Failure, Forward, ForwardKey
from vpcdns.model.dns import Rcode
from vpcdns.model.policy import Upstream
from vpcdns.server.upstream import Attempt, Fault, LocalPorts, TcpAttempt, UdpAttempt
from vpcdns.wire.relay import Relayed

DEADLINE: Final = 3.5  # seconds; Docker's resolver gives up after 4, stubs after 5 (containers.md §3)
MAX_FLIGHTS: Final = 1_000  # security.md §3: UDP has no back-pressure
# Each try gets its share of the deadline; three at least, so that one lost packet is no loss.
_TRIES_AT_LEAST: Final = 3
_TRIES_AT_MOST: Final = 8
_DOWN_AFTER: Final = 2  # silences in a row
_DOWN_AT_MOST: Final = 30.0  # seconds until an upstream that is down is asked first again
_NEXT_UPSTREAM: Final = frozenset({Rcode.SERVFAIL, Rcode.REFUSED})


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
    discarded: int = 0
    over_tcp: int = 0
    failures: int = 0


class Forwarder:
    """Queries in flight to upstreams. Belongs to one event loop."""

    def __init__(self, *, deadline: float = DEADLINE, max_flights: int = MAX_FLIGHTS) -> None:
        self.counters = ForwardCounters()
        self.health: dict[Upstream, Health] = {}
        self.local_ports: LocalPorts = set()
        self._deadline = deadline
        self._max_flights = max_flights
        self._flights: dict[ForwardKey, _Flight] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def ask(self, forward: Forward) -> asyncio.Future[Relayed | Failure]:
        """A future of what the upstreams say; done within the deadline, and never with an exception."""
        waiter: asyncio.Future[Relayed | Failure] = asyncio.get_running_loop().create_future()
        flight = self._flights.get(forward.key)
        if flight is not None:
            self.counters.joined += 1
            flight.waiters.append(waiter)
        elif len(self._flights) >= self._max_flights:
            self.counters.overloaded += 1
            waiter.set_result(Failure.OVERLOADED)
        else:
            flight = self._flights[forward.key] = _Flight(self, forward, self._deadline)
            flight.waiters.append(waiter)
            flight.start()
        return waiter

    def is_loop(self, peer: str, port: int) -> bool:
        """Whether a query came from one of our own sockets to an upstream."""
        return (peer, port) in self.local_ports

    def close(self) -> None:
        """Gives up everything in flight."""
        for flight in tuple(self._flights.values()):
            flight.finish(Failure.SILENT)

    def landed(self, key: ForwardKey) -> None:
        """Called by a flight when it is over."""
        del self._flights[key]

    def in_order(self, upstreams: tuple[Upstream, ...]) -> list[Upstream]:
        """The upstreams as configured, those that are down last."""
        now = asyncio.get_running_loop().time()
        return sorted(upstreams, key=lambda upstream: self._down_until(upstream) > now)

    def heard(self, upstream: Upstream) -> None:
        """An upstream said something."""
        self.health.pop(upstream, None)

    def silent(self, upstream: Upstream) -> None:
        """An upstream did not answer within its share of the deadline, or could not be reached."""
        self.counters.silences[upstream] = self.counters.silences.get(upstream, 0) + 1
        health = self.health.setdefault(upstream, Health())
        health.silences += 1
        if health.silences >= _DOWN_AFTER:
            now = asyncio.get_running_loop().time()
            health.down_until = now + min(_DOWN_AT_MOST, 2.0 ** min(health.silences, 10))

    def _down_until(self, upstream: Upstream) -> float:
        health = self.health.get(upstream)
        return 0.0 if health is None else health.down_until


class _Flight:
    """One question on its way: attempts at one upstream after the other, until one says something useful.

    Earlier attempts stay open when the next begins: a late answer is as good as any.
    """

    def __init__(self, forwarder: Forwarder, forward: Forward, deadline: float) -> None:
        self.waiters: list[asyncio.Future[Relayed | Failure]] = []
        self._forwarder = forwarder
        self._forward = forward
        self._loop = asyncio.get_running_loop()
        upstreams = forwarder.in_order(forward.resolution.upstreams)
        self._plan: Iterator[Upstream] = cycle(upstreams)
        self._open_upstreams = set(upstreams)
        tries = min(max(len(upstreams), _TRIES_AT_LEAST), _TRIES_AT_MOST)
        self._share = deadline * 0.97 / tries
        self._end = self._loop.call_later(deadline, self._expired)
        self._next: asyncio.TimerHandle | None = None
        self._attempts: set[Attempt] = set()
        self._fallback: Relayed | None = None
        self._failure = Failure.SILENT
        self._over = False

    def start(self) -> None:
        self._try_next(None)

    def _try_next(self, silent: Upstream | None) -> None:
        """Asks the next upstream that has not failed for good; `silent` is the one that did not answer."""
        if self._next is not None:
            self._next.cancel()
        if silent is not None:
            self._forwarder.silent(silent)
        if not self._open_upstreams:
            self._expired()
            return
        upstream = next(upstream for upstream in self._plan if upstream in self._open_upstreams)
        self._next = self._loop.call_later(self._share, self._try_next, upstream)
        queries = self._forwarder.counters.queries
        queries[upstream] = queries.get(upstream, 0) + 1
        attempt = UdpAttempt(upstream, self._forward.query, self, self._forwarder.local_ports)
        self._attempts.add(attempt)
        attempt.start()

    def received(self, attempt: Attempt, relayed: Relayed) -> None:
        """An attempt has a response to our question."""
        self._drop(attempt)
        self._forwarder.heard(attempt.upstream)
        if relayed.truncated and isinstance(attempt, UdpAttempt):
            self._fallback = self._fallback or relayed
            self._over_tcp(attempt.upstream)
        elif relayed.rcode in _NEXT_UPSTREAM:
            if relayed.rcode == Rcode.REFUSED:
                self._failure = Failure.REFUSED
            elif self._fallback is None:
                self._fallback = relayed
            self._gave_up(attempt.upstream)
        else:
            self.finish(relayed)

    def failed(self, attempt: Attempt, fault: Fault) -> None:
        """An attempt will not get a response."""
        self._drop(attempt)
        if fault is Fault.UNREACHABLE and self._failure is Failure.SILENT:
            self._failure = Failure.UNREACHABLE
        elif fault is Fault.UNUSABLE:
            self._failure = Failure.UNUSABLE
        self._forwarder.silent(attempt.upstream)
        self._gave_up(attempt.upstream)

    def discarded(self, attempt: Attempt, *, wrong_id: bool) -> None:
        """Something came that is no response to our question; the wait goes on, over TCP besides."""
        self._forwarder.counters.discarded += 1
        self._failure = Failure.UNUSABLE
        tcp = any(isinstance(a, TcpAttempt) and a.upstream == attempt.upstream for a in self._attempts)
        if wrong_id and not tcp:
            self._over_tcp(attempt.upstream)

    def finish(self, result: Relayed | Failure) -> None:
        """Hands the result to whoever waits."""
        if self._over:
            return
        self._over = True
        self._end.cancel()
        if self._next is not None:
            self._next.cancel()
        for attempt in self._attempts:
            attempt.close()
        self._attempts.clear()
        self._forwarder.landed(self._forward.key)
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(result)

    def _over_tcp(self, upstream: Upstream) -> None:
        self._forwarder.counters.over_tcp += 1
        attempt = TcpAttempt(upstream, self._forward.query, self, self._forwarder.local_ports)
        self._attempts.add(attempt)
        attempt.start()

    def _gave_up(self, upstream: Upstream) -> None:
        """That upstream is not asked again, unless another attempt at it is still open."""
        if self._over or any(attempt.upstream == upstream for attempt in self._attempts):
            return
        self._open_upstreams.discard(upstream)
        self._try_next(None)

    def _drop(self, attempt: Attempt) -> None:
        attempt.close()
        self._attempts.discard(attempt)

    def _expired(self) -> None:
        if self._over:
            return
        if self._fallback is None:
            self._forwarder.counters.failures += 1
        self.finish(self._fallback or self._failure)
