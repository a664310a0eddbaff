"""What becomes of a message: DESIGN §3's table, who is asking, and what is malformed."""

from __future__ import annotations

import struct
from ipaddress import ip_address

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import pytest
from dns.edns import GenericOption, OptionType

from tests.support.example_world import (
    CUSTOM,
    DEDICATED_NAME,
    ENDPOINT,
    IN_A,
    IN_B,
    IN_C,
    OFF_CUSTOM,
    OFF_NAME,
    ON_INTERNET,
    ON_PREMISES,
    SERVERLESS_NAME,
    STRANGER,
    UNKNOWN_NAME,
    VPC_A,
    VPC_B,
    example,
)
from tests.support.messages import answered, data, ede, exchanged, query, soa, well_formed
from vpcdns.model.decision import Reason
from vpcdns.model.names import Name
from vpcdns.model.policy import Answers, Denied, Forwarding, Transport
from vpcdns.query import Arrival, Drop, Forward, begin
from vpcdns.wire.buffer import write_name

WORLD = example()


SUFFIX = "alicloudapi.com"


LOOPBACK = "127.0.0.1"


TRANSPORTS: tuple[Transport, ...] = ("udp", "tcp")


NSID, COOKIE, EXPIRE, KEEPALIVE = (OptionType(code) for code in (3, 10, 9, 11))


QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010


def codes(message: dns.message.Message) -> list[int]:
    return [int(option.otype) for option in message.options]


ALIAS = f"{DEDICATED_NAME}."


WHY = "bound to vpc-a, you are in vpc-b"


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("name", "rtype", "client", "rcode", "answers", "error", "authority"),
    [
        (SERVERLESS_NAME, "A", IN_B, "NOERROR", ["100.100.80.10", "100.100.80.11"], None, None),
        (SERVERLESS_NAME, "AAAA", IN_B, "NOERROR", [], None, SUFFIX),
        (SERVERLESS_NAME, "HTTPS", IN_B, "NOERROR", [], None, SUFFIX),
        (DEDICATED_NAME, "A", ON_PREMISES, "NOERROR", [str(ENDPOINT)], None, None),
        (DEDICATED_NAME, "A", IN_B, "NXDOMAIN", [], (18, WHY), SUFFIX),
        (
            DEDICATED_NAME,
            "A",
            ON_INTERNET,
            "NXDOMAIN",
            [],
            (18, "bound to vpc-a, you are on the Internet"),
            SUFFIX,
        ),
        (OFF_NAME, "A", IN_A, "NXDOMAIN", [], (18, "the group's VPC domain is off"), SUFFIX),
        (UNKNOWN_NAME, "A", IN_A, "NXDOMAIN", [], (0, "no such group"), SUFFIX),
        (
            f"{DEDICATED_NAME}.corp.example",
            "A",
            IN_A,
            "NXDOMAIN",
            [],
            (0, "search domain corp.example behind a VPC domain"),
            f"{SUFFIX}.corp.example",
        ),
        (CUSTOM, "A", IN_A, "NOERROR", [ALIAS, str(ENDPOINT)], None, None),
        (CUSTOM, "A", IN_B, "NXDOMAIN", [ALIAS], (18, WHY), SUFFIX),
        (OFF_CUSTOM, "A", IN_A, "NXDOMAIN", [f"{OFF_NAME}."], (18, "the group's VPC domain is off"), SUFFIX),
        (SUFFIX, "MX", ON_INTERNET, "NOERROR", [], None, SUFFIX),
        (
            f"x.{DEDICATED_NAME}",
            "A",
            IN_A,
            "NXDOMAIN",
            [],
            (0, "there is nothing below a VPC domain"),
            SUFFIX,
        ),
        ("whoami.vpcdns.internal", "A", ON_INTERNET, "NOERROR", [ON_INTERNET], None, None),
        ("localhost", "AAAA", IN_A, "NOERROR", ["::1"], None, None),
        ("x.onion", "A", IN_A, "NXDOMAIN", [], None, "onion"),
    ],
)
def test_the_table(
    name: str,
    rtype: str,
    client: str,
    rcode: str,
    answers: list[str],
    error: tuple[int, str] | None,
    authority: str | None,
    transport: Transport,
) -> None:
    asked = query(name, rtype)
    found = answered(WORLD, asked, client, transport=transport)
    assert dns.rcode.to_text(found.rcode()) == rcode
    assert (data(found), ede(found), soa(found)) == (answers, error, authority)
    assert found.question == asked.question
    assert found.id == asked.id
    assert bool(found.flags & dns.flags.AA) == (rcode != "REFUSED")
    assert found.flags & dns.flags.RA
    assert {rrset.ttl for rrset in found.answer} <= ({0} if "whoami" in name else {60})
    assert {rrset.ttl for rrset in found.authority} <= {10}


