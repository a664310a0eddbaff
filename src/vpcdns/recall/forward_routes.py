"""Where plain queries for foreign names go, and how they are written on their way there and back.

Whether a name is forwarded, and to whom, is decided for one name; the route then holds for its whole family
(`model.families`), in the same view of one World.
"""

from typing import Final

from vpcdns.forward.attempt import UpstreamQuery, upstream_query_of
from vpcdns.model.dns import Rcode
from vpcdns.model.families import is_apart, parent_of_family
from vpcdns.model.names import MAX_NAME
from vpcdns.model.policy import Upstream
from vpcdns.model.world import World
from vpcdns.query import Forward
from vpcdns.recall.answer_kind import AnswerKind
from vpcdns.wire import query_parts
from vpcdns.wire.edns import write_opt
from vpcdns.wire.format import ID_SIZE, NAME_AT, TYPE_AND_CLASS_SIZE
from vpcdns.wire.relay import own_flags, write_plain
from vpcdns.wire.response import udp_limit
from vpcdns.wire.upstream import Relayed

ROUTES_AT_MOST: Final = 4_096  # of one view, at some 1 KiB each
_RCODES: Final = frozenset({Rcode.NOERROR, Rcode.NXDOMAIN})


class Route:
    """Where queries go that differ only in their first labels, and what their messages have in common.

    `first_at_most` is how many octets those labels may have in wire format. `kinds` are those of the
    responses that came back this way, by RCODE.
    """

    def __init__(self, forward: Forward, behind: int) -> None:
        """Of a query that was forwarded; `behind` octets of its name stand before the family's parent."""
        asked = forward.query
        key, question = forward.key, asked.question_wire
        asked_upstreams = upstream_query_of(forward, key)
        self.upstreams: tuple[Upstream, ...] = asked_upstreams.upstreams
        self._ttls = asked_upstreams.ttls
        self.kinds: dict[int, AnswerKind] = {}
        # The wire format of a name has at most 255 octets; type and class are no part of it.
        self.first_at_most = MAX_NAME - (len(question) - TYPE_AND_CLASS_SIZE - behind)
        self._key_end = key[behind:]
        self._question_end = question[behind:]
        self._message_head = asked_upstreams.message[:NAME_AT]
        self._message_end = asked_upstreams.message[NAME_AT + behind :]
        self._limit = udp_limit(asked) - ID_SIZE
        self._opt = write_opt(asked.edns, Rcode.NOERROR, ())
        self._flags = own_flags(asked)

    def upstream_query(self, first: bytes) -> UpstreamQuery:
        """What is asked of upstreams on behalf of a query with those first labels."""
        return UpstreamQuery(
            first.lower() + self._key_end,
            self.upstreams,
            first + self._question_end,
            self._message_head + first + self._message_end,
            self._ttls,
        )

    def response(self, first: bytes, relayed: Relayed) -> bytes | None:
        """The response without its id, made of the upstream's; None where the query must be decided.

        Of a plain response everything behind the question stays as it is: it is whole, fresh, and no more
        than the client can take.
        """
        if not relayed.plain or relayed.rcode not in _RCODES or relayed.truncated:
            return None
        response = write_plain(relayed, first + self._question_end, self._flags, self._opt)
        return None if len(response) > self._limit else response


FoundRoute = tuple[Route, bytes]  # and the first labels of the name, in wire format


class Routes:
    """The routes of one view."""

    def __init__(self) -> None:
        self._routes: dict[bytes, Route] = {}

    def find(self, query: bytes) -> FoundRoute | None:
        """The route of a query without its id, and the first labels of its name."""
        found = query_parts.find(query, self._routes) if self._routes else None
        if found is None:
            return None
        route, first = found
        return None if len(first) > route.first_at_most or is_apart(first) else found

    def learn(self, query: bytes, forward: Forward, world: World) -> None:
        """Remembers where a query went, if its family goes there."""
        asked, resolution = forward.query, forward.resolution
        arrival = forward.arrival
        if (
            arrival.transport != "udp"
            or arrival.proxied is not None
            or query_parts.around_question(query, asked.question_wire) is None
            # A subnet names another client, and what else an option asks for is said to one client only.
            or not asked.is_bare
            or resolution.answers
        ):
            return
        if len(self._routes) >= ROUTES_AT_MOST:
            self._routes.clear()  # learned again in a moment
        name = resolution.question.name
        parent = parent_of_family(name, world)
        if parent is not None:
            behind = name.size - parent.size
            self._routes[query_parts.without_labels(query, behind)] = Route(forward, behind)
