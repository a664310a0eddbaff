"""The buffer through which dnslib's parts read and write themselves, and all that follows names in messages.

Knows octets and labels; not what a record means. dnslib's own buffer recurses, believes lengths, and takes
label types that there are not (docs/design/facts/dnslib.md §2); here whatever is wrong is MalformedMessage.
"""

import struct
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from dnslib import DNSBuffer, DNSLabel

from vpcdns.errors import MalformedMessage
from vpcdns.model.names import MAX_LABEL, MAX_NAME
from vpcdns.wire.format import (
    HEADER_SIZE,
    MAX_POINTER,
    POINTER,
    POINTER_SIZE,
    POINTER_TO_QUESTION,
    RECORD_HEAD,
)

MAX_POINTERS: Final = 64  # in one name, which has at most 127 labels; real ones need two or three
MAX_STEPS: Final = (
    1_024  # labels and pointers read in data of unknown form, in one message; real ones have some ten
)


class MessageBuffer(DNSBuffer):
    """A message to be read, or one that grows as dnslib's parts are packed into it."""

    def __init__(self, message: bytes = b"", offset: int = 0) -> None:
        self.data = bytearray()  # what is packed
        self.offset = offset
        self.names: dict[tuple[bytes, ...], int] = {}
        self._message = message  # what is read; not copied

    def get(self, length: int) -> bytes:
        start, self.offset = self.offset, self.offset + length
        # dnslib's parsers compute negative lengths from short data.
        if length < 0 or self.offset > len(self._message):
            raise MalformedMessage("a part is cut short")
        return self._message[start : self.offset]

    def unpack(self, fmt: str) -> tuple[int, ...]:
        try:
            values = struct.unpack_from(fmt, self._message, self.offset)
        except struct.error:
            raise MalformedMessage("a part is cut short") from None
        self.offset += struct.calcsize(fmt)
        return values

    def pack(self, fmt: str, *args: int) -> None:
        self.append(struct.pack(fmt, *args))

    def decode_name(self, last: int = -1) -> DNSLabel:
        labels, self.offset, _ = read_labels(self._message, self.offset)
        return DNSLabel(labels)

    def skip_name(self) -> None:
        """Passes over a name; what its pointer leads to, if it has one, is not looked at."""
        end = _labels_end(self._message, self.offset)
        self.offset = end + (POINTER_SIZE if self._message[end] else 1)

    def encode_name(self, name: DNSLabel) -> None:
        """RFC 1035 §4.1.4; a pointer only to a name of the same case, so that case is kept.

        The labels are a `Name`'s: none is empty or too long.
        """
        labels = name.label
        while labels:
            pointer = self.names.get(labels)
            if pointer is not None:
                self.pack("!H", POINTER << 8 | pointer)
                return
            if self.offset <= MAX_POINTER:
                self.names[labels] = self.offset
            self.append(bytes((len(labels[0]),)) + labels[0])
            labels = labels[1:]
        self.append(b"\0")


class NameChecker:
    """The names of one message that is relayed, read from front to back.

    What passes is given to clients, whose parsers may be worse than ours: a pointer must lead back to a name,
    past no record's head (TTLs are rewritten), and end. The cost is linear in the message's length
    (CVE-2024-8508): a pointer to a label of a name that was read in its place costs one look-up, and names in
    data of unknown form have MAX_STEPS together.
    """

    __slots__ = ("_data", "_lengths", "_steps", "heads")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._lengths: dict[int, int] = {}  # where a label begins -> octets of the name from there on
        self._steps = 0
        self.heads: list[int] = []
        """Where records' heads were passed, behind their owner names: the caller adds each."""

    def end(self, start: int) -> int:
        """Where the name at `start` ends; raises MalformedMessage."""
        data, lengths = self._data, self._lengths
        if data.startswith(POINTER_TO_QUESTION, start) and start > HEADER_SIZE:
            return start + POINTER_SIZE  # what nearly all owner names are; the question's was read before
        end = _labels_end(data, start)
        behind = 1
        if data[end]:
            target = _pointer(data, end)
            behind = lengths.get(target) or self._length(target, start)
        if end - start + behind > MAX_NAME:
            raise MalformedMessage("a name that is too long")
        at = start
        while at < end:
            lengths[at] = end - at + behind
            at += data[at] + 1
        return end + (POINTER_SIZE if data[end] else 1)

    def _length(self, target: int, ceiling: int) -> int:
        """The octets of a name that stands in data whose form is not known here."""
        if not HEADER_SIZE <= target < ceiling:
            raise MalformedMessage("a compression pointer that does not lead back to a name")
        labels, _, pointers = read_labels(self._data, target, ceiling, self.heads, MAX_STEPS - self._steps)
        self._steps += 1 + len(labels) + pointers
        if self._steps > MAX_STEPS:
            raise MalformedMessage("more names in data of unknown form than anybody sends")
        length = self._lengths[target] = sum(map(len, labels)) + len(labels) + 1
        return length


def read_labels(
    data: bytes,
    at: int,
    ceiling: int | None = None,
    heads: Sequence[int] = (),
    max_pointers: int = MAX_POINTERS,
) -> tuple[list[bytes], int, int]:
    """The labels of a name, the offset behind it, and how many pointers it has; raises MalformedMessage.

    What a pointer leads to stands before what led there (and before `ceiling`), so that a name ends.
    `heads` are records' heads, which no part of it may touch.
    """
    labels, length, pointers, behind = list[bytes](), 1, 0, 0
    start, ceiling = at, len(data) if ceiling is None else ceiling
    while True:
        end = _labels_end(data, start)
        length += end - start
        if end >= ceiling or length > MAX_NAME or (heads and _touches(start, end, heads)):
            raise MalformedMessage("a name that is too long, or leads to what is none")
        at = start
        while at < end:
            size = data[at] + 1
            labels.append(data[at + 1 : at + size])
            at += size
        if not data[end]:
            return labels, behind or end + 1, pointers
        behind = behind or end + POINTER_SIZE
        pointers += 1
        ceiling, start = start, _pointer(data, end)
        if not HEADER_SIZE <= start < ceiling or pointers > max_pointers:
            raise MalformedMessage("a compression pointer that does not lead back to a name")


def _labels_end(data: bytes, start: int) -> int:
    """Where the labels from `start` on end: at the root's octet, or at a pointer."""
    octets, at = data[start : start + MAX_NAME], 0
    try:
        while 0 < (octet := octets[at]) <= MAX_LABEL:
            at += octet + 1
    except IndexError:
        raise MalformedMessage("a name is cut short or too long") from None
    if MAX_LABEL < octet < POINTER:
        raise MalformedMessage("an unknown label type")
    return start + at


def _pointer(data: bytes, at: int) -> int:
    if at + 1 >= len(data):
        raise MalformedMessage("a name is cut short")
    return (data[at] << 8 | data[at + 1]) & MAX_POINTER


def _touches(start: int, end: int, heads: Sequence[int]) -> bool:
    """Whether a record's head has octets between `start` and `end`, both included."""
    place = bisect_left(heads, start - RECORD_HEAD.size + 1)
    return place < len(heads) and heads[place] <= end
