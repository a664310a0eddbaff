"""The other processes of one server (`serve --workers N`), as the main one sees them.

Knows processes and calls, not what is called for. The main process is a worker too, and alone changes
anything: every other worker acknowledges a change before whoever asked for it gets an answer
(docs/decisions/0010). A worker that fails at this is ended, so none ever answers from an old World; so is one
that does not answer `heartbeat`, as processes hang more often than they die.
"""

import asyncio
import logging
import os
import pickle
import signal
import socket
import struct
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from multiprocessing.connection import Connection, Pipe
from operator import attrgetter
from typing import Any, Final, NoReturn

from vpcdns import gc_pauses
from vpcdns.errors import StartupError
from vpcdns.process.log import finish_log

log = logging.getLogger("vpcdns.workers")

# A batch of datagrams takes 2 ms, but the machine may be busy; stub resolvers give up after 5 s.
ACKNOWLEDGED_WITHIN: Final = 2.0
STARTED_WITHIN: Final = 10.0
# A worker that hangs is lost within the sum of both.
HEARTBEAT_EVERY: Final = 0.4
HEARTBEAT_WITHIN: Final = 1.5
_LOOK_EVERY: Final = 0.02
# A worker that has drained still writes its query log, for 2 s at most, and its log, for 1 s.
_AFTER_GRACE: Final = 3.0

_Result = asyncio.Future[Any]


