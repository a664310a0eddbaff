"""The latest decisions, for the console and for tests; the oldest go first.

An observer of the Resolver: holds references, renders nothing until somebody reads.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Final

from vpcdns.exchange import Arrival, Drop, Forward, Reply
from vpcdns.observe.decided import Decided, decided
from vpcdns.server.hot import Recollection, recollected
from vpcdns.state import State

CAPACITY: Final = 1_000
# Of a longer response only the decision is remembered, so that all of them are some MB at most.
MAX_OCTETS: Final = 4_096


_Told = tuple[float, float, int, Arrival, Reply | Drop]


class Decisions:
    """A bounded memory of decided queries.

    `recalled` is for the hot path, which pays for no more than the deque's own `append`.
    """

    def __init__(self, state: State, capacity: int = CAPACITY) -> None:
        self._state = state
        self._entries: deque[_Told | Recollection] = deque(maxlen=capacity)
        self.recalled: Callable[[Recollection], None] = self._entries.append

    def __call__(self, arrival: Arrival, result: Reply | Drop, took: float) -> None:
        if isinstance(result, Reply) and len(result.octets) > MAX_OCTETS:
            result = replace(result, octets=b"", relayed=None)
        self._entries.append((time.time(), took, self._state.world.revision, arrival, result))

    def __len__(self) -> int:
        return len(self._entries)

    def latest(self, limit: int) -> list[Decided]:
        """At most `limit` of them, the newest first."""
        return [_decided(entry) for entry in islice(reversed(self._entries), limit)]

    def clear(self) -> None:
        self._entries.clear()


def _decided(entry: _Told | Recollection) -> Decided:
    if len(entry) == 5:
        return decided(*entry)
    arrival, result = recollected(entry)
    assert not isinstance(result, Forward), "what is forwarded is never recalled"  # noqa: S101
    return decided(entry[0], 0.0, entry[1].hot.world.revision, arrival, result)
