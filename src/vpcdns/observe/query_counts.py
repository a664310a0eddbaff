"""Counts decided queries cheaply; the labels of the metrics are made when somebody asks.

One look-up in one dictionary, whose key is made of what is there already and hashes fast; measured: 0.8 µs a
query. Knows no metrics library. Nothing that a client chooses is in a key, except choices out of fixed sets.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address
from operator import add
from typing import Final, NamedTuple

from vpcdns.model.decision import Reason
from vpcdns.model.dns import Rcode, RRType
from vpcdns.model.policy import Listen
from vpcdns.model.resolution import Resolution
from vpcdns.observe.query_record import MALFORMED, UNRESOLVED
from vpcdns.query import Arrival, Drop, Response
from vpcdns.recall.answer_kind import AnswerKind
from vpcdns.recall.views import RelayedQuery, Views
from vpcdns.server.observer import Observer
from vpcdns.wire.format import ID_SIZE

# Seconds. CoreDNS begins at 0.25 ms and doubles; an answer out of tables takes us a tenth of that. The last
# but one is the deadline of a forwarded query (DESIGN §4).
SECONDS: Final = (
    *(0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 3.5, 5.0),
)
# Octets; CoreDNS has these and four more, up to 64,000.
OCTETS: Final = (64, 100, 200, 300, 400, 511, 1023, 1232, 2047, 4095, 8191, 16383)
# VPCs come and go by API: beyond this many, further ones count as one. Each costs a scrape some 40 lines.
MAX_VPCS: Final = 1_000

# Seconds for an answer that is recalled. They are not timed: a clock would cost half of what it measures.
RECALLED: Final = 0.000005

INTERNET: Final = "internet"  # the `vpc` of clients outside every VPC
NOBODY: Final = ""  # the `vpc` of strangers, and of queries that nobody was identified for
OTHER: Final = "other"

_TYPES: Final = {int(rtype): rtype.name for rtype in RRType}
_SECONDS_AT: Final = 3
_REQUEST_AT: Final = _SECONDS_AT + len(SECONDS) + 1
_RESPONSE_AT: Final = _REQUEST_AT + len(OCTETS) + 1
_LENGTH: Final = _RESPONSE_AT + len(OCTETS) + 1
_TOOK, _IN, _OUT = range(3)


class Labels(NamedTuple):
    """The labels of one kind of query. `rcode` is empty for a query that was not answered."""

    server: str
    proto: str
    family: str
    type: str
    vpc: str
    rcode: str
    reason: str


class Histogram(NamedTuple):
    """Where in a row its sum is, and how many fell into each bucket; the last one has no upper bound."""

    sum: int
    buckets: slice
    bounds: tuple[float, ...]


DURATIONS: Final = Histogram(_TOOK, slice(_SECONDS_AT, _REQUEST_AT), SECONDS)
REQUEST_SIZES: Final = Histogram(_IN, slice(_REQUEST_AT, _RESPONSE_AT), OCTETS)
RESPONSE_SIZES: Final = Histogram(_OUT, slice(_RESPONSE_AT, _LENGTH), OCTETS)


# The queries of one kind: sums, and how many fell into each bucket.
Row = Sequence[float]
NO_QUERIES: Final[Row] = (0.0, *[0] * (_LENGTH - 1))


def count_of(row: Row) -> int:
    return int(sum(row[DURATIONS.buckets]))


def sum_of(one: Row, other: Row) -> Row:
    return tuple(map(add, one, other))


# The listener and the reason go by their ids: both live as long as the key, and hash in Python.
_Key = tuple[int, str, type, str | None, str | None, int, int]


class QueryCounts(Observer):
    """Counts every decided query once."""

    def __init__(self) -> None:
        self._rows: dict[_Key, list[float]] = {}
        self._relayed_rows: dict[AnswerKind, list[float]] = {}  # of this World
        self._listens: dict[int, Listen | None] = {}
        self._vpcs: set[str | None] = {None}
        self._views: Views | None = None

    def decided(self, arrival: Arrival, result: Response | Drop, took: float) -> None:
        resolution = result.resolution
        if resolution is None or isinstance(result, Drop):
            self._count_other(arrival, result, took)
        else:
            _add(self._row_of(arrival, resolution), took, result.query.size, len(result.octets), 1)

    def relayed(self, query: RelayedQuery, kind: AnswerKind, size: int) -> None:
        row = self._relayed_rows.get(kind)
        if row is None:
            if kind.response.resolution is None:
                return
            row = self._relayed_rows[kind] = self._row_of(kind.arrival, kind.response.resolution)
        _add(row, query[4], len(query[2]) + ID_SIZE, size, 1)

    def remembers(self, views: Views) -> None:
        self._count_recalled()
        self._views = views
        self._relayed_rows.clear()

    def _count_recalled(self) -> None:
        """Takes over what was recalled since the last time."""
        for kind in () if self._views is None else self._views.kinds.values():
            count, kind.count, response = kind.count, 0, kind.response
            if count and response.resolution is not None:
                row = self._row_of(kind.arrival, response.resolution)
                _add(row, RECALLED, response.query.size, len(response.octets), count)

    def _row_of(self, arrival: Arrival, resolution: Resolution) -> list[float]:
        key = (
            id(arrival.listen),
            arrival.transport,
            arrival.peer.__class__,
            _TYPES.get(resolution.question.rtype),
            resolution.client.vpc_id,
            resolution.rcode,
            id(resolution.reason),
        )
        return self._rows.get(key) or self._row(arrival, key)

    def counts(self) -> Callable[[], dict[Labels, Row]]:
        """What was counted until now; to be called in a thread, as it takes 10 µs for each row."""
        self._count_recalled()
        rows = [(key, tuple(row)) for key, row in self._rows.items()]

        def labelled() -> dict[Labels, Row]:
            totals: defaultdict[Labels, Row] = defaultdict(lambda: NO_QUERIES)
            for key, row in rows:
                labels = self._labels(key)
                totals[labels] = sum_of(totals[labels], row)
            return dict(totals)

        return labelled

    def _count_other(self, arrival: Arrival, result: Response | Drop, took: float) -> None:
        """Queries that were dropped, or could not be resolved."""
        resolution = result.resolution
        question = None if resolution is None else resolution.question
        vpc_id = None if resolution is None else resolution.client.vpc_id
        reason, rcode = _REASON_MALFORMED if resolution is None else id(resolution.reason), _NO_RCODE
        if isinstance(result, Response):
            question = result.query.question
            rcode = reason = int(result.query.fault or Rcode.FORMERR)
        rtype = None if question is None else _TYPES.get(question.rtype)
        key = (id(arrival.listen), arrival.transport, type(arrival.peer), rtype, vpc_id, rcode, reason)
        row = self._rows.get(key) or self._row(arrival, key)
        if isinstance(result, Response):
            _add(row, took, result.query.size, len(result.octets), 1)
        else:
            row[_TOOK] += took
            row[_SECONDS_AT + bisect_left(SECONDS, took)] += 1

    def _row(self, arrival: Arrival, key: _Key) -> list[float]:
        """A new row; beyond MAX_VPCS the one that further VPCs share."""
        vpc_id = key[4]
        if vpc_id not in self._vpcs:
            if len(self._vpcs) > MAX_VPCS:
                key = (*key[:4], OTHER, *key[5:])
            else:
                self._vpcs.add(vpc_id)
        self._listens[key[0]] = arrival.listen
        return self._rows.setdefault(key, list(NO_QUERIES))

    def _labels(self, key: _Key) -> Labels:
        listen, transport, family, rtype, vpc_id, rcode, reason = key
        outside = NOBODY if reason in _OF_NOBODY else INTERNET
        return Labels(
            server=str(self._listens[listen] or ""),
            proto=transport,
            family="1" if family is IPv4Address else "2",  # CoreDNS' numbers, those of RFC 7871
            type=rtype or OTHER,
            vpc=outside if vpc_id is None else vpc_id,
            rcode="" if rcode == _NO_RCODE else Rcode(rcode).name,
            reason=_REASONS[reason],
        )


def _add(row: list[float], took: float, size_in: int, size_out: int, times: int) -> None:
    row[_TOOK] += took * times
    row[_IN] += size_in * times
    row[_OUT] += size_out * times
    row[_SECONDS_AT + bisect_left(SECONDS, took)] += times
    row[_REQUEST_AT + bisect_left(OCTETS, size_in)] += times
    row[_RESPONSE_AT + bisect_left(OCTETS, size_out)] += times


_NO_RCODE: Final = -1
_REASON_MALFORMED: Final = -1
# The ids of objects are larger than any RCODE.
_REASONS: Final = {
    **{id(reason): reason.value for reason in Reason},
    **{int(rcode): text for rcode, text in UNRESOLVED.items()},
    _REASON_MALFORMED: MALFORMED,
}
_OF_NOBODY: Final = frozenset({id(Reason.STRANGER), _REASON_MALFORMED, *map(int, UNRESOLVED)})
