"""The metrics, in CoreDNS' shapes with `vpc` for its `view`; collected when somebody asks.

Knows the counters of every part, and the metrics library. No label comes from a client's input: names of
VPCs are the configuration's, everything else is out of fixed sets.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial, reduce
from itertools import accumulate, chain
from typing import Any, Final

from prometheus_client import metrics_core as families
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from vpcdns import __version__
from vpcdns.forward.upstream_names import UpstreamNames
from vpcdns.listen.counters import ListenerCounters
from vpcdns.listen.service import Service
from vpcdns.observe import query_counts as counts
from vpcdns.observe.query_counts import Histogram, Labels, QueryCounts, Row
from vpcdns.observe.querylog import QueryLog
from vpcdns.observe.worker_counts import WorkerCounts, added
from vpcdns.server.lasting_tasks import LastingTasks
from vpcdns.server.reload import ReloadStatus
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

_Kind = Callable[..., Any]  # a MetricFamily
_Value = tuple[Any, ...]  # what its `add_metric` takes
_Totals = Counter[tuple[str, ...]]

VALUES_AT_ONCE: Final = 100  # values of a family, at up to 20 samples of 500 octets each
_RESTARTED: Final = "Times that a task of the server failed and began again."
_process: Final = ProcessCollector(registry=None)
_ADDED: Final = [
    f"process_{name}" for name in ("cpu_seconds", "open_fds", "virtual_memory_bytes", "resident_memory_bytes")
]


@dataclass(frozen=True, slots=True)
class Sources:
    """Whose counters are shown. `others` gets those of other processes; None where there are none."""

    state: State
    query_counts: QueryCounts
    service: Service
    resolver: Resolver
    reloads: ReloadStatus
    query_log: QueryLog
    others: Callable[[], Awaitable[Others]] | None = None
    tasks: LastingTasks = field(default_factory=LastingTasks)
    names: UpstreamNames = field(default_factory=UpstreamNames)


@dataclass(frozen=True, slots=True)
class Others:
    """The other workers of a server: what each has counted, and the processes of those that live."""

    counts: Sequence[WorkerCounts] = ()
    pids: Sequence[int] = ()


async def exposition(sources: Sources) -> Iterator[str]:
    """All of them in Prometheus' text format, in pieces that a thread may make one by one."""
    others = Others() if sources.others is None else await sources.others()
    mine = await WorkerCounts.of(sources.query_counts, sources.service, sources.resolver, sources.query_log)
    here = [
        *_reloads(sources.reloads),
        *_world(sources.state),
        *_counter("task_restarts", _RESTARTED, sources.tasks.restarts, "task"),
    ]
    if sources.others is not None:
        living = 1 + len(others.pids)
        here += _gauge("server_workers", "Processes that answer queries; one that failed is missing.", living)
    return _written(chain(_counted([mine, *others.counts]), here, _processes(others.pids)))


def _written(pieces: Iterable[Metric]) -> Iterator[str]:
    last = ""
    for piece in pieces:
        text = generate_latest(_One(piece)).decode()
        # HELP and TYPE stand once, before the first piece of a family.
        yield text if piece.name != last else text.split("\n", 2)[2]
        last = piece.name


