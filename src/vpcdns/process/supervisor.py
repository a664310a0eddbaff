"""Notices workers that hang, and puts others in the place of those that were lost."""

import asyncio
import logging
from contextlib import closing
from functools import partial
from typing import Final

from vpcdns.process.parts import ServerParts, Settings
from vpcdns.process.replacement import Start, execute
from vpcdns.process.replication import OvertakenByReload, Replication
from vpcdns.process.workers import HEARTBEAT_EVERY, Workers
from vpcdns.process.world_transfer import WorldTransfer
from vpcdns.server.threads import in_thread

log = logging.getLogger("vpcdns.workers")

# Seconds between two replacements, doubled each time until none was needed for as long as the longest.
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 60.0


class Supervisor:
    """Of the workers of one server; there is one in the main process."""

    def __init__(
        self,
        workers: Workers,
        replication: Replication,
        transfer: WorldTransfer,
        parts: ServerParts,
        settings: Settings,
    ) -> None:
        self._workers = workers
        self._replication = replication
        self._transfer = transfer
        self._parts = parts
        self._settings = settings
        self._wait = _FIRST_WAIT
        self._last = -_LONGEST_WAIT
        self._was_overtaken = False
        self._begun: set[int] = set()

    async def run(self) -> None:
        """Until it is cancelled."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            while True:
                await asyncio.sleep(HEARTBEAT_EVERY)
                await self._workers.heartbeat()
                quiet = loop.time() - self._last
                if quiet >= _LONGEST_WAIT:
                    self._wait = _FIRST_WAIT
                missing = self._workers.missing - self._begun
                if missing and (quiet >= self._wait or self._was_overtaken):
                    if not self._was_overtaken:  # a reload is no reason to wait
                        self._last, self._wait = loop.time(), min(2 * self._wait, _LONGEST_WAIT)
                    self._was_overtaken = False
                    self._begun.add(number := min(missing))  # one that hangs at this keeps no other waiting
                    tasks.create_task(self._replace(number))

    async def _replace(self, number: int) -> None:
        """Executes another and brings it to the current World; serves on without it where that fails."""
        try:
            with closing(WorldTransfer()) as worlds:
                state, parts = self._parts.state, self._parts
                worlds_of = (state.file, state.world) if state.unfiled else (state.file,)
                start = Start(
                    number, self._settings, parts.service.bind(), state.world.revision, state.unfiled
                )
                self._replication.record(number)
                await in_thread(partial(worlds.write, *worlds_of))
                worker = execute(start, worlds, self._transfer, parts.counts)
                await self._replication.join(worker, state, parts.faults)
        except (OSError, EOFError, RuntimeError) as error:
            self._was_overtaken = isinstance(error, OvertakenByReload)
            why = str(error) or repr(error)
            log.error("Worker %d was not replaced, and will be tried again: %s", number, why)  # noqa: TRY400 - no bug
        else:
            log.info("Worker %d was replaced by process %d", number, worker.pid)
        finally:
            self._begun.discard(number)
