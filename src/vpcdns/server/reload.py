"""Reloads the configuration without a gap: on request, and when what the file says has changed.

Knows files and the State. The new file is checked whole before anything changes; a bad one is reported,
and the old World serves on. Files are looked at now and then, and at once when `folders` says so
(docs/decisions/0005, 0013).
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from vpcdns.errors import ConfigurationError, StartupError, StateError
from vpcdns.model.policy import Listen
from vpcdns.model.world import World
from vpcdns.rehearsal.difference import differences
from vpcdns.server.file_watch import Folders
from vpcdns.state import State

log = logging.getLogger("vpcdns.reload")

LOOK_EVERY: Final = 0.5  # seconds; one stat(2) a file
SETTLE: Final = 0.05  # seconds between the looks after something was told
_TOLD_AT_MOST: Final = 20
# Seconds until a thread that works gives way to one that has a query to answer; Python's own 5 ms would be
# added to every answer during a reload.
SWITCH_EVERY: Final = 0.0005

T = TypeVar("T")

Signature = tuple[int, int, int, int] | None


@dataclass(frozen=True, slots=True)
class Fresh:
    """What a load gives: a World, where to listen, and a hash of what it was read from."""

    world: World
    listens: tuple[Listen, ...]
    source_hash: str


@dataclass(slots=True)
class ReloadStatus:
    """How reloading goes. Times are Unix seconds; `problem` is that of the last attempt, if it failed."""

    source_hash: str
    succeeded_at: float
    successes: int = 0
    failures: int = 0
    problem: str | None = None


class Reloader:
    """Keeps the State in line with files.

    `load` reads them (in a thread: it may take its time) and raises ConfigurationError; `relisten` moves
    the listeners and raises StartupError when it cannot. `looked` is how the files looked before they were
    loaded first: what changed since then is seen.
    """

    def __init__(
        self,
        state: State,
        load: Callable[[], Fresh],
        paths: Iterable[Path],
        *,
        source_hash: str,
        relisten: Callable[[tuple[Listen, ...]], Awaitable[None]] | None = None,
        look_every: float = LOOK_EVERY,
        looked: tuple[Signature, ...] | None = None,
    ) -> None:
        self.status = ReloadStatus(source_hash, time.time())
        self._state = state
        self._load = load
        self._paths = tuple(paths)
        self._loaded = signatures(self._paths) if looked is None else looked
        self._relisten = relisten
        self._look_every = look_every
        self._requested = False
        self._woken = asyncio.Event()

    def request(self) -> None:
        """Reload soon, whether the files have changed or not. Many requests at once are one."""
        self._requested = True
        self._woken.set()

    async def run(self) -> None:
        """Looks and reloads until it is cancelled."""
        folders = Folders(self._paths, self._woken.set)
        try:
            await self._look_and_reload()
        finally:
            folders.close()

    async def _look_and_reload(self) -> None:
        looked, wait = self._loaded, self._look_every
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), wait)
            self._woken.clear()
            asked, self._requested = self._requested, False
            now = signatures(self._paths)
            # A file that is still being written looks different each time.
            settled, looked = now == looked, now
            changed = now != self._loaded
            wait = self._look_every if settled or not changed else min(SETTLE, self._look_every)
            if asked or (settled and changed):
                self._loaded = now
                await self.reload(asked=asked)

    async def reload(self, *, asked: bool = True) -> bool:
        """Loads once; whether the World is now what the files say."""
        try:
            fresh = await beside(self._load)
            self._state.check(fresh.world)  # before anything is touched, the listeners included
            unchanged = fresh.source_hash == self.status.source_hash and not asked
            if not unchanged:
                await beside(partial(self._state.prepare, fresh.world))
            if self._relisten is not None:
                await self._relisten(fresh.listens)
            if unchanged:
                self.status.problem = None
                return True
            replaced, unfiled = [self._state.world], self._state.unfiled
            new = self._state.reload(fresh.world)
        except Exception as error:
            # The task that reloads must not end with one of its reloads: nobody would notice.
            if not isinstance(error, ConfigurationError | StartupError | StateError):
                log.exception("A reload failed, and that is a bug")
            self.status.failures += 1
            self.status.problem = str(error)
            revision = self._state.world.revision
            log.error("Not reloaded, revision %d serves on:\n%s", revision, error)  # noqa: TRY400 - no fault of ours
            return False
        self.status.problem = None
        self.status.source_hash = fresh.source_hash
        self.status.succeeded_at = time.time()
        self.status.successes += 1
        lost = f" (replacing {unfiled} changes made since)" if unfiled > self._state.unfiled else ""
        changes = await beside(partial(_told_last, replaced, new))
        log.info("Reloaded, revision %d%s: %s", new.revision, lost, changes)
        return True


def signatures(paths: Iterable[Path]) -> tuple[Signature, ...]:
    """How files look."""
    return tuple(_signature(path) for path in paths)


def told(old: World, new: World) -> str:
    """What changed, in a line: the first few differences, and whether there are more."""
    found = [str(difference) for difference in islice(differences(old, new), _TOLD_AT_MOST + 1)]
    more = "; and more" if len(found) > _TOLD_AT_MOST else ""
    return "; ".join(found[:_TOLD_AT_MOST]) + more if found else "nothing changed"


async def beside(work: Callable[[], T]) -> T:
    """Does work that takes long in a thread, while queries are answered here."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_EVERY)
    try:
        return await asyncio.get_running_loop().run_in_executor(None, work)
    finally:
        sys.setswitchinterval(interval)


def _told_last(replaced: list[World], new: World) -> str:
    """What changed; takes the old World out of `replaced`, and lets go of it bit by bit."""
    old = replaced.pop()
    changes, left = told(old, new), pieces(old)
    del old
    let_go(left)
    return changes


def pieces(world: World) -> list[object]:
    """What is many in a World, so that it does not go with it, but is let go of by `let_go`."""
    maps = world.groups, world.custom_domains.owners, world.custom_domains.nodes
    return [piece for one in maps for piece in one.pieces()]


def let_go(left: list[object]) -> None:
    """One by one, for a thread: a million objects that go at once stop every thread while they do."""
    while left:
        left.pop()


def _signature(path: Path) -> Signature:
    """What changes when a file is written, renamed onto, or linked anew; links are followed."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
