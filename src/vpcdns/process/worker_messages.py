"""Several processes as one server: what the main one tells the others, and what they do about it.

Knows the parts that `program` puts together. What changes something is a `call`, acknowledged before the
change is answered; what only asks is an `ask`, and the event loop goes on meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from vpcdns.errors import StartupError
from vpcdns.listen.service import GRACE, Service
from vpcdns.model.policy import Listen
from vpcdns.model.world import World
from vpcdns.observe.metrics import Others
from vpcdns.observe.query_counts import Tally
from vpcdns.observe.query_record import Decided
from vpcdns.observe.querylog import QueryLog
from vpcdns.observe.recent_decisions import Decisions
from vpcdns.observe.worker_counts import Share
from vpcdns.process.workers import Workers
from vpcdns.process.world_transfer import Shelf
from vpcdns.server.faults import Fault, Faults
from vpcdns.server.reload import beside, let_go, pieces
from vpcdns.server.resolver import Resolver
from vpcdns.server.shared_memory import SharedLock
from vpcdns.state import Commit, Reread, State, Step

log = logging.getLogger("vpcdns.workers")

# A million groups: compared with those before, and tables made of them, some seconds each.
_REREAD_WITHIN: Final = 30.0
_TAKEN_WITHIN: Final = 120.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What a process answers with. The fork gives one to each."""

    state: State
    resolver: Resolver
    faults: Faults
    service: Service
    decisions: Decisions
    tally: Tally
    query_log: QueryLog


def check_workers(number: int) -> None:
    """Raises StartupError where this system cannot have several."""
    if number > 1 and not (hasattr(os, "memfd_create") and hasattr(socket, "SO_REUSEPORT")):
        raise StartupError(
            "--workers: only Linux deals out queries to several processes\nway out: leave it out"
        )


class Following:
    """A worker that is not the main process: each method is something that it is told."""

    def __init__(self, parts: Parts, shelf: Shelf, shed_privileges: Callable[[], None]) -> None:
        self._parts = parts
        self._shelf = shelf
        self._taken: World | None = None
        parts.state.become_follower()
        parts.faults.changed = parts.decisions.others = parts.decisions.cleared = None
        parts.service.join()
        shed_privileges()

    async def start(self) -> None:
        self._parts.query_log.start()
        await self._parts.service.start()

    async def stop(self, grace: float) -> None:
        await self._parts.service.stop(grace)
        self._parts.resolver.close()
        self._parts.query_log.stop()

    def step(self, step: Step) -> int:
        """The revision that it leads to."""
        self._parts.state.take(step)
        return self._parts.state.world.revision

    async def take_file(self) -> None:
        """Takes what was read from the shelf, to have it at hand."""
        self._taken = await beside(self._shelf.take)

    def reread(self) -> int:
        """Puts in place what was taken."""
        taken, self._taken = self._taken, None
        if taken is None:
            return 0
        left = pieces(self._parts.state.world)
        revision = self.step(Reread(taken))
        asyncio.get_running_loop().run_in_executor(None, let_go, left)
        return revision

    def relisten(self, listens: Sequence[Listen]) -> None:
        self._parts.service.commit(self._parts.service.prepare(listens))

    def hang_up(self) -> None:
        self._parts.query_log.reopen()

    def put_faults(self, faults: tuple[Fault, ...]) -> None:
        self._parts.faults.put(faults)

    def forget(self) -> None:
        self._parts.decisions.clear()

    def share(self) -> Share:
        parts = self._parts
        return Share.of(parts.tally, parts.service, parts.resolver, parts.query_log)

    def latest(self, limit: int) -> list[Decided]:
        return self._parts.decisions.latest(limit)


class Leading:
    """The main process, as far as it speaks for all: served like a Service."""

    def __init__(self, parts: Parts, number: int, shed_privileges: Callable[[], None]) -> None:
        self.workers = Workers()
        self._parts = parts
        self._shelf = Shelf()
        self._shelved: World | None = None
        self._shares: dict[int, Share] = {}
        parts.query_log.turn = SharedLock()
        parts.service.bind()
        self.workers.fork(number - 1, lambda: Following(parts, self._shelf, shed_privileges))
        self.workers.lost.append(self._lost)
        parts.state.follow(self._step)
        parts.faults.changed = lambda faults: self.workers.call("put_faults", faults)
        parts.decisions.others = self._latest
        parts.decisions.cleared = lambda: self.workers.call("forget")

    async def start(self) -> tuple[Listen, ...]:
        listens = await self._parts.service.start()
        await self.workers.start()
        return listens

    async def stop(self, grace: float = GRACE) -> None:
        await asyncio.gather(self._parts.service.stop(grace), self.workers.stop(grace))

    def shelve(self, file: World) -> None:
        """Lays out what was read from the file for the others. For the thread that reads it."""
        self._shelf.put(file)
        self._shelved = file

    async def relisten(self, listens: Sequence[Listen]) -> None:
        """The last thing before what was read takes effect: the others take it, too."""
        await self.workers.ask("take_file", within=_TAKEN_WITHIN)
        self._shelf.clear()
        self._parts.service.commit(self._parts.service.prepare(listens))
        self.workers.call("relisten", self._parts.service.bind())

    def hang_up(self) -> None:
        self.workers.call("hang_up")

    async def others(self) -> Others:
        """What the others have counted. One that does not say has counted what it last said."""
        self._shares |= await self.workers.ask("share")
        return Others(tuple(self._shares.values()), [one.pid for one in self.workers.living.values()])

    async def _latest(self, limit: int) -> list[list[Decided]]:
        return list((await self.workers.ask("latest", limit)).values())

    def _step(self, step: Step) -> None:
        """A change, small whatever it changes; or a file, which the others have already."""
        if isinstance(step, Commit):
            if not step.changes:
                return
            answers = self.workers.call("step", Commit(step.changes))
        elif step.file is not None and step.file is self._shelved:
            self._shelved = None
            answers = self.workers.call("reread", within=_REREAD_WITHIN)
        else:
            answers = self.workers.call("step", step, within=_REREAD_WITHIN)
        for number, revision in answers.items():
            if revision != self._parts.state.world.revision:
                self.workers.lose(self.workers.living[number], f"is at revision {revision} and was killed")

    def _lost(self, number: int) -> None:
        if number in self._shares:
            self._shares[number] = self._shares[number].ended()
