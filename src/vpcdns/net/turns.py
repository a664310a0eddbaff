"""Whose turn it is: what cannot all be done at once is done one after the other.

Knows callbacks and time. However many wait (TCP connections with more queries, clients for the same large
response), a pass of the event loop has one turn for all of them, so that datagrams, timers and everything
else go on.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

TURN: Final = 0.005  # seconds


class Turns:
    """`waiting` are those who are to go on, the next one first."""

    def __init__(self) -> None:
        self.waiting: deque[Callable[[], None]] = deque()
        self._is_due = False

    def wait(self, go_on: Callable[[], None], *, first: bool = False) -> None:
        """Calls `go_on` in a later pass; `first` is for those that have not had a turn yet."""
        (self.waiting.appendleft if first else self.waiting.append)(go_on)
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._take)

    def _take(self) -> None:
        """Each of those that wait now at most once, until the time is over."""
        end = time.monotonic() + TURN
        for _ in range(len(self.waiting)):
            self.waiting.popleft()()
            if time.monotonic() >= end:
                break
        self._is_due = bool(self.waiting)
        if self._is_due:
            asyncio.get_running_loop().call_soon(self._take)
