"""The Responder of the listeners: joins what decides, remembers and forwards queries."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from vpcdns.forward.flush import CacheSelection
from vpcdns.listen.rate_limits import ResponseRates
from vpcdns.listen.responder import Answer, PendingResponse
from vpcdns.model.cache_limits import DEFAULT_CACHE
from vpcdns.model.clients import is_trusted
from vpcdns.model.policy import Upstream
from vpcdns.model.topology import Address
from vpcdns.model.world import World
from vpcdns.query import Arrival, Fetched, Forward, Response, begin, finish, servfail
from vpcdns.recall.forward_routes import FoundRoute
from vpcdns.recall.views import RawPeer, View, Views
from vpcdns.server.pending import PendingQuery, QueryContext
from vpcdns.wire.format import ID_SIZE


def cache_size(world: World, processes: int) -> int:
    """How many octets the cache of each process may take."""
    # Without a cache in general, rules may have limits of their own.
    return (world.forwarding.cache or DEFAULT_CACHE).size // processes


_TURN: Final = 0.002  # seconds until queries have theirs


@dataclass(eq=False)
class Resolver(QueryContext):
    """Answers queries from the current World, and forwards the rest. The observer hears of every query.

    `processes` is how many processes share the cache's size.
    """

    processes: int = 1

    def __post_init__(self) -> None:
        self.rates = ResponseRates()
        self._turn = 0
        self.remembered = self._new_views(self.state.world)
        self.state.subscribe(self._renew)

    def respond(self, message: bytes, arrival: Arrival) -> Answer:
        """The response to one message; None for no response."""
        started, world = time.perf_counter(), self.state.world
        self._turn += 1
        decided = begin(message, arrival, world, self._turn)
        result = self.rates.limited(decided, arrival, world, self.clock())
        if isinstance(result, Forward):
            return self._forward(message, result, started)
        if result is decided and isinstance(result, Response):
            view = self._view_of(message, result, arrival)
            if view is not None:
                view.learn(message[ID_SIZE:], arrival, result)
        return self.answer(arrival, result, started)

    def relay(self, message: bytes, view: View, peer: RawPeer, found: FoundRoute) -> PendingResponse | None:
        """The response by way of a route that the view has learned."""
        return PendingQuery.routed(self, message, view, peer, found)

    def views(self, count: int) -> Views | None:
        """What may be recalled; None while the observer must see the queries themselves."""
        if self.observer.must_see(count):
            return None
        if self.remembered.is_full:
            self._renew(self.state.world, self.state.world)
        self.remembered.now = self.clock()
        return self.remembered

    def trusts(self, peer: Address) -> bool:
        """Whether `peer` may name clients by PROXY header."""
        return is_trusted(peer, self.state.world)

    def servfail(self, message: bytes) -> bytes | None:
        """What a query is owed when `respond` raised."""
        return servfail(message)

    async def flush(self, selection: CacheSelection) -> int:
        """Forgets cached responses, stale ones too, and that upstreams failed; how many responses.

        When it returns, none of them is given any more. What upstreams were asked before is not kept when
        it comes. A little at a time: queries are answered meanwhile.
        """
        self.forwarder.ask_anew()
        selected, flushed = selection.in_world(self.state.world), 0
        end = time.monotonic() + _TURN
        for key in self.cache.begin_flush():
            flushed += self.cache.flush(key, selected)
            if time.monotonic() > end:
                await asyncio.sleep(0)
                end = time.monotonic() + _TURN
        self.remembered.forget_cached()
        return flushed

    def silent_upstreams(self) -> frozenset[Upstream]:
        """Those that did not answer the last time."""
        return frozenset(self.forwarder.health)

    def close(self) -> None:
        """Gives up what is outstanding. The resolver can be used again."""
        self.forwarder.close()

    def _renew(self, old: World, new: World) -> None:
        """Forgets what was remembered in the old World; the cache gets the new one's size."""
        if new.forwarding.cache != old.forwarding.cache:
            self.cache.max_octets = cache_size(new, self.processes)
        former, self.remembered = self.remembered, self._new_views(new)
        former.close()

    def _new_views(self, world: World) -> Views:
        views = Views(world, self.clock(), self.observer.on_recall)
        self.observer.remembers(views)
        return views

    def _forward(self, message: bytes, forward: Forward, started: float) -> Answer:
        key = forward.key
        known = self.cache.fresh(key, self.clock())
        view = self._view_of(message, forward, forward.arrival)
        if known is None:
            if view is not None:
                view.routes.learn(message[ID_SIZE:], forward, self.state.world)
            return PendingQuery.decided(self, message, forward, key, started).now()
        result = finish(forward, known, self.state.world)
        if isinstance(result, Forward):  # a cached CNAME leads on
            return self._forward(message, result, started)
        if view is not None and isinstance(known, Fetched) and isinstance(result, Response):
            view.keep(message[ID_SIZE:], forward, known, result, self.cache)
        return self.answer(forward.arrival, result, started)

    def _view_of(self, message: bytes, decided: Response | Forward, arrival: Arrival) -> View | None:
        """The view in which the query may be remembered; None with a PROXY header: the message is longer."""
        resolution, listen = decided.resolution, arrival.listen
        if resolution is None or listen is None or len(message) != decided.query.size:
            return None
        return self.remembered.view_of(resolution.client, arrival.transport, listen)
