"""The latest decisions, for the console and for tests; the oldest go first.

An observer of the Resolver: holds references, renders nothing until somebody reads.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from itertools import islice
from typing import Final

from vpcdns.observe.query_counts import RECALLED
from vpcdns.observe.query_record import QueryRecord, decided
from vpcdns.query import Arrival, Drop, Response
from vpcdns.recall.views import RecalledQuery, decided_again
from vpcdns.state import State

CAPACITY: Final = 1_000
# Of a longer response only the decision is remembered, so that all of them are some MB at most.
MAX_OCTETS: Final = 4_096


_Told = tuple[float, float, int, Arrival, Response | Drop]


class RecentDecisions:
    """A bounded memory of decided queries.

    `recalled` is for the hot path, which pays for no more than the deque's own `append`. `others` gets as
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
        self._entries: deque[_Told | RecalledQuery] = deque(maxlen=capacity)
        self.recalled: Callable[[RecalledQuery], None] = self._entries.append
        self._others = others
        self._cleared = cleared

    def __call__(self, arrival: Arrival, result: Response | Drop, took: float) -> None:
        if isinstance(result, Response) and len(result.octets) > MAX_OCTETS:
            result = replace(result, octets=b"", relayed=None)
        self._entries.append((time.time(), took, self._state.world.revision, arrival, result))

    def __len__(self) -> int:
        return len(self._entries)

    def latest(self, limit: int) -> list[QueryRecord]:
        """At most `limit` of them, the newest first."""
        found = (_decided(entry) for entry in reversed(self._entries))
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


def _decided(entry: _Told | RecalledQuery) -> QueryRecord | None:
    if len(entry) == 5:
        return decided(*entry)
    told = decided_again(entry)
    took = entry[4] if len(entry) == 6 else RECALLED
    return None if told is None else decided(entry[0], took, entry[1].hot.world.revision, *told)
