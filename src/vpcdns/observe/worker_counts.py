"""What one process has counted, as a plain value: the counts of several processes can be added.

Knows the counters of every part. Values only: they go from process to process.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from vpcdns.forward.cache import CacheCounters
from vpcdns.forward.counters import ForwardCounters
from vpcdns.listen.counters import ListenerCounters
from vpcdns.listen.rate_limits import RateCounters
from vpcdns.listen.service import Service
from vpcdns.model.policy import Upstream
from vpcdns.observe.query_counts import Labels, QueryCounts, Row, sum_of
from vpcdns.observe.querylog import QueryLog
from vpcdns.server.resolver import Resolver
from vpcdns.server.threads import in_thread

_T = TypeVar("_T")


@dataclass(slots=True)
class Gauges:
    """What may fall; a process that has ended has none. An upstream is down when it is for one process."""

    cache_entries: int = 0
    cache_octets: int = 0
    in_flight: int = 0
    down: frozenset[Upstream] = frozenset()


@dataclass(slots=True)
class WorkerCounts:
    """Totals of one process, or of several; absent parts count as zero."""

    counts: dict[Labels, Row] = field(default_factory=dict)
    listeners: ListenerCounters = field(default_factory=ListenerCounters)
    cache: CacheCounters = field(default_factory=CacheCounters)
    forwarder: ForwardCounters = field(default_factory=ForwardCounters)
    strangers: RateCounters = field(default_factory=RateCounters)
    clients: RateCounters = field(default_factory=RateCounters)
    now: Gauges = field(default_factory=Gauges)
    log_written: int = 0
    log_lost: int = 0

    @classmethod
    async def of(
        cls, query_counts: QueryCounts, service: Service, resolver: Resolver, query_log: QueryLog
    ) -> WorkerCounts:
        """This process's, as of now: a copy. It takes 10 µs for each kind of query, in a thread."""
        cache, forwarder, rates = resolver.cache, resolver.forwarder, resolver.rates
        queries = forwarder.counters.queries
        down = frozenset(upstream for upstream in queries if upstream in forwarder.health)
        live = cls(
            {},
            service.counters,
            cache.counters,
            forwarder.counters,
            rates.strangers.counters,
            rates.clients.counters,
            Gauges(len(cache), cache.octets + resolver.remembered.cached_octets, len(forwarder), down),
            query_log.written,
            query_log.lost,
        )
        copied, counts = added(cls(), live), query_counts.counts()
        return replace(copied, counts=await in_thread(counts))

    def ended(self) -> WorkerCounts:
        """What remains of it when its process is gone: totals never fall."""
        return replace(self, now=Gauges(), listeners=replace(self.listeners, tcp_open=0))


def added(mine: _T, theirs: _T) -> _T:
    """A new value: dataclasses field by field, dictionaries by key, rows by place, sets as their union."""
    one: Any = mine
    other: Any = theirs
    if is_dataclass(mine) and not isinstance(mine, type):
        names = [field.name for field in fields(mine)]
        total = replace(one, **{name: added(getattr(one, name), getattr(other, name)) for name in names})
    elif isinstance(mine, dict):
        total = one | {key: added(one[key], value) if key in one else value for key, value in other.items()}
    elif isinstance(mine, tuple):
        total = sum_of(one, other)
    else:
        total = one | other if isinstance(mine, frozenset) else one + other
    return cast("_T", total)