def test_what_is_not_ours_goes_on() -> None:
    result = exchanged(WORLD, query("www.example.org", "TYPE1000"), IN_A)
    assert isinstance(result, Forward)
    assert result.resolution.upstreams == WORLD.forwarding.upstreams
    alone = example(forwarding=Forwarding())
    found = answered(alone, query("www.example.org"), IN_A)
    assert (found.rcode(), ede(found)) == (dns.rcode.REFUSED, (20, "not ours, and no upstreams"))
    assert not found.flags & (dns.flags.AA | dns.flags.RA)


@pytest.mark.parametrize(
    ("name", "rtype", "rclass", "rcode"),
    [
        (SUFFIX, "AXFR", "IN", "REFUSED"),
        (SUFFIX, "IXFR", "IN", "REFUSED"),
        ("example.org", "AXFR", "IN", "REFUSED"),
        (DEDICATED_NAME, "A", "HS", "REFUSED"),
        (DEDICATED_NAME, "A", "CH", "REFUSED"),
        (DEDICATED_NAME, "A", "ANY", "REFUSED"),
        (DEDICATED_NAME, "A", "NONE", "REFUSED"),
        (DEDICATED_NAME, "TYPE0", "IN", "NOERROR"),
        (DEDICATED_NAME, "OPT", "IN", "FORMERR"),
        ("version.bind", "TXT", "CH", "NOERROR"),
        ("id.server", "TXT", "CH", "NOERROR"),
        ("authors.bind", "TXT", "CH", "REFUSED"),
        ("_dns.resolver.arpa", "SVCB", "IN", "NOERROR"),
    ],
)
def test_the_unusual(name: str, rtype: str, rclass: str, rcode: str) -> None:
    for transport in TRANSPORTS:
        found = answered(WORLD, query(name, rtype, rclass=rclass), IN_A, transport=transport)
        assert dns.rcode.to_text(found.rcode()) == rcode


@pytest.mark.parametrize("name", [dns.name.Name((b"\xff\0 .", b"example", b"")), dns.name.root])
def test_any_octets_are_a_name(name: dns.name.Name) -> None:
    assert isinstance(exchanged(WORLD, query(name), IN_A), Forward)
    below = dns.name.Name((b"\xff\0-vpc", b"alicloudapi", b"com", b""))
    assert answered(WORLD, query(below), IN_A).rcode() == dns.rcode.NXDOMAIN


def test_a_client_subnet_from_a_trusted_peer() -> None:
    """It is believed, and echoed with SCOPE equal to SOURCE."""
    for subnet, answers in [
        (f"{IN_A}/32", [str(ENDPOINT)]),
        ("10.1.0.0/24", [str(ENDPOINT)]),
        (f"{IN_B}/32", []),
    ]:
        found = answered(WORLD, query(DEDICATED_NAME, subnet=subnet), LOOPBACK)
        assert data(found) == answers
        (ecs,) = [option for option in found.options if isinstance(option, dns.edns.ECSOption)]
        assert f"{ecs.address}/{ecs.srclen}" == subnet
        assert ecs.scopelen == ecs.srclen
    stranger = answered(WORLD, query(DEDICATED_NAME, subnet=f"{STRANGER}/32"), LOOPBACK)
    assert (stranger.rcode(), codes(stranger)) == (dns.rcode.REFUSED, [15])


