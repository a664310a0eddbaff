"""How long responses are kept, and which TTLs clients see of them."""

from __future__ import annotations

import dns.message
import pytest

from tests.support.upstream_responses import CNAME, SIGNATURE, SOA, A, said
from vpcdns.forward.ttls import ttl_of, within_limits
from vpcdns.model.cache_limits import DEFAULT_CACHE, TtlLimits
from vpcdns.wire.upstream import Relayed


@pytest.mark.parametrize(
    ("relayed", "ttl"),
    [
        (said([A]), 300),
        (said([A, CNAME]), 200),
        (said([A], [SOA.replace("900", "100")]), 100),
        (said([A.replace("300", "0")]), 0),
        (said([A.replace("300", "9999999")]), DEFAULT_CACHE.max_ttl),
        (said([], [SOA]), 60),  # RFC 2308 §5: MINIMUM
        (said([], [SOA.replace("900", "20")]), 20),  # or the SOA's own TTL
        (said([], [SOA], "NXDOMAIN"), 60),
        (said([CNAME], [SOA], "NXDOMAIN"), 60),
        (said([CNAME, SIGNATURE], [SOA]), 60),  # NODATA behind a signed CNAME
        (said([], [SOA.replace(" 60", " 999999").replace("900", "999999")]), DEFAULT_CACHE.negative_max_ttl),
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
    assert ttl_of(relayed, DEFAULT_CACHE) == ttl


NS = "example.com. 900 IN NS ns.example.com."


def ttls(relayed: Relayed) -> list[int]:
    """Those that another reader finds."""
    read = dns.message.from_wire(relayed.octets)
    assert [record.ttl for record in relayed.records] == [
        rrset.ttl for section in (read.answer, read.authority) for rrset in section for _ in rrset
    ]
    return [record.ttl for record in relayed.records]


@pytest.mark.parametrize(
    ("relayed", "limits", "seen", "kept"),
    [
        (said([A]), TtlLimits(max_ttl=7), [7], 7),
        (said([A]), TtlLimits(min_ttl=400), [400], 400),
        (said([A.replace("300", "0")]), TtlLimits(min_ttl=4), [4], 4),
        (said([A]), TtlLimits(max_ttl=0), [0], 0),
        (said([A, CNAME]), TtlLimits(max_ttl=250), [250, 200], 200),
        (said([A], [NS]), TtlLimits(500, 400, 5), [400, 500], 400),
        (said([], [SOA]), TtlLimits(negative_max_ttl=5), [5], 5),
        (said([], [SOA], "NXDOMAIN"), TtlLimits(negative_max_ttl=5), [5], 5),
        (said([], [SOA], "NXDOMAIN"), TtlLimits(max_ttl=4), [4], 4),
        (said([], [SOA], "NXDOMAIN"), TtlLimits(min_ttl=600), [900], 60),  # of positive answers only
        (said([CNAME], [SOA], "NXDOMAIN"), TtlLimits(max_ttl=100, negative_max_ttl=5), [100, 5], 5),
        (said([CNAME], [SOA]), TtlLimits(min_ttl=300, negative_max_ttl=0), [300, 0], 0),
        (said([CNAME]), TtlLimits(negative_max_ttl=5), [200], 5),
        (said([A], rcode="SERVFAIL"), TtlLimits(max_ttl=5), [300], 0),
    ],
)
def test_ttls_are_within_limits(relayed: Relayed, limits: TtlLimits, seen: list[int], kept: int) -> None:
    limited = within_limits(relayed, limits)
    assert (ttls(limited), ttl_of(limited, limits)) == (seen, kept)
    assert limited._replace(octets=relayed.octets, records=relayed.records) == relayed
    assert len(limited.octets) == len(relayed.octets)


def test_what_is_within_limits_stays_the_same_object() -> None:
    for relayed in (said([A]), said([CNAME, A], [NS]), said([], [SOA], "NXDOMAIN")):
        assert within_limits(relayed, DEFAULT_CACHE) is relayed
