"""Asks upstreams on behalf of queries: who is asked next, and when, until one says something useful.

Knows which questions are outstanding, and a clock; `attempt` asks one upstream once. Identical queries are
asked once (RebirthDay, facts/security.md §4).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from vpcdns.forward.attempt import LARGE, Attempt, TcpAttempt, UdpAttempt, UpstreamQuery
from vpcdns.forward.counters import ForwardCounters
from vpcdns.forward.health import Healths
from vpcdns.forward.loops import Loops, Sender
from vpcdns.forward.ports import Ports
from vpcdns.forward.ttls import within_limits
from vpcdns.model.dns import Rcode
from vpcdns.model.policy import Upstream
from vpcdns.net.turns import Turns
from vpcdns.query import Failure, ForwardKey
from vpcdns.wire.upstream import Relayed

DEADLINE: Final = 3.5  # seconds; Docker's resolver gives up after 4, stubs after 5 (facts/containers.md §3)
MAX_OUTSTANDING: Final = 1_000  # facts/security.md §3: UDP has no back-pressure
# One timer looks after all outstanding queries, this often within a deadline. Two timers for each query would
# all go through the loop's heap, and nearly always be cancelled.
_SWEEPS: Final = 70
# Each try gets its share of the deadline; three at least, so that one lost packet is no loss.
_TRIES_AT_LEAST: Final = 3
_TRIES_AT_MOST: Final = 8
# Everything else is an error, and what one server cannot do another can.
_ANSWERS: Final = frozenset({Rcode.NOERROR, Rcode.NXDOMAIN})
_MAY_BE_EDNS: Final = frozenset({Rcode.FORMERR, Rcode.NOTIMP})  # RFC 6891 §6.2.2, §7


OnResult = Callable[[Relayed | Failure], None]


class Forwarder:
    """The queries that upstreams are asked. Belongs to one event loop."""

    def __init__(self, *, deadline: float = DEADLINE, max_outstanding: int = MAX_OUTSTANDING) -> None:
        self.counters = ForwardCounters()
        self.health = Healths()
        self.deadline = deadline
        self._max_outstanding = max_outstanding
        self.outstanding: dict[ForwardKey, OutstandingQuery] = {}
        self.turns = Turns()
        self._ports: Ports | None = None
        self._sweeping: asyncio.TimerHandle | None = None
        self.loops = Loops(self.outstanding)

    def __len__(self) -> int:
        return len(self.outstanding)

    def has_room_for(self, key: ForwardKey) -> bool:
        """Whether a question would be asked at once: there is room, and nobody is asking it."""
        return key not in self.outstanding and len(self.outstanding) < self._max_outstanding

    def ask(
        self, upstream_query: UpstreamQuery, on_result: OnResult, within: float, sender: Sender | None = None
    ) -> None:
        """Calls `on_result` once, within so many seconds, with what the upstreams say.

        At once, if there is nothing to wait for. A forwarding loop is found because its question is the same
        as an outstanding one, and comes from an upstream that was asked it.
        """
        outstanding = self.outstanding.get(upstream_query.key)
        if outstanding is None and len(self.outstanding) < self._max_outstanding:
            self._start(upstream_query, on_result, within)
        elif outstanding is None:
            self.counters.overloaded += 1
            on_result(Failure.OVERLOADED)
        elif sender is not None and self.loops.found(outstanding, sender):
            self.counters.loops += 1
            on_result(Failure.LOOP)
        else:
            self.counters.joined += 1
            outstanding.waiters.append(on_result)

    def _start(self, upstream_query: UpstreamQuery, on_result: OnResult, within: float) -> None:
        loop = asyncio.get_running_loop()
        self._ports = ports = self._ports or Ports()
        if self._sweeping is None:
            self._sweeping = loop.call_later(self.deadline / _SWEEPS, self._sweep, loop)
        query = OutstandingQuery(self, ports, upstream_query, on_result, loop.time(), within)
        self.outstanding[upstream_query.key] = query
        query.try_next(query.due)

    def ask_anew(self) -> None:
        """From now on nobody joins a query that is outstanding: what it brings is from before."""
        for query in tuple(self.outstanding.values()):
            del self.outstanding[query.key]
            query.key = b"%d" % id(query)  # a key that no question has
            self.outstanding[query.key] = query

    def close(self) -> None:
        """Gives up everything that is outstanding."""
        for outstanding in tuple(self.outstanding.values()):
            outstanding.finish(Failure.SILENT)
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        if self._ports is not None:
            self._ports.close_all()
            self._ports = None

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeping = None
        now = loop.time()
        for outstanding in tuple(self.outstanding.values()):
            if now >= outstanding.due:
                outstanding.waited(now)
        if self.outstanding:
            self._sweeping = loop.call_later(self.deadline / _SWEEPS, self._sweep, loop)


class OutstandingQuery:
    """One question on its way: attempts at one upstream after the other, until one says something useful.

    Earlier attempts stay open when the next begins: a late answer is as good as any.
    """

    def __init__(
        self,
        forwarder: Forwarder,
        ports: Ports,
        upstream_query: UpstreamQuery,
        on_result: OnResult,
        now: float,
        within: float,
    ) -> None:
        self.upstream_query = upstream_query
        self.key = upstream_query.key
        self.waiters, self.due = [on_result], now
        self._forwarder = forwarder
        self._counters, self._health = forwarder.counters, forwarder.health
        self._ports = ports
        # Those that are not given up, the next to be asked first.
        self._upstreams = self._health.in_order(upstream_query.upstreams, now)
        self._tries = min(max(len(self._upstreams), _TRIES_AT_LEAST), _TRIES_AT_MOST)
        self._share = within / self._tries
        self._end = now + within
        self.attempts: list[Attempt] = []
        self._fallback: Relayed | None = None
        self._failure = Failure.SILENT if self._upstreams else Failure.UNRESOLVED
        self._over = False
        self.is_loop_if_silent = False

    def ends_in_loop(self, upstream: Upstream) -> None:
        """That upstream has nothing to say: it waits for us."""
        if not self._over and upstream in self._upstreams:
            self._failure = Failure.LOOP
            self._next_after(upstream)

    def waited(self, now: float) -> None:
        """The latest attempt has had its share of the deadline, or all of it is over."""
        self._silent(self._asked, now)
        if now >= self._end:
            self._give_up()
        else:
            self.try_next(now)

    def try_next(self, now: float) -> None:
        """Asks the next upstream, if there is one to be asked."""
        if not self._upstreams or (self._tries == 0 and not self.attempts):
            self._give_up()
            return
        if self._tries == 0:
            self.due = self._end
            return
        self._tries -= 1
        # The last share lasts until the end: what rounding and sweeping leave over is no time for another.
        self.due = self._end if self._tries == 0 else min(self._end, now + self._share)
        self._asked = upstream = self._upstreams[0]
        if len(self._upstreams) > 1:
            self._upstreams = (*self._upstreams[1:], upstream)
        self._counters.queries[upstream] = self._counters.queries.get(upstream, 0) + 1
        self._begin(UdpAttempt, upstream, self._edns(upstream, now))

    def received(self, attempt: Attempt, relayed: Relayed) -> None:
        """An attempt has a response to our question."""
        if self._over:
            return
        self._health.heard(attempt.upstream)
        if relayed.truncated and isinstance(attempt, UdpAttempt):
            self._fallback = self._fallback or relayed
            self._drop(attempt)
            self._over_tcp(attempt.upstream)
        elif relayed.rcode in _MAY_BE_EDNS and attempt.edns:
            self._drop(attempt)
            self._begin(type(attempt), attempt.upstream, edns=False)
        elif relayed.rcode not in _ANSWERS:
            if self._failure is Failure.LOOP:
                pass  # the consequence of it
            elif relayed.rcode == Rcode.REFUSED:
                self._failure = Failure.REFUSED
            elif self._fallback is None:
                self._fallback = relayed
            self._next_after(attempt.upstream)
        else:
            if self.upstream_query.has_edns and not attempt.edns:
                self._health.refused_edns(attempt.upstream, asyncio.get_running_loop().time())
            self.finish(relayed)

    def failed(self, attempt: Attempt, failure: Failure) -> None:
        """An attempt will not get a response."""
        if self._over:
            return
        self._drop(attempt)
        if failure is Failure.UNUSABLE or self._failure is Failure.SILENT:
            self._failure = failure
        if all(other.upstream != attempt.upstream for other in self.attempts):
            self._silent(attempt.upstream, asyncio.get_running_loop().time())
            self._next_after(attempt.upstream)

    def discarded(self, attempt: Attempt, *, wrong_id: bool) -> None:
        """Something came that is no response to our question; the wait goes on, over TCP besides."""
        self._counters.discarded += 1
        self._failure = Failure.UNUSABLE
        if wrong_id:
            self._over_tcp(attempt.upstream)

    def finish(self, result: Relayed | Failure) -> None:
        """Tells whoever waits."""
        if self._over:
            return
        self._over = True
        for attempt in self.attempts:
            attempt.close()
        self.attempts.clear()
        del self._forwarder.outstanding[self.key]
        if isinstance(result, Relayed) and self.upstream_query.ttls is not None:
            result = within_limits(result, self.upstream_query.ttls)
        is_large = isinstance(result, Relayed) and len(result.octets) > LARGE
        at_once = 1 if is_large else len(self.waiters)
        for on_result in self.waiters[:at_once]:
            on_result(result)
        for on_result in self.waiters[at_once:]:
            self._forwarder.turns.wait(partial(on_result, result))

    def _over_tcp(self, upstream: Upstream) -> None:
        """Once for each upstream."""
        if any(isinstance(other, TcpAttempt) and other.upstream == upstream for other in self.attempts):
            return
        self._counters.over_tcp += 1
        self._begin(TcpAttempt, upstream, self._edns(upstream, asyncio.get_running_loop().time()))

    def _edns(self, upstream: Upstream, now: float) -> bool:
        return self.upstream_query.has_edns and self._health.knows_edns(upstream, now)

    def _begin(self, kind: type[Attempt], upstream: Upstream, edns: bool) -> None:
        attempt = kind(upstream, self.upstream_query, self, edns, self._ports)
        self.attempts.append(attempt)
        attempt.start()

    def _next_after(self, upstream: Upstream) -> None:
        """That upstream has said what it has to say, and is not asked again."""
        for attempt in [attempt for attempt in self.attempts if attempt.upstream == upstream]:
            self._drop(attempt)
        self._upstreams = tuple(other for other in self._upstreams if other != upstream)
        if upstream == self._asked or not self._upstreams:
            self.try_next(asyncio.get_running_loop().time())

    def _drop(self, attempt: Attempt) -> None:
        attempt.close()
        if attempt in self.attempts:
            self.attempts.remove(attempt)

    def _silent(self, upstream: Upstream, now: float) -> None:
        self._counters.silences[upstream] = self._counters.silences.get(upstream, 0) + 1
        self._health.silent(upstream, now)

    def _give_up(self) -> None:
        if self._fallback is None:
            self._counters.failures += 1
            if self._failure is Failure.SILENT and self.is_loop_if_silent:
                self._failure = Failure.LOOP
                self._counters.loops += 1
                self._forwarder.loops.say(self._asked)
        self.finish(self._fallback or self._failure)