class Worker:
    """One of them. `number` counts from 1: the main process is worker 0. A replacement has the same one."""

    def __init__(self, number: int, pid: int, channel: Connection) -> None:
        self.number = number
        self.pid = pid
        self.channel = channel
        self._calls = count()
        self._waiting: dict[int, _Result] = {}
        self._heartbeats: dict[int, float] = {}

    @property
    def silent_since(self) -> float:
        """When the oldest heartbeat was asked for that has not come yet, or now, in monotonic seconds.

        Other calls do not count: a worker that prepares a reload for seconds answers heartbeats meanwhile.
        """
        return next(iter(self._heartbeats.values()), time.monotonic())

    def call(self, method: str, arguments: tuple[Any, ...], deadline: float | None = None) -> _Result:
        """Raises TimeoutError when it has not taken the call by `deadline`; OSError when it has ended."""
        call = next(self._calls)
        result = self._waiting[call] = asyncio.get_running_loop().create_future()
        if method == "heartbeat":
            self._heartbeats[call] = time.monotonic()
        self._send((call, method, arguments), deadline or time.monotonic() + ACKNOWLEDGED_WITHIN)
        return result

    def _send(self, message: object, deadline: float) -> None:
        """As `Connection.send`, which would wait for as long as a worker that hangs does not read."""
        octets = pickle.dumps(message)
        with socket.socket(fileno=os.dup(self.channel.fileno())) as sock:
            sock.settimeout(max(0.001, deadline - time.monotonic()))  # for all of it
            try:
                sock.sendall(struct.pack("!i", len(octets)) + octets)
            finally:
                sock.setblocking(True)  # for the channel, which is the same socket

    def receive(self) -> None:
        """Hands on a result that has come, unless `wait` has done so since the event loop looked."""
        if not self.channel.poll():
            return
        call, value = received(self.channel)
        result = self._waiting.pop(call)
        self._heartbeats.pop(call, None)
        if not result.done():
            result.set_result(value)

    def wait(self, result: _Result, deadline: float) -> None:
        """Returns when it is there, whatever else comes meanwhile. Raises TimeoutError."""
        while not result.done():
            if not self.channel.poll(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            self.receive()

    async def ready(self, within: float) -> None:
        """Returns when a new process does what it is called for. Raises TimeoutError, EOFError or OSError."""
        result, deadline = self.call("heartbeat", ()), time.monotonic() + within
        while not result.done():
            if time.monotonic() > deadline:
                raise TimeoutError("it did not begin in time")
            await asyncio.sleep(_LOOK_EVERY)
            self.receive()

    def end(self) -> int:
        """Kills the process; its exit status. Whoever waits for it gets no result."""
        with suppress(RuntimeError):  # without a loop, nothing watches
            asyncio.get_running_loop().remove_reader(self.channel.fileno())
        self.channel.close()
        for result in self._waiting.values():
            result.cancel()
        os.kill(self.pid, signal.SIGKILL)  # our child, not waited for yet: the number is its own
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Workers:
    """All but the main process, by process id: none in a server of one process, and none in a worker."""

    def __init__(self) -> None:
        self.living: dict[int, Worker] = {}
        self.number = 0

    @property
    def missing(self) -> set[int]:
        """The numbers of those that were lost."""
        return {*range(1, self.number + 1)} - {worker.number for worker in self.living.values()}

    def fork(self, number: int, duties: Callable[[int], object]) -> None:
        """Begins workers 1 to `number`, each serving what `duties` makes; returns in this process only.

        Before anything runs here beside this thread: neither threads nor event loops survive a fork.
        """
        gc_pauses.settle()  # it writes to whatever it walks over, and what is written to is not shared
        sys.stdout.flush()
        self.number = number
        for one in range(1, number + 1):
            ours, theirs = channel()
            pid = os.fork()
            if pid == 0:
                for other in (*(worker.channel for worker in self.living.values()), ours):
                    other.close()  # while one holds them, none sees the main process end
                self.living.clear()
                self.number = 0
                work(theirs, partial(duties, one))
            theirs.close()
            self.living[pid] = Worker(one, pid, ours)

    async def start(self) -> None:
        """They begin to serve. Raises StartupError."""
        expected = tuple(self.living.values())
        for worker in expected:
            self.add(worker)
        if len(await self.ask("parts.start", within=STARTED_WITHIN)) < len(expected):
            raise StartupError("a worker could not start; the log says why")

    def add(self, worker: Worker) -> None:
        """What it says is heard from now on, and its end is noticed."""
        self.living[worker.pid] = worker
        asyncio.get_running_loop().add_reader(worker.channel.fileno(), self._receive, worker)

    async def heartbeat(self) -> None:
        """Loses every worker that does not answer. No one is blamed for a time in which this process hung."""
        asked, before = tuple(self.living.values()), time.monotonic()
        answered = await self.ask("heartbeat", within=HEARTBEAT_WITHIN)
        if time.monotonic() - before < HEARTBEAT_WITHIN + HEARTBEAT_EVERY:
            for worker in asked:
                if worker.pid not in answered:
                    self.lose(worker, "hung and was killed")

    def call(self, method: str, *arguments: Any, within: float = ACKNOWLEDGED_WITHIN) -> dict[int, Any]:
        """What each returns. Returns when all have, or were ended; nothing else happens here meanwhile."""
        deadline, called = time.monotonic() + within, self._called(method, arguments)
        for worker, result in called:
            with self._losing(worker):
                # A heartbeat that is missing already counts: it is lost in time, whatever comes in between.
                worker.wait(result, min(deadline, worker.silent_since + within))
        return _results(called)

    async def ask(
        self, method: str, *arguments: Any, within: float = ACKNOWLEDGED_WITHIN, or_lose: bool = False
    ) -> dict[int, Any]:
        """What each returns in time, while everything else goes on; `or_lose` ends those that do not."""
        called = self._called(method, arguments)
        if called:
            await asyncio.wait([result for _, result in called], timeout=within)
        for worker in [one for one, result in called if or_lose and not result.done()]:
            self.lose(worker, "did not answer in time, and was killed")
        return _results(called)

    async def stop(self, grace: float) -> None:
        """Lets them finish what they were asked, for `grace` seconds, and ends them."""
        try:
            if grace > 0:
                stopping = asyncio.ensure_future(self.ask("stop", grace, within=grace + _AFTER_GRACE))
                while not stopping.done():
                    await self.heartbeat()  # one that hangs is not waited for
                    await asyncio.wait([stopping], timeout=HEARTBEAT_EVERY)
        finally:
            self.close()

    def close(self) -> None:
        """Ends those that are left, at once. None outlives this."""
        while self.living:
            self.living.popitem()[1].end()

    def lose(self, worker: Worker, why: str) -> None:
        """Ends one that cannot be relied on any more; the kernel gives its clients to the others."""
        if self.living.pop(worker.pid, None) is not None:
            number, pid, status, left = worker.number, worker.pid, worker.end(), len(self.living) + 1
            log.error("Worker %d (process %d) %s (status %d); %d left", number, pid, why, status, left)

    def _called(self, method: str, arguments: tuple[Any, ...]) -> list[tuple[Worker, _Result]]:
        called, deadline = [], time.monotonic() + ACKNOWLEDGED_WITHIN  # for all of them together
        for worker in tuple(self.living.values()):
            with self._losing(worker):
                due = min(deadline, worker.silent_since + ACKNOWLEDGED_WITHIN)
                called.append((worker, worker.call(method, arguments, due)))
        return called

    def _receive(self, worker: Worker) -> None:
        with self._losing(worker):
            worker.receive()

    @contextmanager
    def _losing(self, worker: Worker) -> Iterator[None]:
        """Within it, a worker that cannot be reached is lost, and that is all that happens."""
        try:
            yield
        except (TimeoutError, BlockingIOError):
            self.lose(worker, "did not answer in time, and was killed")
        except (EOFError, OSError):
            self.lose(worker, "has ended")


def _results(called: list[tuple[Worker, _Result]]) -> dict[int, Any]:
    return {one.pid: result.result() for one, result in called if result.done() and not result.cancelled()}


def channel() -> tuple[Connection, Connection]:
    """Both ends of a socket pair. Whoever neither reads nor writes for ACKNOWLEDGED_WITHIN is given up.

    Messages are pickled: both ends are one program, and nobody else holds the sockets.
    """
    limit = struct.pack("ll", int(ACKNOWLEDGED_WITHIN), int(ACKNOWLEDGED_WITHIN % 1 * 1e6))
    ends = Pipe()
    for end in ends:
        with socket.socket(fileno=os.dup(end.fileno())) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    return ends


def received(channel: Connection) -> Any:
    """The next message.

    Not by `recv`, nor is it sent by `send`: those hold views of a BytesIO, and where one is left in a
    traceback, collecting it crashes CPython 3.12.1 ("deallocated BytesIO object has exported buffers").
    """
    return pickle.loads(channel.recv_bytes())  # noqa: S301 - both ends are one program


def work(channel: Connection, duties: Callable[[], object]) -> NoReturn:
    """All that a worker's process does."""
    try:
        # Signals are the main process's: Ctrl-C goes to everybody at the terminal.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        asyncio.run(_attend(channel, duties()))
    except Exception:  # the process's last line, whatever it was
        log.exception("A worker has failed")
        finish_log()
    finally:
        os._exit(1)  # what was inherited is the main process's to close


async def _attend(channel: Connection, duties: object) -> None:
    """Does what it is called for, until it fails or the other end is gone.

    Calls are begun in the order in which they come, and answered for when they are done.
    """
    loop = asyncio.get_running_loop()

    async def do(call: int, method: str, arguments: tuple[Any, ...]) -> None:
        value = attrgetter(method)(duties)(*arguments)
        channel.send_bytes(pickle.dumps((call, await value if isinstance(value, Awaitable) else value)))

    async with asyncio.TaskGroup() as calls:

        def begin() -> None:
            try:
                calls.create_task(do(*received(channel)))
            except (EOFError, OSError):
                os._exit(0)  # the main process has ended

        loop.add_reader(channel.fileno(), begin)
        await loop.create_future()  # until a call fails
