"""The other processes of one server (`serve --workers N`), as the main one sees them.

Knows processes and calls, not what is called for. The main process is a worker too, and alone changes
anything: a change is told to every other worker and acknowledged before whoever asked for it is answered
(docs/decisions/0010). A worker that fails at this is ended, so none ever answers from an old World.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, Final

from vpcdns import gc_pauses
from vpcdns.errors import StartupError
from vpcdns.process.channel import Channel

log = logging.getLogger("vpcdns.workers")

# A batch of datagrams takes 2 ms, but the machine may be busy; stub resolvers give up after 5 s.
ACKNOWLEDGED_WITHIN: Final = 2.0
STARTED_WITHIN: Final = 10.0
# A worker that has drained still writes its query log, for 2 s at most.
_AFTER_GRACE: Final = 3.0

_Answer = asyncio.Future[Any]


class Worker:
    """One of them. `number` counts from 1: the main process is worker 0."""

    def __init__(self, number: int, pid: int, channel: Channel) -> None:
        self.number = number
        self.pid = pid
        self.channel = channel
        self._calls = count()
        self._waiting: dict[int, _Answer] = {}

    def call(self, method: str, arguments: tuple[Any, ...], deadline: float) -> _Answer:
        call, answer = next(self._calls), asyncio.get_running_loop().create_future()
        self._waiting[call] = answer
        self.channel.send((call, method, arguments), deadline)
        return answer

    def receive(self) -> None:
        """Hands on the answers that have come. Raises EOFError."""
        for call, value in self.channel.receive():
            answer = self._waiting.pop(call)
            if not answer.done():
                answer.set_result(value)

    def wait(self, answer: _Answer, deadline: float) -> None:
        """Returns when it is there, whatever else is answered meanwhile."""
        while not answer.done():
            self.channel.wait(deadline)
            self.receive()

    def abandon(self) -> None:
        """Nothing more comes from it."""
        self.channel.close()
        for answer in self._waiting.values():
            answer.cancel()


class Workers:
    """All of them, but the main process."""

    def __init__(self) -> None:
        self.living: dict[int, Worker] = {}
        self.lost: list[Callable[[int], None]] = []
        """Called with the number of a worker that has failed."""

    def fork(self, number: int, duties: Callable[[], object]) -> None:
        """Begins workers 1 to `number`, each serving what `duties` makes; returns in this process only.

        Before anything runs here beside this thread: neither threads nor event loops survive a fork.
        """
        gc_pauses.settle()  # it writes to whatever it walks over, and what is written to is not shared
        sys.stdout.flush()
        for one in range(1, number + 1):
            ours, theirs = Channel.pair()
            pid = os.fork()
            if pid == 0:
                for other in (*(worker.channel for worker in self.living.values()), ours):
                    other.close()  # while one holds them, none sees the main process end
                _work(theirs, duties)
            theirs.close()
            self.living[one] = Worker(one, pid, ours)

    async def start(self) -> None:
        """They begin to serve, and from now on their ends are noticed. Raises StartupError."""
        loop, expected = asyncio.get_running_loop(), len(self.living)
        for worker in self.living.values():
            loop.add_reader(worker.channel.fileno(), self._readable, worker)
        if len(await self.ask("start", within=STARTED_WITHIN)) < expected:
            raise StartupError("a worker could not start; the log says why")

    def call(self, method: str, *arguments: Any, within: float = ACKNOWLEDGED_WITHIN) -> dict[int, Any]:
        """What each answers. Returns when all have, or were ended; nothing else happens here meanwhile."""
        deadline = time.monotonic() + within
        called = self._called(method, arguments, deadline)
        for worker, answer in called:
            with self._losing(worker):
                worker.wait(answer, deadline)
        return _answers(called)

    async def ask(self, method: str, *arguments: Any, within: float = ACKNOWLEDGED_WITHIN) -> dict[int, Any]:
        """What each answers in time, while everything else goes on."""
        called = self._called(method, arguments, time.monotonic() + within)
        if called:
            await asyncio.wait([answer for _, answer in called], timeout=within)
        return _answers(called)

    async def stop(self, grace: float) -> None:
        """Lets them finish what they were asked, for `grace` seconds, and ends them."""
        try:
            if grace > 0:
                await self.ask("stop", grace, within=grace + _AFTER_GRACE)
        finally:
            self.close()

    def close(self) -> None:
        """Ends those that are left, at once. None outlives this."""
        while self.living:
            self._end(self.living.popitem()[1])

    def lose(self, worker: Worker, why: str) -> None:
        """Ends one that cannot be relied on any more; the kernel gives its clients to the others."""
        if self.living.pop(worker.number, None) is None:
            return
        status, left = self._end(worker), len(self.living) + 1
        log.error(
            "Worker %d (process %d) %s (status %d); %d left", worker.number, worker.pid, why, status, left
        )
        for told in self.lost:
            told(worker.number)

    def _called(
        self, method: str, arguments: tuple[Any, ...], deadline: float
    ) -> list[tuple[Worker, _Answer]]:
        called = []
        for worker in tuple(self.living.values()):
            with self._losing(worker):
                called.append((worker, worker.call(method, arguments, deadline)))
        return called

    def _readable(self, worker: Worker) -> None:
        with self._losing(worker):
            worker.receive()

    @contextmanager
    def _losing(self, worker: Worker) -> Iterator[None]:
        """Within it, a worker that cannot be reached is lost, and that is all that happens."""
        try:
            yield
        except EOFError:
            self.lose(worker, "has ended")
        except TimeoutError:
            self.lose(worker, "did not answer in time, and was killed")

    def _end(self, worker: Worker) -> int:
        with suppress(RuntimeError):  # without a loop, nothing watches
            asyncio.get_running_loop().remove_reader(worker.channel.fileno())
        worker.abandon()
        os.kill(worker.pid, signal.SIGKILL)  # our child, not waited for yet: the number is its own
        return os.waitstatus_to_exitcode(os.waitpid(worker.pid, 0)[1])


def _answers(called: list[tuple[Worker, _Answer]]) -> dict[int, Any]:
    return {
        worker.number: answer.result()
        for worker, answer in called
        if answer.done() and not answer.cancelled()
    }


def _work(channel: Channel, duties: Callable[[], object]) -> None:
    """All that a forked process does; never returns."""
    try:
        # Signals are the main process's, which tells: Ctrl-C goes to everybody at the terminal.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        asyncio.run(_Attending(channel, duties()).run())
    except Exception:  # the process's last line, whatever it was
        log.exception("A worker has failed")
    finally:
        os._exit(1)  # what was inherited is the main process's to close


class _Attending:
    """In a worker: does what it is told, until it fails or the other end is gone.

    Calls are begun in the order in which they come; a coroutine is answered for when it is done.
    """

    def __init__(self, channel: Channel, duties: object) -> None:
        self._channel = channel
        self._duties = duties
        self._later: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self._failed: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._channel.fileno(), self._hear)
        await self._failed

    def _hear(self) -> None:
        try:
            for call, method, arguments in self._channel.receive():
                value = getattr(self._duties, method)(*arguments)
                if isinstance(value, Awaitable):
                    task = asyncio.get_running_loop().create_task(self._answer_later(call, value))
                    self._later.add(task)
                    task.add_done_callback(self._done)
                else:
                    self._answer(call, value)
        except EOFError:
            os._exit(0)  # nobody is left to tell anything
        except Exception as error:  # noqa: BLE001 - whatever it is: this process is not what the others are
            self._fail(error)

    def _answer(self, call: int, value: Any) -> None:
        self._channel.send((call, value), time.monotonic() + ACKNOWLEDGED_WITHIN)

    async def _answer_later(self, call: int, value: Awaitable[Any]) -> None:
        self._answer(call, await value)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._later.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        asyncio.get_running_loop().remove_reader(self._channel.fileno())
        if not self._failed.done():
            self._failed.set_exception(error)