class _One(Collector):
    """A collector of one family, so that families can be written out one by one."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> tuple[Metric]:
        return (self._family,)


def _counted(counts: Sequence[WorkerCounts]) -> Iterator[Metric]:
    """What processes count, added up."""
    totals = reduce(added, counts)
    yield from _queries(totals.counts)
    yield from _listeners(totals.listeners)
    yield from _cache(totals)
    yield from _forwarder(totals)
    yield from _rates(totals)
    yield from _counter("query_log_lines", "Lines of the query log written.", totals.log_written)
    lost = "Lines of the query log lost: the queue or the disk was full."
    yield from _counter("query_log_lines_lost", lost, totals.log_lost)


def _queries(rows: Mapping[Labels, Row]) -> Iterator[Metric]:
    requests, responses, drops = _Totals(), _Totals(), _Totals()
    by_vpc, by_proto = dict[str, Row](), dict[str, Row]()
    for labels, row in rows.items():
        server, proto, family, rtype, vpc, rcode, reason = labels
        count = counts.count_of(row)
        requests[server, proto, family, rtype, vpc] += count
        if rcode:
            responses[server, rcode, reason, vpc] += count
        else:
            drops[server, reason, vpc] += count
        for totals, label in ((by_vpc, vpc), (by_proto, proto)):
            totals[label] = counts.sum_of(totals.get(label, counts.NO_QUERIES), row)
    asked, answered = ("server", "proto", "family", "type", "vpc"), ("server", "rcode", "reason", "vpc")
    yield from _counter("dns_requests", "Queries decided.", requests, *asked)
    yield from _counter("dns_responses", "Responses, by RCODE and by why.", responses, *answered)
    yield from _counter("dns_drops", "Queries left without a response.", drops, "server", "reason", "vpc")
    text = "Seconds from a query's arrival to its response, upstreams' time included."
    yield from _histogram("dns_request_duration_seconds", text, "vpc", by_vpc, counts.DURATIONS)
    for name, text, sizes in (
        ("request", "Sizes of queries.", counts.REQUEST_SIZES),
        ("response", "Sizes of responses.", counts.RESPONSE_SIZES),
    ):
        yield from _histogram(f"dns_{name}_size_bytes", text, "proto", by_proto, sizes)


def _listeners(counters: ListenerCounters) -> Iterator[Metric]:
    """UDP and TCP as the listeners count them; the names are those of `listen.counters`."""
    for counter in fields(counters):
        value: int = getattr(counters, counter.name)
        words = counter.name.replace("_", " ")
        if counter.name == "tcp_open":  # which may fall
            yield from _gauge(f"server_{counter.name}", f"Gauges: {words}.", value)
        else:
            yield from _counter(f"server_{counter.name}", f"Listeners: {words}.", value)


def _cache(totals: WorkerCounts) -> Iterator[Metric]:
    cache, now = totals.cache, totals.now
    yield from _gauge("cache_entries", "Upstreams' responses kept.", now.cache_entries)
    yield from _gauge("cache_size_bytes", "Memory taken by them, estimated.", now.cache_octets)
    yield from _counter("cache_hits", "Forwarded queries answered out of the cache.", cache.hits)
    yield from _counter("cache_misses", "Forwarded queries that it had nothing for.", cache.misses)
    yield from _counter("cache_served_stale", "Answered with what had outlived its TTL.", cache.stale)
    yield from _counter("cache_served_failures", "Answered with a failure of a moment ago.", cache.failures)


def _forwarder(totals: WorkerCounts) -> Iterator[Metric]:
    sent, now = totals.forwarder, totals.now
    yield from _counter("forward_requests", "Queries sent, by upstream.", sent.queries, "to")
    yield from _counter("forward_timeouts", "Queries that it did not answer in time.", sent.silences, "to")
    health = {upstream: upstream not in now.down for upstream in sent.queries}
    yield from _gauge("forward_healthy", "Whether it answered lately.", health, "to")
    yield from _gauge("forward_in_flight", "Questions on their way to upstreams.", now.in_flight)
    yield from _counter("forward_joined", "Queries that were on their way already, asked once.", sent.joined)
    yield from _counter(
        "forward_overloaded", "Queries not forwarded: too many were on their way.", sent.overloaded
    )
    yield from _counter(
        "forward_discarded", "Messages that came but were no response to our question.", sent.discarded
    )
    yield from _counter("forward_over_tcp", "Queries asked again over TCP.", sent.over_tcp)
    yield from _counter("forward_failures", "Queries that no upstream answered.", sent.failures)


def _rates(totals: WorkerCounts) -> Iterator[Metric]:
    limited = {
        (whose, action): getattr(counters, action)
        for whose, counters in (("strangers", totals.strangers), ("clients", totals.clients))
        for action in ("truncated", "dropped")
    }
    text = "Responses over UDP that were beyond a network's rate."
    yield from _counter("rate_limited_responses", text, limited, "to", "action")


def _reloads(status: ReloadStatus) -> Iterator[Metric]:
    yield from _counter("reload", "Times that the configuration was read anew.", status.successes)
    text = "Times that it was refused, and the old one kept."
    yield from _counter("reload_failed", text, status.failures)
    failed = status.problem is not None
    yield from _gauge("reload_last_failed", "Whether the last attempt was refused.", failed)
    name = "reload_last_success_timestamp_seconds"
    yield from _gauge(name, "When the configuration that is served was read.", status.succeeded_at)
    text, known = (
        "The SHA-256 of the configuration that is served, and of its zone files.",
        {("sha256", status.source_hash): 1},
    )
    yield from _gauge("config_info", text, known, "hash", "value")


def _processes(others: Sequence[int]) -> Iterator[Metric]:
    """Sums of all processes, except start times and limits, which do not add up."""
    collectors = [ProcessCollector(pid=partial(int, pid), registry=None) for pid in others]
    more = [{one.name: one for one in each.collect()} for each in collectors]
    for family in _process.collect():
        if family.name in _ADDED:
            total = sum(each[family.name].samples[0].value for each in more if family.name in each)
            family.samples[:] = [sample._replace(value=sample.value + total) for sample in family.samples]
        yield family


def _world(state: State) -> Iterator[Metric]:
    world = state.world
    yield from _gauge("world_objects", "What is configured.", world.object_counts(), "kind")
    yield from _gauge("world_revision", "The revision that is served; the SOA's serial.", world.revision)
    build = {(__version__, platform.python_version()): 1}
    text = "The version that runs, and the Python it runs on."
    yield from _gauge("build_info", text, build, "version", "python")


def _family(
    kind: _Kind, name: str, text: str, labels: tuple[str, ...], values: list[_Value]
) -> Iterator[Metric]:
    """At least one piece, so that a family without values is there too."""
    values.sort()
    for start in range(0, max(len(values), 1), VALUES_AT_ONCE):
        family = kind(f"vpcdns_{name}", text, labels=labels)
        for value in values[start : start + VALUES_AT_ONCE]:
            family.add_metric(*value)
        yield family


def _numbers(
    kind: _Kind, name: str, text: str, values: float | Mapping[Any, float], *labels: str
) -> Iterator[Metric]:
    """One number, or one for each of the `labels`' values: a tuple, or the only one of them."""
    numbers = values if isinstance(values, Mapping) else {(): values}
    rows = [(key if isinstance(key, tuple) else (str(key),), value) for key, value in numbers.items()]
    return _family(kind, name, text, labels, rows)


_counter: Final = partial(_numbers, families.CounterMetricFamily)
_gauge: Final = partial(_numbers, families.GaugeMetricFamily)


def _histogram(name: str, text: str, label: str, rows: Mapping[str, Row], of: Histogram) -> Iterator[Metric]:
    edges = (*map(str, of.bounds), "+Inf")
    found = [
        ([value], list(zip(edges, accumulate(row[of.buckets]), strict=True)), row[of.sum])
        for value, row in rows.items()
    ]
    return _family(families.HistogramMetricFamily, name, text, (label,), found)
