"""Reading queries: facts/dns-conformance.md §3, row by row, and that dnspython means the same."""

from __future__ import annotations

from ipaddress import ip_network

import dns.flags
import dns.message
import pytest
from dns.edns import GenericOption, OptionType
from dns.name import Name
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rrset import RRset
from hypothesis import given
from hypothesis import strategies as st

from tests.support.message_strategies import NAME_LABELS
from tests.support.messages import query
from tests.support.octets import OPT_HEAD, header, opt, option
from vpcdns.model.dns import Rcode
from vpcdns.wire.buffer import write_name
from vpcdns.wire.edns import ClientSubnet
from vpcdns.wire.query import Query, read_query

QUESTION = b"\3api\7example\3com\0\0\1\0\1"


def read(message: bytes) -> Query:
    found = read_query(message)
    assert found is not None
    assert found.id == 0xBEEF
    return found


@given(NAME_LABELS, st.integers(0, 65535), st.integers(0, 65535), st.integers(0, 65535), st.booleans())
def test_a_good_query_means_what_dnspython_says(
    labels: list[bytes], identity: int, rtype: int, rclass: int, do: bool
) -> None:
    if rtype == 41:
        rtype = 1
    message = dns.message.Message(identity)
    asked = RRset(Name((*labels, b"")), RdataClass(rclass), RdataType(rtype))
    message.question = [asked]
    message.use_edns(0, dns.flags.DO if do else 0, 1400)
    octets = message.to_wire()
    found = read_query(octets)
    assert found is not None
    assert found.fault is None
    assert found.question is not None
    assert found.edns is not None
    assert (found.id, found.question.name.labels) == (identity, tuple(labels))
    assert (found.question.rtype, found.question.rclass) == (rtype, rclass)
    assert (found.edns.do, found.edns.payload_size, found.edns.fault) == (do, 1400, None)
    assert found.question_wire == octets[12 : 12 + len(found.question_wire)]


@pytest.mark.parametrize("length", range(12))
def test_less_than_a_header_is_owed_nothing(length: int) -> None:
    assert read_query(header()[:length]) is None


@pytest.mark.parametrize("opcode", range(16))
def test_a_response_is_owed_nothing(opcode: int) -> None:
    assert read_query(header(0x8000 | opcode << 11) + QUESTION) is None


@pytest.mark.parametrize("opcode", range(1, 16))
@pytest.mark.parametrize("body", [b"", QUESTION, b"\xff" * 40])
def test_an_unknown_opcode_is_not_read(opcode: int, body: bytes) -> None:
    found = read(header(opcode << 11, 7, 7, 7, 7) + body)
    assert (found.fault, found.flags, found.question, found.question_wire, found.edns) == (
        Rcode.NOTIMP,
        opcode << 11,
        None,
        b"",
        None,
    )


NAME_255 = b"\x3f" + b"x" * 63 + b"\x3f" + b"y" * 63 + b"\x3f" + b"z" * 63 + b"\x3d" + b"w" * 61 + b"\0"
ECS = 8
COOKIE = 10
TSIG = b"\3key\0\0\xfa\0\xff\0\0\0\0\0\3abc"


@pytest.mark.parametrize(
    ("message", "fault", "echoed"),
    [
        (header() + QUESTION, None, True),
        (header() + QUESTION + b"trailing octets", None, True),
        (header(0x0300) + QUESTION, None, True),  # TC in a query
        (header(ar=1) + QUESTION + opt(), None, True),
        (header(ar=1) + QUESTION + TSIG, None, True),
        (header(ar=2) + QUESTION + opt() + TSIG, None, True),
        (header(ar=2) + QUESTION + TSIG + opt(), None, True),
        (header() + NAME_255 + b"\0\1\0\1", None, True),
        (header(ar=1) + QUESTION + opt(b"".join(option(100 + n, b"") for n in range(16))), None, True),
        (header(ar=1) + QUESTION + opt(option(3, b"") + option(3, b"x")), None, True),
        (header(ar=1) + QUESTION + opt(option(COOKIE, b"8 octets")), None, True),
        (header(ar=1) + QUESTION + opt(option(COOKIE, b"x" * 16)), None, True),
        (header(ar=1) + QUESTION + opt(option(COOKIE, b"x" * 40)), None, True),
        (header(qd=0), Rcode.FORMERR, False),
        (header(qd=2) + QUESTION * 2, Rcode.FORMERR, False),
        (header(), Rcode.FORMERR, False),
        (header() + QUESTION[:-1], Rcode.FORMERR, False),
        (header() + b"\x40" + QUESTION, Rcode.FORMERR, False),  # label types 01 and 10
        (header() + b"\x80" + QUESTION, Rcode.FORMERR, False),
        (header() + b"\xc0\x0c\0\1\0\1", Rcode.FORMERR, False),  # compression pointers
        (header() + b"\3api\xc0\x0c\0\1\0\1", Rcode.FORMERR, False),
        (header() + b"\x3e" + b"w" * 62 + NAME_255[64:-63] + b"\x3e" + b"v" * 62 + b"\0\0\1\0\1", None, True),
        (header() + b"\1a" + NAME_255 + b"\0\1\0\1", Rcode.FORMERR, False),
        (header(an=1) + QUESTION + QUESTION + b"\0\0\0\0\0\0", Rcode.FORMERR, True),
        (header(ns=1) + QUESTION, Rcode.FORMERR, True),
        (header(ar=3) + QUESTION + opt() + TSIG * 2, Rcode.FORMERR, True),
        (header(ar=1) + QUESTION, Rcode.FORMERR, True),
        (header(ar=2) + QUESTION + opt(), Rcode.FORMERR, True),
        (header(ar=2) + QUESTION + opt() + opt(), Rcode.FORMERR, True),
        (header(ar=1) + QUESTION + opt(head=b"\1x" + OPT_HEAD), Rcode.FORMERR, True),
        (header(ar=1) + QUESTION + opt(head=b"\xc0\x0c" + OPT_HEAD[1:]), Rcode.FORMERR, True),
        (header(ar=1) + QUESTION + opt(head=b"\x40" + OPT_HEAD), Rcode.FORMERR, True),
        (header(ar=1) + QUESTION + OPT_HEAD + b"\0\5" + b"\0\3\0\0", Rcode.FORMERR, True),
        (header(ar=1) + QUESTION + opt(b"\0\3\0\1"), Rcode.FORMERR, True),
        (header(ar=1) + QUESTION + opt(b"\0\3\0"), Rcode.FORMERR, True),
        (header(ar=1) + QUESTION + opt(option(100, b"") * 17), Rcode.FORMERR, True),
        (header(ar=1) + QUESTION + opt(option(COOKIE, b"")), Rcode.FORMERR, True),
        (header(ar=1) + QUESTION + opt(option(COOKIE, b"7 octet")), Rcode.FORMERR, True),
        (header(ar=1) + QUESTION + opt(option(COOKIE, b"x" * 9)), Rcode.FORMERR, True),
        (header(ar=1) + QUESTION + opt(option(COOKIE, b"x" * 15)), Rcode.FORMERR, True),
        (header(ar=1) + QUESTION + opt(option(COOKIE, b"x" * 41)), Rcode.FORMERR, True),
        (header(ar=1) + QUESTION + opt(head=b"\0\0\x29\x04\xd0\0\1\0\0"), Rcode.BADVERS, True),
        (header(ar=1) + QUESTION + opt(b"\xff\xff\xff", b"\0\0\x29\x04\xd0\0\x64\0\0"), Rcode.BADVERS, True),
        (header() + b"\0\0\x29\0\1", Rcode.FORMERR, True),  # type OPT
    ],
)
def test_what_a_query_is_owed(message: bytes, fault: Rcode | None, echoed: bool) -> None:
    found = read(message)
    assert found.fault == fault
    assert bool(found.question_wire) == echoed
    assert found.question is None or found.question_wire.startswith(write_name(found.question.name))
    if fault is Rcode.BADVERS:
        assert found.edns is not None


