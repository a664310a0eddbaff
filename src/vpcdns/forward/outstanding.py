"""One question on its way to upstreams: who is asked next, and when, until one says something useful.

Knows attempts and a clock; `attempt` makes an attempt, `forwarder` knows who waits for the answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from vpcdns.forward.attempt import Attempt, AttemptFailure, TcpAttempt, UdpAttempt, UpstreamQuery
from vpcdns.forward.counters import ForwardCounters
from vpcdns.forward.health import Healths
from vpcdns.forward.ports import Ports
from vpcdns.model.dns import Rcode
from vpcdns.model.policy import Upstream
from vpcdns.query import Failure
from vpcdns.wire.upstream import Relayed

# Each try gets its share of the deadline; three at least, so that one lost packet is no loss.
_TRIES_AT_LEAST: Final = 3
_TRIES_AT_MOST: Final = 8
# What one server cannot do another can: FORMERR, SERVFAIL, NOTIMP, REFUSED, YXDOMAIN, NOTAUTH.
_NEXT_UPSTREAM: Final = frozenset({1, 2, 4, 5, 6, 9})
_MAY_BE_EDNS: Final = frozenset({Rcode.FORMERR, Rcode.NOTIMP})  # RFC 6891 §6.2.2, §7

# Where ordinary clients ask from as well.
_ANYBODYS: Final = frozenset({"127.0.0.1", "::1"})

log = logging.getLogger("vpcdns.forward")

OnResult = Callable[[Relayed | Failure], None]


class Sender(NamedTuple):
    """Where a query came from, and under which id: one that we sent ourselves is a loop."""

    host: str
    port: int
    identity: int


class OutstandingQueries(Protocol):
    """The Forwarder, as one outstanding query sees it."""

    counters: ForwardCounters
    health: Healths

    def finished(self, outstanding: OutstandingQuery) -> None:
        """The query is over."""


class OutstandingQuery:
    """One question on its way: attempts at one upstream after the other, until one says something useful.

    Earlier attempts stay open when the next begins: a late answer is as good as any.
    """

    __slots__ = (
        "_asked",
        "_attempts",
        "_base",
        "_end",
        "_failure",
        "_fallback",
        "_over",
        "_ports",
        "_share",
        "_tries",
        "_upstreams",
        "due",
        "upstream_query",
        "waiters",
    )

    def __init__(
        self,
        base: OutstandingQueries,
        ports: Ports,
        upstream_query: UpstreamQuery,
        on_result: OnResult,
        now: float,
        within: float,
    ) -> None:
        self.upstream_query = upstream_query
        self.waiters = [on_result]
        self._base = base
        self._ports = ports
        # Those that are not given up, the next to be asked first.
        self._upstreams = base.health.in_order(upstream_query.upstreams, now)
        self._tries = min(max(len(self._upstreams), _TRIES_AT_LEAST), _TRIES_AT_MOST)
        self._share = within / self._tries
        self._end = now + within
        self.due = now
        self._attempts: list[Attempt] = []
        self._fallback: Relayed | None = None
        self._failure = Failure.SILENT
        self._over = False

    def looped(self, sender: Sender) -> bool:
        """Whether the same query is one of our own, come back, or comes from an upstream that has it from us.

        That upstream has nothing to say then: it waits for us.
        """
        for attempt in self._attempts:
            host = attempt.upstream.socket_address[0]
            if attempt.sent(*sender) or (host == sender.host and host not in _ANYBODYS):
                self._failure = Failure.LOOP
                log.warning("Upstream %s asks us what we have asked it: a forwarding loop", attempt.upstream)
                self._next_after(attempt.upstream)
                return True
        return False

    def waited(self, now: float) -> None:
        """The latest attempt has had its share of the deadline, or all of it is over."""
        self._silent(self._asked, now)
        if now >= self._end:
            self._give_up()
        else:
            self.try_next(now)

    def try_next(self, now: float) -> None:
        """Asks the next upstream, if there is one to be asked."""
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
        if len(self._upstreams) > 1:
            self._upstreams = (*self._upstreams[1:], upstream)
        queries = self._base.counters.queries
        queries[upstream] = queries.get(upstream, 0) + 1
        self._begin(UdpAttempt(upstream, self.upstream_query, self, self._edns(upstream, now), self._ports))

    def received(self, attempt: Attempt, relayed: Relayed) -> None:
        """An attempt has a response to our question."""
        if self._over:
            return
        self._base.health.heard(attempt.upstream)
        if relayed.truncated and isinstance(attempt, UdpAttempt):
            self._fallback = self._fallback or relayed
            self._drop(attempt)
            self._over_tcp(attempt.upstream)
        elif relayed.rcode in _MAY_BE_EDNS and attempt.edns:
            self._drop(attempt)
            self._begin(attempt.again_without_edns())
        elif relayed.rcode in _NEXT_UPSTREAM:
            if relayed.rcode == Rcode.REFUSED:
                self._failure = Failure.REFUSED
            elif self._fallback is None:
                self._fallback = relayed
            self._next_after(attempt.upstream)
        else:
            if self.upstream_query.has_edns and not attempt.edns:
                self._base.health.refused_edns(attempt.upstream, asyncio.get_running_loop().time())
            self.finish(relayed)

    def failed(self, attempt: Attempt, fault: AttemptFailure) -> None:
        """An attempt will not get a response."""
        if self._over:
            return
        self._drop(attempt)
        if fault is AttemptFailure.UNUSABLE:
            self._failure = Failure.UNUSABLE
        elif self._failure is Failure.SILENT:
            self._failure = Failure.UNREACHABLE
        if all(other.upstream != attempt.upstream for other in self._attempts):
            self._silent(attempt.upstream, asyncio.get_running_loop().time())
            self._next_after(attempt.upstream)

    def discarded(self, attempt: Attempt, *, wrong_id: bool) -> None:
        """Something came that is no response to our question; the wait goes on, over TCP besides."""
        self._base.counters.discarded += 1
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
        self._base.finished(self)
        for on_result in self.waiters:
            on_result(result)

    def _over_tcp(self, upstream: Upstream) -> None:
        """Once for each upstream."""
        if any(isinstance(other, TcpAttempt) and other.upstream == upstream for other in self._attempts):
            return
        self._base.counters.over_tcp += 1
        edns = self._edns(upstream, asyncio.get_running_loop().time())
        self._begin(TcpAttempt(upstream, self.upstream_query, self, edns))

    def _edns(self, upstream: Upstream, now: float) -> bool:
        return self.upstream_query.has_edns and self._base.health.knows_edns(upstream, now)

    def _begin(self, attempt: Attempt) -> None:
        self._attempts.append(attempt)
        attempt.start()

    def _next_after(self, upstream: Upstream) -> None:
        """That upstream has said what it has to say, and is not asked again."""
        for attempt in [attempt for attempt in self._attempts if attempt.upstream == upstream]:
            self._drop(attempt)
        self._upstreams = tuple(other for other in self._upstreams if other != upstream)
        if upstream == self._asked or not self._upstreams:
            self.try_next(asyncio.get_running_loop().time())

    def _drop(self, attempt: Attempt) -> None:
        attempt.close()
        if attempt in self._attempts:
            self._attempts.remove(attempt)

    def _silent(self, upstream: Upstream, now: float) -> None:
        silences = self._base.counters.silences
        silences[upstream] = silences.get(upstream, 0) + 1
        self._base.health.silent(upstream, now)

    def _give_up(self) -> None:
        if self._fallback is None:
            self._base.counters.failures += 1
        self.finish(self._fallback or self._failure)
