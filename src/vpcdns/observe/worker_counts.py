"""What one process has counted, as a plain value: the counts of several processes can be added.

Knows the counters of every part. Values only: they go from process to process.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace

from vpcdns.forward.cache import CacheCounters
from vpcdns.forward.counters import ForwardCounters
from vpcdns.listen.counters import ListenerCounters
from vpcdns.listen.rate_limits import RateCounters
from vpcdns.listen.service import Service
from vpcdns.model.policy import Upstream
from vpcdns.observe.query_counts import Counts, QueryCounts
from vpcdns.observe.querylog import QueryLog
from vpcdns.server.resolver import Resolver


@dataclass(slots=True)
class Gauges:
    """What may fall: that of a process that has ended is nothing."""

    cache_entries: int = 0
    cache_octets: int = 0
    in_flight: int = 0
    down: frozenset[Upstream] = frozenset()


@dataclass(slots=True)
class WorkerCounts:
    """Totals of one process, or of several; what has no part here is nothing."""

    counts: Counts = field(default_factory=Counts)
    listeners: ListenerCounters = field(default_factory=ListenerCounters)
    cache: CacheCounters = field(default_factory=CacheCounters)
    forwarder: ForwardCounters = field(default_factory=ForwardCounters)
    strangers: RateCounters = field(default_factory=RateCounters)
    clients: RateCounters = field(default_factory=RateCounters)
    now: Gauges = field(default_factory=Gauges)
    log_written: int = 0
    log_lost: int = 0

    @classmethod
    def of(
        cls,
        query_counts: QueryCounts,
        service: Service | None = None,
        resolver: Resolver | None = None,
        query_log: QueryLog | None = None,
    ) -> WorkerCounts:
        """This process's, as of now."""
        share = cls(query_counts.counts())
        if service is not None:
            share.listeners = replace(service.counters)
        if resolver is not None:
            cache, forwarder = resolver.cache, resolver.forwarder
            share.strangers = replace(resolver.rates.strangers.counters)
            share.clients = replace(resolver.rates.clients.counters)
            share.cache = replace(cache.counters)
            counters = forwarder.counters
            share.forwarder = replace(
                counters, queries=dict(counters.queries), silences=dict(counters.silences)
            )
            down = frozenset(upstream for upstream in counters.queries if upstream in forwarder.health)
            octets = cache.octets + resolver.remembered.cached_octets
            share.now = Gauges(len(cache), octets, len(forwarder), down)
        if query_log is not None:
            share.log_written, share.log_lost = query_log.written, query_log.lost
        return share

    def merge(self, others: Iterable[WorkerCounts]) -> None:
        """Adds what other processes have counted; an upstream is down when it is for one of them."""
        for other in others:
            self.counts.merge([other.counts])
            _add(self.listeners, other.listeners)
            _add(self.cache, other.cache)
            _add(self.forwarder, other.forwarder)
            _add(self.strangers, other.strangers)
            _add(self.clients, other.clients)
            mine, theirs = self.now, other.now
            self.now = Gauges(
                mine.cache_entries + theirs.cache_entries,
                mine.cache_octets + theirs.cache_octets,
                mine.in_flight + theirs.in_flight,
                mine.down | theirs.down,
            )
            self.log_written += other.log_written
            self.log_lost += other.log_lost

    def ended(self) -> WorkerCounts:
        """What remains of it when its process is gone: totals never fall."""
        return replace(self, now=Gauges(), listeners=replace(self.listeners, tcp_open=0))


def _add(totals: ListenerCounters | CacheCounters | ForwardCounters | RateCounters, others: object) -> None:
    """Adds number to number, and dictionary to dictionary."""
    for one in fields(totals):
        mine, theirs = getattr(totals, one.name), getattr(others, one.name)
        if isinstance(mine, dict):
            for key, value in theirs.items():
                mine[key] = mine.get(key, 0) + value
        else:
            setattr(totals, one.name, mine + theirs)