def test_a_subnet_that_is_too_wide_is_told_how_long_it_must_be() -> None:
    """RFC 7871 §7.2.1: by SCOPE; and by the extended error."""
    found = answered(WORLD, query(DEDICATED_NAME, subnet="10.0.0.0/8"), LOOPBACK)
    assert found.rcode() == dns.rcode.NXDOMAIN
    (ecs,) = (one for one in found.options if isinstance(one, dns.edns.ECSOption))
    assert (ecs.srclen, ecs.scopelen) == (8, 16)
    (error,) = (one for one in found.options if isinstance(one, dns.edns.EDEOption))
    assert "your client subnet is too wide, send /16" in str(error.text)


def test_no_subnet_named_is_the_peer_itself() -> None:
    found = answered(WORLD, query("whoami.vpcdns.internal", subnet="0.0.0.0/0"), LOOPBACK)
    assert data(found) == [LOOPBACK]
    assert 8 in codes(found)


def test_a_client_subnet_from_anybody_else_is_ignored() -> None:
    found = answered(WORLD, query(DEDICATED_NAME, subnet=f"{IN_A}/32"), IN_B)
    assert found.rcode() == dns.rcode.NXDOMAIN
    assert 8 not in codes(found)


def test_a_mapped_subnet_counts_as_ipv4() -> None:
    data_ = b"\0\2\x80\0" + bytes(10) + b"\xff\xff" + ip_address(IN_A).packed
    found = answered(WORLD, query(DEDICATED_NAME, options=[GenericOption(OptionType(8), data_)]), LOOPBACK)
    assert data(found) == [str(ENDPOINT)]


def test_whoever_asks_at_a_vpcs_listener_is_in_that_vpc() -> None:
    for client, listener, answers in [
        (IN_B, VPC_A, [str(ENDPOINT)]),
        (ON_INTERNET, VPC_A, [str(ENDPOINT)]),
        (IN_A, VPC_B, []),
    ]:
        assert data(answered(WORLD, query(DEDICATED_NAME), client, listener=listener)) == answers
    refused = answered(WORLD, query(DEDICATED_NAME), STRANGER, listener=VPC_A)
    assert refused.rcode() == dns.rcode.REFUSED
    named = query(DEDICATED_NAME, subnet=f"{STRANGER}/32")
    assert answered(WORLD, named, LOOPBACK, listener=VPC_A).rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", [DEDICATED_NAME, "www.example.org", "whoami.vpcdns.internal", "localhost"])
def test_a_stranger_is_refused_whatever_it_asks(name: str, transport: Transport) -> None:
    found = answered(
        WORLD, query(name, options=[GenericOption(COOKIE, bytes(8))]), STRANGER, transport=transport
    )
    assert (found.rcode(), data(found), ede(found), soa(found)) == (dns.rcode.REFUSED, [], (18, ""), None)
    assert not found.flags & (AA | RA)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("rtype", ["A", "AAAA", "HTTPS"])
@pytest.mark.parametrize("denied", list(Denied))
def test_denied(denied: Denied, rtype: str, transport: Transport) -> None:
    """Behind a CNAME as well: the CNAME stays, the RCODE is the last name's (RFC 6604)."""
    world = example(Answers(denied=denied))
    for name, answers in ((DEDICATED_NAME, []), (CUSTOM, [ALIAS])):
        if denied is Denied.DROP:
            result = exchanged(world, query(name, rtype), IN_B, transport=transport)
            assert isinstance(result, Drop)
            assert result.resolution is not None
            assert result.resolution.reason is Reason.OTHER_VPC
            continue
        found = answered(world, query(name, rtype), IN_B, transport=transport)
        rcode = {Denied.NODATA: "NOERROR"}.get(denied, denied.name)
        assert dns.rcode.to_text(found.rcode()) == rcode
        assert (data(found), ede(found)) == (answers, (18, WHY))
        assert soa(found) == (None if denied is Denied.REFUSED else SUFFIX)
        assert bool(found.flags & dns.flags.AA) == (denied is not Denied.REFUSED or name == CUSTOM)


