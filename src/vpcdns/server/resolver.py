"""Joins the exchange with the current World, the cache and the forwarder: the Responder of the listeners.

Knows where the World is held and what an exchange can result in; decides nothing itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from vpcdns.exchange import (
    Arrival,
    Drop,
    Failure,
    Fetched,
    Forward,
    Reply,
    Transport,
    begin,
    finish,
    servfail,
)
from vpcdns.model.clients import is_trusted
from vpcdns.model.dns import Rcode
from vpcdns.model.policy import Listen
from vpcdns.model.topology import Address
from vpcdns.server.cache import Cache
from vpcdns.server.forwarder import Forwarder
from vpcdns.state import State
from vpcdns.wire.relay import Relayed

# RFC 8767 §5: when there is something stale to say, a client does not wait longer for something fresh.
STALE_AFTER: Final = 1.8

Observer = Callable[[Arrival, Reply | Drop, float], None]


class Resolver:
    """Answers queries from the current World, and from upstreams what is not the World's.

    Every decided query is told to `observers` with the seconds that it took.
    """

    def __init__(
        self, state: State, *, cache: Cache | None = None, forwarder: Forwarder | None = None
    ) -> None:
        self.cache = Cache() if cache is None else cache
        self.forwarder = Forwarder() if forwarder is None else forwarder
        self.observers: list[Observer] = []
        self._state = state

    def respond(
        self,
        message: bytes,
        peer: Address,
        port: int,
        transport: Transport,
        listen: Listen,
        proxied: Address | None = None,
    ) -> bytes | Awaitable[bytes | None] | None:
        """The response to one message; None for no response; an awaitable when upstreams are asked."""
        started = time.perf_counter()
        arrival = Arrival(peer, transport, listen.vpc_id, proxied, listen)
        result = begin(message, arrival, self._state.world)
        if isinstance(result, Forward):
            return self._forward(result, port, started)
        return self._told(arrival, result, started)

    def trusts(self, peer: Address) -> bool:
        """Whether `peer` may name clients by PROXY header."""
        return is_trusted(peer, self._state.world)

    def servfail(self, message: bytes) -> bytes | None:
        """What a query is owed when `respond` raised."""
        return servfail(message)

    def _forward(self, forward: Forward, port: int, started: float) -> bytes | Awaitable[bytes | None] | None:
        known: Fetched | Failure | None
        if self.forwarder.is_loop(str(forward.arrival.peer), port):
            known = Failure.LOOP
        else:
            known = self.cache.fresh(forward.key, time.monotonic())
        if known is not None:
            return self._finished(forward, known, started)
        return self._ask(forward, started)

    async def _ask(self, forward: Forward, started: float) -> bytes | None:
        waiter = self.forwarder.ask(forward)
        stale = self.cache.stale(forward.key, time.monotonic())
        if stale is not None:
            done, _ = await asyncio.wait((waiter,), timeout=STALE_AFTER)
            if not done:
                waiter.add_done_callback(lambda answered: self._keep(forward, answered.result()))
                self.cache.counters.stale += 1
                return self._finished(forward, stale, started)
        result = await waiter
        self._keep(forward, result)
        failed = isinstance(result, Failure) or result.rcode == Rcode.SERVFAIL
        if failed and stale is not None:
            self.cache.counters.stale += 1
            return self._finished(forward, stale, started)
        fetched = result if isinstance(result, Failure) else Fetched(result)
        return self._finished(forward, fetched, started)

    def _keep(self, forward: Forward, result: Relayed | Failure) -> None:
        now = time.monotonic()
        if isinstance(result, Relayed) and result.rcode != Rcode.SERVFAIL:
            self.cache.keep(forward.key, result, now)
        elif result is not Failure.OVERLOADED:
            self.cache.keep_failure(forward.key, now)

    def _finished(self, forward: Forward, result: Fetched | Failure, started: float) -> bytes | None:
        # Decided in the World of now, which may be another than when the query came.
        return self._told(forward.arrival, finish(forward, result, self._state.world), started)

    def _told(self, arrival: Arrival, result: Reply | Drop, started: float) -> bytes | None:
        took = time.perf_counter() - started
        for observer in self.observers:
            observer(arrival, result, took)
        return result.octets if isinstance(result, Reply) else None
