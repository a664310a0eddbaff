"""Waits for what happens in other processes and threads; `event_loop` has what waits in an event loop."""

from __future__ import annotations

import time
from collections.abc import Callable

DEADLINE = 20.0  # seconds


def eventually(condition: Callable[[], bool], within: float = DEADLINE) -> None:
    """Returns when `condition` holds; fails when it does not hold by the deadline."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(0.01)
