"""The boundary between sockets and the core: what is asked, and what may come back.

Knows octets and addresses. Whatever a message means is behind `Responder`.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Final, Protocol

from vpcdns.model.policy import Listen, Transport
from vpcdns.model.topology import Address, unmapped
from vpcdns.query import Answer
from vpcdns.recall.views import RecalledQuery, Views

# A query's peers are few and come again; a flood from spoofed addresses must not grow memory.
_PEERS_AT_MOST: Final = 10_000


class Responder(Protocol):
    """The core, as the listeners see it. One instance serves all of them."""

    def respond(
        self,
        message: bytes,
        peer: Address,
        port: int,
        transport: Transport,
        listen: Listen,
        proxied: Address | None = None,
    ) -> Answer:
        """The response to `message`, sent by `peer` from `port` to the listener `listen`.

        None is no response: silence over UDP, a closed connection over TCP. An awaitable is answered
        later; it is awaited once, or cancelled. `peer` is never an IPv4-mapped IPv6 address. `proxied` is
        the client that a PROXY header named at the start of a TCP connection.
        """

    tell: Callable[[RecalledQuery], None] | None
    """Wants to hear of every answer that was recalled, if anybody does."""

    def hot(self, count: int) -> Views | None:
        """What the next `count` queries may be answered from; None: they must all come to `respond`."""

    def trusts(self, peer: Address) -> bool:
        """Whether a PROXY header at the start of a TCP connection from `peer` is to be read."""

    def servfail(self, message: bytes) -> bytes | None:
        """A SERVFAIL response to `message`; None if it is nothing that may be answered.

        Sent when `respond` raised, so it must get by with the header, or with the header and a question
        that is plainly there: stub resolvers ignore a response without one.
        """


class Peers(dict[str, Address]):
    """Socket addresses' hosts as values, remembered; IPv4-mapped IPv6 counts as IPv4 (DESIGN §3)."""

    def __missing__(self, host: str) -> Address:
        if len(self) >= _PEERS_AT_MOST:
            self.clear()
        address = self[host] = unmapped(ip_address(host))
        return address
