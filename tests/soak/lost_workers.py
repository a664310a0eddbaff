"""Workers that are killed, stopped for good, and stopped for a moment."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from itertools import cycle
from typing import Final

from tests.soak.checkers import SECOND_TRY_AFTER
from tests.soak.server import WORKERS, AdminError, Server
from tests.support.server_process import is_gone

# Heartbeats are missed for 1.9 s; before that, a change may have waited for the worker for 2 s.
LOST_WITHIN: Final = 3.9
# The server waits up to 60 s between replacements (decision 10); then a process has to start.
REPLACED_WITHIN: Final = 80.0
_MOMENT: Final = 0.7  # less than what the server takes for a hang
# Whoever asked a lost worker asks again after so long, and must find the others undisturbed.
_QUIET: Final = SECOND_TRY_AFTER + LOST_WITHIN + 1
_SLACK: Final = 0.5  # seconds, for the machine


class LostWorkers:
    """Hits one worker after the other until `over`, and waits for what the server does about it."""

    def __init__(self, server: Server, undisturbed: asyncio.Lock, over: asyncio.Event) -> None:
        self.done: Counter[str] = Counter()
        self.problems: list[str] = []
        self.lost_after: list[float] = []
        self.replaced_after: list[float] = []
        self._signals = cycle([signal.SIGSTOP, signal.SIGKILL, signal.SIGCONT])
        self._server = server
        self._undisturbed = undisturbed
        self._over = over

    async def run(self) -> None:
        while not (self._over.is_set() or await self._are_all_there()):  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.1)
        while not self._over.is_set():
            async with self._undisturbed:
                starts = self._server.starts
                hit = await self._hit()
            if hit:
                await self._await_replacement(starts)

    async def _hit(self) -> bool:
        """Whether one was lost."""
        workers = self._server.workers()
        if len(workers) < WORKERS - 1:
            await asyncio.sleep(0.2)
            return False
        how = next(self._signals)
        victim, started = random.choice(workers), time.monotonic()
        os.kill(victim, signal.SIGSTOP if how == signal.SIGCONT else how)
        if how == signal.SIGCONT:
            await asyncio.sleep(_MOMENT)
            os.kill(victim, signal.SIGCONT)
            await asyncio.sleep(LOST_WITHIN)  # by then it would be lost
            self.done["stopped for a moment"] += 1
            if is_gone(victim):
                self.problems.append(f"a worker that stopped for {_MOMENT} s was lost")
            await asyncio.sleep(_QUIET - LOST_WITHIN)  # one at a time, as clients are promised
            return False
        while not is_gone(victim) or victim in self._server.workers():
            await asyncio.sleep(0.02)
            if time.monotonic() - started > 10:
                self.problems.append(f"a worker that got {how.name} is not lost after 10 s")
                return False
        self.lost_after.append(time.monotonic() - started)
        self.done["killed" if how == signal.SIGKILL else "stopped for good"] += 1
        if self.lost_after[-1] > LOST_WITHIN + _SLACK:
            self.problems.append(f"a worker that got {how.name} was lost after {self.lost_after[-1]:.1f} s")
        await asyncio.sleep(started + _QUIET - time.monotonic())
        return True

    async def _await_replacement(self, starts: int) -> None:
        started = time.monotonic()
        while not await self._are_all_there():
            if self._over.is_set() or self._server.starts != starts:
                return
            if time.monotonic() - started > REPLACED_WITHIN:
                self.problems.append(f"a lost worker was not replaced within {REPLACED_WITHIN:.0f} s")
                return
            await asyncio.sleep(0.2)
        if self._server.starts == starts:
            self.replaced_after.append(_QUIET + time.monotonic() - started)
            self.done["replaced"] += 1
            await asyncio.sleep(self.replaced_after[-1] / 3)  # with all of them there, memory is compared

    async def _are_all_there(self) -> bool:
        try:
            metrics = await asyncio.to_thread(self._server.get, "/metrics")
        except AdminError:
            return False
        return f"\nvpcdns_server_workers {WORKERS}.0\n".encode() in metrics
