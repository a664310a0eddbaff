"""Queries made so that reading them costs as much as they can make it."""

from __future__ import annotations

from tests.support.example_world import CUSTOM
from tests.support.messages import query
from tests.support.octets import header, opt, option

LONGEST_QUERY = 4_096


QUESTION = b"\3www\7example\3org\0\0\1\0\1"


def filled(message: bytes, piece: bytes, size: int = LONGEST_QUERY) -> bytes:
    return message + piece * ((size - len(message)) // len(piece))


def nested_name() -> bytes:
    return b"\1a" * 126 + b"\0\0\1\0\1"


QUERIES = {
    "the longest name": header() + nested_name(),
    "labels without an end": filled(header(), b"\1a"),
    "a chain of pointers": filled(header(), b"\xc0\x0c"),
    "65,535 questions": filled(header(qd=65535), QUESTION),
    "65,535 additional records": filled(header(ar=65535) + QUESTION, b"\0\0\1\0\1\0\0\0\0\0\0"),
    "16 options": header(ar=1) + QUESTION + opt(option(65001, bytes(200)) * 16),
    "options without an end": header(ar=1) + QUESTION + opt(b"\xfe\0\0\0" * 1000),
    "one long option": header(ar=1) + QUESTION + opt(option(65001, bytes(3900))),
    "names in additional records": filled(header(ar=2) + QUESTION, b"\1a"),
    "trailing octets": filled(header() + QUESTION, b"x"),
    "the longest name, explained": query("a." * 55 + f"{CUSTOM}.explain.vpcdns.internal", "TXT").to_wire(),
}
