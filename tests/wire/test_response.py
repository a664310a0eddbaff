"""Writing responses: dnspython, as the second opinion, reads each strictly and finds what was meant."""

from __future__ import annotations

import struct
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import dns.flags
import dns.message
import dns.name
import pytest
from dns.rrset import RRset
from hypothesis import given
from hypothesis import strategies as st

from tests.support.message_strategies import NAME_LABELS
from tests.support.messages import data, ede, query, read
from vpcdns.model.dns import ExtendedError, InfoCode, Octets, Rcode, Rdata, Record, RRClass, RRType, Soa
from vpcdns.model.names import Name
from vpcdns.wire.buffer import write_name
from vpcdns.wire.format import AA, CD, MAX_TCP_PAYLOAD, RA
from vpcdns.wire.query import Query, read_query
from vpcdns.wire.response import udp_limit, write_response

NAMES = NAME_LABELS.map(lambda labels: Name(tuple(labels)))
TTLS = st.integers(0, 2**31 - 1)
WORDS = st.integers(0, 2**32 - 1)
RDATA = st.one_of(
    st.tuples(st.just(RRType.A), st.integers(0, 2**32 - 1).map(IPv4Address)),
    st.tuples(st.just(RRType.AAAA), st.integers(0, 2**128 - 1).map(IPv6Address)),
    st.tuples(st.sampled_from([RRType.CNAME, RRType.NS, RRType.PTR]), NAMES),
    st.tuples(st.just(RRType.SOA), st.builds(Soa, NAMES, NAMES, WORDS, WORDS, WORDS, WORDS, WORDS)),
    st.tuples(st.just(RRType.TXT), st.lists(st.binary(max_size=255), min_size=1, max_size=4).map(tuple)),
)
RECORDS = st.lists(
    st.builds(lambda name, ttl, rdata: Record(name, rdata[0], ttl, rdata[1]), NAMES, TTLS, RDATA)
)


API = Name((b"api", b"example", b"com"))


def asked(name: Name = API, *, edns: bool = True, payload: int = 1232) -> Query:
    message = query(dns.name.Name((*name.labels, b"")), edns=0 if edns else False, payload=payload)
    found = read_query(message.to_wire())
    assert found is not None
    return found


def octets_of(rdata: Rdata) -> bytes:
    match rdata:
        case IPv4Address() | IPv6Address():
            return rdata.packed
        case Name():
            return write_name(rdata)
        case Soa():
            numbers = (rdata.serial, rdata.refresh, rdata.retry, rdata.expire, rdata.minimum)
            return write_name(rdata.mname) + write_name(rdata.rname) + struct.pack("!5I", *numbers)
        case Octets(octets):
            return octets
        case strings:
            return b"".join(bytes([len(string)]) + string for string in strings)


def same(rrset: RRset, record: Record) -> bool:
    """Whether exactly this record was written, octet for octet, its case kept."""
    (rdata,) = rrset
    same_owner = rrset.name.labels[:-1] == record.name.labels
    same_head = (int(rrset.rdtype), rrset.ttl) == (record.rtype, record.ttl)
    return same_owner and same_head and rdata.to_wire() == octets_of(record.rdata)


@given(NAMES, RECORDS, st.integers(0, 2**16 - 1))
def test_every_record_is_read_back_as_it_was(name: Name, records: list[Record], size: int) -> None:
    """Whatever is written to a limit, dnspython reads whole records from the first, TC if one is missing."""
    limit = max(512, size)
    octets = write_response(asked(name), Rcode.NOERROR, limit, tuple(records), flags=AA)
    assert len(octets) <= limit
    found = dns.message.from_wire(octets, one_rr_per_rrset=True)
    assert found.question[0].name.labels[:-1] == name.labels
    assert found.edns == 0
    assert all(same(rrset, record) for rrset, record in zip(found.answer, records, strict=False))
    assert bool(found.flags & dns.flags.TC) == (len(found.answer) < len(records))


ADDRESSES = tuple(
    Record(API, RRType.A, 60, IPv4Address(f"100.64.{number >> 8}.{number & 255}")) for number in range(400)
)


@pytest.mark.parametrize("limit", [*range(512, 760), 1231, 1232, 4096, MAX_TCP_PAYLOAD])
def test_truncation_at_every_limit(limit: int) -> None:
    """Question and OPT stay, as many whole records as fit are there, and TC says when not all are."""
    found = read(octets := write_response(asked(), Rcode.NOERROR, limit, ADDRESSES))
    kept = len(data(found))
    assert len(octets) <= limit
    assert kept == 400 or len(octets) + 16 > limit  # one more A record takes 16 octets
    assert bool(found.flags & dns.flags.TC) == (kept < 400)
    assert len(found.question) == 1
    assert found.edns == 0
    assert data(found) == [str(record.rdata) for record in ADDRESSES[:kept]]


