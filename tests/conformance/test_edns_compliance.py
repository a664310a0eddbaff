"""ISC's EDNS compliance tests (ednscomp, genreport): what is sent, and what `ok` means there.

Its tests by name; each is asked of the suffix, as it asks a zone's server about the zone.
"""

from __future__ import annotations

import struct

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest
from dns.edns import GenericOption, Option, OptionType

from tests.conformance.dns_client import TRANSPORTS, Ask, asked, over_tcp, over_udp
from tests.conformance.names import BIG, IN_A, SUFFIX
from tests.support.messages import query

NSID, EXPIRE, COOKIE, SUBNET, UNKNOWN = (
    GenericOption(OptionType(code), data)
    for code, data in ((3, b""), (9, b""), (10, b"cookie.8"), (8, b"\0\1\0\0"), (100, b""))
)
# name: (header flags, EDNS version or None, EDNS flags, options)
SOA_TESTS: dict[str, tuple[int, int | None, int, list[Option]]] = {
    "dns": (0, None, 0, []),
    "aa": (0x0400, None, 0, []),
    "tc": (0x0200, None, 0, []),
    "rd": (0x0100, None, 0, []),
    "ra": (0x0080, None, 0, []),
    "zflag": (0x0040, None, 0, []),
    "ad": (0x0020, None, 0, []),
    "cd": (0x0010, None, 0, []),
    "edns": (0, 0, 0, []),
    "edns@512": (0, 0, 0, []),
    "ednsopt": (0, 0, 0, [UNKNOWN]),
    "ednsflags": (0, 0, 0x80, []),
    "do": (0, 0, 0x8000, []),
    "docd": (0x0010, 0, 0x8000, []),
    "optlist": (0, 0, 0, [NSID, SUBNET, EXPIRE, COOKIE]),
    "ednsnsid": (0, 0, 0, [NSID]),
    "ednscookie": (0, 0, 0, [COOKIE]),
    "ednsexpire": (0, 0, 0, [EXPIRE]),
    "ednssubnet": (0, 0, 0, [SUBNET]),
}
EDNS1_TESTS: dict[str, tuple[int, list[Option]]] = {
    "edns1": (0, []),
    "edns1opt": (0, [UNKNOWN]),
    "edns1flags": (0x80, []),
    "edns1do": (0x8000, []),
    "edns1nsid": (0, [NSID]),
    "edns1cookie": (0, [COOKIE]),
    "edns1expire": (0, [EXPIRE]),
    "edns1subnet": (0, [SUBNET]),
}


def message(rtype: str, flags: int, version: int | None, ednsflags: int, options: list[Option]) -> bytes:
    asking = query(SUFFIX, rtype, edns=False, flags=0)
    if version is not None:
        asking.use_edns(version, ednsflags, payload=4096, options=options)
    octets = bytearray(asking.to_wire())
    octets[2:4] = struct.pack("!H", flags)
    return bytes(octets)


@pytest.mark.parametrize("ask", TRANSPORTS)
@pytest.mark.parametrize("name", SOA_TESTS)
def test_soa(port: int, name: str, ask: Ask) -> None:
    flags, version, ednsflags, options = SOA_TESTS[name]
    found = asked(ask, message("SOA", flags, version, ednsflags, options), port)
    assert found.rcode() == dns.rcode.NOERROR
    assert [rrset.rdtype for rrset in found.answer] == [dns.rdatatype.SOA]
    assert found.flags & dns.flags.AA
    assert not int(found.flags) & (0x0200 | 0x0040 | 0x0020)
    assert found.edns == (-1 if version is None else 0)
    assert found.ednsflags == ednsflags & 0x8000
    assert 100 not in [option.otype for option in found.options]


@pytest.mark.parametrize("ask", TRANSPORTS)
@pytest.mark.parametrize("name", EDNS1_TESTS)
def test_edns1(port: int, name: str, ask: Ask) -> None:
    ednsflags, options = EDNS1_TESTS[name]
    for version in (1, 100):
        found = asked(ask, message("SOA", 0, version, ednsflags, options), port)
        assert (found.rcode(), found.edns, found.answer) == (dns.rcode.BADVERS, 0, [])
        assert not found.flags & dns.flags.AA
        assert found.ednsflags & 0x7FFF == 0
        assert found.options == ()


@pytest.mark.parametrize("ask", TRANSPORTS)
@pytest.mark.parametrize("rtype", ["TYPE666", "DNSKEY"])
def test_type666_and_dnskey(port: int, rtype: str, ask: Ask) -> None:
    for version in (None, 0):
        found = asked(ask, message(rtype, 0, version, 0, []), port)
        assert (found.rcode(), found.answer) == (dns.rcode.NOERROR, [])
        assert found.flags & dns.flags.AA
        assert [rrset.rdtype for rrset in found.authority] == [dns.rdatatype.SOA]


@pytest.mark.parametrize("ask", TRANSPORTS)
@pytest.mark.parametrize("flags", [0, 0x0600 | 0x0100 | 0x0080 | 0x0040 | 0x0020 | 0x0010])
def test_opcode_and_opcodeflg(port: int, flags: int, ask: Ask) -> None:
    octets = message("SOA", 0x7800 | flags, None, 0, [])
    found = ask(octets, port, "127.0.0.1")
    assert found is not None
    assert struct.unpack("!6H", found) == (0x1234, 0xF804 | flags & 0x0110, 0, 0, 0, 0)


def test_signed(port: int) -> None:
    """A DO query of a truncated answer keeps the OPT; the answer is whole over TCP (`ednstcp`)."""
    asking = query(BIG, do=True, payload=512)
    cut, whole = asked(over_udp, asking, port, IN_A), asked(over_tcp, asking, port, IN_A)
    assert (bool(cut.flags & dns.flags.TC), cut.edns, cut.ednsflags) == (True, 0, 0x8000)
    assert (bool(whole.flags & dns.flags.TC), whole.edns, len(whole.answer[0])) == (False, 0, 60)


@pytest.mark.parametrize("ask", TRANSPORTS)
def test_bind11(port: int, ask: Ask) -> None:
    """What BIND 9.11 and later send: cookie, 4096, DO, RD unset."""
    found = asked(ask, message("SOA", 0, 0, 0x8000, [COOKIE]), port)
    assert (found.rcode(), found.edns, len(found.answer)) == (dns.rcode.NOERROR, 0, 1)
