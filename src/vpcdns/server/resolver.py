"""Joins the exchange with the current World, the cache and the forwarder: the Responder of the listeners.

Knows where the World is held and what an exchange can result in; decides nothing itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from vpcdns.forward.attempt import upstream_query_of
from vpcdns.forward.cache import Cache
from vpcdns.forward.forwarder import Forwarder
from vpcdns.forward.outstanding import Sender
from vpcdns.listen.rate_limits import ResponseRates
from vpcdns.model.clients import is_trusted
from vpcdns.model.dns import Rcode
from vpcdns.model.policy import Listen, Transport
from vpcdns.model.topology import Address
from vpcdns.model.world import World
from vpcdns.query import (
    Answer,
    Arrival,
    Drop,
    Failure,
    Fetched,
    Forward,
    ForwardKey,
    Response,
    begin,
    finish,
    servfail,
)
from vpcdns.recall.cached_answers import fleeting
from vpcdns.recall.views import RecalledQuery, Views
from vpcdns.server.short_way import ShortWay
from vpcdns.state import State
from vpcdns.wire.upstream import Relayed

# RFC 8767 §5: when there is something stale to say, a client does not wait longer for something fresh.
STALE_AFTER: Final = 1.8
# A loop and a lack of room say nothing about whether upstreams would have answered.
_NOT_UPSTREAMS_FAULT: Final = frozenset({Failure.OVERLOADED, Failure.LOOP})

Observer = Callable[[Arrival, Response | Drop, float], None]


class Resolver:
    """Answers queries from the current World, and from upstreams what is not the World's.

    Every query that is decided is told to `observers` with the seconds that it took; one that is recalled
    to `tell`, and its kind is counted in `remembered`, which `retiring` get to see before it goes with
    its World. While one of `watchers` says so, of so many queries to come, nothing is recalled.
    """

    def __init__(
        self,
        state: State,
        *,
        cache: Cache | None = None,
        forwarder: Forwarder | None = None,
        stale_after: float = STALE_AFTER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cache = Cache() if cache is None else cache
        self.forwarder = Forwarder() if forwarder is None else forwarder
        self.rates = ResponseRates()
        self.observers: list[Observer] = []
        self.watchers: list[Callable[[int], bool]] = []
        self.retiring: list[Callable[[Views], None]] = []
        self.tell: Callable[[RecalledQuery], None] | None = None
        self.short_way = ShortWay(self)
        self.remembered = Views(state.world, clock(), self.short_way)
        self.stale_after = stale_after
        self.clock = clock
        self._state = state
        state.subscribe(self._renew)

    def respond(
        self,
        message: bytes,
        peer: Address,
        port: int,
        transport: Transport,
        listen: Listen,
        proxied: Address | None = None,
    ) -> Answer:
        """The response to one message; None for no response; a future when upstreams are asked."""
        started, world = time.perf_counter(), self._state.world
        arrival = Arrival(peer, transport, listen.vpc_id, proxied, listen)
        decided = begin(message, arrival, world)
        result = self.rates.limited(decided, arrival, world, self.clock())
        if isinstance(result, Forward):
            return self._forward(message, result, port, started)
        if result is not decided:
            return self.told(arrival, result, started)
        # After a PROXY header the message is longer than the query; that is nothing to remember.
        if (
            isinstance(result, Response)
            and result.resolution is not None
            and len(message) == result.query.size
        ):
            view = self.remembered.view_of(result.resolution.client, transport, listen)
            view.learn(message[2:], arrival, result)
        return self.told(arrival, result, started)

    def hot(self, count: int) -> Views | None:
        """What may be recalled; nothing while somebody must see the queries themselves."""
        for watcher in self.watchers:
            if watcher(count):
                return None
        self.remembered.now = self.clock()
        return self.remembered

    def _renew(self, _old: World, new: World) -> None:
        """Nothing of one World is remembered in the next."""
        for retire in self.retiring:
            retire(self.remembered)
        self.remembered.close()
        self.remembered = Views(new, self.clock(), self.short_way)

    def trusts(self, peer: Address) -> bool:
        """Whether `peer` may name clients by PROXY header."""
        return is_trusted(peer, self._state.world)

    def servfail(self, message: bytes) -> bytes | None:
        """What a query is owed when `respond` raised."""
        return servfail(message)

    def close(self) -> None:
        """Gives up what is in flight. The resolver can be used again."""
        self.forwarder.close()

    def _forward(self, message: bytes, forward: Forward, port: int, started: float) -> Answer:
        key = forward.key
        known = self.cache.fresh(key, self.clock())
        if known is not None:
            result = finish(forward, known, self._state.world)
            if isinstance(known, Fetched) and isinstance(result, Response):
                self._remember(message, forward, key, known, result)
            if not isinstance(result, Forward):
                return self.told(forward.arrival, result, started)
        else:
            self._learn_route(message, forward)
        pending = _Pending(self, forward, key, port, started)
        pending.ask()
        return pending.future

    def settle(
        self, message: bytes, arrival: Arrival, key: ForwardKey, fetched: Fetched | Failure, started: float
    ) -> tuple[Response | None, Answer]:
        """Decides a query whose upstreams have been asked already: the reply, if any, and the answer."""
        world = self._state.world
        decided = begin(message, arrival, world)
        if isinstance(decided, Forward):
            result = finish(decided, fetched, world) if decided.key == key else decided
        else:
            result = decided
        if isinstance(result, Forward):  # the World has changed meanwhile: others are to be asked
            pending = _Pending(self, result, result.key, 0, started)
            pending.ask()
            return None, pending.future
        return (result if isinstance(result, Response) else None), self.told(arrival, result, started)

    def _learn_route(self, message: bytes, forward: Forward) -> None:
        arrival = forward.arrival
        if arrival.transport == "udp" and arrival.listen is not None and len(message) == forward.query.size:
            view = self.remembered.view_of(forward.resolution.client, "udp", arrival.listen)
            view.routes.learn(message[2:], forward, self._state.world)

    def _remember(
        self, message: bytes, forward: Forward, key: ForwardKey, fetched: Fetched, reply: Response
    ) -> None:
        arrival, kept = forward.arrival, fleeting(message, forward, key, fetched, reply, self.cache)
        if kept is not None and arrival.listen is not None:
            view = self.remembered.view_of(forward.resolution.client, arrival.transport, arrival.listen)
            view.keep(message[2:], arrival, kept)

    def keep(self, key: ForwardKey, result: Relayed | Failure) -> None:
        """Remembers what upstreams said, or that they did not."""
        now = self.clock()
        if isinstance(result, Relayed) and result.rcode != Rcode.SERVFAIL:
            self.cache.keep(key, result, now)
        elif result not in _NOT_UPSTREAMS_FAULT:
            self.cache.keep_failure(key, now)

    def finish(self, forward: Forward, result: Fetched | Failure) -> Response | Forward | Drop:
        """Decided in the World of now, which may be another than when the query came."""
        return finish(forward, result, self._state.world)

    def told(self, arrival: Arrival, result: Response | Drop, started: float) -> bytes | None:
        """What to send; observers hear of it first."""
        if self.observers:
            took = time.perf_counter() - started
            for observer in self.observers:
                observer(arrival, result, took)
        return result.octets if isinstance(result, Response) else None


class _Pending:
    """One query that waits for upstreams. `future` gets its response.

    A future and callbacks, no coroutine: a task for each query costs more than what it does.
    """

    __slots__ = ("_forward", "_key", "_port", "_resolver", "_stale", "_started", "_timer", "future")

    def __init__(
        self, resolver: Resolver, forward: Forward, key: ForwardKey, port: int, started: float
    ) -> None:
        loop = asyncio.get_running_loop()
        self.future: asyncio.Future[bytes | None] = loop.create_future()
        self._resolver = resolver
        self._forward = forward
        self._key = key
        self._port = port
        self._started = started
        self._stale = resolver.cache.stale(key, resolver.clock())
        self._timer: asyncio.TimerHandle | None = None
        if self._stale is not None:
            self._timer = loop.call_later(resolver.stale_after, self._answer, self._stale)

    def ask(self) -> None:
        """Asks the upstreams, for as long as the query has not waited yet."""
        forwarder = self._resolver.forwarder
        left = forwarder.deadline - (time.perf_counter() - self._started)
        forward = self._forward
        sender = Sender(str(forward.arrival.peer), self._port, forward.query.id)
        forwarder.ask(upstream_query_of(forward, self._key), self._heard, max(0.0, left), sender)

    def _heard(self, result: Relayed | Failure) -> None:
        self._resolver.keep(self._key, result)
        if isinstance(result, Relayed):
            failed = result.rcode == Rcode.SERVFAIL
            self._answer(self._stale if failed and self._stale is not None else Fetched(result))
        else:
            self._answer(self._stale or result)

    def _answer(self, fetched: Fetched | Failure) -> None:
        if self.future.done():  # answered with stale data meanwhile, or abandoned
            return
        if isinstance(fetched, Fetched) and fetched.stale:
            self._resolver.cache.counters.stale += 1
        if self._timer is not None:
            self._timer.cancel()
        try:
            result = self._resolver.finish(self._forward, fetched)
            if isinstance(result, Forward):
                self._ask_others(result)
            else:
                self.future.set_result(self._resolver.told(self._forward.arrival, result, self._started))
        except Exception as fault:  # noqa: BLE001 - for the one catch-all, which awaits the future
            self.future.set_exception(fault)

    def _ask_others(self, forward: Forward) -> None:
        """The World has changed: other upstreams are to be asked now."""
        self._forward, self._key = forward, forward.key
        self._stale = None
        self.ask()
