"""The parts that a process answers queries with: each process of a server has one of each."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Final

from vpcdns.forward.cache import Cache
from vpcdns.forward.flush import CacheSelection
from vpcdns.listen.service import Service
from vpcdns.model.policy import Listen, QueryLogging, Upstream
from vpcdns.net.binding import Sharing
from vpcdns.observe.query_counts import QueryCounts
from vpcdns.observe.querylog import QueryLog
from vpcdns.observe.recent_decisions import RecentDecisions
from vpcdns.process.log import write_log_in_thread
from vpcdns.process.workers import Workers
from vpcdns.server.faults import Faults, SharedCounts
from vpcdns.server.observer import Observers
from vpcdns.server.resolver import Resolver, cache_size
from vpcdns.server.threads import in_thread
from vpcdns.state import State

# A million responses take some 5 s beside queries; that one hangs is noticed earlier.
_FLUSHED_WITHIN: Final = 30.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What all processes of a server begin with, and keep when the configuration is reloaded.

    `decisions` says whether somebody can read the latest ones: they cost a few per cent.
    """

    query_logging: QueryLogging
    decisions: bool
    processes: int


class ServerParts:
    """What a process answers with. Nothing is bound or opened yet."""

    def __init__(
        self,
        state: State,
        settings: Settings,
        listens: tuple[Listen, ...],
        counts: SharedCounts,
        workers: Workers,
        sharing: Sharing,
    ) -> None:
        self.state = state
        self.counts = counts
        clear = partial(workers.call, "parts.decisions.clear")
        others = partial(workers.ask, "parts.decisions.pickled")
        self.decisions = RecentDecisions(state, others=others, cleared=clear)
        self.query_log = QueryLog(state, settings.query_logging, shared=settings.processes > 1)
        self.query_counts = QueryCounts()
        readable = (self.decisions,) if settings.decisions else ()
        observer = Observers(*readable, self.query_counts, self.query_log)
        cache = Cache(cache_size(state.world, settings.processes))
        self.resolver = Resolver(state, observer=observer, cache=cache, processes=settings.processes)
        self._flush_others = partial(
            workers.ask, "parts.resolver.flush", within=_FLUSHED_WITHIN, or_lose=True
        )
        self._silent_for_others = partial(workers.ask, "parts.resolver.silent_upstreams")
        put = partial(workers.call, "parts.faults.put")
        self.faults = Faults(self.resolver, state, counts=counts, changed=put)
        self.service = Service(self.faults, listens, sharing=sharing)

    async def flush(self, selection: CacheSelection) -> int:
        """Every process of the server forgets cached responses; how many there were in all of them."""
        counts: tuple[int, dict[int, int]] = await asyncio.gather(
            self.resolver.flush(selection), self._flush_others(selection)
        )
        return counts[0] + sum(counts[1].values())

    async def silent_upstreams(self) -> frozenset[Upstream]:
        """Those that did not answer some process the last time."""
        others = await self._silent_for_others()
        return self.resolver.silent_upstreams().union(*others.values())

    async def start(self) -> tuple[Listen, ...]:
        """Begins to answer; returns where. Raises StartupError."""
        write_log_in_thread()
        self.query_log.start()
        return await self.service.start()

    async def stop(self, grace: float) -> None:
        """Answers what was asked, for `grace` seconds, and writes the query log. May be called again."""
        await self.service.stop(grace)
        self.resolver.close()
        await in_thread(self.query_log.stop)  # a worker answers heartbeats meanwhile
