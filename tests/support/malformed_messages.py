"""Queries that are broken, odd or owed nothing, and what each is answered."""

from __future__ import annotations

from dataclasses import dataclass

from tests.conformance.names import DEDICATED_A
from tests.support.octets import OPT_HEAD, header, opt
from vpcdns.model.names import Name
from vpcdns.wire.buffer import write_name

RD, TC, QR = 0x0100, 0x0200, 0x8000


NAME = write_name(Name.from_text(DEDICATED_A))


QUESTION = NAME + b"\0\1\0\1"


RECORD = NAME + b"\0\1\0\1\0\0\0\x3c\0\4\x0a\1\1\1"


@dataclass(frozen=True)
class Broken:
    """`question`: it can be read, so it is echoed; `edns`: an OPT can be read, so one is sent."""

    what: str
    message: bytes
    question: bool = True
    edns: bool = False


BROKEN = [
    Broken("QDCOUNT=2", header(qd=2) + QUESTION * 2, False),
    Broken("QDCOUNT=65535", header(qd=65535) + QUESTION, False),
    Broken("QDCOUNT=0", header(qd=0), False),
    Broken("QDCOUNT=0 and an OPT", header(qd=0, ar=1) + opt(), False),
    Broken("the question is cut in the name", header() + QUESTION[:20], False),
    Broken("the question is cut in the class", header() + QUESTION[:-1], False),
    Broken("no question behind the header", header(), False),
    Broken("label type 01", header() + b"\x41" + QUESTION, False),
    Broken("label type 10", header() + b"\x81" + QUESTION, False),
    Broken("a pointer to itself", header() + b"\xc0\x0c\0\1\0\1", False),
    Broken("a pointer to the header", header() + b"\x01a\xc0\x00\0\1\0\1", False),
    Broken("a pointer behind the message", header() + b"\xff\xff\0\1\0\1", False),
    Broken(
        "a name of 256 octets",
        header() + b"\x3f" + b"a" * 63 + (b"\x3f" + b"a" * 63) * 3 + b"\0\0\1\0\1",
        False,
    ),
    Broken("two OPTs", header(ar=2) + QUESTION + opt() * 2, edns=True),
    Broken(
        "an OPT that is not at the root", header(ar=1) + QUESTION + opt(head=b"\1x" + OPT_HEAD), edns=True
    ),
    Broken("an OPT in the answer", header(an=1) + QUESTION + opt()),
    Broken("an OPT in the authority", header(ns=1) + QUESTION + opt()),
    Broken("an OPT that is cut short", header(ar=1) + QUESTION + opt()[:-1]),
    Broken("an OPT whose data is cut short", header(ar=1) + QUESTION + opt(b"\0\3\0\0")[:-1]),
    Broken("ARCOUNT=1 and nothing there", header(ar=1) + QUESTION),
    Broken("ARCOUNT=65535", header(ar=65535) + QUESTION + opt()),
    Broken("an option overruns the OPT", header(ar=1) + QUESTION + opt(b"\0\3\0\1"), edns=True),
    Broken("an option without a length", header(ar=1) + QUESTION + opt(b"\0\3\0"), edns=True),
    Broken("a cookie of 7 octets", header(ar=1) + QUESTION + opt(b"\0\x0a\0\x07seven!!"), edns=True),
    Broken("17 options", header(ar=1) + QUESTION + opt(b"\xfe\0\0\0" * 17), edns=True),
    Broken(
        "a client subnet with SCOPE", header(ar=1) + QUESTION + opt(b"\0\x08\0\5\0\1\x08\x08\x0a"), edns=True
    ),
    Broken(
        "a client subnet of family 9", header(ar=1) + QUESTION + opt(b"\0\x08\0\5\0\x09\x08\0\x0a"), edns=True
    ),
    Broken("a client subnet cut short", header(ar=1) + QUESTION + opt(b"\0\x08\0\4\0\1\x08\0"), edns=True),
    Broken("an answer record", header(an=1) + QUESTION + RECORD),
    Broken("an authority record", header(ns=1) + QUESTION + RECORD),
    Broken("QTYPE OPT", header() + NAME + b"\0\x29\0\1"),
    Broken("QTYPE OPT with an OPT", header(ar=1) + NAME + b"\0\x29\0\1" + opt(), edns=True),
]


GOOD = [
    ("TC=1", header(RD | TC) + QUESTION),
    ("trailing octets", header() + QUESTION + b"trailing octets"),
    ("trailing octets behind an OPT", header(ar=1) + QUESTION + opt() + bytes(64)),
    ("16 options", header(ar=1) + QUESTION + opt(b"\xfe\0\0\0" * 16)),
    ("a record that is not looked at", header(ar=2) + QUESTION + opt() + RECORD),
    ("a payload size of 0", header(ar=1) + QUESTION + opt()[:3] + b"\0\0" + opt()[5:]),
]


SILENT = [
    ("a response", header(QR) + QUESTION),
    ("a response to another opcode", header(QR | 0x7800) + QUESTION),
    ("nothing", b""),
    ("one octet", b"\xbe"),
    ("eleven octets", header()[:11]),
]
