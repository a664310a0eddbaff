"""Upstreams' responses, kept for their TTL, bounded in octets.

Knows messages and seconds; the clock is the caller's. Holds only what upstreams said, before anything is
decided for a client: nothing that depends on a VPC is ever in it (DESIGN §5).
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from vpcdns.forward.ttls import is_negative, ttl_of
from vpcdns.model.cache_limits import DEFAULT_CACHE, TtlLimits
from vpcdns.query import STALE_TTL, Failure, Fetched, ForwardKey
from vpcdns.wire.upstream import Relayed

MAX_STALE: Final = 86_400  # RFC 8767 §5: one to three days
FAILURE_TTL: Final = 2  # RFC 9520 §3.2: 1 s to 5 min; short, as a test set-up is mended quickly
# Python objects around a message (measured): key, entry and dictionary; and each record's places in it.
_ENTRY_OVERHEAD: Final = 1_000
_RECORD_OVERHEAD: Final = 240
# The least recently used that make room at once, 1 µs each: a smaller limit is reached step by step.
_DROPPED_AT_ONCE: Final = 2_000


class _Entry(NamedTuple):
    relayed: Relayed
    stored: float
    expires: float
    octets: int
    stale_ttl: int


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

    def __init__(self, max_octets: int = DEFAULT_CACHE.size) -> None:
        self.octets = 0
        self.counters = CacheCounters()
        self.max_octets = max_octets
        self.flushes = 0
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
        return Fetched(entry.relayed, int(now - entry.stored), stale=True, stale_ttl=entry.stale_ttl)

    def keep(self, key: ForwardKey, relayed: Relayed, now: float, ttls: TtlLimits = DEFAULT_CACHE) -> None:
        """Keeps a response, if it may be kept."""
        self._failures.pop(key, None)
        ttl = ttl_of(relayed, ttls)
        if ttl <= 0:
            return
        self._drop(key)
        octets = len(relayed.octets) + _ENTRY_OVERHEAD + _RECORD_OVERHEAD * len(relayed.records)
        if octets > self.max_octets:
            return
        longest = min(ttls.max_ttl, ttls.negative_max_ttl) if is_negative(relayed) else ttls.max_ttl
        self._entries[key] = _Entry(relayed, now, now + ttl, octets, min(STALE_TTL, longest))
        self.octets += octets
        for _ in range(_DROPPED_AT_ONCE):
            if self.octets <= self.max_octets:
                break
            self._drop(next(iter(self._entries)))

    def keep_failure(self, key: ForwardKey, now: float) -> None:
        """Remembers that upstreams failed; a good response that is there stays (coredns#7956)."""
        self._failures[key] = now + FAILURE_TTL
        while len(self._failures) * _ENTRY_OVERHEAD > self.max_octets // 8:
            self._failures.popitem(last=False)

    def begin_flush(self) -> list[ForwardKey]:
        """Forgets failures, and counts; the keys to be given to `flush` one by one.

        What upstreams are asked under an earlier count of `flushes` is not to be kept.
        """
        self.flushes += 1
        self._failures.clear()
        return list(self._entries)

    def flush(self, key: ForwardKey, selected: Callable[[ForwardKey, Relayed], bool]) -> bool:
        """Whether a response was there, and was selected; it is gone then."""
        entry = self._entries.get(key)
        if entry is None or not selected(key, entry.relayed):
            return False
        self._drop(key)
        return True

    def _drop(self, key: ForwardKey) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.octets -= entry.octets
