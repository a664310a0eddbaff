"""The cache, on a clock of the test's: what is kept, for how long, and how much of it."""

from __future__ import annotations

import dns.message
import dns.rcode
import dns.rrset
import pytest

from vpcdns.forward.cache import FAILURE_TTL, MAX_NEGATIVE_TTL, MAX_STALE, MAX_TTL, Cache, ttl_of
from vpcdns.query import Failure, Fetched, ForwardKey
from vpcdns.wire.upstream import Relayed, read_response

A = "www.example.com. 300 IN A 192.0.2.1"
CNAME = "www.example.com. 200 IN CNAME x.example.net."
SIGNATURE = "www.example.com. 200 IN RRSIG CNAME 8 3 200 20300101000000 20200101000000 1 example.com. AAAA"
SOA = "example.com. 900 IN SOA ns.example.com. root.example.com. 1 2 3 4 60"


def key(name: bytes = b"www") -> ForwardKey:
    return name


def said(answer: list[str], authority: list[str] | None = None, rcode: str = "NOERROR") -> Relayed:
    made = dns.message.make_response(dns.message.make_query("www.example.com", "A"))
    made.set_rcode(dns.rcode.from_text(rcode))
    made.answer = [dns.rrset.from_text(*record.split(" ", 4)) for record in answer]  # type: ignore[arg-type]
    for record in authority or []:
        made.authority.append(dns.rrset.from_text(*record.split(" ", 4)))  # type: ignore[arg-type]
    return read_response(made.to_wire(max_size=65_535))


@pytest.mark.parametrize(
    ("relayed", "ttl"),
    [
        (said([A]), 300),
        (said([A, CNAME]), 200),
        (said([A], [SOA.replace("900", "100")]), 100),
        (said([A.replace("300", "0")]), 0),
        (said([A.replace("300", "9999999")]), MAX_TTL),
        (said([], [SOA]), 60),  # RFC 2308 §5: MINIMUM
        (said([], [SOA.replace("900", "20")]), 20),  # or the SOA's own TTL
        (said([], [SOA], "NXDOMAIN"), 60),
        (said([CNAME], [SOA], "NXDOMAIN"), 60),
        (said([CNAME, SIGNATURE], [SOA]), 60),  # NODATA behind a signed CNAME
        (said([], [SOA.replace(" 60", " 999999").replace("900", "999999")]), MAX_NEGATIVE_TTL),
        (said([CNAME]), 200),
        (said([]), 0),  # no SOA: not to be kept
        (said([], rcode="NXDOMAIN"), 0),
        (said([A], rcode="NXDOMAIN"), 0),
        (said([], ["example.com. 900 IN NS ns.example.com."]), 0),  # a referral
        (said([A], rcode="SERVFAIL"), 0),
        (said([A], rcode="REFUSED"), 0),
        (said([A], rcode="FORMERR"), 0),
        (said([A])._replace(flags=0x8380), 0),  # truncated
    ],
)
def test_how_long_a_response_is_kept(relayed: Relayed, ttl: int) -> None:
    assert ttl_of(relayed) == ttl


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
