"""Between the listeners and the responder: asks it, and sends responses that come later.

Whatever a responder raises is logged, counted and answered SERVFAIL: nothing that it does may stop the server
or leave a query without a response. Knows neither sockets nor what a message means.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from vpcdns.listen.counters import ListenerCounters
from vpcdns.listen.responder import Answer, PendingResponse, Responder
from vpcdns.query import Arrival
from vpcdns.recall.forward_routes import FoundRoute
from vpcdns.recall.views import RawPeer, View

log = logging.getLogger("vpcdns.server")

# The forwarder bounds outstanding queries at 1,000 and says so in the response; this bound is behind that one
# and holds for any responder.
LATE_AT_MOST: Final = 2_000
# One traceback shows a bug; the counter shows how often. The bound holds if bugs come in many kinds.
_BUGS_LOGGED_AT_MOST: Final = 100


class Dispatch:
    """Asks the responder; turns its exceptions into SERVFAIL; holds the responses that are outstanding."""

    def __init__(self, responder: Responder) -> None:
        self.responder = responder
        self.counters = ListenerCounters()
        self._late: set[PendingResponse] = set()
        self._drained: asyncio.Event | None = None
        self._bugs_logged: set[tuple[type[BaseException], str, int]] = set()

    def respond(self, message: bytes, arrival: Arrival) -> Answer:
        """The responder's answer, or a SERVFAIL instead; never raises. Give a pending one to `later`."""
        try:
            answer = self.responder.respond(message, arrival)
        except Exception as bug:  # noqa: BLE001 - the one catch-all
            return self._failed(message, bug)
        if not isinstance(answer, PendingResponse) or len(self._late) < LATE_AT_MOST:
            return answer
        self.counters.late_refused += 1
        answer.cancel()
        return self.responder.servfail(message)

    def relay(self, message: bytes, view: View, peer: RawPeer, found: FoundRoute) -> PendingResponse | None:
        """The response by way of a route; None: the message must go to `respond`. Give it to `later`."""
        if len(self._late) >= LATE_AT_MOST:
            return None
        return self.responder.relay(message, view, peer, found)

    def later(self, pending: PendingResponse, message: bytes, send: Callable[[bytes | None], None]) -> None:
        """Calls `send` once, with the response or a SERVFAIL; not at all if the server stops first."""
        self._late.add(pending)
        pending.then(partial(self._arrived, message, send))

    def _arrived(
        self, message: bytes, send: Callable[[bytes | None], None], pending: PendingResponse
    ) -> None:
        self._late.discard(pending)
        result = pending.result
        send(self._failed(message, result) if isinstance(result, BaseException) else result)
        if self._drained is not None and not self._late:
            self._drained.set()

    async def drain(self, grace: float) -> None:
        """Waits `grace` seconds for the outstanding responses, then gives up those that are left."""
        if self._late and grace > 0:
            self._drained = asyncio.Event()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._drained.wait(), grace)
        if self._late:
            log.warning("%d answers were still outstanding and are given up", len(self._late))
        while self._late:
            self._late.pop().cancel()

    def _failed(self, message: bytes, bug: BaseException) -> bytes | None:
        self.counters.responder_exceptions += 1
        at = bug.__traceback__
        while at is not None and at.tb_next is not None:
            at = at.tb_next
        where = (type(bug), at.tb_frame.f_code.co_filename if at else "", at.tb_lineno if at else 0)
        if where not in self._bugs_logged and len(self._bugs_logged) < _BUGS_LOGGED_AT_MOST:
            self._bugs_logged.add(where)
            log.error(
                "A query failed and was answered SERVFAIL; the same fault is only counted from now on",
                exc_info=bug,
            )
        return self.responder.servfail(message)
