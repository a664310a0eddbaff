"""One server put together and kept running: what starts and ends in which order.

Must not know what the parts do. Prints nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vpcdns import gc_pauses
from vpcdns.config import Progress
from vpcdns.control.admin import AdminServer
from vpcdns.errors import StartupError
from vpcdns.listen.service import GRACE
from vpcdns.model.policy import Listen
from vpcdns.model.world import World
from vpcdns.net.binding import Sharing
from vpcdns.process.log import write_log_in_thread
from vpcdns.process.parts import ServerParts, Settings, admin_of, make_admin, make_parts, make_reloader
from vpcdns.process.privileges import User, acting_as, require_readable, shed_privileges
from vpcdns.process.replication import Replication
from vpcdns.process.signals import serve
from vpcdns.process.source import Source
from vpcdns.process.supervisor import Supervisor
from vpcdns.process.worker_duties import WorkerDuties
from vpcdns.process.workers import Workers
from vpcdns.process.world_transfer import WorldTransfer
from vpcdns.server.lasting_tasks import LastingTasks
from vpcdns.server.reload import Reloader, signatures
from vpcdns.server.shared_memory import SharedCounts
from vpcdns.state import State
from vpcdns.state.sqlite_journal import open_state

log = logging.getLogger("vpcdns.server")

Ready = Callable[[World, tuple[Listen, ...], Listen | Path | None], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How to serve. `state` is the file for what the API changes, `user` who to be once ports are bound."""

    state: Path | None = None
    user: User | None = None
    workers: int = 1


class Program:
    """One server: DNS, reloading, and HTTP if there is an `admin`. Made by `assemble`."""

    def __init__(
        self,
        parts: ServerParts,
        reloader: Reloader,
        admin: AdminServer | None,
        workers: Workers,
        supervisor: Supervisor | None,
        tasks: LastingTasks,
        opened: ExitStack,
    ) -> None:
        self._parts = parts
        self._reloader = reloader
        self._admin = admin
        self._workers = workers
        self._supervisor = supervisor
        self._tasks = tasks
        self._opened = opened

    @classmethod
    def assemble(cls, source: Source, options: Options, progress: Progress | None = None) -> Program:
        """Loads, opens the state, takes the ports, forks, gives up privileges; serves nothing yet.

        Before there is a thread or an event loop. Raises StartupError, StateError and ConfigurationError.
        """
        check_workers(options.workers)
        seen = signatures(source.paths)  # before they are loaded: a change meanwhile is noticed
        loaded = source.load(progress)
        with ExitStack() as opened:
            state = _open_state(loaded.world, options, opened)
            workers, several = Workers(), options.workers > 1
            opened.callback(workers.close)
            transfer = WorldTransfer() if several else None
            replication = Replication(workers, transfer)
            state.replicate(replication.replay)
            settings = Settings(loaded.query_logging, admin_of(loaded) is not None, options.workers)
            counts, sharing = SharedCounts(options.workers), Sharing.FIRST if several else Sharing.ALONE
            parts = make_parts(state, settings, loaded.listens, counts, workers, replication, sharing)
            reloader = make_reloader(source, loaded, seen, parts, replication)
            tasks = LastingTasks()
            admin = make_admin(loaded, parts, reloader.status, replication, options.workers, tasks)
            del loaded  # or its World would outlive the first reload, in every worker
            parts.service.bind()
            supervisor = None
            if transfer is not None:
                duties = partial(WorkerDuties.forked, parts=parts, transfer=transfer, user=options.user)
                workers.fork(options.workers - 1, duties)
                supervisor = Supervisor(workers, replication, transfer, parts, settings)
            parts.service.belong_to(None if options.user is None else options.user.uid)
            _give_up_privileges(options, None if admin is None else admin.bind(), source.config)
            return cls(parts, reloader, admin, workers, supervisor, tasks, opened.pop_all())

    def run(self, ready: Ready) -> int:
        """Serves until a signal comes; the exit code. `ready` is called with what is served and where."""
        return asyncio.run(self._run(ready))

    def close(self) -> None:
        """Ends the workers that are left, and closes the state file. It has been durable all the time."""
        self._opened.close()

    async def start(self) -> tuple[Listen, ...]:
        """Begins to answer, in every process; returns where. Raises StartupError."""
        listens = await self._parts.service.start()
        await self._workers.start()
        if self._supervisor is not None:
            self._tasks.start("workers", self._supervisor.run)
        return listens

    async def stop(self, grace: float = GRACE) -> None:
        """Reloads nothing more, and drains every process."""
        self._tasks.stop()
        await asyncio.gather(self._parts.service.stop(grace), self._workers.stop(grace))

    async def _run(self, ready: Ready) -> int:
        admin = self._admin
        try:
            admin_listen = None if admin is None else await admin.start()

            def served(listens: tuple[Listen, ...]) -> None:
                if os.geteuid() == 0:
                    log.warning("Running as root, which is not needed once ports are bound: see --user")
                ready(self._parts.state.world, listens, admin_listen)

            write_log_in_thread()
            self._parts.query_log.start()
            self._tasks.start("reload", self._reloader.run)
            gc_pauses.settle()
            return await serve(self, ready=served, hangup=self._hang_up)
        finally:
            if admin is not None:
                await admin.stop()
            await self.stop(0)
            self._parts.resolver.close()
            self._parts.query_log.stop()

    def _hang_up(self) -> None:
        self._parts.query_log.reopen()
        self._workers.call("reopen_query_log")
        self._reloader.request()


def check_workers(number: int) -> None:
    """Raises StartupError where this system cannot have several."""
    if number > 1 and not (hasattr(os, "memfd_create") and hasattr(socket, "SO_REUSEPORT")):
        raise StartupError(
            "--workers: only Linux deals out queries to several processes\nway out: leave it out"
        )


def _open_state(file: World, options: Options, opened: ExitStack) -> State:
    if options.state is None:
        return State(file)
    with acting_as(options.user):  # who will write it
        state, journal = open_state(options.state, file)
    opened.callback(journal.close)
    return state


def _give_up_privileges(options: Options, admin: Listen | Path | None, config: Path) -> None:
    user = options.user
    if user is not None and isinstance(admin, Path):
        os.chown(admin, user.uid, user.gid)
    shed_privileges(user, keep_ports=options.workers > 1)
    if user is not None:
        require_readable(config, "it is read again at every reload")
