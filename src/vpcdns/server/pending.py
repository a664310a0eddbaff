"""Queries that wait for upstreams: those that were decided first, and those that have a learned route.

Knows the forwarder, the cache and the current World; no sockets. A query that has a route is relayed without
being decided if the upstream's response is plain, as nearly all are; otherwise it is decided when the
response is there (measured: 49 µs of CPU time a query instead of 125, sockets included).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Final

from vpcdns.forward.attempt import UpstreamQuery, upstream_query_of
from vpcdns.forward.cache import Cache
from vpcdns.forward.forwarder import Forwarder
from vpcdns.forward.loops import Sender
from vpcdns.listen.responder import PendingResponse
from vpcdns.model.dns import Rcode
from vpcdns.query import Arrival, Drop, Failure, Fetched, Forward, ForwardKey, Response, begin, finish
from vpcdns.recall.answer_kind import AnswerKind
from vpcdns.recall.forward_routes import FoundRoute, Route
from vpcdns.recall.views import RawPeer, View, arrival_of
from vpcdns.server.observer import Observer
from vpcdns.state import State
from vpcdns.wire.format import ID_SIZE
from vpcdns.wire.upstream import Relayed

# These say nothing about whether upstreams would have answered.
_NOT_UPSTREAMS_FAULT: Final = frozenset({Failure.OVERLOADED, Failure.LOOP, Failure.UNRESOLVED})


@dataclass(eq=False)
class QueryContext:
    """What all queries of a Resolver share; `stale_after` is in seconds."""

    state: State
    _: KW_ONLY
    observer: Observer = field(default_factory=Observer)
    cache: Cache = field(default_factory=Cache)
    forwarder: Forwarder = field(default_factory=Forwarder)
    # RFC 8767 §5: when there is something stale to say, a client does not wait longer for something fresh.
    stale_after: float = 1.8
    clock: Callable[[], float] = time.monotonic

    def keep(self, asked: UpstreamQuery, result: Relayed | Failure) -> None:
        """Remembers what upstreams said, or that they did not; nothing where the cache is off."""
        if asked.ttls is None:
            return
        if isinstance(result, Relayed) and result.rcode != Rcode.SERVFAIL:
            self.cache.keep(asked.key, result, self.clock(), asked.ttls)
        elif result not in _NOT_UPSTREAMS_FAULT:
            self.cache.keep_failure(asked.key, self.clock())

    def answer(self, arrival: Arrival, result: Response | Drop, started: float) -> bytes | None:
        """What to send; the observer hears of it first."""
        self.observer.decided(arrival, result, time.perf_counter() - started)
        return result.octets if isinstance(result, Response) else None


# How a query came that was not decided, the route it takes, and its first labels. A plain tuple costs least.
_Routed = tuple[View, RawPeer, Route, bytes]


class PendingQuery(PendingResponse):
    """One query that waits. No coroutine: a task for each costs more than what it does."""

    __slots__ = ("_asked", "_context", "_flushes", "_message", "_origin", "_stale", "_started", "_timer")

    def __init__(
        self,
        context: QueryContext,
        message: bytes,
        asked: UpstreamQuery,
        origin: Forward | _Routed,
        started: float,
    ) -> None:
        # As the base class does; a call for each forwarded query costs 0.1 µs.
        self.is_done, self.result, self._callback = False, None, None
        self._origin = origin
        self._context = context
        self._message = message
        self._asked = asked
        self._started = started
        self._flushes = context.cache.flushes  # as of when upstreams were asked
        self._stale: Fetched | None = None
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def decided(
        cls, context: QueryContext, message: bytes, forward: Forward, key: ForwardKey, started: float
    ) -> PendingQuery:
        """One that was decided to be forwarded. What is stale is said after `stale_after`."""
        pending = cls(context, message, upstream_query_of(forward, key), forward, started)
        pending._stale = stale = context.cache.stale(key, context.clock())
        if stale is not None:
            loop = asyncio.get_running_loop()
            pending._timer = loop.call_later(context.stale_after, pending._settle, stale)
        pending._ask(forward)
        return pending

    @classmethod
    def routed(
        cls, context: QueryContext, message: bytes, view: View, peer: RawPeer, found: FoundRoute
    ) -> PendingQuery | None:
        """One that takes a route; None if it must be decided: the answer is cached, or must be waited for."""
        route, first = found
        asked = route.upstream_query(first)
        cache, forwarder = context.cache, context.forwarder
        if cache.knows(asked.key) or not forwarder.has_room_for(asked.key):
            return None
        cache.counters.misses += 1
        pending = cls(context, message, asked, (view, peer, route, first), time.perf_counter())
        forwarder.ask(asked, pending._on_result, forwarder.deadline)
        return pending

    def cancel(self) -> None:
        super().cancel()
        if self._timer is not None:
            self._timer.cancel()

    def _ask(self, forward: Forward) -> None:
        """Asks the upstreams, for as long as the query has not waited yet."""
        self._flushes = self._context.cache.flushes
        forwarder, arrival = self._context.forwarder, forward.arrival
        left = forwarder.deadline - (time.perf_counter() - self._started)
        sender = Sender(str(arrival.peer), arrival.port, forward.query.id)
        forwarder.ask(self._asked, self._on_result, max(0.0, left), sender)

    def _on_result(self, result: Relayed | Failure) -> None:
        try:
            if self._flushes == self._context.cache.flushes:
                self._context.keep(self._asked, result)
            if isinstance(self._origin, tuple) and isinstance(result, Relayed):
                response = self._relayed(self._origin, result)
                if response is not None:
                    self.deliver(response)
                    return
        except Exception as bug:  # noqa: BLE001 - for the one catch-all, behind `deliver`
            self.deliver(bug)
            return
        failed = isinstance(result, Failure) or result.rcode == Rcode.SERVFAIL
        if failed and self._stale is not None:
            self._settle(self._stale)
        else:
            self._settle(Fetched(result) if isinstance(result, Relayed) else result)

    def _relayed(self, routed: _Routed, relayed: Relayed) -> bytes | None:
        """The response, made of the upstream's by the route; None: the query must be decided."""
        view, peer, route, first = routed
        kind = route.kinds.get(relayed.rcode)
        if kind is None or view.views.world is not self._context.state.world:
            return None
        response = route.response(first, relayed)
        if response is None:
            return None
        took, message = time.perf_counter() - self._started, self._message
        query = time.time(), view, message[ID_SIZE:], peer, took, relayed
        self._context.observer.relayed(query, kind, len(response) + ID_SIZE)
        return message[:ID_SIZE] + response

    def _settle(self, fetched: Fetched | Failure) -> None:
        """Decides the query in the current World, which may be another than when it came."""
        if self.is_done:  # answered with stale data meanwhile, or abandoned
            return
        if isinstance(fetched, Fetched) and fetched.stale:
            self._context.cache.counters.stale += 1
        if self._timer is not None:
            self._timer.cancel()
        try:
            arrival, result = self._decide(fetched)
            while isinstance(result, Forward):  # a CNAME leads on, or the World has changed
                key, now = result.key, self._context.clock()
                known = self._context.cache.fresh(key, now)
                if known is None:
                    self._origin, self._stale = result, self._context.cache.stale(key, now)
                    self._asked = upstream_query_of(result, key)
                    self._ask(result)
                    return
                result = finish(result, known, self._context.state.world)
            response = self._context.answer(arrival, result, self._started)
            if isinstance(fetched, Fetched) and isinstance(result, Response):
                self._learn(arrival, result, fetched.relayed)
        except Exception as bug:  # noqa: BLE001 - for the one catch-all, behind `deliver`
            self.deliver(bug)
        else:
            self.deliver(response)

    def _decide(self, fetched: Fetched | Failure) -> tuple[Arrival, Response | Forward | Drop]:
        world = self._context.state.world
        origin = self._origin
        if isinstance(origin, Forward):
            return origin.arrival, finish(origin, fetched, world)
        arrival = arrival_of(*origin[:2])
        decided = begin(self._message, arrival, world)
        if isinstance(decided, Forward) and decided.key == self._asked.key:
            return arrival, finish(decided, fetched, world)
        return arrival, decided

    def _learn(self, arrival: Arrival, response: Response, relayed: Relayed) -> None:
        """Remembers the kind of such responses, if the route would have made the same octets."""
        if isinstance(self._origin, tuple):
            _, _, route, first = self._origin
            if route.response(first, relayed) == response.octets[ID_SIZE:]:
                route.kinds[relayed.rcode] = AnswerKind(arrival, response)
