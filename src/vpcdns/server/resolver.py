"""Joins the exchange with the current World: the Responder that the listeners ask.

Knows where the World is held and what an exchange can result in; decides nothing itself.
"""

from __future__ import annotations

from vpcdns.exchange import Arrival, Drop, Forward, Reply, Transport, begin, servfail
from vpcdns.model.policy import Listen
from vpcdns.model.topology import Address
from vpcdns.state import State


class Resolver:
    """Answers queries from the current World."""

    def __init__(self, state: State) -> None:
        self._state = state

    def respond(
        self,
        message: bytes,
        peer: Address,
        port: int,
        transport: Transport,
        listen: Listen,
    ) -> bytes | None:
        """The response to one message, or None for no response."""
        arrival = Arrival(peer, transport, listen.vpc_id)
        match begin(message, arrival, self._state.world):
            case Reply() as reply:
                return reply.octets
            case Forward():
                return servfail(message)
            case Drop():
                return None

    def servfail(self, message: bytes) -> bytes | None:
        """What a query is owed when `respond` raised."""
        return servfail(message)
