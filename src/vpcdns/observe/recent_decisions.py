"""The latest decisions, for the console and for tests; the oldest go first.

Holds references, renders nothing until somebody reads.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from itertools import islice
from typing import Final

from vpcdns.observe.query_counts import RECALLED
from vpcdns.observe.query_record import QueryRecord, record_of
from vpcdns.query import Arrival, Drop, Response
from vpcdns.recall.answer_kind import AnswerKind
from vpcdns.recall.views import RecalledQuery, RelayedQuery, decided_again
from vpcdns.server.observer import Observer
from vpcdns.state import State

CAPACITY: Final = 1_000
# Of a longer response only the decision is remembered, so that all of them are some MB at most.
MAX_OCTETS: Final = 4_096


_Entry = tuple[float, float, int, Arrival, Response | Drop]


class RecentDecisions(Observer):
    """A bounded memory of decided queries.

    `on_recall` costs no more than the deque's own `append`. `others` gets as
    many of each of the other workers; `cleared` is called when they are to forget theirs too.
    """

    def __init__(
        self,
        state: State,
        capacity: int = CAPACITY,
        *,
        others: Callable[[int], Awaitable[Iterable[list[QueryRecord]]]] | None = None,
        cleared: Callable[[], object] | None = None,
    ) -> None:
        self._state = state
        self._entries: deque[_Entry | RecalledQuery | RelayedQuery] = deque(maxlen=capacity)
        self.on_recall: Callable[[RecalledQuery], None] = self._entries.append
        self._others = others
        self._cleared = cleared

    def decided(self, arrival: Arrival, result: Response | Drop, took: float) -> None:
        if isinstance(result, Response) and len(result.octets) > MAX_OCTETS:
            result = replace(result, octets=b"", relayed=None)
        self._entries.append((time.time(), took, self._state.world.revision, arrival, result))

    def relayed(self, query: RelayedQuery, kind: AnswerKind, size: int) -> None:
        self._entries.append(query)

    def __len__(self) -> int:
        return len(self._entries)

    def latest(self, limit: int) -> list[QueryRecord]:
        """At most `limit` of them, the newest first."""
        found = (_record(entry) for entry in reversed(self._entries))
        return list(islice((entry for entry in found if entry is not None), limit))

    async def of_all(self, limit: int) -> list[QueryRecord]:
        """The same, of the whole server."""
        found = self.latest(limit)
        if self._others is not None:
            for more in await self._others(limit):
                found += more
            found.sort(key=_time, reverse=True)
        return found[:limit]

    def clear(self) -> None:
        self._entries.clear()
        if self._cleared is not None:
            self._cleared()


def _time(query: QueryRecord) -> float:
    return query.at


def _record(entry: _Entry | RecalledQuery | RelayedQuery) -> QueryRecord | None:
    if len(entry) == 5:
        return record_of(*entry)
    again = decided_again(entry)
    took = entry[4] if len(entry) == 6 else RECALLED
    return None if again is None else record_of(entry[0], took, entry[1].views.world.revision, *again)
