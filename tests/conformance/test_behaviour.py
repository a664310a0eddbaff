"""What is answered beyond RFC 8906, over sockets: types, classes, opcodes, case, names, options, errors.

Each row is a line of the table that the peers (BIND, Unbound, dnsmasq, PowerDNS) were measured by.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest
from dns.edns import ECSOption, GenericOption, OptionType

from tests.conformance.dns_client import TRANSPORTS, Ask, asked
from tests.conformance.names import (
    BIG,
    CONFIG,
    CUSTOM,
    DEDICATED_A,
    DEDICATED_B,
    IN_A,
    IN_B,
    IN_B_NESTED,
    IN_C,
    INTERNET,
    OFF,
    OFF_CUSTOM,
    ON_PREMISES,
    SERVERLESS,
    STRANGER,
    SUFFIX,
    UNKNOWN,
)
from tests.support.messages import data, ede, query, soa
from vpcdns.testing import Server

pytestmark = pytest.mark.filterwarnings("default")
over_both = pytest.mark.parametrize("ask", TRANSPORTS)

NSID, ECS, EXPIRE, COOKIE, KEEPALIVE, PADDING = (OptionType(code) for code in (3, 8, 9, 10, 11, 12))
A_LOCAL, ALIAS = "10.1.8.20", f"{DEDICATED_A}."


@over_both
@pytest.mark.parametrize(
    ("name", "rtype", "rclass", "source", "rcode", "answers", "authority"),
    [
        (DEDICATED_A, "AAAA", "IN", IN_A, "NOERROR", [], SUFFIX),
        (DEDICATED_A, "HTTPS", "IN", IN_A, "NOERROR", [], SUFFIX),
        (DEDICATED_A, "SVCB", "IN", IN_A, "NOERROR", [], SUFFIX),
        (DEDICATED_A, "TYPE0", "IN", IN_A, "NOERROR", [], SUFFIX),
        (DEDICATED_A, "TYPE65280", "IN", IN_A, "NOERROR", [], SUFFIX),
        (DEDICATED_A, "DS", "IN", IN_A, "NOERROR", [], SUFFIX),
        (DEDICATED_A, "TYPE41", "IN", IN_A, "FORMERR", [], None),
        (DEDICATED_A, "A", "IN", IN_A, "NOERROR", [A_LOCAL], None),
        (DEDICATED_A, "A", "IN", ON_PREMISES, "NOERROR", [A_LOCAL], None),
        (DEDICATED_A, "A", "IN", IN_B_NESTED, "NXDOMAIN", [], SUFFIX),
        (DEDICATED_A, "A", "IN", INTERNET, "NXDOMAIN", [], SUFFIX),
        (DEDICATED_A, "A", "CH", IN_A, "REFUSED", [], None),
        (DEDICATED_A, "A", "HS", IN_A, "REFUSED", [], None),
        (DEDICATED_A, "ANY", "IN", IN_A, "NOERROR", [A_LOCAL], None),
        (SERVERLESS, "A", "IN", IN_C, "NXDOMAIN", [], SUFFIX),
        (f"below.{DEDICATED_A}", "A", "IN", IN_A, "NXDOMAIN", [], SUFFIX),
        (OFF, "A", "IN", IN_A, "NXDOMAIN", [], SUFFIX),
        (UNKNOWN, "A", "IN", IN_A, "NXDOMAIN", [], SUFFIX),
        (CUSTOM, "A", "IN", IN_A, "NOERROR", [ALIAS, A_LOCAL], None),
        (CUSTOM, "AAAA", "IN", IN_A, "NOERROR", [ALIAS], SUFFIX),
        (CUSTOM, "A", "IN", IN_B, "NXDOMAIN", [ALIAS], SUFFIX),
        (OFF_CUSTOM, "A", "IN", IN_A, "NXDOMAIN", [f"{OFF}."], SUFFIX),
        ("x.y.wild.example.com", "A", "IN", IN_A, "NOERROR", [ALIAS, A_LOCAL], None),
        (SUFFIX, "AXFR", "IN", IN_A, "REFUSED", [], None),
        (SUFFIX, "IXFR", "IN", IN_A, "REFUSED", [], None),
        ("example.org", "A", "IN", IN_A, "REFUSED", [], None),
        ("authors.bind", "TXT", "CH", IN_A, "REFUSED", [], None),
    ],
)
def test_answers(
    port: int,
    ask: Ask,
    name: str,
    rtype: str,
    rclass: str,
    source: str,
    rcode: str,
    answers: list[str],
    authority: str | None,
) -> None:
    found = asked(ask, query(name, rtype, rclass=rclass), port, source)
    assert dns.rcode.to_text(found.rcode()) == rcode
    assert data(found) == answers
    assert (soa(found) if rcode in ("NOERROR", "NXDOMAIN") else None) == authority
    assert {rrset.ttl for rrset in found.answer} <= {60}
    assert {rrset.ttl for rrset in found.authority} <= {10}


@over_both
@pytest.mark.parametrize("name", ["version.bind", "version.server", "id.server", "hostname.bind"])
def test_who_answers(port: int, ask: Ask, name: str) -> None:
    found = asked(ask, query(name, "TXT", rclass="CH"), port)
    assert len(data(found)) == 1


@over_both
@pytest.mark.parametrize("opcode", [1, 2, 3, 4, 5, 6, 7, 15])
def test_other_opcodes_get_a_header(port: int, ask: Ask, opcode: int) -> None:
    """IQUERY, STATUS, NOTIFY, UPDATE, DSO and what is not assigned: the body is not read."""
    message = bytearray(query(SUFFIX, "SOA").to_wire())
    message[2] |= opcode << 3
    for octets in (bytes(message), bytes(message[:4]) + bytes(8)):
        response = ask(octets, port, INTERNET)
        assert response is not None
        assert response[:2] + bytes([response[2] & 0xFE]) + response[3:] == (
            octets[:2] + bytes([0x80 | opcode << 3, 4]) + bytes(8)
        )


BITS = {"AA": 0x0400, "TC": 0x0200, "RD": 0x0100, "RA": 0x0080, "Z": 0x0040, "AD": 0x0020, "CD": 0x0010}


@over_both
@pytest.mark.parametrize("edns", [0, False])
def test_every_flag_with_every_other(port: int, ask: Ask, edns: int | bool) -> None:
    """RD and CD come back, nothing else: RA is ours (off here, as nothing is forwarded), AA the answer's."""
    bits = list(BITS.values())
    for chosen in range(1 << len(bits)):
        flags = sum(bit for index, bit in enumerate(bits) if chosen >> index & 1)
        message = bytearray(query(SUFFIX, "SOA", edns=edns).to_wire())
        message[2:4] = struct.pack("!H", flags)
        response = ask(bytes(message), port, INTERNET)
        assert response is not None
        kept = flags & (BITS["RD"] | BITS["CD"])
        assert struct.unpack_from("!H", response, 2)[0] == 0x8000 | BITS["AA"] | kept


