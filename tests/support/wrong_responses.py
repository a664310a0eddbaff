"""Responses that are wrong in one way each: none of them may be taken for the answer."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.support.resolver_and_upstreams import QNAME, A, made, saying

FORGED = saying(f"{QNAME} 300 IN A 203.0.113.66")


def forged(message: bytes, place: int, octet: int | None = None) -> bytes:
    """A response with another address, and one octet that is wrong."""
    octets = bytearray(next(iter(FORGED(message, "udp"))))
    octets[place] = octets[place] ^ 1 if octet is None else octet
    return bytes(octets)


def question_at(message: bytes) -> int:
    return 12 + len(QNAME) + 2


# What is sent before the right response, or instead of it.
WRONG: dict[str, Callable[[bytes], bytes]] = {
    "id": lambda m: forged(m, 1),
    "type": lambda m: forged(m, question_at(m) + 1),
    "class": lambda m: forged(m, question_at(m) + 3),
    "name": lambda m: forged(m, 14),
    "QR": lambda m: forged(m, 2, 0x01),
    "opcode": lambda m: forged(m, 2, 0xA9),
    "counts": lambda m: forged(m, 7, 9),
    "no question": lambda m: m[:2] + b"\x81\x80" + bytes(8),
    "empty": lambda m: b"",
    "a fragment": lambda m: made(m, A)[:11],
    "cut short": lambda m: made(m, A)[:-30],
    "noise": lambda m: m[:2] + b"\xff" * 200,
    "the query": lambda m: m,
    "owner loop": lambda m: loop_of(m, b"\xc0" + bytes((question_at(m) + 4,)), b"\0\1\0\1", bytes(4)),
    "data loop": lambda m: loop_of(m, b"\xc0\x0c", b"\0\5\0\1", b"\xc0" + bytes((question_at(m) + 16,))),
}


def loop_of(message: bytes, name: bytes, kind: bytes, rdata: bytes) -> bytes:
    record = name + kind + struct.pack("!IH", 60, len(rdata)) + rdata
    return message[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + message[12 : question_at(message) + 4] + record
