"""Responses: facts/dns-conformance.md §1 to §3 where the answer is ours; which options and errors it has."""

from __future__ import annotations

import struct
from dataclasses import replace
from ipaddress import IPv4Address, ip_address

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import pytest
from dns.edns import GenericOption, Option, OptionType

from tests.support.example_world import (
    CUSTOM,
    DEDICATED_NAME,
    ENDPOINT,
    HZ,
    IN_A,
    IN_B,
    SERVERLESS_NAME,
    SHARED,
    STRANGER,
    example,
)
from tests.support.messages import answered, data, ede, exchanged, query, read, soa
from vpcdns.model.policy import Answers, Explain, Forwarding, ServerIdentity, Transport, Upstream
from vpcdns.query import Arrival, Response, begin, servfail

WORLD = example()


SUFFIX = "alicloudapi.com"


LOOPBACK = "127.0.0.1"


TRANSPORTS: tuple[Transport, ...] = ("udp", "tcp")


NSID, COOKIE, EXPIRE, KEEPALIVE = (OptionType(code) for code in (3, 10, 9, 11))


QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010


def codes(message: dns.message.Message) -> list[int]:
    return [int(option.otype) for option in message.options]


WHY = "bound to vpc-a, you are in vpc-b"


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("flags", [0, CD, AD, 0x0040, RD, TC, RD | CD | AD])
def test_rfc_8906_flags(flags: int, transport: Transport) -> None:
    """§8.1.1 and §8.1.3: RD and CD are copied; AD, Z and TC are not."""
    message = bytearray(query(SUFFIX, "SOA", edns=False).to_wire())
    message[2:4] = struct.pack("!H", flags)
    found = answered(WORLD, bytes(message), IN_A, transport=transport)
    assert (found.rcode(), found.edns) == (dns.rcode.NOERROR, -1)
    assert (
        found.answer[0]
        .to_text()
        .startswith(f"{SUFFIX}. 10 IN SOA vpcdns.internal. hostmaster.vpcdns.internal. ")
    )
    assert int(found.flags) & 0x87F0 == QR | AA | flags & (RD | CD) | RA


def test_rfc_8906_an_unknown_type() -> None:
    """§8.1.2."""
    found = answered(WORLD, query(SUFFIX, "TYPE1000", edns=False, flags=0), IN_A)
    assert (found.rcode(), found.answer, found.edns, soa(found)) == (dns.rcode.NOERROR, [], -1, SUFFIX)


@pytest.mark.parametrize("opcode", range(1, 16))
@pytest.mark.parametrize("body", [b"", b"\0\0\6\0\1"])
def test_rfc_8906_an_unknown_opcode(opcode: int, body: bytes) -> None:
    """§8.1.4: NOTIMP, the header and nothing else."""
    message = struct.pack("!6H", 7, opcode << 11, 1 if body else 0, 0, 0, 0) + body
    result = begin(message, Arrival(ip_address(IN_A)), WORLD)
    assert isinstance(result, Response)
    assert result.octets == struct.pack("!6H", 7, QR | opcode << 11 | 4, 0, 0, 0, 0)


@pytest.mark.parametrize("version", [1, 2, 100, 255])
@pytest.mark.parametrize("with_option", [False, True])
@pytest.mark.parametrize("ednsflags", [0, 0x40, 0x8000])
def test_rfc_8906_another_edns_version(version: int, with_option: bool, ednsflags: int) -> None:
    """§8.2.2, §8.2.5, §8.2.6, §8.2.9."""
    asked = query(SUFFIX, "SOA", flags=0)
    options: list[Option] = [GenericOption(OptionType(100), b"")] if with_option else []
    asked.use_edns(version, ednsflags, options=options)
    found = answered(WORLD, asked, IN_A)
    assert found.rcode() == dns.rcode.BADVERS
    assert (found.edns, found.answer, found.options) == (0, [], ())
    assert not found.flags & dns.flags.AA
    assert found.ednsflags & 0x7FFF == 0


@pytest.mark.parametrize("codes_asked", [[100], [NSID, COOKIE, EXPIRE], [KEEPALIVE], [65001, 12]], ids=str)
def test_rfc_8906_options(codes_asked: list[int]) -> None:
    """§8.2.1, §8.2.3, §8.2.10: unknown options are ignored; of the others only NSID is answered over UDP."""
    options = [
        GenericOption(OptionType(code), b"12345678" if code == COOKIE else b"") for code in codes_asked
    ]
    found = answered(WORLD, query(SUFFIX, "SOA", options=options, flags=0), IN_A)
    assert (found.rcode(), found.edns) == (dns.rcode.NOERROR, 0)
    assert codes(found) == ([NSID] if NSID in codes_asked else [])
    assert found.answer


def test_rfc_8906_edns_flags() -> None:
    """§8.2.4, §8.2.8: DO is copied (RFC 3225), the rest must be zero."""
    for asked_flags, expected in [(0x40, 0), (0x8000, 0x8000), (0xFFFF, 0x8000)]:
        asked = query(SUFFIX, "SOA")
        asked.use_edns(0, asked_flags)
        assert answered(WORLD, asked, IN_A).ednsflags == expected


