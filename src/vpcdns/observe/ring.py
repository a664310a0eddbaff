"""The latest decisions, for the console and for tests; the oldest go first.

An observer of the Resolver: holds references, renders nothing until somebody reads.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from itertools import islice
from typing import Final

from vpcdns.exchange import Arrival, Drop, Reply
from vpcdns.observe.decided import Decided, decided
from vpcdns.state import State

CAPACITY: Final = 1_000
# Of a longer response only the decision is remembered, so that all of them are some MB at most.
MAX_OCTETS: Final = 4_096


class Decisions:
    """A bounded memory of decided queries."""

    def __init__(self, state: State, capacity: int = CAPACITY) -> None:
        self._state = state
        self._entries: deque[tuple[float, float, int, Arrival, Reply | Drop]] = deque(maxlen=capacity)

    def __call__(self, arrival: Arrival, result: Reply | Drop, took: float) -> None:
        if isinstance(result, Reply) and len(result.octets) > MAX_OCTETS:
            result = replace(result, octets=b"", relayed=None)
        self._entries.append((time.time(), took, self._state.world.revision, arrival, result))

    def __len__(self) -> int:
        return len(self._entries)

    def latest(self, limit: int) -> list[Decided]:
        """At most `limit` of them, the newest first."""
        return [decided(*entry) for entry in islice(reversed(self._entries), limit)]

    def clear(self) -> None:
        self._entries.clear()
