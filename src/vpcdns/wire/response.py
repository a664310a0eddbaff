"""Writes responses: names compressed, the question echoed, never longer than the client can take.

When a response does not fit, the extended error's text goes first, then the extended error, then
records from the end (RFC 8914 §3, dns-conformance.md §5); question and OPT stay (containers.md §2).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from vpcdns.model.dns import ExtendedError, Rcode, Rdata, Record, RRType, Soa
from vpcdns.model.names import Name
from vpcdns.wire.query import CD, DO, HEADER, MIN_UDP_PAYLOAD, QR, RD, Query

AA: Final = 0x0400
TC: Final = 0x0200
RA: Final = 0x0080

MAX_UDP_PAYLOAD: Final = (
    1232  # flag day 2020, RFC 9715: passes every path unfragmented; also what we advertise
)
MAX_TCP_PAYLOAD: Final = 65535
OPTION_EXTENDED_ERROR: Final = 15  # RFC 8914

_OPT_HEAD: Final = struct.Struct("!BHHIH")
_OPTION_HEAD: Final = struct.Struct("!HH")
_RECORD_HEAD: Final = struct.Struct("!HHI")
_SOA_TAIL: Final = struct.Struct("!5I")
_MAX_POINTER: Final = 0x3FFF  # RFC 1035 §4.1.4: 14 bits


@dataclass(frozen=True, slots=True)
class ResponseMessage:
    """What to say to a query; the header's other bits and the question come from the query itself."""

    rcode: Rcode
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    authoritative: bool = False
    recursion_available: bool = False
    extended_error: ExtendedError | None = None
    options: tuple[tuple[int, bytes], ...] = ()  # EDNS options besides the extended error
    truncated: bool = False  # TC even though nothing is left out


def udp_limit(query: Query) -> int:
    """How many octets the client can take over UDP (RFC 6891 §6.2.5, RFC 9715)."""
    return MIN_UDP_PAYLOAD if query.edns is None else min(query.edns.payload_size, MAX_UDP_PAYLOAD)


def write_response(query: Query, response: ResponseMessage, limit: int) -> bytes:
    """The response in wire format, at most `limit` octets; OPT only if the query had one (RFC 6891 §7)."""
    body, ends = _write_records(query, (*response.answers, *response.authority))
    room = limit - HEADER.size - len(body)
    opt = b""
    for error in shrinking(response.extended_error):
        opt = write_opt(query, response.rcode, response.options, error)
        if len(opt) <= room:
            break
    kept = len(ends)
    while kept and HEADER.size + ends[kept - 1] + len(opt) > limit:
        kept -= 1
    truncated = response.truncated or kept < len(ends)
    end = ends[kept - 1] if kept else len(query.question_wire)
    answers = min(kept, len(response.answers))
    flags = QR | query.opcode << 11 | (RD if query.rd else 0) | (CD if query.cd else 0) | response.rcode & 0xF
    flags |= AA if response.authoritative else 0
    flags |= TC if truncated else 0
    flags |= RA if response.recursion_available else 0
    questions = 1 if query.question_wire else 0
    header = HEADER.pack(query.id, flags, questions, answers, kept - answers, 1 if opt else 0)
    return header + body[:end] + opt


def shrinking(error: ExtendedError | None) -> tuple[ExtendedError | None, ...]:
    """An extended error, and what is left of it as room runs out."""
    return (None,) if error is None else (error, ExtendedError(error.info_code), None)


def write_opt(
    query: Query, rcode: int, options: tuple[tuple[int, bytes], ...], error: ExtendedError | None = None
) -> bytes:
    """Our OPT record, when the query had one; DO is copied (RFC 3225 §3)."""
    if query.edns is None:
        return b""
    if error is not None:
        options = (
            *options,
            (OPTION_EXTENDED_ERROR, error.info_code.to_bytes(2, "big") + error.text.encode()),
        )
    data = b"".join(_OPTION_HEAD.pack(code, len(value)) + value for code, value in options)
    extended = rcode >> 4 << 24 | (DO if query.edns.do else 0)
    return _OPT_HEAD.pack(0, RRType.OPT, MAX_UDP_PAYLOAD, extended, len(data)) + data


def _write_records(query: Query, records: tuple[Record, ...]) -> tuple[bytes, list[int]]:
    """Question and records, and where each record ends in them."""
    body, offsets = bytearray(), dict[tuple[bytes, ...], int]()
    if query.question is not None:
        body += query.question_wire
        _remember(query.question.name, HEADER.size, offsets)
    ends = []
    for record in records:
        _write_name(record.name, body, offsets)
        body += _RECORD_HEAD.pack(record.rtype, record.rclass, record.ttl)
        length_at = len(body)
        body += b"\0\0"
        _write_rdata(record.rdata, body, offsets)
        body[length_at : length_at + 2] = (len(body) - length_at - 2).to_bytes(2, "big")
        ends.append(len(body))
    return bytes(body), ends


def _write_rdata(rdata: Rdata, body: bytearray, offsets: dict[tuple[bytes, ...], int]) -> None:
    match rdata:
        case IPv4Address() | IPv6Address():
            body += rdata.packed
        case Name():
            _write_name(rdata, body, offsets)
        case Soa():
            _write_name(rdata.mname, body, offsets)
            _write_name(rdata.rname, body, offsets)
            body += _SOA_TAIL.pack(rdata.serial, rdata.refresh, rdata.retry, rdata.expire, rdata.minimum)
        case strings:
            body += b"".join(bytes((len(string),)) + string for string in strings)


def _write_name(name: Name, body: bytearray, offsets: dict[tuple[bytes, ...], int]) -> None:
    """RFC 1035 §4.1.4; a pointer only to a name of the same case, so that case is kept."""
    for start, label in enumerate(name.labels):
        rest = name.labels[start:]
        if (pointer := offsets.get(rest)) is not None:
            body += (0xC000 | pointer).to_bytes(2, "big")
            return
        if HEADER.size + len(body) <= _MAX_POINTER:
            offsets[rest] = HEADER.size + len(body)
        body.append(len(label))
        body += label
    body.append(0)


def _remember(name: Name, offset: int, offsets: dict[tuple[bytes, ...], int]) -> None:
    for start, label in enumerate(name.labels):
        offsets[name.labels[start:]] = offset
        offset += 1 + len(label)