def test_rfc_8906_truncation() -> None:
    """§8.2.7: an answer of 60 addresses in 512 octets keeps question and OPT, and says TC."""
    instance = WORLD.instances[HZ, SHARED]
    addresses = tuple(IPv4Address("100.64.0.0") + number for number in range(60))
    world = replace(
        WORLD, instances=WORLD.instances.set(instance.key, replace(instance, addresses=addresses))
    )
    for asked, limit in [
        (query(SERVERLESS_NAME, payload=512, do=True), 512),
        (query(SERVERLESS_NAME, payload=0), 512),
        (query(SERVERLESS_NAME, edns=False), 512),
        (query(SERVERLESS_NAME, payload=900), 900),
        (query(SERVERLESS_NAME, payload=65535), 1232),
    ]:
        result = exchanged(world, asked, IN_A)
        assert isinstance(result, Response)
        found = read(result.octets)
        kept = len(data(found))
        assert limit - 16 < len(result.octets) <= limit or kept == 60
        assert found.question == asked.question
        assert (found.edns == 0) == (asked.edns == 0)
        assert bool(found.flags & dns.flags.TC) == (kept < 60)
        whole = answered(world, asked, IN_A, transport="tcp")
        assert len(data(whole)) == 60
        assert not whole.flags & dns.flags.TC


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_any_is_small(transport: Transport) -> None:
    """RFC 8482, UDP and TCP alike."""
    for name in (DEDICATED_NAME, SERVERLESS_NAME, CUSTOM, SUFFIX):
        assert len(answered(WORLD, query(name, "ANY"), IN_A, transport=transport).answer) == 1


def test_the_question_is_echoed_octet_for_octet() -> None:
    name = "".join(letter.upper() if index % 3 else letter for index, letter in enumerate(DEDICATED_NAME))
    result = exchanged(WORLD, asked := query(name), IN_A)
    assert isinstance(result, Response)
    question = asked.to_wire()[12 : 12 + len(name) + 6]
    assert result.octets[12 : 12 + len(question)] == question
    found = read(result.octets)
    assert data(found) == [str(ENDPOINT)]
    assert found.answer[0].name.to_text(omit_final_dot=True) == name


def test_a_stranger_gets_no_more_than_it_sent() -> None:
    """Not a weapon: REFUSED, without NSID, subnet, keepalive or text, and RA (docs/decisions/0009)."""
    world = replace(WORLD, forwarding=Forwarding(upstreams=(Upstream(ip_address("192.0.2.1")),)))
    options = [GenericOption(NSID, b"")]
    asked = query(CUSTOM, options=options, subnet=f"{IN_A}/32")
    for transport in TRANSPORTS:
        found = answered(world, asked, STRANGER, transport=transport)
        assert (found.rcode(), codes(found), ede(found)) == (dns.rcode.REFUSED, [15], (18, ""))
        assert not found.flags & RA
    result = exchanged(world, asked, STRANGER)
    assert isinstance(result, Response)
    assert len(result.octets) <= len(asked.to_wire())


def test_a_stranger_that_leaves_no_room_gets_no_code_but_over_tcp_and_through_a_trusted_peer() -> None:
    bare = query(CUSTOM)
    assert codes(answered(WORLD, bare, STRANGER)) == []
    assert codes(answered(WORLD, bare, STRANGER, transport="tcp")) == [15]
    assert codes(answered(WORLD, query(CUSTOM, options=[GenericOption(COOKIE, bytes(8))]), STRANGER)) == [15]
    assert codes(answered(WORLD, query(CUSTOM, subnet=f"{STRANGER}/32"), LOOPBACK)) == [15]


def test_nsid_only_when_asked() -> None:
    world = replace(WORLD, identity=ServerIdentity("vpcdns 1", "host-7"))
    asked = query(SUFFIX, "SOA", options=[GenericOption(NSID, b"")])
    (option,) = answered(world, asked, IN_A).options
    assert option.to_wire() == b"host-7"
    assert answered(world, query(SUFFIX, "SOA"), IN_A).options == ()
    assert data(answered(world, query("version.bind", "TXT", rclass="CH"), IN_A)) == ['"vpcdns 1"']


def test_keepalive_over_tcp_only() -> None:
    """RFC 7828 §3.1: in units of 100 ms."""
    asked = query(SUFFIX, "SOA", options=[GenericOption(KEEPALIVE, b"")])
    (option,) = answered(WORLD, asked, IN_A, transport="tcp").options
    assert (int(option.otype), option.to_wire()) == (11, b"\x00\x64")
    assert answered(WORLD, asked, IN_A).options == ()
    assert answered(WORLD, query(SUFFIX, "SOA"), IN_A, transport="tcp").options == ()


@pytest.mark.parametrize(
    ("explain", "error"), [(Explain.FULL, (18, WHY)), (Explain.CODE, (18, "")), (Explain.OFF, None)]
)
def test_explain(explain: Explain, error: tuple[int, str] | None) -> None:
    world = example(Answers(explain=explain))
    for name in (DEDICATED_NAME, CUSTOM):
        assert ede(answered(world, query(name), IN_B)) == error
    assert ede(answered(world, query(DEDICATED_NAME, edns=False), IN_B)) is None
    assert ede(answered(world, query(DEDICATED_NAME), IN_A)) is None


def header(qd: int = 1, ar: int = 0, flags: int = RD) -> bytes:
    return struct.pack("!6H", 0xBEEF, flags, qd, 0, 0, ar)


OPT = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"


def test_servfail_says_no_details() -> None:
    found = read(servfail(query(DEDICATED_NAME).to_wire()) or b"")
    assert (found.rcode(), ede(found), data(found)) == (dns.rcode.SERVFAIL, None, [])
    assert len(found.question) == 1
    assert servfail(b"short") is None
    response = query(DEDICATED_NAME)
    response.flags |= dns.flags.QR
    assert servfail(response.to_wire()) is None
