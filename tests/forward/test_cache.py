"""The cache, on a clock of the test's: what is kept, for how long, and how much of it."""

from __future__ import annotations

from tests.support.upstream_responses import A, said
from vpcdns.forward.cache import FAILURE_TTL, MAX_STALE, Cache
from vpcdns.query import Failure, Fetched, ForwardKey


def key(name: bytes = b"www") -> ForwardKey:
    return name


def test_it_ages_and_expires() -> None:
    cache, relayed = Cache(), said([A])
    cache.keep(key(), relayed, 1000.0)
    assert cache.fresh(key(), 1000.9) == Fetched(relayed, 0)
    assert cache.fresh(key(), 1299.9) == Fetched(relayed, 299)
    assert cache.fresh(key(), 1300.0) is None
    assert cache.fresh(key(b"other"), 1000.0) is None


def test_what_is_stale_is_kept_for_a_day() -> None:
    cache, relayed = Cache(), said([A])
    cache.keep(key(), relayed, 1000.0)
    assert cache.stale(key(), 1300.0 + MAX_STALE - 1) == Fetched(relayed, 300 + MAX_STALE - 1, stale=True)
    assert cache.stale(key(), 1300.0 + MAX_STALE) is None
    assert cache.stale(key(b"other"), 0.0) is None


def test_failures_are_remembered_for_a_moment() -> None:
    assert 1 <= FAILURE_TTL <= 5  # RFC 9520 §3.2
    cache = Cache()
    cache.keep_failure(key(), 1000.0)
    assert cache.fresh(key(), 1000.0) is Failure.REMEMBERED
    assert cache.fresh(key(), 1000.0 + FAILURE_TTL) is None


def test_a_failure_is_never_said_over_good_data() -> None:
    cache, relayed = Cache(), said([A])
    cache.keep(key(), relayed, 1000.0)
    cache.keep_failure(key(), 1001.0)
    assert cache.fresh(key(), 1001.0) == Fetched(relayed, 1)
    cache.keep_failure(key(), 1300.0)
    assert cache.fresh(key(), 1300.0) == Fetched(relayed, 300, stale=True)


def test_a_success_ends_a_failure() -> None:
    cache = Cache()
    cache.keep_failure(key(), 1000.0)
    cache.keep(key(), said([]), 1000.5)
    assert cache.fresh(key(), 1000.5) is None


def test_what_must_not_be_kept_leaves_what_there_is() -> None:
    cache, relayed = Cache(), said([A])
    cache.keep(key(), relayed, 1000.0)
    cache.keep(key(), said([]), 1300.0)
    assert cache.stale(key(), 1300.0) == Fetched(relayed, 300, stale=True)


def test_it_is_bounded_in_octets_and_the_least_used_goes_first() -> None:
    cache, relayed = Cache(max_octets=20_000), said([A])
    for number in range(100):
        cache.keep(key(b"%d" % number), relayed, 0.0)
        cache.fresh(key(b"0"), 0.0)
    assert cache.octets <= 20_000
    assert len(cache) == 20_000 // (cache.octets // len(cache))
    assert cache.fresh(key(b"0"), 0.0) is not None
    assert cache.fresh(key(b"1"), 0.0) is None


def test_many_small_records_weigh_what_they_take() -> None:
    cache = Cache(max_octets=100_000)
    cache.keep(key(), said([f"www.example.com. 300 IN A 192.0.2.{n}" for n in range(250)]), 0.0)
    assert cache.octets > 250 * 200
    cache.keep(key(), said([A]), 0.0)
    assert cache.octets < 2_000
    assert len(cache) == 1


def test_nothing_larger_than_the_cache_is_kept() -> None:
    cache = Cache(max_octets=1_000)
    cache.keep(key(), said([A]), 0.0)
    assert (len(cache), cache.octets) == (0, 0)


def test_failures_are_bounded_too() -> None:
    cache = Cache(max_octets=80_000)
    for number in range(1000):
        cache.keep_failure(key(b"%d" % number), 0.0)
    assert cache.fresh(key(b"0"), 0.0) is None
    assert cache.fresh(key(b"999"), 0.0) is Failure.REMEMBERED
