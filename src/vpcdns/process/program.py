"""One server put together and kept running: what starts and ends in which order.

Must not know what the parts do. Prints nothing.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from vpcdns import gc_pauses
from vpcdns.admin_client import TOKEN_VARIABLE
from vpcdns.config import Admin, Progress
from vpcdns.control.admin_server import AdminServer
from vpcdns.control.cache_interface import CacheInterface
from vpcdns.control.openapi.keys import read_access_keys
from vpcdns.control.test_interface import TestInterface
from vpcdns.errors import StartupError, StateError
from vpcdns.forward.host_resolvers import RESOLV_CONF
from vpcdns.listen.address_watch import AddressWatch
from vpcdns.model.policy import Listen
from vpcdns.model.world import World
from vpcdns.net.binding import Sharing
from vpcdns.observe.metrics import Sources
from vpcdns.process.privileges import User, acting_as, require_readable, shed_privileges
from vpcdns.process.replication import Replication
from vpcdns.process.server_parts import ServerParts, Settings
from vpcdns.process.signals import serve
from vpcdns.process.source import Source
from vpcdns.process.workers import Workers
from vpcdns.server.faults import SharedCounts
from vpcdns.server.lasting_tasks import LastingTasks
from vpcdns.server.reload import Reloader, Replicas
from vpcdns.server.upstream_look_ups import UpstreamLookUps
from vpcdns.state import State, UnusableJournal
from vpcdns.state.sqlite_journal import open_state

log = logging.getLogger("vpcdns.server")

Ready = Callable[[World, tuple[Listen, ...], Listen | Path | None], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How to serve. `state` is the file for what the API changes, `user` who to be once ports are bound.

    With `state_optional` a state that cannot be used holds up no DNS.
    """

    state: Path | None = None
    state_optional: bool = False
    user: User | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        if self.state_optional and self.state is None:
            raise StartupError("--state-optional: there is no state\nway out: add --state PATH")
        if self.workers > 1 and not (hasattr(os, "memfd_create") and hasattr(socket, "SO_REUSEPORT")):
            only_linux = "only Linux deals out queries to several processes"
            raise StartupError(f"--workers: {only_linux}\nway out: leave it out")