@pytest.mark.parametrize(
    ("data", "address", "source"),
    [
        (b"\0\1\x20\0\x0a\1\0\5", "10.1.0.5", 32),
        (b"\0\1\x18\0\x0a\1\0", "10.1.0.0", 24),
        (b"\0\1\x11\0\x0a\1\x80", "10.1.128.0", 17),
        (b"\0\1\0\0", None, 0),
        (b"\0\0\0\0", None, 0),
        (b"\0\2\x30\0\xfd\0\0\1\0\0", "fd00:1::", 48),
        (b"\0\2\x80\0" + bytes(10) + b"\xff\xff\x0a\1\0\5", "10.1.0.5", 128),
        (b"\0\2\x78\0" + bytes(10) + b"\xff\xff\x0a\1\0", "10.1.0.0", 120),
    ],
)
def test_client_subnets(data: bytes, address: str | None, source: int) -> None:
    found = read(header(ar=1) + QUESTION + opt(option(ECS, data))).edns
    assert found is not None
    mapped = 96 if address is not None and "." in address and data[1] == 2 else 0
    expected = None if address is None else ip_network(f"{address}/{source - mapped}")
    assert found.client_subnet == ClientSubnet(data, expected)
    assert found.client_subnet.echo() == data[:3] + bytes([source]) + data[4:]
    if expected is not None and source - mapped < 32:
        assert found.client_subnet.echo(25) == data[:3] + bytes([25 + mapped]) + data[4:]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\1\x20",
        b"\0\1\x20\0\x0a\1\0",  # an octet too few
        b"\0\1\x18\0\x0a\1\0\0",  # and one too many
        b"\0\1\x20\x20\x0a\1\0\5",  # SCOPE in a query
        b"\0\1\x21\0\x0a\1\0\5\0",
        b"\0\1\x11\0\x0a\1\xc0",  # a bit behind the prefix
        b"\0\2\x81\0" + bytes(17),
        b"\0\3\x08\0\1",
        b"\0\0\x08\0\1",
        b"\0\0\0\1",
    ],
)
def test_client_subnets_of_no_form(data: bytes) -> None:
    """RFC 7871 §6, §7.2.1."""
    assert read(header(ar=1) + QUESTION + opt(option(ECS, data))).fault is Rcode.FORMERR


def test_flags_and_the_smallest_payload() -> None:
    found = read(header(0x0130, ar=1) + QUESTION + opt(head=b"\0\0\x29\0\1\0\0\x80\0"))
    assert found.flags == 0x0130
    assert found.edns is not None
    assert (found.edns.payload_size, found.edns.do) == (512, True)
    plain = read(header(0) + QUESTION)
    assert (plain.flags, plain.edns) == (0, None)


def test_of_options_given_twice_the_first_counts() -> None:
    found = read(header(ar=1) + QUESTION + opt(option(100, b"1") + option(3, b"") + option(100, b"2"))).edns
    assert found is not None
    assert found.options == ((100, b"1"), (3, b""))
    assert found.has(3)
    assert not found.has(4)


def test_a_query_of_dnspython_with_every_option() -> None:
    options = [GenericOption(OptionType(code), data) for code, data in ((3, b""), (COOKIE, b"8 octets"))]
    found = read_query(query("api.example.com", options=options, subnet="10.1.0.0/16").to_wire())
    assert found is not None
    assert found.edns is not None
    assert [code for code, _ in found.edns.options] == [3, COOKIE, ECS]
