"""What the main process has its workers do, so that all of them are one server.

What changes something is a `call`, acknowledged before the change is answered. What only asks is an `ask`:
the event loop goes on meanwhile. Workers that hang are noticed, and lost ones replaced.
"""

import asyncio
import logging
import time
from contextlib import closing
from functools import partial
from typing import Final

from vpcdns.errors import StartupError
from vpcdns.model.policy import Listen
from vpcdns.model.world import World
from vpcdns.observe.metrics import Others
from vpcdns.observe.worker_counts import WorkerCounts, added
from vpcdns.process.privileges import User
from vpcdns.process.replacement import Start, execute
from vpcdns.process.server_parts import ServerParts, Settings
from vpcdns.process.worker_duties import WorkerDuties
from vpcdns.process.workers import ACKNOWLEDGED_WITHIN, HEARTBEAT_EVERY, Worker, Workers
from vpcdns.process.world_transfer import WorldTransfer
from vpcdns.server.reload import Replicas
from vpcdns.server.threads import in_thread
from vpcdns.state import Commit, Step

log = logging.getLogger("vpcdns.workers")

# A million groups are read from shared memory in some seconds.
_PREPARED_WITHIN: Final = 120.0
# A new process imports for a second, then reads the World, at 5 µs a group; the machine may be busy.
_BEGUN_WITHIN: Final = 15.0
_BEGUN_WITHIN_A_GROUP: Final = 5e-5
# Added for each group when a reload is committed: beside API changes all of them are compared, at 2 µs each.
_COMPARED_WITHIN: Final = 1e-5
_COUNTED_WITHIN: Final = 0.5  # whoever scrapes need not wait for one that hangs
# Seconds between two replacements, doubled each time until none was needed for as long as the longest.
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 60.0


class Replication(Replicas):
    """Keeps the workers of a server in step with its main process, and their number complete."""

    def __init__(self, workers: Workers, parts: ServerParts, settings: Settings) -> None:
        self._workers, self._parts, self._settings = workers, parts, settings
        self._transfer = WorldTransfer()
        self._counts: dict[int, WorkerCounts] = {}
        self._ended = WorkerCounts()
        # By the numbers of those that are being replaced: what was replayed since; None after a reload.
        self._recorded: dict[int, list[Step] | None] = {}
        self._wait, self._last, self._was_overtaken = _FIRST_WAIT, -_LONGEST_WAIT, False
        parts.state.replicate(self._replay)

    def fork(self, user: User | None) -> None:
        """Begins the workers, as `user`. Before there is a thread or an event loop."""
        duties = partial(WorkerDuties.forked, parts=self._parts, transfer=self._transfer, user=user)
        self._workers.fork(self._settings.processes - 1, duties)

    def _replay(self, step: Step, world: World) -> None:
        """A change, small whatever it changes; attributes are the main process's alone."""
        if isinstance(step, Commit):
            if not step.changes:
                return
            step = Commit(step.changes)
        for steps in self._recorded.values():
            if steps is not None:
                steps.append(step)
        self._expect(world, self._workers.call("replay", step))

    async def prepare(self, file: World, listens: tuple[Listen, ...]) -> None:
        if not self._workers.living:
            return
        try:
            await in_thread(partial(self._transfer.write, file))
        except OSError as error:
            raise StartupError(f"there is no memory to hand workers the World: {error.strerror}") from error
        problems = await self._workers.ask("prepare", listens, within=_PREPARED_WITHIN)
        self._transfer.clear()
        for pid, problem in problems.items():
            if problem is not None:
                raise StartupError(f"worker process {pid}: {problem}")

    def commit(self, world: World) -> None:
        self._recorded = dict.fromkeys(self._recorded)  # who has begun with the former file cannot follow
        within = ACKNOWLEDGED_WITHIN + _COMPARED_WITHIN * len(world.groups)
        self._expect(world, self._workers.call("commit", within=within))

    def abandon(self) -> None:
        self._workers.call("abandon")

    def _expect(self, world: World, revisions: dict[int, int]) -> None:
        """Ends every worker that has come to another World."""
        for pid, revision in revisions.items():
            if revision != world.revision:
                self._workers.lose(self._workers.living[pid], f"is at revision {revision} and was killed")

    async def counts(self) -> Others:
        """What the others have counted. One that does not say, or is gone, has counted what it last said."""
        self._counts |= await self._workers.ask("counts", within=_COUNTED_WITHIN)
        living = self._workers.living
        for pid in self._counts.keys() - living.keys():
            self._ended = added(self._ended, self._counts.pop(pid).ended())
        return Others([self._ended, *self._counts.values()], list(living))

    async def supervise(self) -> None:
        """Loses workers that hang, and puts others in the place of those that were lost."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            while True:
                await asyncio.sleep(HEARTBEAT_EVERY)
                await self._workers.heartbeat()
                quiet = loop.time() - self._last
                if quiet >= _LONGEST_WAIT:
                    self._wait = _FIRST_WAIT
                # A replacement that hangs at its start keeps no other waiting.
                missing = self._workers.missing - self._recorded.keys()
                if missing and (quiet >= self._wait or self._was_overtaken):
                    if not self._was_overtaken:  # a reload is no reason to wait
                        self._last, self._wait = loop.time(), min(2 * self._wait, _LONGEST_WAIT)
                    self._was_overtaken = False
                    tasks.create_task(self._replace(min(missing)))

    async def _replace(self, number: int) -> None:
        """Executes another and brings it to the current World; serves on without it where that fails."""
        parts, state = self._parts, self._parts.state
        start = Start(
            number, self._settings, parts.service.bind(), state.world.revision, state.contents.unfiled
        )
        worlds_of = (state.file, state.world) if state.contents.unfiled else (state.file,)
        self._recorded[number] = []
        try:
            with closing(WorldTransfer()) as worlds:
                await in_thread(partial(worlds.write, *worlds_of))
                worker = execute(start, worlds, self._transfer, parts.counts)
                try:
                    await self._begin(worker)
                except BaseException:
                    worker.end()
                    raise
            self._workers.add(worker)
        except (OSError, EOFError, RuntimeError) as error:
            self._was_overtaken = self._recorded[number] is None
            why = str(error) or repr(error)
            log.error("Worker %d was not replaced, and will be tried again: %s", number, why)  # noqa: TRY400 - no bug
        else:
            log.info("Worker %d was replaced by process %d", number, worker.pid)
        finally:
            del self._recorded[number]

    async def _begin(self, worker: Worker) -> None:
        """It answers from now on, at the current World. Raises OSError, EOFError and RuntimeError."""
        state = self._parts.state
        await worker.ready(_BEGUN_WITHIN + _BEGUN_WITHIN_A_GROUP * len(state.world.groups))
        steps = self._recorded[worker.number]
        if steps is None:
            raise RuntimeError("the configuration was read anew meanwhile")
        begun = worker.call("begin", (steps, self._parts.faults.injected))
        worker.wait(begun, time.monotonic() + ACKNOWLEDGED_WITHIN)
        if begun.result() != state.world.revision:
            raise RuntimeError(f"it came to revision {begun.result()}")
