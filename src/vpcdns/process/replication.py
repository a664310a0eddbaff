"""What the main process has its workers do, so that all of them are one server.

What changes something is a `call`, acknowledged before the change is answered. What only asks is an `ask`:
the event loop goes on meanwhile.
"""

import time
from collections.abc import Iterable
from functools import partial
from typing import Final

from vpcdns.errors import StartupError
from vpcdns.model.policy import Listen
from vpcdns.model.world import World
from vpcdns.observe.metrics import Others
from vpcdns.observe.query_record import QueryRecord
from vpcdns.observe.worker_counts import WorkerCounts, added
from vpcdns.process.workers import ACKNOWLEDGED_WITHIN, Worker, Workers
from vpcdns.process.world_transfer import WorldTransfer
from vpcdns.server.faults import Faults
from vpcdns.server.threads import in_thread
from vpcdns.state import Commit, Reset, State

# A million groups are read from shared memory in some seconds.
_PREPARED_WITHIN: Final = 120.0
# A new process imports for a second, then reads the World, at 5 µs a group; the machine may be busy.
_BEGUN_WITHIN: Final = 15.0
_BEGUN_WITHIN_A_GROUP: Final = 5e-5
# Added for each group when a reload is committed: beside API changes all of them are compared, at 2 µs each.
_COMPARED_WITHIN: Final = 1e-5
_COUNTED_WITHIN: Final = 0.5  # whoever scrapes need not wait for one that hangs


class OvertakenByReload(RuntimeError):
    """A worker cannot join: it has begun with the former file."""


class Replication:
    """Without workers it does nothing. `Replicas` of a reload."""

    def __init__(self, workers: Workers, transfer: WorldTransfer | None) -> None:
        self._workers = workers
        self._transfer = transfer
        self._counts: dict[int, WorkerCounts] = {}
        self._ended = WorkerCounts()
        self._recorded: dict[int, list[Commit | Reset]] = {}

    def replay(self, step: Commit | Reset, world: World) -> None:
        """A change, small whatever it changes; attributes are the main process's alone."""
        if isinstance(step, Commit):
            if not step.changes:
                return
            step = Commit(step.changes)
        for steps in self._recorded.values():
            steps.append(step)
        self._expect(world, self._workers.call("replay", step))

    def record(self, number: int) -> None:
        """Collects what is replayed from now on, until worker `number` has joined."""
        self._recorded[number] = []

    async def join(self, worker: Worker, state: State, faults: Faults) -> None:
        """Adds a new worker when it is ready and has caught up; ends it if it does not.

        Raises OSError, EOFError and RuntimeError.
        """
        try:
            await worker.ready(_BEGUN_WITHIN + _BEGUN_WITHIN_A_GROUP * len(state.world.groups))
            steps = self._recorded.get(worker.number)
            if steps is None:
                raise OvertakenByReload("the configuration was read anew meanwhile")
            begun = worker.call("begin", (steps, tuple(faults.current())))
            worker.wait(begun, time.monotonic() + ACKNOWLEDGED_WITHIN)
            if begun.result() != state.world.revision:
                raise RuntimeError(f"it came to revision {begun.result()}")
        except BaseException:
            worker.end()
            raise
        finally:
            self._recorded.pop(worker.number, None)
        self._workers.add(worker)

    async def prepare(self, file: World, listens: tuple[Listen, ...]) -> None:
        if self._transfer is None or not self._workers.living:
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
        self._recorded.clear()  # a worker that has begun with the former file cannot follow
        within = ACKNOWLEDGED_WITHIN + _COMPARED_WITHIN * len(world.groups)
        self._expect(world, self._workers.call("commit", within=within))

    def abandon(self) -> None:
        self._workers.call("abandon")

    def _expect(self, world: World, revisions: dict[int, int]) -> None:
        """Ends every worker that has come to another World."""
        for pid, revision in revisions.items():
            if revision != world.revision:
                self._workers.lose(self._workers.living[pid], f"is at revision {revision} and was killed")

    async def latest_decisions(self, limit: int) -> Iterable[list[QueryRecord]]:
        return (await self._workers.ask("latest_decisions", limit)).values()

    async def counts(self) -> Others:
        """What the others have counted. One that does not say, or is gone, has counted what it last said."""
        self._counts |= await self._workers.ask("counts", within=_COUNTED_WITHIN)
        living = self._workers.living
        for pid in self._counts.keys() - living.keys():
            self._ended = added(self._ended, self._counts.pop(pid).ended())
        return Others([self._ended, *self._counts.values()], list(living))