@over_both
def test_case_comes_back_as_it_went(port: int, ask: Ask) -> None:
    """Draft 0x20: the question octet for octet, the answer's owner by pointing at it."""
    mixed = "".join(letter.upper() if index % 3 else letter for index, letter in enumerate(DEDICATED_A))
    message = query(mixed).to_wire()
    response = ask(message, port, IN_A)
    assert response is not None
    question = message[12 : 12 + len(mixed) + 6]
    assert response[12 : 12 + len(question)] == question
    assert response[12 + len(question) :].startswith(b"\xc0\x0c\0\1\0\1")


def test_truncation_keeps_question_and_opt_and_fills_up(port: int) -> None:
    over_udp, over_tcp = TRANSPORTS
    for payload, limit, edns in [
        (512, 512, 0),
        (0, 512, 0),
        (900, 900, 0),
        (65535, 1232, 0),
        (0, 512, False),
    ]:
        message = query(BIG, payload=payload, edns=edns).to_wire()
        response = over_udp(message, port, IN_A)
        assert response is not None
        assert limit - 16 < len(response) <= limit or limit == 1232
        found = asked(over_udp, message, port, IN_A)
        assert len(found.question) == 1
        assert found.edns == (0 if edns == 0 and edns is not False else -1)
        assert bool(found.flags & dns.flags.TC) == (len(data(found)) < 60)
        assert len(data(asked(over_tcp, message, port, IN_A))) == 60


