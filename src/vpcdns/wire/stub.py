"""The other end of the wire: writes a stub resolver's query, reads the response to it.

For whoever asks instead of answering, such as `doctor`. Knows the types that it shows and passes over
the others; knows no socket.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from vpcdns.errors import MalformedMessage
from vpcdns.model.dns import Question, RRType
from vpcdns.wire.query import HEADER, RD
from vpcdns.wire.relay import RelayedRecord, cname_target, read_response
from vpcdns.wire.response import AA, TC

_OPT: Final = struct.Struct("!BHHIH")


@dataclass(frozen=True, slots=True)
class StubResponse:
    """What a client makes of a response. `strings` are those of the first TXT record.

    `error` is the extended error (RFC 8914), its code and text, None when there is none.
    """

    rcode: int
    truncated: bool
    authoritative: bool
    size: int
    addresses: tuple[IPv4Address | IPv6Address, ...] = ()
    cnames: tuple[str, ...] = ()
    strings: tuple[str, ...] = ()
    error: tuple[int, str] | None = None


def question_wire(question: Question) -> bytes:
    """The question section of a query."""
    return question.name.wire() + struct.pack("!HH", question.rtype, question.rclass)


def write_query(question: Question, identity: int, payload_size: int | None = None) -> bytes:
    """A recursive query; with an OPT record when the size of responses over UDP is told (RFC 6891)."""
    opt = b"" if payload_size is None else _OPT.pack(0, RRType.OPT, payload_size, 0, 0)
    return HEADER.pack(identity, RD, 1, 0, 0, 1 if opt else 0) + question_wire(question) + opt


def read_stub_response(octets: bytes) -> StubResponse:
    """Reads a response; raises MalformedMessage. That it answers the question is checked before."""
    relayed = read_response(octets)
    answers = [record for record in relayed.records if record.section == 0]
    data = [(record.rtype, relayed.octets[record.rdata_at : record.end]) for record in answers]
    texts = [rdata for rtype, rdata in data if rtype == RRType.TXT]
    errors = relayed.extended_errors
    return StubResponse(
        relayed.rcode,
        bool(relayed.flags & TC),
        bool(relayed.flags & AA),
        len(octets),
        tuple(
            _address(record, rdata)
            for record, (_, rdata) in zip(answers, data, strict=True)
            if _is_address(record)
        ),
        tuple(str(cname_target(relayed, record)) for record in answers if record.rtype == RRType.CNAME),
        _strings(texts[0]) if texts else (),
        (int.from_bytes(errors[0][:2], "big"), errors[0][2:].decode(errors="replace")) if errors else None,
    )


def _is_address(record: RelayedRecord) -> bool:
    return record.rtype in (RRType.A, RRType.AAAA)


def _address(record: RelayedRecord, rdata: bytes) -> IPv4Address | IPv6Address:
    if len(rdata) != (4 if record.rtype == RRType.A else 16):
        raise MalformedMessage("an address of a length that there is not")
    return IPv4Address(rdata) if record.rtype == RRType.A else IPv6Address(rdata)


def _strings(rdata: bytes) -> tuple[str, ...]:
    """RFC 1035 §3.3.14: each string with its length before it."""
    strings, offset = [], 0
    while offset < len(rdata):
        end = offset + 1 + rdata[offset]
        if end > len(rdata):
            raise MalformedMessage("a string is cut short")
        strings.append(rdata[offset + 1 : end].decode(errors="replace"))
        offset = end
    return tuple(strings)
