"""Where plain queries for foreign names go, and how they are written on their way there and back.

Knows how the octets of such a query lie. That a name is forwarded, and to whom, is decided by the slow path,
for one name; the route then holds for all names beside it (`model.siblings`), in the same view of one World.
"""

from __future__ import annotations

from typing import Final

from vpcdns.exchange import Forward
from vpcdns.model.dns import Rcode
from vpcdns.model.names import MAX_LABEL, MAX_NAME, Name
from vpcdns.model.policy import Upstream
from vpcdns.model.siblings import are_alike
from vpcdns.model.world import World
from vpcdns.server.known import Known
from vpcdns.server.upstream import Errand, errand_of
from vpcdns.wire.query import AD, CD, QR, RD
from vpcdns.wire.relay import Relayed
from vpcdns.wire.response import AA, RA, TC, udp_limit, write_opt

ROUTES_AT_MOST: Final = 4_096  # of one view, at some 1 KiB each

# All offsets are in a message without its id.
_FLAGS_AND_COUNTS: Final = 10
_LABEL_AT: Final = _FLAGS_AND_COUNTS
_RCODES: Final = frozenset({Rcode.NOERROR, Rcode.NXDOMAIN})


class Route:
    """The way of queries that are alike but for their first label.

    `known` are the kinds of responses that came back this way, by RCODE, each learned from the slow path.
    """

    __slots__ = (
        "_flags",
        "_key_end",
        "_limit",
        "_message_end",
        "_message_head",
        "_opt",
        "_question_end",
        "known",
        "label_at_most",
        "upstreams",
    )

    def __init__(self, query: bytes, forward: Forward) -> None:
        """Of a query without its id, and what was decided about it."""
        asked = forward.query
        key, question = forward.key, asked.question_wire
        errand = errand_of(forward, key)
        behind = 1 + question[0]
        self.upstreams: tuple[Upstream, ...] = errand.upstreams
        self.known: dict[int, Known] = {}
        # The wire format of a name has at most 255 octets; type and class are no part of it.
        self.label_at_most = min(MAX_LABEL, MAX_NAME - 1 - (len(question) - 4 - behind))
        self._key_end = key[behind:]
        self._question_end = question[behind:]
        self._message_head = errand.message[:_FLAGS_AND_COUNTS]
        self._message_end = errand.message[_FLAGS_AND_COUNTS + behind :]
        self._limit = udp_limit(asked) - 2
        self._opt = write_opt(asked, Rcode.NOERROR, ())
        self._flags = QR | RA | (RD if asked.rd else 0) | (CD if asked.cd else 0)

    def errand(self, label: bytes) -> Errand:
        """What is asked of upstreams on behalf of a query that begins with that label."""
        return Errand(
            label.lower() + self._key_end,
            self.upstreams,
            label + self._question_end,
            self._message_head + label + self._message_end,
        )

    def response(self, label: bytes, relayed: Relayed) -> bytes | None:
        """The response without its id, made of the upstream's; None where that is for the slow path.

        Of a plain response everything behind the question stays as it is: it is whole, fresh, and no more
        than the client can take.
        """
        if not relayed.plain or relayed.rcode not in _RCODES or relayed.flags & TC:
            return None
        octets, opt = relayed.octets, self._opt
        question, records = label + self._question_end, octets[relayed.question_end :]
        if _FLAGS_AND_COUNTS + len(question) + len(records) + len(opt) > self._limit:
            return None
        flags = self._flags | relayed.flags & (AA | AD) | relayed.rcode
        counts = b"\0\1" + octets[6:10] + (b"\0\1" if opt else b"\0\0")
        return flags.to_bytes(2, "big") + counts + question + records + opt


class Routes:
    """Those of one view."""

    def __init__(self) -> None:
        self._routes: dict[bytes, Route] = {}

    def __len__(self) -> int:
        return len(self._routes)

    def find(self, query: bytes) -> tuple[Route, bytes] | None:
        """The route of a query without its id, and its first label, with the length before it."""
        end = _LABEL_AT + 1 + query[_LABEL_AT] if len(query) > _LABEL_AT else 0
        route = self._routes.get(query[:_FLAGS_AND_COUNTS] + query[end:])
        if route is None or not _LABEL_AT + 1 < end <= _LABEL_AT + 1 + route.label_at_most:
            return None
        return route, query[_LABEL_AT:end]

    def learn(self, query: bytes, forward: Forward, world: World) -> None:
        """Remembers where a query went, if those beside it go there as well."""
        asked, resolution = forward.query, forward.resolution
        edns, arrival = asked.edns, forward.arrival
        if (
            arrival.transport != "udp"
            or arrival.proxied is not None
            or asked.question_wire != query[_LABEL_AT : _LABEL_AT + len(asked.question_wire)]
            # A subnet names another client, and what else an option asks for is said to one client only.
            or (edns is not None and edns.options)
            or resolution.answers
            or len(self._routes) >= ROUTES_AT_MOST
        ):
            return
        labels = resolution.question.name.labels
        if labels and are_alike(Name(labels[1:]), world):
            end = _LABEL_AT + 1 + query[_LABEL_AT]
            self._routes[query[:_FLAGS_AND_COUNTS] + query[end:]] = Route(query, forward)
