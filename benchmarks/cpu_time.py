"""CPU time, which others on the machine change less than the clock's."""

from __future__ import annotations

import time
from collections.abc import Callable


def cpu(work: Callable[[], object], rounds: int = 1) -> float:
    """Seconds of CPU time: the best of the rounds."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best
