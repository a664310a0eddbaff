"""The hot path: what a repeated or a plain query is answered from without being decided again.

Knows what an answer may depend on if it is to be remembered: the message without its id, the client's VPC,
the transport and the World. What depends on more (a client's subnet, cookies, whoami) is never here.
Everything remembered came from the slow path, and goes with its World (DESIGN §5); what upstreams said only
for as long as its TTLs need not be counted down.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Protocol

from vpcdns.model.clients import Client, identify
from vpcdns.model.decision import Outcome
from vpcdns.model.policy import Listen, Transport
from vpcdns.model.topology import Address, unmapped
from vpcdns.model.world import World
from vpcdns.query import Answer, Arrival, Drop, Fetched, Forward, Response, begin, finish
from vpcdns.recall.answer_kind import AnswerKind
from vpcdns.recall.cached_answers import CachedAnswer
from vpcdns.recall.routes import Routes
from vpcdns.recall.vpc_answers import VpcAnswers
from vpcdns.wire.format import ID_SIZE
from vpcdns.wire.upstream import Relayed

# Of all VPCs together: some 15 MB. What does not fit is answered from the tables, which take 1.5 µs longer.
MEMO_AT_MOST: Final = 32_768
# A memo that is full of names nobody asks for again is emptied, but not so often that it costs anything.
MEMO_KEPT: Final = 10.0  # seconds
KINDS_AT_MOST: Final = 4_096
CACHED_AT_MOST: Final = 20_000  # at 0.5 to 2.5 KiB each


KnownResponse = tuple[bytes, AnswerKind]  # the response without its id, and its kind
# Who asked, as the socket has it: IPv4 as a number in the machine's order, IPv6 as octets; over TCP an
# address.
Raw = int | bytes | Address
RecalledQuery = (
    # A query that was answered so: Unix seconds, the view, the query without its id, and who asked. Of one
    # that went the short way also the seconds that it took, and the upstream's response.
    tuple[float, "View", bytes, Raw] | tuple[float, "View", bytes, Raw, float, Relayed]
)
Done = Callable[[Answer | Exception], None]


def arrival_of(view: View, peer: Raw) -> Arrival:
    """How a query came that was answered in a view."""
    if isinstance(peer, int):
        peer = IPv4Address(peer.to_bytes(4, sys.byteorder))
    elif isinstance(peer, bytes):
        peer = unmapped(IPv6Address(peer))
    return Arrival(peer, view.transport, view.listen.vpc_id, listen=view.listen)


def decided_again(recollection: RecalledQuery) -> tuple[Arrival, Response | Drop] | None:
    """What was decided, decided again: the World is kept, and the same query gives the same decision.

    What came from upstreams is told as it is remembered; None when it is not any more.
    """
    view, query = recollection[1], recollection[2]
    arrival = arrival_of(view, recollection[3])
    result = begin(bytes(ID_SIZE) + query, arrival, view.hot.world)
    if isinstance(result, Forward) and len(recollection) == 6:
        result = finish(result, Fetched(recollection[5]), view.hot.world)
    if isinstance(result, Forward):
        kept = view.fleeting.get(query)
        return None if kept is None else (arrival, kept.reply)
    return arrival, result


class ShortWay(Protocol):
    """To upstreams and back; see `short_way`."""

    def take(self, view: View, query: bytes, identity: bytes, peer: Raw, done: Done) -> bool: ...


class View:
    """All clients that get the same answers from one listener: of one VPC or none, over one transport.

    `memo` holds whole responses by query, both without their ids; `fleeting` those of upstreams, which age;
    `routes` tell where upstreams are asked.
    """

    __slots__ = ("fleeting", "hot", "listen", "memo", "routes", "transport")

    def __init__(self, hot: Views, transport: Transport, listen: Listen) -> None:
        self.hot = hot
        self.transport = transport
        self.listen = listen
        self.memo: dict[bytes, KnownResponse] = {}
        self.fleeting: dict[bytes, CachedAnswer] = {}
        self.routes = Routes()

    def recall(self, query: bytes) -> KnownResponse | None:
        """The response to a query that is not in the memo, if it can be had all the same."""
        kept = self.fleeting.get(query)
        if kept is not None:
            if self.hot.now < kept.until or kept.renew(self.hot.now):
                return kept.recalled
            del self.fleeting[query]
            return None
        recalled = self.hot.tables.answer(query, self)
        if recalled is not None and self.hot.room > 0:
            self.hot.room -= 1
            self.memo[query] = recalled
        return recalled

    def learn(self, query: bytes, arrival: Arrival, reply: Response) -> None:
        """Remembers a reply of the slow path."""
        known = self.hot.kind_of(arrival, reply) if _may_be_remembered(arrival, reply) else None
        if known is None:
            return
        response = reply.octets[2:]
        self.hot.tables.learn(query, self, response, known)
        if self.hot.has_room():
            self.hot.room -= 1
            self.memo[query] = response, known

    def keep(self, query: bytes, arrival: Arrival, fleeting: CachedAnswer) -> None:
        """Remembers a response of upstreams, for as long as the cache has it."""
        known = self.hot.kind_of(arrival, fleeting.reply)
        if known is not None:
            self.hot.make_room_for_fleeting()
            fleeting.known = known
            self.fleeting[query] = fleeting


class Views:
    """What is remembered in one World; for the next there is another.

    `kinds` are those of the answers that were recalled, to be counted. `now` is in monotonic seconds, as of
    the latest queries: the clock is not asked for each.
    """

    def __init__(self, world: World, now: float, short_way: ShortWay | None = None) -> None:
        self.world = world
        self.now = now
        self.short_way = short_way
        self.tables: VpcAnswers[AnswerKind] = VpcAnswers(world)
        self.room = MEMO_AT_MOST
        self.kinds: dict[tuple[object, ...], AnswerKind] = {}
        self._fleeting = 0
        self._emptied_at = now
        self._views: dict[tuple[bool, str | None, str, int], View] = {}

    def view(self, peer: Address, transport: Transport, listen: Listen) -> View:
        """Where the answers of a peer that asks for itself are remembered."""
        return self.view_of(identify(peer, self.world, listener_vpc_id=listen.vpc_id), transport, listen)

    def view_of(self, client: Client, transport: Transport, listen: Listen) -> View:
        """Where the answers of such a client are remembered."""
        key = client.allowed, client.vpc_id, transport, id(listen)
        view = self._views.get(key)
        if view is None:
            view = self._views[key] = View(self, transport, listen)
        return view

    def close(self) -> None:
        """Forgets the views, which know it in turn: a World must not have to be collected."""
        self._views = {}
        self.tables = VpcAnswers(self.world)

    def has_room(self) -> bool:
        """Whether one more response may be remembered; empties a full memo that has been kept for long."""
        if self.room <= 0:
            if self.now - self._emptied_at < MEMO_KEPT:
                return False
            self._emptied_at = self.now
            self.room = MEMO_AT_MOST
            for view in self._views.values():
                view.memo.clear()
        return True

    def make_room_for_fleeting(self) -> None:
        """Forgets all of them when there are too many: they are cheap to make again."""
        self._fleeting += 1
        if self._fleeting > CACHED_AT_MOST:
            self._fleeting = 1
            for view in self._views.values():
                view.fleeting.clear()

    def kind_of(self, arrival: Arrival, reply: Response) -> AnswerKind | None:
        """What is counted together with such a reply; None when there are too many kinds."""
        resolution = reply.resolution
        if resolution is None:
            return None
        kind = (
            id(arrival.listen),
            arrival.transport,
            arrival.peer.version,
            resolution.question.rtype,
            resolution.client.vpc_id,
            resolution.reason,
            resolution.rcode,
            reply.query.size,
            len(reply.octets),
        )
        known = self.kinds.get(kind)
        if known is None and len(self.kinds) < KINDS_AT_MOST:
            known = self.kinds[kind] = AnswerKind(arrival, reply)
        return known


def _may_be_remembered(arrival: Arrival, reply: Response) -> bool:
    """Whether a reply depends on nothing but the query, the client's VPC, the transport and the World."""
    resolution = reply.resolution
    if (
        resolution is None
        or not resolution.client.allowed
        or resolution.personal
        or reply.relayed is not None
    ):
        return False
    # With options: a subnet names another client, cookies make every query another.
    has_options = reply.query.edns is not None and bool(reply.query.edns.options)
    return arrival.proxied is None and not has_options and resolution.outcome is Outcome.RESPOND
