"""Messages in, messages out: DESIGN §3's table and dns-conformance.md §1 to §3 where the answer is ours."""

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
    IN_C,
    OFF_CUSTOM,
    OFF_NAME,
    ON_INTERNET,
    ON_PREMISES,
    SERVERLESS_NAME,
    SHARED,
    STRANGER,
    UNKNOWN_NAME,
    VPC_A,
    VPC_B,
    example,
)
from tests.support.messages import answered, data, ede, exchanged, query, read, soa, well_formed
from vpcdns.model.decision import Reason
from vpcdns.model.names import Name
from vpcdns.model.policy import Answers, Denied, Explain, Forwarding, ServerIdentity, Transport, Upstream
from vpcdns.query import Arrival, Drop, Forward, Response, begin, servfail

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


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", [DEDICATED_NAME, "www.example.org", "whoami.vpcdns.internal", "localhost"])
def test_a_stranger_is_refused_whatever_it_asks(name: str, transport: Transport) -> None:
    found = answered(
        WORLD, query(name, options=[GenericOption(COOKIE, bytes(8))]), STRANGER, transport=transport
    )
    assert (found.rcode(), data(found), ede(found), soa(found)) == (dns.rcode.REFUSED, [], (18, ""), None)
    assert not found.flags & (AA | RA)


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


QUESTION = Name.from_text(DEDICATED_NAME).wire() + b"\0\1\0\1"
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


def test_servfail_says_no_details() -> None:
    found = read(servfail(query(DEDICATED_NAME).to_wire()) or b"")
    assert (found.rcode(), ede(found), data(found)) == (dns.rcode.SERVFAIL, None, [])
    assert len(found.question) == 1
    assert servfail(b"short") is None
    response = query(DEDICATED_NAME)
    response.flags |= dns.flags.QR
    assert servfail(response.to_wire()) is None


def test_responses_and_fragments_are_owed_nothing() -> None:
    response = query(DEDICATED_NAME)
    response.flags |= dns.flags.QR
    for message in (response.to_wire(), b"", query(DEDICATED_NAME).to_wire()[:11]):
        assert exchanged(WORLD, message, IN_A) == Drop()
