"""What the main process has its workers do, so that all of them are one server.

What changes something is a `call`, acknowledged before the change is answered. What only asks is an `ask`:
the event loop goes on meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

from vpcdns.errors import StartupError
from vpcdns.model.policy import Listen
from vpcdns.model.world import World
from vpcdns.observe.metrics import Others
from vpcdns.observe.query_record import QueryRecord
from vpcdns.observe.worker_counts import WorkerCounts
from vpcdns.process.workers import Workers
from vpcdns.process.world_transfer import WorldTransfer
from vpcdns.server.reload import in_thread
from vpcdns.state import Commit, Reset

# A million groups: read from shared memory, then compared with those before and compiled, some seconds each.
_PREPARED_WITHIN: Final = 120.0
_COMMITTED_WITHIN: Final = 30.0


class Replication:
    """Without workers it does nothing. `Replicas` of a reload."""

    def __init__(self, workers: Workers, transfer: WorldTransfer | None) -> None:
        self._workers = workers
        self._transfer = transfer
        self._counts: dict[int, WorkerCounts] = {}

    def replay(self, step: Commit | Reset, world: World) -> None:
        """A change, small whatever it changes; attributes are the main process's alone."""
        if isinstance(step, Reset):
            self._expect(world, self._workers.call("replay", step, within=_COMMITTED_WITHIN))
        elif step.changes:
            self._expect(world, self._workers.call("replay", Commit(step.changes)))

    async def prepare(self, file: World, listens: tuple[Listen, ...]) -> None:
        if self._transfer is None or not self._workers.living:
            return
        try:
            await in_thread(partial(self._transfer.write, file))
        except OSError as error:
            raise StartupError(f"there is no memory to hand workers the World: {error.strerror}") from error
        problems = await self._workers.ask("prepare", listens, within=_PREPARED_WITHIN)
        self._transfer.clear()
        for number, problem in problems.items():
            if problem is not None:
                raise StartupError(f"worker {number}: {problem}")

    def commit(self, world: World) -> None:
        self._expect(world, self._workers.call("commit", within=_COMMITTED_WITHIN))

    def abandon(self) -> None:
        self._workers.call("abandon")

    def _expect(self, world: World, revisions: dict[int, int]) -> None:
        """Ends every worker that has come to another World."""
        for number, revision in revisions.items():
            if revision != world.revision:
                self._workers.lose(self._workers.living[number], f"is at revision {revision} and was killed")

    async def latest_decisions(self, limit: int) -> Iterable[list[QueryRecord]]:
        return (await self._workers.ask("latest_decisions", limit)).values()

    async def counts(self) -> Others:
        """What the others have counted. One that does not say, or is gone, has counted what it last said."""
        self._counts |= await self._workers.ask("counts")
        living = self._workers.living
        shares = [one if number in living else one.ended() for number, one in self._counts.items()]
        return Others(shares, [worker.pid for worker in living.values()])
