"""The parts of a server put together: what knows what, and in which order they start and end.

Knows every part by its face; what they do is theirs. Prints nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from vpcdns import __version__, gc_pauses
from vpcdns.config import Admin, Loaded, Tell, load
from vpcdns.control.admin import TOKEN_VARIABLE, AdminServer
from vpcdns.control.openapi import read_access_keys
from vpcdns.control.testing import TestInterface
from vpcdns.errors import ConfigurationError, Problem
from vpcdns.forward.cache import MAX_OCTETS, Cache
from vpcdns.forward.host_resolvers import RESOLV_CONF, with_upstreams
from vpcdns.listen.service import Service, serve
from vpcdns.model.policy import Listen, ServerIdentity
from vpcdns.net.binding import Sharing
from vpcdns.observe.metrics import Others, Sources
from vpcdns.observe.query_counts import Tally
from vpcdns.observe.querylog import QueryLog
from vpcdns.observe.recent_decisions import Decisions
from vpcdns.process.privileges import User, acting_as, become, no_new_privileges, require_readable
from vpcdns.process.worker_messages import Leading, Parts, check_workers
from vpcdns.server.faults import Faults
from vpcdns.server.reload import Fresh, Reloader, Signature
from vpcdns.server.resolver import Resolver
from vpcdns.server.shared_memory import SharedHappenings
from vpcdns.state import State
from vpcdns.state.open_state import open_state
from vpcdns.state.sqlite_journal import SqliteJournal

log = logging.getLogger("vpcdns.server")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the configuration comes from; listeners of the command line replace the file's."""

    config: Path
    listens: tuple[Listen, ...] = ()
    admin: Listen | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that are read."""
        return self.config, RESOLV_CONF

    def load(self, tell: Tell | None = None) -> Loaded:
        """Reads everything anew, and tells how far it is.

        Raises ConfigurationError, and StartupError when we are our own upstream.
        """
        identity = ServerIdentity(f"vpcdns {__version__}", socket.gethostname())
        # The revision is the SOA serial, which never goes backwards: a new process starts from the clock.
        loaded = load(self.config, revision=int(time.time()), identity=identity, tell=tell)
        listens = self.listens or loaded.listens
        world = with_upstreams(loaded.world, listens, given=loaded.upstreams_given)
        admin = loaded.admin
        if self.admin is not None:
            admin = replace(admin or Admin(), listen=self.admin)
        return replace(loaded, world=world, listens=listens, admin=admin)

    def fresh(self) -> Fresh:
        """What of it a reload puts in place. A pipe, as shells make them, has been read and is empty now."""
        if self.config.exists() and not self.config.is_file() and not self.config.is_dir():
            what = "it is no regular file, which could be read again"
            way_out = "serve a file, if it is to be reloaded"
            raise ConfigurationError([Problem(str(self.config), 0, 0, "", what, way_out)])
        loaded = self.load()
        return Fresh(loaded.world, loaded.listens, loaded.source_hash)


Ready = Callable[[tuple[Listen, ...], Listen | Path | None], None]


class Program:
    """One server: DNS, reloading, and what is told of it.

    With several `workers` it forks as it is made, so nothing may run beside it yet.
    """

    def __init__(
        self,
        source: Source,
        loaded: Loaded,
        looked: tuple[Signature, ...],
        *,
        state: Path | None = None,
        user: User | None = None,
        workers: int = 1,
    ) -> None:
        check_workers(workers)
        several = workers > 1
        self._source = source
        self._user = user
        self._store: SqliteJournal | None = None
        if state is None:
            self.state = State(loaded.world)
        else:
            with acting_as(user):  # who will write it
                self.state, self._store = open_state(state, loaded.world)
        self.resolver = Resolver(self.state, cache=Cache(MAX_OCTETS // workers))
        happenings = SharedHappenings() if several else None
        self.faults = Faults(self.resolver, self.state, happenings=happenings)
        sharing = Sharing.FIRST if several else Sharing.ALONE
        self.service = Service(self.faults, loaded.listens, sharing=sharing)
        self.decisions = Decisions(self.state)
        self.tally = Tally()
        self.query_log = QueryLog(self.state, loaded.query_logging)
        self.reloader = Reloader(
            self.state,
            self._fresh,
            source.paths,
            source_hash=loaded.source_hash,
            relisten=self._relisten,
            looked=looked,
        )
        self.admin: AdminServer | None = None
        if loaded.admin is not None and loaded.admin.listen is not None:
            sources = Sources(
                self.state,
                self.tally,
                self.service,
                self.resolver,
                self.reloader.status,
                self.query_log,
                self._others if several else None,
            )
            token = os.environ.get(TOKEN_VARIABLE)
            keys = read_access_keys(loaded.admin.access_keys_file, os.environ)
            tests = TestInterface(
                self.state, self.decisions, self.faults, open_for_writes=bool(token) or not keys
            )
            self.admin = AdminServer(
                loaded.admin.listen,
                sources,
                self.decisions,
                token,
                keys=keys,
                region_id=loaded.admin.region_id,
                more=tests.routes(),
            )
            self._observe_decisions()
        self.tally.follow(self.resolver)
        self.resolver.observers.append(self.query_log)
        self.resolver.watchers.append(self.query_log.awaits)
        self._leading = Leading(self._parts(), workers, self._shed_own_privileges) if several else None

    def _parts(self) -> Parts:
        return Parts(
            self.state,
            self.resolver,
            self.faults,
            self.service,
            self.decisions,
            self.tally,
            self.query_log,
        )

    def _fresh(self) -> Fresh:
        fresh = self._source.fresh()
        if self._leading is not None:
            self._leading.shelve(fresh.world)
        return fresh

    async def _relisten(self, listens: tuple[Listen, ...]) -> None:
        if self._leading is not None:
            await self._leading.relisten(listens)
        else:
            self.service.commit(self.service.prepare(listens))

    async def _others(self) -> Others:
        return Others() if self._leading is None else await self._leading.others()

    def close(self) -> None:
        """Ends the workers that are left, and closes the state file. It has been durable all the time."""
        if self._leading is not None:
            self._leading.workers.close()
        if self._store is not None:
            self._store.close()

    def _observe_decisions(self) -> None:
        """Only when somebody can read them: they cost a few per cent of the hot path."""
        self.resolver.observers.append(self.decisions)
        self.resolver.tell = self.decisions.recalled

    async def run(self, ready: Ready) -> int:
        """Serves until told to stop; the exit code.

        Every port is taken, and privileges are given up, before anything is answered or written.
        """
        reloading: asyncio.Task[None] | None = None
        try:
            self.service.bind()
            admin = None if self.admin is None else self.admin.bind()
            self._shed_privileges(admin)
            if self.admin is not None:
                await self.admin.start()
            self.query_log.start()
            reloading = asyncio.create_task(self.reloader.run())
            gc_pauses.settle()
            return await serve(
                self._leading or self.service,
                ready=lambda listens: self._ready(ready, listens, admin),
                hangup=self._hang_up,
            )
        finally:
            if reloading is not None:
                reloading.cancel()
            if self.admin is not None:
                await self.admin.stop()
            await self.service.stop(0)
            self.resolver.close()
            self.query_log.stop()

    def _shed_privileges(self, admin: Listen | Path | None) -> None:
        if self._user is not None and isinstance(admin, Path):
            os.chown(admin, self._user.uid, self._user.gid)
        self._shed_own_privileges()
        if self._user is not None:
            require_readable(self._source.config, "it is read again at every reload")

    def _shed_own_privileges(self) -> None:
        """What every worker does by itself."""
        no_new_privileges()
        if self._user is not None:
            become(self._user)

    def _ready(self, ready: Ready, listens: tuple[Listen, ...], admin: Listen | Path | None) -> None:
        if os.geteuid() == 0:
            log.warning("Running as root, which is not needed once ports are bound: see --user")
        ready(listens, admin)

    def _hang_up(self) -> None:
        self.query_log.reopen()
        if self._leading is not None:
            self._leading.hang_up()
        self.reloader.request()
