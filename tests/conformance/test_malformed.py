"""Broken messages, built octet by octet: what each is owed, over UDP and TCP, by whoever sends it."""

from __future__ import annotations

import dns.flags
import dns.rcode
import pytest

from tests.conformance.dns_client import TRANSPORTS, Ask, asked
from tests.conformance.names import IN_A, STRANGER
from tests.support.malformed_messages import BROKEN, GOOD, QUESTION, SILENT, Broken
from tests.support.messages import data
from tests.support.octets import header


@pytest.mark.parametrize("ask", TRANSPORTS)
@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.what)
def test_formerr(port: int, broken: Broken, ask: Ask) -> None:
    """The id, the opcode and RD come back; question and OPT when they could be read; nothing is looked up."""
    for source in (IN_A, STRANGER):
        found = asked(ask, broken.message, port, source)
        assert found.rcode() == dns.rcode.FORMERR
        assert found.flags & 0x87F0 == dns.flags.QR | dns.flags.RD
        assert len(found.question) == broken.question
        assert (found.edns == 0) == broken.edns
        assert (found.answer, found.authority, found.options) == ([], [], ())


@pytest.mark.parametrize("ask", TRANSPORTS)
@pytest.mark.parametrize(("what", "message"), GOOD, ids=[what for what, _ in GOOD])
def test_odd_but_answered(port: int, what: str, message: bytes, ask: Ask) -> None:
    found = asked(ask, message, port, IN_A)
    assert (found.rcode(), data(found)) == (dns.rcode.NOERROR, ["10.1.8.20"])
    assert found.flags == dns.flags.QR | dns.flags.AA | dns.flags.RD


@pytest.mark.parametrize("ask", TRANSPORTS)
@pytest.mark.parametrize("label", [b"\xff\xfe", b"\0", b"a.b", b" ", bytes(range(63))], ids=repr)
def test_any_octets_are_a_name(port: int, label: bytes, ask: Ask) -> None:
    name = bytes([len(label)]) + label
    refused = asked(ask, header() + name + b"\3com\0\0\1\0\1", port, IN_A)
    assert refused.rcode() == dns.rcode.REFUSED
    below = asked(ask, header() + name + QUESTION, port, IN_A)
    assert below.rcode() == dns.rcode.NXDOMAIN
    assert below.question[0].name.labels[0] == label


@pytest.mark.parametrize("ask", TRANSPORTS)
@pytest.mark.parametrize(("what", "message"), SILENT, ids=[what for what, _ in SILENT])
def test_no_response(port: int, what: str, message: bytes, ask: Ask) -> None:
    """Over TCP the connection is closed."""
    for source in (IN_A, STRANGER):
        assert ask(message, port, source) is None
