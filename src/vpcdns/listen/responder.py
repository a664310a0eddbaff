"""The boundary between listeners and the core: what they ask, and what may come back.

Knows octets and addresses. What a message means is behind `Responder`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from vpcdns.model.topology import Address
from vpcdns.query import Arrival
from vpcdns.recall.forward_routes import FoundRoute
from vpcdns.recall.views import RawPeer, View, Views


class PendingResponse:
    """A response that comes later; None is no response.

    Not a future: its callback runs at once, and costs neither a task nor a turn of the event loop.
    """

    __slots__ = ("_callback", "is_done", "result")

    def __init__(self) -> None:
        self.is_done = False
        self.result: bytes | BaseException | None = None
        self._callback: Callable[[PendingResponse], None] | None = None

    def then(self, callback: Callable[[PendingResponse], None]) -> None:
        """Calls `callback` once, when `result` is there. Not at all after `cancel`."""
        if self.is_done:
            callback(self)
        else:
            self._callback = callback

    def deliver(self, result: bytes | BaseException | None) -> None:
        """Gives the result; an exception means that there was a bug. A second result is ignored."""
        if self.is_done:
            return
        self.is_done, self.result = True, result
        callback, self._callback = self._callback, None
        if callback is not None:
            callback(self)

    def cancel(self) -> None:
        """Gives up the response: no callback follows."""
        self.is_done, self._callback = True, None

    def now(self) -> Answer:
        """The result if it is there already, else itself. Raises what the result raised."""
        if not self.is_done:
            return self
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


Answer = bytes | PendingResponse | None


class Responder(Protocol):
    """The core, as the listeners see it. One instance serves all of them."""

    def respond(self, message: bytes, arrival: Arrival) -> Answer:
        """The response to `message`. None is silence over UDP, and a closed connection over TCP."""

    def relay(self, message: bytes, view: View, peer: RawPeer, found: FoundRoute) -> PendingResponse | None:
        """The response by way of a route that the view has; None: the message must go to `respond`."""

    def views(self, count: int) -> Views | None:
        """What the next `count` queries may be answered from; None: they must all go to `respond`."""

    def trusts(self, peer: Address) -> bool:
        """Whether a PROXY header at the start of a TCP connection from `peer` is to be read."""

    def servfail(self, message: bytes) -> bytes | None:
        """A SERVFAIL response to `message`; None if it is nothing that may be answered.

        Sent when `respond` raised, so it must get by with the header, or with the header and a question
        that is plainly there: stub resolvers ignore a response without one.
        """
