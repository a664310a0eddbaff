"""The short way of a plain query for a foreign name: to an upstream and back without being decided.

Knows routes, the cache and the forwarder. Takes only what a route is known for and what comes back plain, as
nearly all does; the rest is decided by the slow path, from the message on, with what the upstreams said. What
it bought (measured): 49 µs of CPU time a query instead of 125, sockets included.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from vpcdns.forward.attempt import UpstreamQuery
from vpcdns.query import Answer, Arrival, Failure, Fetched, Response
from vpcdns.recall.answer_kind import AnswerKind
from vpcdns.recall.routes import Route
from vpcdns.recall.views import Done, Raw, View, arrival_of
from vpcdns.wire.upstream import Relayed

if TYPE_CHECKING:
    from vpcdns.server.resolver import Resolver

# Hears of each answer that came this way: its kind, the seconds that it took, octets in and out.
Counted = Callable[[AnswerKind, float, int, int], None]


class ShortWay:
    """Of one Resolver."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self.counted: Counted | None = None

    def take(self, view: View, query: bytes, identity: bytes, peer: Raw, done: Done) -> bool:
        """Whether a query, here without its id, goes this way.

        Then `done` is called once, later, with what there is to send, or with what answering it raised.
        """
        found = view.routes.find(query)
        if found is None:
            return False
        route, first = found
        errand = route.errand(first)
        resolver = self.resolver
        forwarder, cache = resolver.forwarder, resolver.cache
        if cache.knows(errand.key) or not forwarder.has_room_for(errand.key):
            return False
        cache.counters.misses += 1
        walk = _Walk(self, view, route, first, errand, query, identity, peer, done)
        forwarder.ask(errand, walk.heard, forwarder.deadline)
        return True


class _Walk:
    """One query on the short way."""

    __slots__ = (
        "_done",
        "_errand",
        "_first",
        "_identity",
        "_peer",
        "_query",
        "_route",
        "_started",
        "_view",
        "_way",
    )

    def __init__(
        self,
        way: ShortWay,
        view: View,
        route: Route,
        first: bytes,
        errand: UpstreamQuery,
        query: bytes,
        identity: bytes,
        peer: Raw,
        done: Done,
    ) -> None:
        self._way = way
        self._view = view
        self._route = route
        self._first = first
        self._errand = errand
        self._query = query
        self._identity = identity
        self._peer = peer
        self._done = done
        self._started = time.perf_counter()

    def heard(self, result: Relayed | Failure) -> None:
        """What the upstreams say."""
        answer: Answer | Exception
        try:
            answer = self._answer(result)
        except Exception as fault:  # noqa: BLE001 - for the one catch-all, which is behind `done`
            answer = fault
        self._done(answer)

    def _answer(self, result: Relayed | Failure) -> Answer:
        resolver, route = self._way.resolver, self._route
        resolver.keep(self._errand.key, result)
        if isinstance(result, Relayed) and self._view.hot is resolver.remembered:
            known = route.known.get(result.rcode)
            if known is not None:
                response = route.response(self._first, result)
                if response is not None:
                    self._tell(known, len(response), result)
                    return self._identity + response
        return self._long_way(result)

    def _tell(self, known: AnswerKind, size: int, relayed: Relayed) -> None:
        took, way = time.perf_counter() - self._started, self._way
        if way.counted is not None:
            way.counted(known, took, len(self._query) + 2, size + 2)
        tell = way.resolver.tell
        if tell is not None:
            tell((time.time(), self._view, self._query, self._peer, took, relayed))

    def _long_way(self, result: Relayed | Failure) -> Answer:
        """QueryRecord after all, in the World of now; the next of its kind need not be."""
        arrival = arrival_of(self._view, self._peer)
        fetched = Fetched(result) if isinstance(result, Relayed) else result
        message = self._identity + self._query
        reply, answer = self._way.resolver.settle(message, arrival, self._errand.key, fetched, self._started)
        if reply is not None and isinstance(result, Relayed):
            self._learn(arrival, reply, result)
        return answer

    def _learn(self, arrival: Arrival, reply: Response, relayed: Relayed) -> None:
        """The kind of such responses, if the route writes them as the slow path did."""
        if self._route.response(self._first, relayed) == reply.octets[2:]:
            self._route.known[relayed.rcode] = AnswerKind(arrival, reply)