@over_both
def test_nsid_only_when_asked(port: int, ask: Ask) -> None:
    with_it = asked(ask, query(SUFFIX, "SOA", options=[GenericOption(NSID, b"")]), port)
    (option,) = with_it.options
    (identity,) = data(asked(ask, query("id.server", "TXT", rclass="CH"), port))
    assert (option.otype, option.to_wire()) == (NSID, identity.strip('"').encode())
    assert asked(ask, query(SUFFIX, "SOA"), port).options == ()


@over_both
@pytest.mark.parametrize("length", [*range(8), 8, *range(9, 18), 24, 40, 41, 64])
def test_cookies_are_checked_for_form_and_none_is_sent(port: int, ask: Ask, length: int) -> None:
    """RFC 7873 §5.2: a client cookie of 8 octets, a server cookie of 8 to 32 behind it; else FORMERR."""
    found = asked(ask, query(SUFFIX, "SOA", options=[GenericOption(COOKIE, bytes(length))]), port)
    good = length == 8 or 16 <= length <= 40
    assert found.rcode() == (dns.rcode.NOERROR if good else dns.rcode.FORMERR)
    assert (found.edns, found.options) == (0, ()), "RFC 6891 §6.1.1: a query with OPT, a response with OPT"


@over_both
@pytest.mark.parametrize(
    ("subnet", "scope", "answers"),
    [
        ("127.10.0.0/16", 24, []),  # 127.10.7.0/24 inside it is another VPC's
        ("127.10.0.0/22", 22, [A_LOCAL]),
        ("127.10.0.5/32", 32, [A_LOCAL]),
        ("127.20.0.5/32", 32, []),
        ("::/0", 0, []),
    ],
)
def test_the_scope_of_a_client_subnet(
    port: int, ask: Ask, subnet: str, scope: int, answers: list[str]
) -> None:
    """RFC 7871 §7.2.1: from a trusted peer, family, source prefix and address come back, SCOPE is set."""
    found = asked(ask, query(DEDICATED_A, subnet=subnet), port, INTERNET)
    (option,) = [option for option in found.options if isinstance(option, ECSOption)]
    assert f"{option.address}/{option.srclen}" == subnet
    assert option.scopelen == scope
    assert data(found) == answers
    ignored = asked(ask, query(DEDICATED_A, subnet=subnet), port, IN_B)
    assert [option.otype for option in ignored.options] == [OptionType.EDE]


@over_both
def test_keepalive_over_tcp_and_padding_never(port: int, ask: Ask) -> None:
    options = [GenericOption(code, b"") for code in (KEEPALIVE, PADDING, EXPIRE)]
    found = asked(ask, query(SUFFIX, "SOA", options=options), port)
    assert [option.otype for option in found.options] == ([KEEPALIVE] if ask is TRANSPORTS[1] else [])


@pytest.fixture(scope="module", params=["full", "code", "off"])
def explaining(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, int]]:
    config = CONFIG.replace("explain: full", f"explain: {request.param}")
    with Server(config) as server:
        yield request.param, server.dns[1]


@pytest.mark.parametrize(
    ("name", "rtype", "source", "code", "text"),
    [
        (DEDICATED_A, "A", STRANGER, 18, ""),
        (DEDICATED_A, "A", IN_B, 18, "bound to vpc-a, you are in vpc-b"),
        (DEDICATED_A, "A", INTERNET, 18, "bound to vpc-a, you are on the Internet"),
        (SERVERLESS, "A", IN_C, 18, "open to VPCs of cn-hangzhou, you are in vpc-c in cn-shanghai"),
        (OFF, "A", IN_A, 18, "the group's VPC domain is off"),
        (UNKNOWN, "A", IN_A, 0, "no such group"),
        ("example.org", "A", IN_A, 20, "not ours, and no upstreams"),
        (DEDICATED_B, "A", IN_B, None, ""),
        (DEDICATED_A, "AAAA", IN_A, None, ""),
        (SUFFIX, "SOA", INTERNET, None, ""),
    ],
)
def test_extended_errors(
    explaining: tuple[str, int], name: str, rtype: str, source: str, code: int | None, text: str
) -> None:
    how, port = explaining
    expected = None if code is None or how == "off" else (code, text if how == "full" else "")
    # As dig does; it leaves room for the code in responses to strangers (docs/decisions/0009).
    options = [GenericOption(COOKIE, bytes(8))]
    for ask in TRANSPORTS:
        assert ede(asked(ask, query(name, rtype, options=options), port, source)) == expected
        assert asked(ask, query(name, rtype, edns=False), port, source).edns == -1
