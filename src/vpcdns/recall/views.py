"""What a repeated or a plain query is answered from without being decided again.

Knows what an answer may depend on if it is to be remembered: the message without its id, the client's VPC,
the transport and the World. What depends on more (a client's subnet, cookies, whoami) is never here.
Everything here was decided once, and goes with its World (DESIGN §5). Nothing here asks an upstream: a view
finds the learned route for a query, and `server` sends the query there.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import cycle
from typing import Final

from vpcdns.forward.cache import Cache
from vpcdns.model.clients import Client, identify
from vpcdns.model.decision import Outcome
from vpcdns.model.policy import Listen, Transport
from vpcdns.model.topology import Address, unmapped
from vpcdns.model.world import World
from vpcdns.query import Arrival, Drop, Fetched, Forward, Response, begin, finish, turns_of
from vpcdns.recall.answer_kind import AnswerKind
from vpcdns.recall.cached_answers import CachedAnswer
from vpcdns.recall.forward_routes import Routes
from vpcdns.recall.vpc_answers import VpcAnswers
from vpcdns.wire.format import ID_SIZE
from vpcdns.wire.relay import has_all_records
from vpcdns.wire.upstream import Relayed

# Of all VPCs together: some 15 MB. What does not fit is answered from the tables, which take 1.5 µs longer.
MEMO_AT_MOST: Final = 32_768
# A memo that is full of names nobody asks for again is emptied, but not so often that it costs anything.
MEMO_KEPT: Final = 10.0  # seconds
# Clients choose types and lengths, so kinds are bounded. When there are so many, all that is remembered is
# forgotten and learned anew, which costs less than it cost to make so many (see Resolver.views).
KINDS_AT_MOST: Final = 4_096
# Of all views together; some 12,000 usual answers. Larger ones are answered from the cache itself.
CACHED_OCTETS_AT_MOST: Final = 32 << 20
CACHED_ANSWER_AT_MOST: Final = 4_096
ORDERS_AT_MOST: Final = 8  # of an RRset whose records take turns at its head


KnownResponse = tuple[bytes, AnswerKind]  # the response without its id, and its kind
# Who asked, as the socket has it: IPv4 as a number in the machine's order, IPv6 as octets; over TCP an
# address.
RawPeer = int | bytes | Address
# Unix seconds, the view, the query without its id, and who asked.
RecalledQuery = tuple[float, "View", bytes, RawPeer]
# The same, the seconds that it took, and the upstream's response.
RelayedQuery = tuple[float, "View", bytes, RawPeer, float, Relayed]


def address_of(peer: RawPeer) -> Address:
    """IPv4-mapped IPv6 counts as IPv4 (DESIGN §3)."""
    if isinstance(peer, int):
        return IPv4Address(peer.to_bytes(4, sys.byteorder))
    return unmapped(IPv6Address(peer)) if isinstance(peer, bytes) else peer


def arrival_of(view: View, peer: RawPeer) -> Arrival:
    """How a query came that was answered in a view."""
    return Arrival(address_of(peer), view.transport, view.listen)


def decided_again(entry: RecalledQuery | RelayedQuery) -> tuple[Arrival, Response | Drop] | None:
    """What was decided, decided again: in the same World, the same query gives the same decision.

    A cached answer is given as it is remembered; None when it is remembered no more.
    """
    view, query = entry[1], entry[2]
    arrival = arrival_of(view, entry[3])
    result = begin(bytes(ID_SIZE) + query, arrival, view.views.world)
    if isinstance(result, Forward) and len(entry) == 6:
        result = finish(result, Fetched(entry[5]), view.views.world)
    if isinstance(result, Forward):
        cached = view.cached.get(query)
        return None if cached is None else (arrival, cached.response)
    return arrival, result


class View:
    """All clients that get the same answers from one listener: of one VPC or none, over one transport.

    `memo` holds whole responses by query, both without their ids; `cyclic` those whose records take turns;
    `cached` those of upstreams, which age; `routes` say which upstreams are asked. Where a private zone may
    answer for VPC domains, each is one by itself: what was `decided_by_instance` does not hold for others.
    """

    __slots__ = ("cached", "cyclic", "decided_by_instance", "listen", "memo", "routes", "transport", "views")

    def __init__(self, views: Views, transport: Transport, listen: Listen, vpc_id: str | None) -> None:
        zones, suffix = views.world.private_zones, views.world.answers.suffix
        self.decided_by_instance = not zones.overlap(suffix, vpc_id)
        self.views = views
        self.transport = transport
        self.listen = listen
        self.memo: dict[bytes, KnownResponse] = {}
        self.cached: dict[bytes, CachedAnswer] = {}
        self.cyclic: dict[bytes, Iterator[KnownResponse]] = {}
        self.routes = Routes()

    def recall(self, query: bytes) -> KnownResponse | None:
        """The response to a query that is not in the memo, if it can be had all the same."""
        cyclic = self.cyclic.get(query)
        if cyclic is not None:
            return next(cyclic)
        cached = self.cached.get(query)
        if cached is not None:
            if self.views.now < cached.until or cached.renew(self.views.now):
                return cached.recalled
            self.views.cached_octets -= self.cached.pop(query).weight
            return None
        recalled = self.views.tables.answer(query, self)
        if recalled is not None and self.views.room > 0:
            self.views.room -= 1
            self.memo[query] = recalled
        return recalled

    def response(self, query: bytes, peer: RawPeer) -> bytes | None:
        """The response to a query of that peer, counted and observed.

        `listen.udp` has the same lines in its loop, where a call would cost 0.1 µs a query.
        """
        known = self.memo.get(query) or self.recall(query)
        if known is None:
            return None
        response, kind = known
        kind.count += 1
        if self.views.on_recall is not None:
            self.views.on_recall((time.time(), self, query, peer))
        return response

    def learn(self, query: bytes, arrival: Arrival, response: Response) -> None:
        """Remembers a response that was decided, if it depends on the query, the view and the World alone."""
        resolution = response.resolution
        if (
            resolution is None
            or not resolution.client.allowed
            or resolution.personal
            or resolution.outcome is not Outcome.RESPOND
            or response.relayed is not None
            # With options: a subnet names another client, cookies make every query another.
            or not response.query.is_bare
            or arrival.proxied is not None
        ):
            return
        kind = self.views.kind_of(arrival, response)
        if kind is None:
            return
        if (turns := turns_of(resolution)) > 1:
            self._learn_cyclic(query, arrival, kind, min(turns, ORDERS_AT_MOST))
            return
        octets = response.octets[ID_SIZE:]
        if self.decided_by_instance:
            self.views.tables.learn(query, self, octets, kind)
        if self.views.has_room():
            self.views.room -= 1
            self.memo[query] = octets, kind

    def _learn_cyclic(self, query: bytes, arrival: Arrival, kind: AnswerKind, turns: int) -> None:
        """Remembers a response in each of its orders, which then come one after the other."""
        message, world = bytes(ID_SIZE) + query, self.views.world
        orders = [begin(message, arrival, world, turn) for turn in range(turns)]
        if self.views.has_room():
            self.views.room -= turns
            self.cyclic[query] = cycle(
                [(order.octets[ID_SIZE:], kind) for order in orders if isinstance(order, Response)]
            )

    def keep(
        self, query: bytes, forward: Forward, fetched: Fetched, response: Response, cache: Cache
    ) -> None:
        """Remembers a response that is as it was fetched, for as long as the cache has it."""
        # Octets that depend on more than the query and the view are another client's, or another moment's.
        own = forward.arrival.proxied is not None or not forward.query.is_bare or fetched.stale
        if own or response.relayed is not fetched.relayed or len(response.octets) > CACHED_ANSWER_AT_MOST:
            return
        if not has_all_records(response.octets, fetched.relayed, opt=forward.query.edns is not None):
            return
        kind = self.views.kind_of(forward.arrival, response)
        if kind is None:
            return
        cached = CachedAnswer(cache, forward.key, fetched.relayed, response, kind)
        self.views.make_room_for_cached(cached.weight, cache.max_octets)
        former = self.cached.get(query)
        self.views.cached_octets -= 0 if former is None else former.weight
        self.cached[query] = cached


class Views:
    """What is remembered in one World; for the next there is another.

    `kinds` count the responses that were recalled; `on_recall`, if any, is to be called for each. `now` is in
    monotonic seconds, as of the latest batch of queries. `cached_octets` estimates what cached answers take.
    """

    def __init__(
        self, world: World, now: float, on_recall: Callable[[RecalledQuery], None] | None = None
    ) -> None:
        self.world = world
        self.now = now
        self.on_recall = on_recall
        self.tables: VpcAnswers = VpcAnswers(world)
        self.room = MEMO_AT_MOST
        self.kinds: dict[tuple[object, ...], AnswerKind] = {}
        self.cached_octets = 0
        self._emptied_at = now
        self.by_client: dict[tuple[bool, str | None, str, int], View] = {}

    def view(self, peer: Address, transport: Transport, listen: Listen) -> View:
        """Where the answers of a peer that asks for itself are remembered."""
        return self.view_of(identify(peer, self.world, listener_vpc_id=listen.vpc_id), transport, listen)

    def view_of(self, client: Client, transport: Transport, listen: Listen) -> View:
        """Where the answers of such a client are remembered."""
        key = client.allowed, client.vpc_id, transport, id(listen)
        view = self.by_client.get(key)
        if view is None:
            view = self.by_client[key] = View(self, transport, listen, client.vpc_id)
        return view

    def close(self) -> None:
        """Forgets the views, which know it in turn: a World must not have to be collected."""
        self.by_client = {}
        self.tables = VpcAnswers(self.world)

    def has_room(self) -> bool:
        """Whether one more response may be remembered; empties a full memo that has been kept for long."""
        if self.room <= 0:
            if self.now - self._emptied_at < MEMO_KEPT:
                return False
            self._emptied_at = self.now
            self.room = MEMO_AT_MOST
            for view in self.by_client.values():
                view.memo.clear()
                view.cyclic.clear()
        return True

    @property
    def is_full(self) -> bool:
        """Whether no further kinds of answers can be remembered."""
        return len(self.kinds) >= KINDS_AT_MOST

    def make_room_for_cached(self, octets: int, at_most: int) -> None:
        """Forgets all of them when they take too much: they are cheap to make again."""
        self.cached_octets += octets
        if self.cached_octets > min(CACHED_OCTETS_AT_MOST, at_most):
            self.forget_cached()
            self.cached_octets = octets

    def forget_cached(self) -> None:
        """Forgets what came out of the cache; what was decided here stays."""
        self.cached_octets = 0
        for view in self.by_client.values():
            view.cached.clear()

    def kind_of(self, arrival: Arrival, response: Response) -> AnswerKind | None:
        """What is counted together with such a response; None when there are too many kinds."""
        resolution = response.resolution
        if resolution is None:
            return None
        key = (
            id(arrival.listen),
            arrival.transport,
            arrival.peer.version,
            resolution.question.rtype,
            resolution.client.vpc_id,
            resolution.reason,
            resolution.rcode,
            response.query.size,
            len(response.octets),
        )
        kind = self.kinds.get(key)
        if kind is None and not self.is_full:
            kind = self.kinds[key] = AnswerKind(arrival, response)
        return kind
