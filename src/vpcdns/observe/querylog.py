"""The query log: one JSON object a line, to a file or to standard output, never waited for.

A line is made where the query is answered, and written by a thread that does nothing else: a thread that
made lines too would hold the interpreter's lock, and after each system call the event loop would wait up to
5 ms for it. Lines that do not fit in the queue, or on the disk, are lost and counted.
"""

import errno
import logging
import os
import select
import stat
import threading
import time
from collections import deque
from contextlib import suppress
from json import JSONEncoder
from pathlib import Path
from typing import Final

from vpcdns.errors import StartupError
from vpcdns.model.policy import QueryLogging, QueryLogMode
from vpcdns.observe.query_record import log_data, record_of
from vpcdns.query import Arrival, Drop, Response
from vpcdns.server.observer import Observer
from vpcdns.state import State

log = logging.getLogger("vpcdns.querylog")

# Some 20,000 usual lines: a second of a full log at full load.
MAX_OCTETS_QUEUED: Final = 8 << 20
# Lines of this time are written together: 20 system calls a second, however many queries.
GATHER: Final = 0.05
# How long the end may wait for a reader that does not read.
GRACE: Final = 2.0
_LINES_A_WRITE: Final = 1_000
_STDOUT: Final = "-"

# Only ASCII: a line is safe on any terminal, and in any reader.
_encode: Final = JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode


class QueryLog(Observer):
    """Logs queries as `settings` say; does nothing, at no cost but a call, when they say off.

    `lost` counts lines that were due and never written whole, `written` the others. `shared` says that
    several processes write: a pipe mixes up what is longer than PIPE_BUF (POSIX, write()).
    """

    def __init__(
        self, state: State, settings: QueryLogging, capacity: int = MAX_OCTETS_QUEUED, shared: bool = False
    ) -> None:
        self.settings = settings
        self._shared = shared
        self._at_once: int | None = None  # octets; None for any number
        self.written = 0
        self._overflowed = 0
        self._failed = 0
        self._state = state
        self._every = {QueryLogMode.OFF: 0, QueryLogMode.SAMPLED: settings.sample, QueryLogMode.FULL: 1}[
            settings.queries
        ]
        self._until_next = 1
        self._capacity = capacity
        self._lines: deque[bytes] = deque()
        # Two sums, each with one writer, instead of a lock.
        self._octets_in = self._octets_out = 0
        self._due = threading.Event()
        self._ending = threading.Event()
        self._reopen = False
        self._file: int | None = None
        self._unfinished = self._complaining = False
        self._thread: threading.Thread | None = None

    @property
    def lost(self) -> int:
        return self._overflowed + self._failed

    def start(self) -> None:
        """Opens the file and begins to write. Raises StartupError when it cannot be opened."""
        if not self._every:
            return
        try:
            self._file = self._open()
        except OSError as error:
            why, way_out = error.strerror, "create its folder, and let this user write there"
            if error.errno == errno.ENXIO:
                why, way_out = "nobody reads this FIFO", "start its reader first"
            raise StartupError(
                f"server.log.file: cannot open {self.settings.file}: {why}\n"
                f"ways out:\n  - {way_out}\n"
                "  - log to standard output: -"
            ) from error
        self._thread = threading.Thread(target=self._run, name="query log", daemon=True)
        self._thread.start()

    def reopen(self) -> None:
        """The file was moved away: write to a new one of its name. For log rotation, on SIGHUP."""
        self._reopen = True
        self._due.set()

    def stop(self, grace: float = GRACE) -> None:
        """Writes what is queued, but waits no longer than `grace` seconds for it."""
        if self._thread is None:
            return
        self._ending.set()
        self._due.set()
        self._thread.join(grace)
        if self._thread.is_alive():
            log.warning("The query log's reader does not read: %d lines are given up", len(self._lines))
        self._thread = None

    def must_see(self, count: int) -> bool:
        """Whether one of the next `count` queries is to be logged; if not, they may pass unseen."""
        if not self._every or self._until_next <= count:
            return bool(self._every)
        self._until_next -= count
        return False

    def decided(self, arrival: Arrival, result: Response | Drop, took: float) -> None:
        if not self._every:
            return
        self._until_next -= 1
        if self._until_next:
            return
        self._until_next = self._every
        if self._octets_in - self._octets_out >= self._capacity:
            self._overflowed += 1
            return
        query = record_of(time.time(), took, self._state.world.revision, arrival, result)
        line = _encode(log_data(query)).encode() + b"\n"
        self._octets_in += len(line)
        self._lines.append(line)
        # In this order: whoever finds more than its own line knows that the thread has not seen the end yet.
        if len(self._lines) == 1:
            self._due.set()

    def _run(self) -> None:
        """The thread. It ends after `stop`, when nothing is left."""
        while True:
            self._due.wait()
            self._ending.wait(GATHER)
            self._due.clear()
            if self._reopen:
                self._reopened()
            while lines := self._taken():
                self._write(lines)
            if self._ending.is_set():
                self._close()
                return

    def _taken(self) -> list[bytes]:
        lines: list[bytes] = []
        with suppress(IndexError):
            while len(lines) < _LINES_A_WRITE:
                lines.append(self._lines.popleft())
        return lines

    def _write(self, lines: list[bytes]) -> None:
        octets = b"".join(lines)
        whole = len(octets)
        if self._unfinished:
            octets = b"\n" + octets  # the half line before is lost, but not the next one with it
            whole += 1
        try:
            while octets:
                # A full disk takes a part, then none.
                octets = octets[self._put(octets) :]
        except OSError as error:
            if not self._complaining:
                log.error("The query log cannot be written, lines are lost: %s", error.strerror)  # noqa: TRY400
            self._complaining = True
            lost = octets.count(b"\n")
            self._failed += lost
            self.written += len(lines) - min(lost, len(lines))
            self._unfinished = self._unfinished or len(octets) < whole
        else:
            self._complaining = self._unfinished = False
            self.written += len(lines)
        finally:
            self._octets_out += sum(map(len, lines))

    def _put(self, octets: bytes) -> int:
        if self._file is None:
            self._file = self._open()
        if self._at_once is not None and len(octets) > self._at_once:
            octets = octets[: octets.rfind(b"\n", 0, self._at_once) + 1] or octets[: octets.index(b"\n") + 1]
        return os.write(self._file, octets)

    def _open(self) -> int:
        file = 1
        if self.settings.file != _STDOUT:
            # Without O_NONBLOCK a FIFO that nobody reads would be waited for; with it that is an error.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
            # Names that were asked for say much about people: for the owner and the group only.
            file = os.open(Path(self.settings.file), flags, 0o640)
            os.set_blocking(file, True)
        # A regular file takes what O_APPEND writes as a whole.
        is_file = stat.S_ISREG(os.fstat(file).st_mode)
        self._at_once = select.PIPE_BUF if self._shared and not is_file else None
        return file

    def _reopened(self) -> None:
        self._reopen = False
        self._close()
        self._unfinished = False
        with suppress(OSError):  # tried again at the next line, and reported then
            self._file = self._open()

    def _close(self) -> None:
        if self._file is not None and self._file != 1:
            os.close(self._file)
        self._file = None
