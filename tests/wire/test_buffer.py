"""The buffer under dnslib's parts: whatever is wrong with octets is MalformedMessage, and nothing else."""

from __future__ import annotations

import struct

import dns.name
import pytest
from dnslib import DNSLabel, DNSQuestion
from hypothesis import given

from tests.support.message_strategies import NAME_LABELS
from vpcdns.errors import MalformedMessage
from vpcdns.model.names import Name
from vpcdns.wire.buffer import MAX_POINTERS, MessageBuffer, NameChecker, read_labels, write_name
from vpcdns.wire.upstream import read_response

HEADER = bytes(12)


@pytest.mark.parametrize("length", [-1, 5])
def test_no_more_is_read_than_there_is(length: int) -> None:
    with pytest.raises(MalformedMessage):
        MessageBuffer(b"abcd").get(length)
    with pytest.raises(MalformedMessage):
        MessageBuffer(b"abc").unpack("!I")


@pytest.mark.parametrize(
    "question",
    [b"", b"\3ab", b"\1a\0\0\1\0", b"\x40\0\0\1\0\1", b"\xc0\x0c\0\1\0\1", b"\xc0\x02\0\1\0\1", b"\xc0"],
)
def test_a_broken_question_is_malformed(question: bytes) -> None:
    with pytest.raises(MalformedMessage):
        DNSQuestion.parse(MessageBuffer(HEADER + question, len(HEADER)))


def test_labels_are_octets() -> None:
    read = DNSQuestion.parse(MessageBuffer(HEADER + b"\2\xff\0\0\0\1\0\1", len(HEADER)))
    assert read.qname.label == (b"\xff\0",)


@given(NAME_LABELS)
def test_names_are_written_as_dnspython_writes_them(labels: list[bytes]) -> None:
    octets = write_name(Name(tuple(labels)))
    assert octets == dns.name.Name((*labels, b"")).to_wire()
    assert len(octets) == Name(tuple(labels)).size


def test_a_name_has_an_end_of_its_pointers() -> None:
    """Dnslib recurses: 3,000 chained pointers were a RecursionError."""
    chain = b"".join(struct.pack("!H", 0xC000 | 12 + (2 * at - 1 if at else 0)) for at in range(3_000))
    octets = HEADER + b"\0" + chain
    assert read_labels(octets, 13 + 2 * (MAX_POINTERS - 1))[0] == []
    with pytest.raises(MalformedMessage):
        read_labels(octets, 13 + 2 * MAX_POINTERS)


def test_pointers_are_to_names_of_the_same_case_below_16384() -> None:
    buffer = MessageBuffer()
    for labels in ((b"a", b"b"), (b"A", b"b"), (b"a", b"b")):
        buffer.encode_name(DNSLabel(labels))
    assert bytes(buffer.data) == b"\1a\1b\0" + b"\1A\xc0\x02" + b"\xc0\x00"
    buffer.append(bytes(0x4000))
    buffer.encode_name(DNSLabel((b"c",)))
    buffer.encode_name(DNSLabel((b"c",)))
    assert buffer.data.endswith(b"\1c\0\1c\0")


def test_no_part_of_a_name_is_a_records_head() -> None:
    octets = HEADER + b"\0" + b"\x0b" + bytes(11) + b"\0" + b"\xc0\x0d"
    assert NameChecker(octets).end(26) == 28
    names = NameChecker(octets)
    names.heads.append(14)
    with pytest.raises(MalformedMessage):
        names.end(26)


def test_a_name_is_not_longer_than_255_octets_by_way_of_opaque_data() -> None:
    """The data hold labels, each a pointer to the one before; the last owner name would have 257 octets."""
    question = b"\3www\7example\3org\0\0\1\0\1"
    data, previous, at = b"", 12, 12 + len(question) + 12
    for _ in range(120):
        data, previous = data + b"\1p" + struct.pack("!H", 0xC000 | previous), at + len(data)
    first = b"\xc0\x0c" + struct.pack("!HHIH", 10, 1, 300, len(data)) + data
    second = struct.pack("!HHHIH", 0xC000 | previous, 1, 1, 300, 4) + bytes(4)
    with pytest.raises(MalformedMessage):
        read_response(struct.pack("!6H", 7, 0x8180, 1, 2, 0, 0) + question + first + second)
