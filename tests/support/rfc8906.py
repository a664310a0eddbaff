"""The tests of RFC 8906 §8 as rows: what dig is told to ask, and what must come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tests.conformance.names import BIG, IN_A, INTERNET, SUFFIX


@dataclass(frozen=True)
class Row:
    section: str
    arguments: str
    status: str = "NOERROR"
    flags: str = "qr aa"
    answer: Literal["soa", "none", "some"] = "soa"
    edns: bool = True
    do: bool = False
    opcode: str = "QUERY"
    source: str = INTERNET


SOA = f"soa {SUFFIX}"


PLAIN = "+noedns +noad +norec"


EDNS0, EDNS1 = "+nocookie +edns=0 +noad +norec", "+nocookie +edns=1 +noednsneg +noad +norec"


ROWS = [
    Row("8.1.1", f"{PLAIN} {SOA}", edns=False),
    Row("8.1.2", f"{PLAIN} type1000 {SUFFIX}", answer="none", edns=False),
    Row("8.1.3.1", f"{PLAIN} +cd {SOA}", flags="qr aa cd", edns=False),
    Row("8.1.3.2", f"+noedns +norec +ad {SOA}", edns=False),
    Row("8.1.3.3", f"{PLAIN} +zflag {SOA}", edns=False),
    Row("8.1.3.4", f"+noedns +noad +rec {SOA}", flags="qr aa rd", edns=False),
    Row("8.1.4", f"{PLAIN} +opcode=15 +header-only", "NOTIMP", "qr", "none", False, opcode="RESERVED15"),
    Row("8.1.4 in full", f"{PLAIN} +opcode=15 {SOA}", "NOTIMP", "qr", "none", False, opcode="RESERVED15"),
    Row("8.2.1", f"{EDNS0} {SOA}"),
    Row("8.2.2", f"{EDNS1} {SOA}", "BADVERS", "qr", "none"),
    Row("8.2.2 version 100", f"{EDNS1} +edns=100 {SOA}", "BADVERS", "qr", "none"),
    Row("8.2.3", f"{EDNS0} +ednsopt=100 {SOA}"),
    Row("8.2.4", f"{EDNS0} +ednsflags=0x40 {SOA}"),
    Row("8.2.5", f"{EDNS1} +ednsflags=0x40 {SOA}", "BADVERS", "qr", "none"),
    Row("8.2.6", f"{EDNS1} +ednsopt=100 {SOA}", "BADVERS", "qr", "none"),
    Row(
        "8.2.7", f"+nocookie +norec +noad +dnssec +bufsize=512 +ignore a {BIG}",
        flags="qr aa tc", answer="some", do=True, source=IN_A,
    ),
    Row("8.2.8", f"{EDNS0} +dnssec {SOA}", do=True),
    Row("8.2.9", f"{EDNS1} +dnssec {SOA}", "BADVERS", "qr", "none", do=True),
    Row("8.2.10", f"+edns=0 +noad +norec +cookie +nsid +expire +subnet=0.0.0.0/0 {SOA}"),
]  # fmt: skip
