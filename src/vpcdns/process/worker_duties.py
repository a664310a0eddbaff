"""What a worker that is not the main process does: `replication` calls each method, and those of `parts`."""

from __future__ import annotations

from vpcdns.errors import StartupError
from vpcdns.listen.service import PreparedListeners
from vpcdns.model.policy import Listen
from vpcdns.model.world import World
from vpcdns.observe.worker_counts import WorkerCounts
from vpcdns.process.log import finish_log
from vpcdns.process.privileges import User, shed_privileges
from vpcdns.process.server_parts import ServerParts
from vpcdns.process.world_transfer import WorldTransfer
from vpcdns.server.faults import InjectedFault
from vpcdns.server.threads import chunks, free_in_thread, in_thread
from vpcdns.state import Step


class WorkerDuties:
    """Made in the worker, with parts that have sockets of their own."""

    def __init__(self, parts: ServerParts, transfer: WorldTransfer) -> None:
        self.parts = parts
        self._transfer = transfer
        self._file: World | None = None
        self._listeners: PreparedListeners | None = None

    @classmethod
    def forked(
        cls, number: int, parts: ServerParts, transfer: WorldTransfer, user: User | None
    ) -> WorkerDuties:
        """In a process that was forked: takes sockets of its own, and gives up privileges by itself."""
        parts.counts.own = number
        parts.service.join()
        shed_privileges(user, keep_ports=True)
        return cls(parts, transfer)

    def heartbeat(self) -> None:
        """A heartbeat: the worker is alive if it answers."""

    async def stop(self, grace: float) -> None:
        await self.parts.stop(grace)
        await in_thread(finish_log)

    async def begin(self, steps: list[Step], faults: tuple[InjectedFault, ...]) -> int:
        """A replacement catches up and begins to answer; the revision that `steps` have led to."""
        for step in steps:
            self.replay(step)
        self.parts.faults.put(faults)
        await self.parts.start()
        return self.parts.state.world.revision

    def replay(self, step: Step) -> int:
        """The revision that it leads to."""
        self.parts.state.replay(step)
        return self.parts.state.world.revision

    async def prepare(self, listens: tuple[Listen, ...]) -> str | None:
        """Gets ready for a reload; what stands in the way of it, if anything."""
        self.abandon()
        try:
            self._listeners = self.parts.service.prepare(listens)
            (self._file,) = await in_thread(self._transfer.read)
        except (StartupError, OSError) as error:
            return str(error)
        return None

    def commit(self) -> int:
        """Puts in place what was prepared, between two queries; the revision that it leads to."""
        file, listeners, state = self._file, self._listeners, self.parts.state
        self._file = self._listeners = None
        if file is None or listeners is None:
            return 0
        parts = chunks(state.world)
        self.parts.service.commit(listeners)
        world = state.put(state.with_file(file), file)
        free_in_thread(parts)
        return world.revision

    def abandon(self) -> None:
        if self._listeners is not None:
            self._listeners.abandon()
        self._file = self._listeners = None

    async def counts(self) -> WorkerCounts:
        parts = self.parts
        return await WorkerCounts.of(parts.query_counts, parts.service, parts.resolver, parts.query_log)