def header(qd: int = 1, ar: int = 0, flags: int = RD) -> bytes:
    return struct.pack("!6H", 0xBEEF, flags, qd, 0, 0, ar)


QUESTION = write_name(Name.from_text(DEDICATED_NAME)) + b"\0\1\0\1"


OPT = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"


@pytest.mark.parametrize("client", [IN_A, STRANGER])
@pytest.mark.parametrize(
    ("message", "questions"),
    [
        (header(2) + QUESTION * 2, 0),
        (header(0), 0),
        (header() + QUESTION[:-2], 0),
        (header() + b"\x41" + QUESTION, 0),
        (header() + b"\x81" + QUESTION, 0),
        (header() + b"\xc0\x0c\0\1\0\1", 0),
        (header(ar=2) + QUESTION + OPT * 2, 1),
        (header(ar=1) + QUESTION + b"\1x" + OPT, 1),
        (header(ar=1) + QUESTION + OPT[:-1] + b"\4\0\3\0\1", 1),
        (header(ar=1) + QUESTION + OPT[:-1] + b"\x0b\0\x0a\0\7seven!!", 1),
        (header() + QUESTION[:-4] + b"\0\x29\0\1", 1),
    ],
)
def test_malformed(message: bytes, questions: int, client: str) -> None:
    """FORMERR with the id, the opcode and RD; the question when it could be read."""
    for transport in TRANSPORTS:
        found = answered(WORLD, message, client, transport=transport)
        assert found.rcode() == dns.rcode.FORMERR
        assert (found.id, len(found.question)) == (0xBEEF, questions)
        assert found.flags & dns.flags.RD
        assert not found.flags & dns.flags.AA
        assert not found.answer


@pytest.mark.parametrize(
    "additional",
    [OPT * 2, b"\1x" + OPT, OPT[:-1] + b"\4\0\3\0\1", OPT[:-1] + b"\x0b\0\x0a\0\7seven!!"],
    ids=["two", "not at the root", "an option overruns", "cookie of 7"],
)
def test_a_malformed_opt_is_answered_with_an_opt(additional: bytes) -> None:
    """RFC 6891 §6.1.1: without one, FORMERR would say that we do not know EDNS at all."""
    found = answered(WORLD, header(ar=additional.count(b"\0\0\x29")) + QUESTION + additional, IN_A)
    assert (found.rcode(), found.edns, found.options) == (dns.rcode.FORMERR, 0, ())


SEEDS = [
    query(DEDICATED_NAME),
    query(
        CUSTOM, subnet=f"{IN_A}/32", options=[GenericOption(NSID, b""), GenericOption(COOKIE, b"12345678")]
    ),
    query("whoami.vpcdns.internal", "TXT", edns=False),
    query(f"{CUSTOM}.explain.vpcdns.internal", "TXT", do=True),
    query("version.bind", "TXT", rclass="CH"),
    query(SUFFIX, "AXFR"),
]


@pytest.mark.parametrize("seed", SEEDS, ids=range(len(SEEDS)))
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_cut_at_every_octet_and_every_bit_flipped(seed: dns.message.Message, transport: Transport) -> None:
    """Whatever becomes of a message on its way, it is answered well or not at all; nothing is raised."""
    octets = seed.to_wire()
    flipped = (
        octets[: bit // 8] + bytes([octets[bit // 8] ^ 1 << bit % 8]) + octets[bit // 8 + 1 :]
        for bit in range(len(octets) * 8)
    )
    for message in (*(octets[:length] for length in range(len(octets) + 1)), *flipped):
        for client in (LOOPBACK, IN_C):
            arrival = Arrival(ip_address(client), transport)
            well_formed(begin(message, arrival, WORLD), message, transport)


def test_responses_and_fragments_are_owed_nothing() -> None:
    response = query(DEDICATED_NAME)
    response.flags |= dns.flags.QR
    for message in (response.to_wire(), b"", query(DEDICATED_NAME).to_wire()[:11]):
        assert exchanged(WORLD, message, IN_A) == Drop()
