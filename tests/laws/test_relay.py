"""Whatever an upstream sends, the client gets a response to its own question, and of a size that fits."""

from __future__ import annotations

import struct
from ipaddress import ip_address

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from hypothesis import given
from hypothesis import strategies as st

from tests.support.example_world import IN_B, example
from tests.support.message_strategies import responses
from tests.support.messages import query
from vpcdns.errors import MalformedMessage
from vpcdns.model.policy import Transport
from vpcdns.query import Arrival, Failure, Fetched, Forward, Response, begin, finish
from vpcdns.wire.format import MAX_TCP_PAYLOAD
from vpcdns.wire.query import read_query
from vpcdns.wire.response import udp_limit
from vpcdns.wire.upstream import Relayed, answers_question, read_response

WORLD = example()
LONGEST = ".".join(("x" * 63, "y" * 63, "z" * 63, "w" * 61))
TRANSPORTS: st.SearchStrategy[Transport] = st.sampled_from(["udp", "tcp"])
ASKED = [
    query(name, rtype, edns=edns, payload=payload)
    for name, rtype in (("www.example.org", "A"), (LONGEST, "TXT"))
    for edns, payload in ((False, 0), (0, 512), (0, 4096))
]

# Records: two addresses, then a TTL that is too high, data that are too short, another owner, two cut short.
PIECES = [
    b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1",
    b"\xc0\x0c\0\x1c\0\1\0\0\0\x3c\0\x10" + bytes(16),
    b"\xc0\x0c\0\1\0\1\x80\0\0\0\0\4\xc0\0\2\1",
    b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\3\xc0\0\2",
    b"\xc0\x0d\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1",
    b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0",
    b"\xc0\x0c\0\1\0\1\0\0",
]


@given(st.data(), st.sampled_from(ASKED), TRANSPORTS, st.integers(0, 100), st.booleans())
def test_any_response_of_an_upstream(
    data: st.DataObject, asked: dns.message.Message, transport: Transport, age: int, stale: bool
) -> None:
    """The id and the question are the client's, the size is one that it can take, and nothing is raised."""
    message = asked.to_wire()
    read = read_query(message)
    forward = begin(message, Arrival(ip_address(IN_B), transport), WORLD)
    assert read is not None
    assert isinstance(forward, Forward)
    octets = data.draw(responses(asked))
    assert answers_question(octets, asked.id, read.question_wire)
    try:
        result = finish(forward, Fetched(read_response(octets), age, stale), WORLD)
    except MalformedMessage:
        result = finish(forward, Failure.UNUSABLE, WORLD)
    if isinstance(result, Forward):  # a CNAME that leads on, to upstreams that say nothing
        result = finish(result, Failure.SILENT, WORLD)
    assert isinstance(result, Response)
    assert result.octets[:2] == message[:2]
    assert result.octets[12:].startswith(read.question_wire)
    assert len(result.octets) <= (udp_limit(read) if transport == "udp" else MAX_TCP_PAYLOAD)


@given(st.lists(st.sampled_from(PIECES), max_size=3), st.integers(0, 1))
def test_the_quick_reader_reads_the_same(pieces: list[bytes], missing: int) -> None:
    """Where the caller knows where the question ends, addresses are read by another way."""
    question = b"\1a\0\0\1\0\1"
    head = struct.pack("!6H", 7, 0x8180, 1, len(pieces) + missing, 0, 0)
    octets = head + question + b"".join(pieces)
    assert read_by(octets, len(head + question)) == read_by(octets, None)


@given(st.data(), st.sampled_from(ASKED))
def test_the_quick_reader_reads_the_same_of_any_response(
    data: st.DataObject, asked: dns.message.Message
) -> None:
    octets = data.draw(responses(asked))
    assert read_by(octets, len(asked.question[0].name.to_digestable()) + 16) == read_by(octets, None)


def read_by(octets: bytes, question_end: int | None) -> Relayed | None:
    try:
        return read_response(octets, question_end)
    except MalformedMessage:
        return None


def test_an_upstreams_extended_error_gives_way() -> None:
    """A long one must neither make the response too long nor push its records out (RFC 8914 §3)."""
    for name, count in ((LONGEST, 0), ("www.example.org", 20)):
        asked = query(name, payload=512)
        response = dns.message.make_response(asked)
        for number in range(count):
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "A", f"192.0.2.{number}"))
        response.use_edns(0, options=[dns.edns.EDEOption(dns.edns.EDECode.OTHER, "t" * 300)])
        forward = begin(asked.to_wire(), Arrival(ip_address(IN_B)), WORLD)
        assert isinstance(forward, Forward)
        result = finish(forward, Fetched(read_response(response.to_wire())), WORLD)
        assert isinstance(result, Response)
        assert len(result.octets) <= 512
        found = dns.message.from_wire(result.octets, one_rr_per_rrset=True)
        assert len(found.answer) == count
        assert not found.flags & dns.flags.TC
        assert found.edns == 0


@given(st.binary(max_size=200))
def test_any_octets_of_an_upstream(octets: bytes) -> None:
    """They are a response, or malformed; there is no third."""
    try:
        relayed = read_response(octets)
    except MalformedMessage:
        return
    assert relayed.question_end <= len(relayed.octets) <= len(octets)
    assert all(record.end <= len(relayed.octets) for record in relayed.records)
