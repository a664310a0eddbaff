"""What the workers of a server have in common beside messages: a lock, and counts.

Knows memory and descriptors that a fork hands down. Made before it, used after it by whoever has them.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from types import TracebackType
from typing import Final

SLOTS: Final = 4_096


class SharedLock:
    """Keeps other processes out while it is entered, but no threads. The kernel frees it for the dead."""

    def __init__(self) -> None:
        self._fd = os.memfd_create("vpcdns-lock")

    def __enter__(self) -> None:
        fcntl.lockf(self._fd, fcntl.LOCK_EX)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        fcntl.lockf(self._fd, fcntl.LOCK_UN)


class SharedFaultCounts:
    """How often each fault has happened in all workers together. `FaultCounts` of `faults`."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, SLOTS * 8)
        self._counts = memoryview(self._memory).cast("Q")
        self._lock = SharedLock()

    def begin(self, fault_id: int) -> None:
        self._counts[fault_id % SLOTS] = 0

    def happens(self, fault_id: int, times: int | None) -> bool:
        """Counts one more, unless it has happened so many times already."""
        with self._lock:
            if times is not None and self._counts[fault_id % SLOTS] >= times:
                return False
            self._counts[fault_id % SLOTS] += 1
            return True

    def count(self, fault_id: int) -> int:
        return self._counts[fault_id % SLOTS]
