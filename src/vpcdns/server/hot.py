"""The hot path: what a repeated or a plain query is answered from without being decided again.

Knows what an answer may depend on if it is to be remembered: the message without its id, the client's VPC,
the transport, and the World. What depends on more (a client's subnet, cookies, whoami, upstreams) is never
here. Everything remembered came from the slow path, and is dropped with its World (DESIGN §5).
"""

from __future__ import annotations

from typing import Final

from vpcdns.exchange import Arrival, Reply
from vpcdns.model.clients import identify
from vpcdns.model.policy import Listen
from vpcdns.model.topology import Address
from vpcdns.model.world import World
from vpcdns.tables import Tables

# For each VPC and transport. 20,000 entries are some 5 MB; beyond that, tables answer nearly as fast.
MEMO_AT_MOST: Final = 20_000


class View:
    """All clients that get the same answers: of one VPC (or none), over one transport.

    `memo` holds whole responses by query, both without their ids.
    """

    __slots__ = ("hot", "memo")

    def __init__(self, hot: Hot) -> None:
        self.hot = hot
        self.memo: dict[bytes, bytes] = {}

    def answer(self, query: bytes) -> bytes | None:
        """The response to a query that the memo lacks, if the tables have it."""
        response = self.hot.tables.answer(query, self)
        if response is not None and len(self.memo) < MEMO_AT_MOST:
            self.memo[query] = response
        return response

    def learn(self, query: bytes, response: bytes) -> None:
        """Remembers a response of the slow path; both without their ids."""
        self.hot.tables.learn(query, self, response)
        if len(self.memo) < MEMO_AT_MOST:
            self.memo[query] = response


class Hot:
    """What is remembered in one World; for the next there is another."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tables = Tables(world)
        self._views: dict[tuple[bool, str | None, str], View] = {}

    def view(self, peer: Address, listen: Listen, transport: str) -> View:
        """What a client's answers are remembered in."""
        client = identify(peer, self.world, listener_vpc_id=listen.vpc_id)
        key = client.allowed, client.vpc_id, transport
        view = self._views.get(key)
        if view is None:
            view = self._views[key] = View(self)
        return view


def may_be_remembered(reply: Reply, arrival: Arrival) -> bool:
    """Whether a reply depends on nothing but the query, the client's VPC, the transport and the World."""
    if reply.resolution is None or reply.resolution.personal or reply.relayed is not None:
        return False
    # With options: a subnet names another client, cookies make every query another.
    has_options = reply.query.edns is not None and bool(reply.query.edns.options)
    return arrival.proxied is None and not has_options
