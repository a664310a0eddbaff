"""Upstreams' responses, kept for their TTL, bounded in octets.

Knows messages and seconds; the clock is the caller's. Holds only what upstreams said, before anything is
decided for a client: nothing that depends on a VPC is ever in it (DESIGN §5).
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, NamedTuple

from vpcdns.model.dns import Rcode, RRType
from vpcdns.query import Failure, Fetched, ForwardKey
from vpcdns.wire.upstream import Relayed, soa_minimum

MAX_OCTETS: Final = 64 * 2**20  # some 100,000 answers; Unbound keeps 4 MiB, BIND 90 % of the memory
MAX_TTL: Final = 86_400  # RFC 8767 §4 counsels a day to a week; Unbound has a day
MAX_NEGATIVE_TTL: Final = 3_600  # RFC 2308 §5: one to three hours
MAX_STALE: Final = 86_400  # RFC 8767 §5: one to three days
FAILURE_TTL: Final = 2  # RFC 9520 §3.2: 1 s to 5 min; short, as a test set-up is mended quickly
# Python objects around a message (measured): key, entry and dictionary; and each record's places in it.
_ENTRY_OVERHEAD: Final = 1_000
_RECORD_OVERHEAD: Final = 240
# What may stand in an answer section beside the answer: a chain (RFC 1034, 6672) and its signatures.
_NO_ANSWERS: Final = frozenset({RRType.CNAME, 39, 46})  # 39 DNAME, 46 RRSIG


class _Entry(NamedTuple):
    relayed: Relayed
    stored: float
    expires: float
    octets: int


@dataclass(slots=True)
class CacheCounters:
    """For the metrics: how often a response was in the cache, and how often not."""

    hits: int = 0
    misses: int = 0
    failures: int = 0
    """Failures that were remembered."""
    stale: int = 0


class Cache:
    """The least recently used responses go first when room is needed. Times are monotonic seconds."""

    def __init__(self, max_octets: int = MAX_OCTETS) -> None:
        self.octets = 0
        self.counters = CacheCounters()
        self._max_octets = max_octets
        self._entries: OrderedDict[ForwardKey, _Entry] = OrderedDict()
        self._failures: OrderedDict[ForwardKey, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def fresh(self, key: ForwardKey, now: float) -> Fetched | Failure | None:
        """A response within its TTL, or the failure of a moment ago; None: an upstream must be asked."""
        entry = self._entries.get(key)
        if entry is not None and now < entry.expires:
            self._entries.move_to_end(key)
            self.counters.hits += 1
            age = int(now - entry.stored)
            return Fetched(entry.relayed, age, until=min(entry.stored + age + 1, entry.expires))
        if now >= self._failures.get(key, 0.0):
            self._failures.pop(key, None)
            self.counters.misses += 1
            return None
        # RFC 8767 §5: while upstreams are known to fail, stale responses are given at once.
        stale = self.stale(key, now)
        if stale is not None:
            self.counters.stale += 1
            return stale
        self.counters.failures += 1
        return Failure.REMEMBERED

    def knows(self, key: ForwardKey) -> bool:
        """Whether there is a response, stale ones included, or a failure that is remembered."""
        return key in self._entries or key in self._failures

    def stale(self, key: ForwardKey, now: float) -> Fetched | None:
        """A response that outlived its TTL, to be said when no upstream answers (RFC 8767)."""
        entry = self._entries.get(key)
        if entry is None or now >= entry.expires + MAX_STALE:
            return None
        return Fetched(entry.relayed, int(now - entry.stored), stale=True)

    def keep(self, key: ForwardKey, relayed: Relayed, now: float) -> None:
        """Keeps a response, if it may be kept."""
        self._failures.pop(key, None)
        ttl = ttl_of(relayed)
        if ttl <= 0:
            return
        self._drop(key)
        octets = len(relayed.octets) + _ENTRY_OVERHEAD + _RECORD_OVERHEAD * len(relayed.records)
        if octets > self._max_octets:
            return
        self._entries[key] = _Entry(relayed, now, now + ttl, octets)
        self.octets += octets
        while self.octets > self._max_octets:
            self._drop(next(iter(self._entries)))

    def keep_failure(self, key: ForwardKey, now: float) -> None:
        """Remembers that upstreams failed; a good response that is there stays (coredns#7956)."""
        self._failures[key] = now + FAILURE_TTL
        while len(self._failures) * _ENTRY_OVERHEAD > self._max_octets // 8:
            self._failures.popitem(last=False)

    def _drop(self, key: ForwardKey) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.octets -= entry.octets


def ttl_of(relayed: Relayed) -> int:
    """How many seconds a response may be kept; 0: not at all.

    The lowest TTL of answer and authority. A negative answer counts by its SOA (RFC 2308 §5), and
    without one is not kept.
    """
    if relayed.truncated or relayed.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN):
        return 0
    ttl, answered, soa = MAX_TTL, False, None
    for record in relayed.records:
        if record.section == 2:
            break
        ttl = min(ttl, record.ttl)
        if record.section == 0:
            answered = answered or record.rtype not in _NO_ANSWERS
        elif soa is None and record.rtype == RRType.SOA:
            soa = record
    if relayed.rcode == Rcode.NOERROR and answered:
        return ttl
    if soa is not None:
        return min(MAX_NEGATIVE_TTL, soa_minimum(relayed, soa), ttl)
    # CNAME, DNAME or RRSIG may have been the question; else the chain is all that is known.
    chain = relayed.rcode == Rcode.NOERROR and relayed.records and relayed.records[0].section == 0
    return min(MAX_NEGATIVE_TTL, ttl) if chain else 0
