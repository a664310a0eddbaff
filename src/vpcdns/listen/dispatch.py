"""Between the listeners and the responder: the program's one catch-all, and answers that come later.

Knows that a responder can fail and that its answers can take time; neither sockets nor what a message
means. Nothing that a responder does may stop the server or leave a query without a response.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Final

from vpcdns.listen.counters import ListenerCounters
from vpcdns.listen.responder import Responder
from vpcdns.model.policy import Listen, Transport
from vpcdns.model.topology import Address
from vpcdns.query import Answer
from vpcdns.recall.views import Raw, RecalledQuery, View, Views

log = logging.getLogger("vpcdns.server")

# Forwards in flight are bounded at 1,000 by whoever forwards, and who can say so in the response; this bound
# is behind that one and holds for any responder.
LATE_AT_MOST: Final = 2_000
# One traceback tells a fault; the counter tells how often. The bound holds if faults come in many kinds.
_FAULTS_LOGGED_AT_MOST: Final = 100


class Answering:
    """Asks the responder; turns its exceptions into SERVFAIL; holds the answers that are outstanding."""

    def __init__(
        self, responder: Responder, counters: ListenerCounters, late_at_most: int = LATE_AT_MOST
    ) -> None:
        self._responder = responder
        self._counters = counters
        self._late_at_most = late_at_most
        self._late: set[asyncio.Future[Any]] = set()
        self._relaying = 0
        self._relayed_all: asyncio.Future[None] | None = None
        self._abandoning = False
        self._faults_logged: set[tuple[type[BaseException], str, int]] = set()

    @property
    def tell(self) -> Callable[[RecalledQuery], None] | None:
        """Who hears of answers that were recalled."""
        return self._responder.tell

    def hot(self, count: int) -> Views | None:
        """What the next `count` queries may be answered from."""
        return self._responder.hot(count)

    def trusts(self, peer: Address) -> bool:
        """Whether a PROXY header from `peer` is to be read."""
        return self._responder.trusts(peer)

    def respond(
        self,
        message: bytes,
        peer: Address,
        port: int,
        transport: Transport,
        listen: Listen,
        proxied: Address | None = None,
    ) -> Answer:
        """The responder's answer, or a SERVFAIL instead; never raises. Give an awaitable one to `later`."""
        try:
            answer = self._responder.respond(message, peer, port, transport, listen, proxied)
        except Exception as fault:  # noqa: BLE001 - the one catch-all, for answers at once
            return self._failed(message, fault)
        if answer is None or isinstance(answer, bytes) or len(self._late) < self._late_at_most:
            return answer
        self._counters.late_refused += 1
        abandon(answer)
        return self._responder.servfail(message)

    def later(
        self, answer: Awaitable[bytes | None], message: bytes, send: Callable[[bytes | None], None]
    ) -> None:
        """Calls `send` once with the answer, or with a SERVFAIL, in a later turn of the event loop.

        Not at all, if the server stops first.
        """
        if isinstance(answer, asyncio.Future) and not isinstance(answer, asyncio.Task):
            self._late.add(answer)
            answer.add_done_callback(partial(self._arrived, message, send))
            return
        task = asyncio.get_running_loop().create_task(self._await(answer, message, send))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    def _arrived(
        self, message: bytes, send: Callable[[bytes | None], None], answer: asyncio.Future[bytes | None]
    ) -> None:
        """A future's answer; a future needs no task to wait for it."""
        self._late.discard(answer)
        if answer.cancelled():
            if not self._abandoning:
                send(self._failed(message, asyncio.CancelledError()))
        elif (fault := answer.exception()) is not None:
            send(self._failed(message, fault))
        else:
            send(answer.result())

    async def _await(
        self, answer: Awaitable[bytes | None], message: bytes, send: Callable[[bytes | None], None]
    ) -> None:
        try:
            response = await answer
        except asyncio.CancelledError as cancelled:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Not we were cancelled, but what the responder was waiting for: a fault like any other.
            response = self._failed(message, cancelled)
        except Exception as fault:  # noqa: BLE001 - and for those that come later
            response = self._failed(message, fault)
        send(response)

    def relay(
        self, view: View, query: bytes, identity: bytes, peer: Raw, send: Callable[[bytes | None], None]
    ) -> bool:
        """Whether a query, here without its id, goes the short way to upstreams; `send` is as in `later`."""
        way = view.hot.short_way
        if way is None or not way.take(
            view, query, identity, peer, partial(self._relayed, identity, query, send)
        ):
            return False
        self._relaying += 1
        return True

    def _relayed(
        self,
        identity: bytes,
        query: bytes,
        send: Callable[[bytes | None], None],
        answer: Answer | Exception,
    ) -> None:
        self._relaying -= 1
        if answer is None or isinstance(answer, bytes):
            send(answer)
        elif isinstance(answer, Exception):
            send(self._failed(identity + query, answer))
        else:
            self.later(answer, identity + query, send)
        if self._relayed_all is not None and not self._relaying and not self._relayed_all.done():
            self._relayed_all.set_result(None)

    async def settle(self, grace: float) -> None:
        """Waits `grace` seconds for the outstanding answers, then gives up those that are left."""
        if self._relaying and grace > 0:
            self._relayed_all = asyncio.get_running_loop().create_future()
            self._late.add(self._relayed_all)
        if self._late and grace > 0:
            await asyncio.wait(self._late, timeout=grace)
        if self._relayed_all is not None:
            self._late.discard(self._relayed_all)
            self._relayed_all.cancel()
            self._relayed_all = None
        self._abandoning = True
        abandoned = tuple(self._late)
        for task in abandoned:
            task.cancel()
        if abandoned:
            log.warning("%d answers were still outstanding and are given up", len(abandoned))
            await asyncio.gather(*abandoned, return_exceptions=True)

    def _failed(self, message: bytes, fault: BaseException) -> bytes | None:
        self._counters.responder_exceptions += 1
        at = fault.__traceback__
        while at is not None and at.tb_next is not None:
            at = at.tb_next
        where = (type(fault), at.tb_frame.f_code.co_filename if at else "", at.tb_lineno if at else 0)
        if where not in self._faults_logged and len(self._faults_logged) < _FAULTS_LOGGED_AT_MOST:
            self._faults_logged.add(where)
            log.error(
                "A query failed and was answered SERVFAIL; the same fault is only counted from now on",
                exc_info=fault,
            )
        return self._responder.servfail(message)


def abandon(answer: Awaitable[bytes | None]) -> None:
    """Gives up an answer that nobody will await."""
    if isinstance(answer, asyncio.Future):
        answer.cancel()
    elif isinstance(answer, Coroutine):
        coroutine: Coroutine[Any, Any, bytes | None] = answer
        coroutine.close()