def test_without_edns_there_is_no_opt_and_512_octets() -> None:
    plain = asked(edns=False)
    assert udp_limit(plain) == 512
    error = ExtendedError(InfoCode.PROHIBITED, "text")
    found = read(octets := write_response(plain, Rcode.NOERROR, 512, ADDRESSES, extended_error=error))
    assert len(octets) <= 512
    assert found.edns == -1
    assert found.flags & dns.flags.TC


@pytest.mark.parametrize(("payload", "limit"), [(0, 512), (511, 512), (512, 512), (900, 900), (65535, 1232)])
def test_how_much_a_client_can_take(payload: int, limit: int) -> None:
    assert udp_limit(asked(payload=payload)) == limit


def test_the_extended_error_gives_way_first_its_text_before_its_code() -> None:
    query_, error = asked(), ExtendedError(InfoCode.PROHIBITED, "a reason of some length")

    def written(limit: int) -> bytes:
        return write_response(query_, Rcode.NXDOMAIN, limit, ADDRESSES[:30], extended_error=error)

    full = len(written(MAX_TCP_PAYLOAD))
    seen = []
    for limit in range(full, full - 40, -1):
        found = read(octets := written(limit))
        assert len(octets) <= limit
        seen.append((ede(found), len(data(found)), bool(found.flags & dns.flags.TC)))
    text, code = len(error.text), 6  # option code, option length, info code
    assert seen[0] == ((18, error.text), 30, False)
    assert seen[1:text] == [((18, ""), 30, False)] * (text - 1)
    assert seen[text + 1 : text + code] == [(None, 30, False)] * (code - 1)
    assert seen[text + code + 1][1:] == (29, True)


def test_names_beyond_the_reach_of_pointers() -> None:
    """RFC 1035 §4.1.4: a pointer has 14 bits; what stands behind offset 16383 is written out."""
    filler = Record(Name((b"f",)), RRType.TXT, 0, (b"x" * 255,) * 70)
    late = Name((b"late", b"Example", b"com"))
    records = (filler, *(Record(late, RRType.CNAME, 1, late) for _ in range(3)), *ADDRESSES[:2])
    octets = write_response(asked(), Rcode.NOERROR, MAX_TCP_PAYLOAD, records)
    assert len(octets) > 0x4000 + 3 * 10
    found = dns.message.from_wire(octets, one_rr_per_rrset=True)
    assert all(same(rrset, record) for rrset, record in zip(found.answer, records, strict=True))


def test_case_is_kept_although_names_are_compressed() -> None:
    lower, upper = Name.from_text("api.example.com"), Name.from_text("API.example.COM")
    records = tuple(Record(name, RRType.CNAME, 1, name) for name in (lower, upper, lower, upper))
    octets = write_response(asked(lower), Rcode.NOERROR, 512, records)
    found = dns.message.from_wire(octets, one_rr_per_rrset=True)
    assert all(same(rrset, record) for rrset, record in zip(found.answer, records, strict=True))
    assert octets.count(b"\3API") == 1


@pytest.mark.parametrize("rcode", list(Rcode))
def test_header(rcode: Rcode) -> None:
    soa = Soa(API, API, 1, 2, 3, 4, 5)
    query_, authority = asked(), (Record(Name(()), RRType.SOA, 1, soa),)
    query_, options = replace(query_, flags=query_.flags | CD), ((3, b"us"),)
    octets = write_response(query_, rcode, 512, ADDRESSES[:1], authority, flags=AA | RA, options=options)
    found = read(octets)
    assert found.id == 0x1234
    assert int(found.rcode()) == rcode
    for flag in (dns.flags.QR, dns.flags.AA, dns.flags.RD, dns.flags.RA, dns.flags.CD):
        assert found.flags & flag
    assert not found.flags & (dns.flags.TC | dns.flags.AD | 0x0040)
    assert [(option.otype, option.to_wire()) for option in found.options] == [(3, b"us")]
    assert len(found.authority) == 1


def test_class_ch() -> None:
    record = Record(Name((b"id", b"server")), RRType.TXT, 0, (b"me",), RRClass.CH)
    found = read(write_response(asked(record.name), Rcode.NOERROR, 512, (record,)))
    assert int(found.answer[0].rdclass) == RRClass.CH


def test_presentation_format_is_dnspythons() -> None:
    """What explain, the log and the page print reads like a zone file."""
    name = Name((b"a.b", b'c"d', b"\0"))
    samples: list[tuple[int, Rdata]] = [
        (RRType.TXT, (b'say "hi" \\ \xff', b"")),
        (RRType.CNAME, name),
        (RRType.CNAME, Name(())),
        (RRType.SOA, Soa(name, name, 1, 2, 3, 4, 5)),
        (RRType.AAAA, IPv6Address("fd00::1")),
    ]
    for rtype, rdata in samples:
        record = Record(Name(()), rtype, 0, rdata)
        (rrset,) = read(write_response(asked(), Rcode.NOERROR, 512, (record,))).answer
        assert record.rdata_text() == rrset[0].to_text()
