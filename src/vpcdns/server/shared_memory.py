"""What worker processes share besides messages: a lock, and numbers. Made before the fork."""

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


def shared_counts() -> memoryview[int]:
    """So many numbers, zero at first, that all processes forked from this one share."""
    return memoryview(mmap.mmap(-1, SLOTS * 8)).cast("Q")