class Program:
    """One server: DNS, reloading, and HTTP if the configuration has an `admin.listen`."""

    def __init__(self, source: Source, options: Options, progress: Progress | None = None) -> None:
        """Loads, opens the state, makes the parts. Raises StartupError, StateError, ConfigurationError."""
        self._source, self._user = source, options.user
        source.files.begin()
        loaded = source.load(progress)
        self._workers, self._tasks = Workers(), LastingTasks()
        with ExitStack() as opened:
            opened.callback(self._workers.close)
            state = _open_state(loaded.world, options, opened)
            settings = Settings(loaded.query_logging, loaded.admin is not None, options.workers)
            several = options.workers > 1
            counts, sharing = SharedCounts(options.workers), Sharing.FIRST if several else Sharing.ALONE
            self._parts = ServerParts(state, settings, loaded.listens, counts, self._workers, sharing)
            self._replication = Replication(self._workers, self._parts, settings) if several else None
            self._reloader = Reloader(
                state,
                self._parts.service,
                self._replication or Replicas(),
                source.load_again,
                source.files,
                source_hash=loaded.source_hash,
            )
            self._look_ups = UpstreamLookUps(
                state, source.names, self._parts.service.bind, self._parts.silent_upstreams
            )
            self._admin = None if loaded.admin is None else self._admin_server(loaded.admin)
            self._opened = opened.pop_all()

    def start(self) -> None:
        """Takes the ports, forks the workers, gives up privileges. Raises StartupError.

        Before there is a thread or an event loop.
        """
        user, service = self._user, self._parts.service
        service.bind()
        service.belong_to(None if user is None else user.uid)
        if self._replication is not None:
            self._replication.fork(user)
        admin = None if self._admin is None else self._admin.bind()
        if user is not None and isinstance(admin, Path):
            os.chown(admin, user.uid, user.gid)
        shed_privileges(user, keep_ports=self._replication is not None)
        if user is not None:
            for file in self._source.files.read.keys() - {RESOLV_CONF}:
                require_readable(file, "it is read again at every reload")

    def _admin_server(self, admin: Admin) -> AdminServer | None:
        if admin.listen is None:
            return None
        parts, others = self._parts, None if self._replication is None else self._replication.counts
        sources = Sources(
            parts.state,
            parts.query_counts,
            parts.service,
            parts.resolver,
            self._reloader.status,
            parts.query_log,
            others,
            self._tasks,
            self._source.names,
        )
        token, keys = os.environ.get(TOKEN_VARIABLE), read_access_keys(admin.access_keys_file, os.environ)
        writable = bool(token) or not keys
        cache = CacheInterface(parts.state, parts.flush, open_for_writes=writable)
        tests = TestInterface(
            parts.state, parts.decisions, parts.faults, cache.flush, open_for_writes=writable
        )
        return AdminServer(
            admin.listen,
            sources,
            parts.decisions,
            token,
            keys=keys,
            region_id=admin.region_id,
            hosts=admin.hosts,
            more=(*cache.routes(), *tests.routes()),
        )

    def run(self, ready: Ready) -> int:
        """Starts, and serves until a signal comes; the exit code. `ready` hears what is served and where."""
        self.start()
        return asyncio.run(self._run(ready))

    def close(self) -> None:
        """Ends the workers that are left, and closes the state file. It has been durable all the time."""
        self._opened.close()

    async def _answer(self) -> tuple[Listen, ...]:
        """Begins to answer, in every process; returns where it does now. Raises StartupError."""
        await self._look_ups.look_up()
        listens = await self._parts.start()
        await self._workers.start()
        self._tasks.start("upstreams", self._look_ups.run)
        waiting = self._parts.service.waiting
        self._tasks.start("addresses", AddressWatch(self._parts.service).run)
        if self._replication is not None:
            self._tasks.start("workers", self._replication.supervise)
        return tuple(listen for listen in listens if listen not in waiting)

    async def _drain(self, grace: float) -> None:
        """Reloads nothing more, and drains every process."""
        self._tasks.stop()
        await asyncio.gather(self._parts.stop(grace), self._workers.stop(grace))

    async def _run(self, ready: Ready) -> int:
        admin = self._admin
        try:
            admin_listen = None if admin is None else await admin.start()

            def served(listens: tuple[Listen, ...]) -> None:
                if os.geteuid() == 0:
                    log.warning("Running as root, which is not needed once ports are bound: see --user")
                ready(self._parts.state.world, listens, admin_listen)

            self._tasks.start("reload", self._reloader.run)
            gc_pauses.settle()
            return await serve(self._answer, self._drain, ready=served, hangup=self._hang_up)
        finally:
            if admin is not None:
                await admin.stop()
            await self._drain(0)

    def _hang_up(self) -> None:
        self._parts.query_log.reopen()
        self._workers.call("parts.query_log.reopen")
        self._reloader.request()


def _open_state(file: World, options: Options, opened: ExitStack) -> State:
    if options.state is None:
        return State(file)
    try:
        with acting_as(options.user):  # who will write it
            state, journal = open_state(options.state, file)
    except StateError as error:
        if options.state_optional:
            log.error("%s\nDNS is served from the configuration; changes are refused until a restart", error)  # noqa: TRY400 - no fault of ours
            return State(file, journal=UnusableJournal(str(error).partition("\n")[0]))
        way_out = "serve DNS from the configuration meanwhile, with changes refused: add --state-optional"
        head = "" if "\nways out:" in str(error) else "\nways out:"
        raise StateError(f"{error}{head}\n  - {way_out}") from error
    opened.callback(journal.close)
    return state
