"""The latest decisions, for the console and for tests; the oldest go first.

Holds references, renders nothing until somebody reads.
"""

import asyncio
import pickle
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from operator import attrgetter
from typing import Final

from vpcdns.observe.query_counts import RECALLED
from vpcdns.observe.query_record import QueryRecord, record_of
from vpcdns.query import Arrival, Drop, Response
from vpcdns.recall.answer_kind import AnswerKind
from vpcdns.recall.views import RecalledQuery, RelayedQuery, Views, decided_again
from vpcdns.server.observer import Observer
from vpcdns.state import State

CAPACITY: Final = 1_000
# Of a longer response only the decision is remembered, so that all of them are some MB at most.
MAX_OCTETS: Final = 4_096
# Decisions of a former World that are rendered in one turn of the event loop, at some 0.15 ms each.
RENDERED_AT_ONCE: Final = 10

_Decided = tuple[float, float, int, Arrival, Response | Drop]
_Entry = _Decided | RecalledQuery | RelayedQuery | QueryRecord


class RecentDecisions(Observer):
    """A bounded memory of decided queries.

    `on_recall` costs no more than the deque's own `append`. `others` fetches what is `pickled` there,
    `cleared` tells them to forget theirs. A recalled query is decided again when it is read, so it holds its
    World: when the World changes, such entries are rendered soon, so that the old one can be freed.
    """

    def __init__(
        self,
        state: State,
        capacity: int = CAPACITY,
        *,
        others: Callable[[int], Awaitable[Mapping[int, list[bytes]]]] | None = None,
        cleared: Callable[[], object] | None = None,
    ) -> None:
        self._state = state
        self._entries: deque[_Entry] = deque(maxlen=capacity)
        self._views: Views | None = None
        self.on_recall: Callable[[RecalledQuery], None] = self._entries.append
        self._others = others
        self._cleared = cleared
        self._is_rendering = False

    def decided(self, arrival: Arrival, result: Response | Drop, took: float) -> None:
        if isinstance(result, Response) and len(result.octets) > MAX_OCTETS:
            result = replace(result, octets=b"", relayed=None)
        self._entries.append((time.time(), took, self._state.world.revision, arrival, result))

    def relayed(self, query: RelayedQuery, kind: AnswerKind, size: int) -> None:
        self._entries.append(query)

    def remembers(self, views: Views) -> None:
        self._views = views
        if self._entries and not self._is_rendering:  # a second one would take turns from queries
            self._is_rendering = True
            asyncio.get_running_loop().call_soon(self._render_former)

    def _render_former(self) -> None:
        former = [
            place
            for place, entry in enumerate(self._entries)
            if not isinstance(entry, QueryRecord) and len(entry) != 5 and entry[1].views is not self._views
        ]
        for place in reversed(former[-RENDERED_AT_ONCE:]):
            record = _record(self._entries[place])
            if record is None:
                del self._entries[place]
            else:
                self._entries[place] = record
        self._is_rendering = len(former) > RENDERED_AT_ONCE
        if self._is_rendering:
            asyncio.get_running_loop().call_soon(self._render_former)

    def latest(self, limit: int) -> Iterator[QueryRecord]:
        """At most `limit` of them, the newest first; each is rendered when it is asked for."""
        found = map(_record, reversed(tuple(self._entries)))
        return islice((record for record in found if record is not None), limit)

    async def _pieces(self, limit: int) -> AsyncIterator[list[QueryRecord]]:
        """The same, with a turn for other work now and then."""
        latest = self.latest(limit)
        while piece := list(islice(latest, RENDERED_AT_ONCE)):
            yield piece
            await asyncio.sleep(0)

    async def pickled(self, limit: int) -> list[bytes]:
        """The same for another process; a thousand in one piece would hold up queries in both."""
        return [pickle.dumps(piece) async for piece in self._pieces(limit)]

    async def of_all(self, limit: int) -> list[QueryRecord]:
        """The same, of the whole server."""
        found = [record async for piece in self._pieces(limit) for record in piece]
        if self._others is not None:
            for pieces in (await self._others(limit)).values():
                for piece in pieces:
                    found += pickle.loads(piece)  # noqa: S301 - our own worker's
                    await asyncio.sleep(0)
            found.sort(key=attrgetter("at"), reverse=True)
        return found[:limit]

    def clear(self) -> None:
        self._entries.clear()
        if self._cleared is not None:
            self._cleared()


def _record(entry: _Entry) -> QueryRecord | None:
    if isinstance(entry, QueryRecord):
        return entry
    if len(entry) == 5:
        return record_of(*entry)
    again = decided_again(entry)
    took = entry[4] if len(entry) == 6 else RECALLED
    return None if again is None else record_of(entry[0], took, entry[1].views.world.revision, *again)
