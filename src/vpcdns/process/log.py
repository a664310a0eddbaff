"""Where every process of a server logs: to standard error, which may be a pipe that nobody reads.

While queries are answered a thread writes the log, so a full pipe stops nothing else. The thread is started
late: a process with threads can neither fork nor give up its privileges safely.
"""

import atexit
import logging
import os
import sys
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import Final

log = logging.getLogger("vpcdns.log")

# Some 40 of the longest messages: a configuration's problems are named up to 26 KB.
MAX_OCTETS_QUEUED: Final = 1 << 20
# How long the end may wait for a reader that does not read.
GRACE: Final = 1.0


class _Stderr:
    """What `logging` writes to, one message at a time. Messages that find no room are lost and counted."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[bytes | threading.Event] | None = None
        # Two sums, each with one writer, instead of a lock: `logging` has one of its own.
        self._octets_in = self._octets_out = 0
        self._lost = self._lost_told = 0

    def write(self, text: str) -> None:
        if self._queue is None:
            sys.stderr.write(text)
        elif self._octets_in - self._octets_out >= MAX_OCTETS_QUEUED:
            self._lost += 1
        else:
            octets = text.encode(errors="backslashreplace")
            self._octets_in += len(octets)
            self._queue.put(octets)

    def start(self) -> None:
        """From now on, and until the process ends, nobody waits for a message to be written."""
        if sys.stderr is not None and self._queue is None:  # None when it was closed before we began
            self._queue = SimpleQueue()
            threading.Thread(target=self._run, args=(self._queue,), name="log", daemon=True).start()
            atexit.register(self.finish)

    def finish(self) -> None:
        """Waits until what was logged is written, but no longer than GRACE seconds."""
        if self._queue is not None:
            written = threading.Event()
            self._queue.put(written)
            written.wait(GRACE)

    def _run(self, queue: SimpleQueue[bytes | threading.Event]) -> None:
        while True:
            if isinstance(octets := queue.get(), threading.Event):
                octets.set()
                continue
            self._octets_out += len(octets)
            with suppress(OSError):  # nobody is left to read it, or the disk is full
                while octets:
                    octets = octets[os.write(sys.stderr.fileno(), octets) :]
            if queue.empty() and (lost := self._lost - self._lost_told):
                self._lost_told += lost
                log.warning("%d messages of the log were lost: nobody read standard error", lost)


_stderr: Final = _Stderr()


def log_to_stderr() -> None:
    logging.basicConfig(stream=_stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")


write_log_in_thread: Final = _stderr.start
finish_log: Final = _stderr.finish
