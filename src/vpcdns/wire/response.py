"""Writes responses: names compressed, the question echoed, never longer than the client can take.

When a response does not fit, the extended error's text goes first, then the extended error, then
records from the end (RFC 8914 §3, dns-conformance.md §5); question and OPT stay (containers.md §2).
"""

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address

from dnslib import AAAA, CNAME, RD, RR, SOA, TXT, A, DNSHeader, DNSLabel, DNSQuestion, DNSRecord

from vpcdns.model.dns import ExtendedError, Octets, Record, Soa
from vpcdns.model.names import Name
from vpcdns.wire import format as fmt
from vpcdns.wire.buffer import MessageBuffer
from vpcdns.wire.edns import Options, shrinking, write_opt
from vpcdns.wire.query import Query


def udp_limit(query: Query) -> int:
    """How many octets the client can take over UDP (RFC 6891 §6.2.5, RFC 9715)."""
    return fmt.MIN_UDP_PAYLOAD if query.edns is None else min(query.edns.payload_size, fmt.MAX_UDP_PAYLOAD)


def write_response(
    query: Query,
    rcode: int,
    limit: int,
    answers: Sequence[Record] = (),
    authority: Sequence[Record] = (),
    *,
    flags: int = 0,
    extended_error: ExtendedError | None = None,
    options: Options = (),
) -> bytes:
    """The response to a query, in at most `limit` octets.

    `flags` are AA, RA and TC: the others follow from the query. `options` are those besides the extended
    error.
    """
    choices = [(*options, *said) for said in shrinking(extended_error)]
    flags |= fmt.QR | query.flags & (fmt.OPCODE | fmt.RD | fmt.CD)
    if query.question is None or not (answers or authority):
        # Refusals, which come in floods, and most errors: a message of dnslib's would cost 5 µs more.
        body = bytes(fmt.HEADER_SIZE) + query.question_wire
        return fitted(query, rcode, limit, flags, body, [(0, len(body))], choices)
    name, rtype, rclass = query.question.name, query.question.rtype, query.question.rclass
    message = DNSRecord(DNSHeader(query.id, flags), q=DNSQuestion(DNSLabel(name.labels), rtype, rclass))
    message.add_answer(*map(_record, answers))
    message.add_auth(*map(_record, authority))
    # Packed part by part: DNSRecord's own `pack` goes past our buffer, and knows no limit.
    buffer = MessageBuffer()
    buffer.append(bytes(fmt.HEADER_SIZE))  # pointers count from the header, which is written last
    message.q.pack(buffer)
    ends = [(0, buffer.offset)]
    for section, records in enumerate((message.rr, message.auth)):
        for record in records:
            record.pack(buffer)
            ends.append((section, buffer.offset))
    return fitted(query, rcode, limit, flags, buffer.data, ends, choices, _header)


def fitted(
    query: Query,
    rcode: int,
    limit: int,
    flags: int,
    body: bytes | bytearray,
    ends: list[tuple[int, int]],
    choices: Iterable[Options],
    header: Callable[..., bytes] = fmt.HEADER.pack,
) -> bytes:
    """The message in at most `limit` octets, with its header, and an OPT record if the query had one.

    `ends` says where the question and each record end, with the record's section: 0 for answer, 1 authority,
    2 additional. Takes the first of the `choices` of options that fits, or the last.
    """
    opt = b""
    for options in choices:
        opt = write_opt(query.edns, rcode, options)
        if ends[-1][1] + len(opt) <= limit:
            break
    while len(ends) > 1 and ends[-1][1] + len(opt) > limit:
        # Additional records may be left out without a word (RFC 2181 §9).
        flags |= fmt.TC if ends.pop()[0] < 2 else 0
    counts = [0, 0, 1 if opt else 0]
    for section, _ in ends[1:]:
        counts[section] += 1
    head = header(query.id, flags | rcode & 0xF, int(bool(query.question_wire)), *counts)
    return head + body[fmt.HEADER_SIZE : ends[-1][1]] + opt


def _header(*fields: int) -> bytes:
    DNSHeader(*fields).pack(head := MessageBuffer())
    return bytes(head.data)


def _record(record: Record) -> RR:
    label = DNSLabel(record.name.labels)
    return RR(label, record.rtype, record.rclass, record.ttl, _rdata(record))


def _rdata(record: Record) -> RD:
    match record.rdata:
        case IPv4Address() as address:
            return A(tuple(address.packed))
        case IPv6Address() as address:
            return AAAA(tuple(address.packed))
        case Name() as name:
            return CNAME(DNSLabel(name.labels))  # NS and PTR are written alike
        case Soa() as soa:
            times = (soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum)
            return SOA(DNSLabel(soa.mname.labels), DNSLabel(soa.rname.labels), times)
        case Octets(octets):
            return RD(octets)
        case strings:
            return TXT(strings)
