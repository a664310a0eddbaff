"""Numbers that worker processes share: each writes a row of its own, so that none ever waits for another."""

import mmap
import os
from typing import Final

SLOTS: Final = 4_096


class SharedCounts:
    """A row of SLOTS numbers for each process, zero at first; `own` is the number of this process's row.

    `fd` is the memory of a server that is there already.
    """

    def __init__(self, processes: int, own: int = 0, fd: int | None = None) -> None:
        size = processes * SLOTS * 8
        self.own = own
        self.fd = -1
        if processes > 1:
            self.fd = os.memfd_create("vpcdns-counts") if fd is None else fd
            os.ftruncate(self.fd, size)
        cells = memoryview(mmap.mmap(self.fd, size)).cast("Q")
        self._rows = [cells[start : start + SLOTS] for start in range(0, processes * SLOTS, SLOTS)]

    def clear(self, slot: int) -> None:
        for row in self._rows:
            row[slot] = 0

    def total(self, slot: int) -> int:
        return sum(row[slot] for row in self._rows)

    def add(self, slot: int, limit: int | None) -> bool:
        """Counts one more; unless the total, which others may raise at the same time, would pass `limit`."""
        row = self._rows[self.own]
        if limit is not None and self.total(slot) >= limit:
            return False
        row[slot] += 1
        if limit is not None and self.total(slot) > limit:
            row[slot] -= 1
            return False
        return True
