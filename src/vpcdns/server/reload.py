"""Reloads the configuration without a gap: on request, and when the files that were read have changed.

A reload has two phases. Everything that can fail comes first: the file is loaded and checked whole, new
sockets are bound, other processes get the World, the journal is written. Then the World and the listeners
change in one step. A reload that fails leaves both as they were (docs/decisions/0005, 0015).
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final

from vpcdns.config import Loaded, WatchedFiles
from vpcdns.errors import ConfigurationError, StartupError, StateError
from vpcdns.listen.service import Service
from vpcdns.model.policy import Listen
from vpcdns.model.world import World
from vpcdns.rehearsal.difference import differences
from vpcdns.server.threads import chunks, free, in_thread
from vpcdns.state import State

log = logging.getLogger("vpcdns.reload")

LOOK_EVERY: Final = 0.1  # seconds; docs/decisions/0015 has what it costs
_DIFFERENCES_LOGGED: Final = 20


@dataclass(slots=True)
class ReloadStatus:
    """How reloading goes. Times are Unix seconds; `problem` is that of the last attempt, if it failed."""

    source_hash: str
    succeeded_at: float
    successes: int = 0
    failures: int = 0
    problem: str | None = None


class Replicas:
    """The other processes of a server, each with sockets and a World of its own; here there are none."""

    async def prepare(self, file: World, listens: tuple[Listen, ...]) -> None:
        """Each gets `file` ready, and sockets that join those of `listens`. Raises StartupError."""

    def commit(self, world: World) -> None:
        """Each puts in place what it has prepared, and comes to the revision of `world`. Cannot fail."""

    def abandon(self) -> None:
        """Each drops what it has prepared."""


class Reloader:
    """Keeps the State, and where the Service listens, in line with files.

    `load` reads them (in a thread: it may take its time), adds to `files` those that they name, and raises
    ConfigurationError. They have been loaded once: what has changed since then is noticed.
    """

    def __init__(
        self,
        state: State,
        service: Service,
        replicas: Replicas,
        load: Callable[[], Loaded],
        files: WatchedFiles,
        *,
        source_hash: str,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self.status = ReloadStatus(source_hash, time.time())
        self._state, self._service, self._replicas = state, service, replicas
        self._load, self._files = load, files
        self._look_every = look_every
        self._requested = asyncio.Event()

    def request(self) -> None:
        """Reload soon, whether the files have changed or not. Many requests at once are one."""
        self._requested.set()

    async def run(self) -> None:
        """Looks and reloads until it is cancelled."""
        looked = self._files.read
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._requested.wait(), self._look_every)
            requested = self._requested.is_set()
            self._requested.clear()
            before, looked = looked, self._files.look()
            # A file that is still being written looks different each time.
            if requested or before == looked != self._files.read:
                self._files.begin()
                await self.reload(requested=requested)

    async def reload(self, *, requested: bool = True) -> None:
        """Loads once; `status` says how it went."""
        try:
            loaded = await in_thread(self._load)
            # The hash is the configuration's; upstreams may be those of resolv.conf.
            same_upstreams = loaded.world.forwarding == self._state.world.forwarding
            if not requested and same_upstreams and loaded.source_hash == self.status.source_hash:
                self._state.with_file(loaded.world)
                self.status.problem = None
                return
            replaced, unfiled = [self._state.world], self._state.contents.unfiled
            new = await self._carried_out(loaded)
        except Exception as error:  # of ours too: /ready shows what it was, then it is raised again
            is_bug = not isinstance(error, ConfigurationError | StartupError | StateError)
            self.status.failures += 1
            self.status.problem = repr(error) if is_bug else str(error)
            if is_bug:  # whoever runs this task logs it, and begins again
                raise
            revision = self._state.world.revision
            log.error("Not reloaded, revision %d serves on:\n%s", revision, error)  # noqa: TRY400 - no fault of ours
            return
        self.status.problem = None
        self.status.source_hash = loaded.source_hash
        self.status.succeeded_at = time.time()
        self.status.successes += 1
        lost = f" (replacing {unfiled} changes made since)" if unfiled > self._state.contents.unfiled else ""
        changes = await in_thread(partial(_compare_and_free, replaced, new))
        log.info("Reloaded, revision %d%s: %s", new.revision, lost, changes)

    async def _carried_out(self, loaded: Loaded) -> World:
        """The new World. Raises ConfigurationError, StartupError and StateError; nothing has changed then."""
        file, listeners = loaded.world, None
        try:
            await in_thread(partial(self._state.journal.prepare, self._state.with_file(file), file))
            listeners = self._service.prepare(loaded.listens)
            await self._replicas.prepare(file, listeners.listens)
            contents = self._state.with_file(file)  # once more: the API may have changed something since
            self._state.journal.replace(contents, file)
        except BaseException:
            if listeners is not None:
                listeners.abandon()
            self._replicas.abandon()
            raise
        # Nothing from here on can fail, and the event loop answers no query before it is done.
        self._service.commit(listeners)
        world = self._state.put(contents, file)
        self._replicas.commit(world)
        return world


def _compare_and_free(replaced: list[World], new: World) -> str:
    """What changed; takes the old World out of `replaced`, and frees it bit by bit."""
    old = replaced.pop()
    found = list(islice(differences(old, new), _DIFFERENCES_LOGGED + 1))
    more = "; and more" if len(found) > _DIFFERENCES_LOGGED else ""
    parts = chunks(old)
    del old
    free(parts)
    return "; ".join(found[:_DIFFERENCES_LOGGED]) + more if found else "nothing changed"
