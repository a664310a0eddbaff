"""The buffer through which dnslib's parts read and write themselves, and all that follows names in messages.

Knows octets and labels; not what a record means. dnslib's own buffer recurses, believes lengths, and accepts
label types that do not exist (docs/design/facts/dnslib.md §2); here whatever is wrong is MalformedMessage.
"""

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

from dnslib import DNSBuffer, DNSLabel

from vpcdns.errors import MalformedMessage
from vpcdns.model.names import MAX_LABEL, MAX_NAME, Name
from vpcdns.wire import format as fmt

MAX_POINTERS: Final = 64  # in one name, which has at most 127 labels; real ones need two or three
# Labels and pointers read in data of unknown form, in one message; real ones have some ten.
MAX_STEPS: Final = 1_024


class MessageBuffer(DNSBuffer):
    """A message to be read, or one that grows as dnslib's parts are packed into it."""

    def __init__(self, message: bytes = b"", offset: int = 0) -> None:
        self.data, self.names, self.offset = bytearray(), {}, offset
        self._message = message  # what is read; `data` is what is packed

    def get(self, length: int) -> bytes:
        start, self.offset = self.offset, self.offset + length
        # dnslib's parsers compute negative lengths from short data.
        if length < 0 or self.offset > len(self._message):
            raise MalformedMessage("a part is cut short")
        return self._message[start : self.offset]

    def unpack(self, fmt: str) -> tuple[int, ...]:
        return struct.unpack(fmt, self.get(struct.calcsize(fmt)))

    def decode_name(self, last: int = -1) -> DNSLabel:
        labels, self.offset, _ = read_labels(self._message, self.offset)
        return DNSLabel(labels)

    def skip_name(self) -> None:
        """Skips a name; a pointer in it is not followed."""
        _, self.offset, _ = _read_part(self._message, self.offset)

    def encode_name(self, name: DNSLabel) -> None:
        """RFC 1035 §4.1.4; a pointer only to a name of the same case, so that case is kept.

        The labels are a `Name`'s: none is empty or too long.
        """
        labels = name.label
        while labels:
            pointer = self.names.get(labels)
            if pointer is not None:
                self.pack("!H", fmt.POINTER << 8 | pointer)
                return
            if self.offset <= fmt.MAX_POINTER:
                self.names[labels] = self.offset
            self.append(bytes((len(labels[0]),)) + labels[0])
            labels = labels[1:]
        self.append(b"\0")


def write_name(name: Name) -> bytes:
    """Uncompressed, in the case given (RFC 1035 §3.1)."""
    return b"".join(bytes((len(label),)) + label for label in name.labels) + b"\0"


class NameChecker:
    """The names of one message that is relayed, read from front to back.

    What passes goes to clients, whose parsers may be worse than ours: a pointer must lead back to a name,
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
        """Where each record's head begins, behind its owner name; the caller adds them."""

    def end(self, start: int) -> int:
        """Where the name at `start` ends; raises MalformedMessage."""
        data, lengths = self._data, self._lengths
        if data.startswith(fmt.POINTER_TO_QUESTION, start) and start > fmt.HEADER_SIZE:
            return start + fmt.POINTER_SIZE  # what nearly all owner names are; the question's was read before
        end, behind, target = _read_part(data, start)
        rest = 1 if target is None else lengths.get(target) or self._length(target, start)
        if end - start + rest > MAX_NAME:
            raise MalformedMessage("a name that is too long")
        at = start
        while at < end:
            lengths[at] = end - at + rest
            at += data[at] + 1
        return behind

    def _length(self, target: int, ceiling: int) -> int:
        """The octets of a name that stands in data whose form is not known here."""
        labels, _, pointers = read_labels(self._data, target, ceiling, self.heads, MAX_STEPS - self._steps)
        self._steps += 1 + len(labels) + pointers
        if self._steps > MAX_STEPS:
            raise MalformedMessage("more names in data of unknown form than anybody sends")
        length = self._lengths[target] = sum(map(len, labels)) + len(labels) + 1
        return length


def read_labels(
    data: bytes, at: int, ceiling: int = 0, heads: Sequence[int] = (), max_pointers: int = MAX_POINTERS
) -> tuple[list[bytes], int, int]:
    """The labels of a name, the offset behind it, and how many pointers it has; raises MalformedMessage.

    What a pointer leads to stands before what led there (and before `ceiling`, if given), so that a name
    ends. `heads` are records' heads, which no part of it may touch.
    """
    labels: list[bytes] = []
    length, pointers, behind, ceiling = 1, 0, 0, ceiling or len(data)
    while True:
        start = at
        end, after, target = _read_part(data, start)
        length += end - start
        if start < fmt.HEADER_SIZE or end >= ceiling or length > MAX_NAME or pointers > max_pointers:
            raise MalformedMessage("a name that is too long, or a pointer that does not lead back to a name")
        if heads and bisect_left(heads, start - fmt.RECORD_HEAD.size + 1) < bisect_right(heads, end):
            raise MalformedMessage("a pointer into a record's head")
        while at < end:
            size = data[at] + 1
            labels.append(data[at + 1 : at + size])
            at += size
        behind = behind or after
        if target is None:
            return labels, behind, pointers
        ceiling, at, pointers = start, target, pointers + 1


def _read_part(data: bytes, start: int) -> tuple[int, int, int | None]:
    """Where labels end, the offset behind the root's octet or the pointer there, and where that leads."""
    octets, at = data[start : start + MAX_NAME], 0
    try:
        while 0 < (octet := octets[at]) <= MAX_LABEL:
            at += octet + 1
    except IndexError:
        raise MalformedMessage("a name is cut short or too long") from None
    end = start + at
    if octet == 0:
        return end, end + 1, None
    if octet < fmt.POINTER or end + 1 >= len(data):
        raise MalformedMessage("an unknown label type, or half a pointer")
    return end, end + fmt.POINTER_SIZE, (octet << 8 | data[end + 1]) & fmt.MAX_POINTER
