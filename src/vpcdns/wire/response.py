"""Writes responses: names compressed, the question echoed, never longer than the client can take.

When a response does not fit, the extended error's text goes first, then the extended error, then
records from the end (RFC 8914 §3, dns-conformance.md §5); question and OPT stay (containers.md §2).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import dnslib
from dnslib import AAAA, CNAME, RR, SOA, TXT, A, DNSHeader, DNSLabel, DNSQuestion, DNSRecord

from vpcdns.model.dns import ExtendedError, Rcode, Record, Soa
from vpcdns.model.names import Name
from vpcdns.wire.buffer import MessageBuffer
from vpcdns.wire.edns import Options, shrinking, write_opt
from vpcdns.wire.format import AA, CD, HEADER_SIZE, MAX_UDP_PAYLOAD, MIN_UDP_PAYLOAD, QR, RA, RD, TC
from vpcdns.wire.query import Query


def udp_limit(query: Query) -> int:
    """How many octets the client can take over UDP (RFC 6891 §6.2.5, RFC 9715)."""
    return MIN_UDP_PAYLOAD if query.edns is None else min(query.edns.payload_size, MAX_UDP_PAYLOAD)


class ResponseMessage(DNSRecord):
    """What to say to a query; the header's other bits and the question come from the query itself.

    `truncated` sets TC even though nothing is left out; `options` are those besides the extended error.
    """

    def __init__(
        self,
        query: Query,
        rcode: Rcode,
        answers: tuple[Record, ...] = (),
        authority: tuple[Record, ...] = (),
        *,
        authoritative: bool = False,
        recursion_available: bool = False,
        extended_error: ExtendedError | None = None,
        options: Options = (),
        truncated: bool = False,
    ) -> None:
        flags = QR | query.opcode << 11 | (RD if query.rd else 0) | (CD if query.cd else 0) | rcode & 0xF
        flags |= (AA if authoritative else 0) | (RA if recursion_available else 0) | (TC if truncated else 0)
        asked = query.question
        super().__init__(
            DNSHeader(query.id, flags),
            [] if asked is None else [DNSQuestion(DNSLabel(asked.name.labels), asked.rtype, asked.rclass)],
            [_record(record) for record in answers],
            auth=[_record(record) for record in authority],
        )
        self._edns, self._rcode, self._flags = query.edns, rcode, flags
        self._options, self._extended_error = options, extended_error

    def pack(self, limit: int) -> bytes:
        """Wire format, at most `limit` octets; OPT only if the query had one (RFC 6891 §7)."""
        buffer = MessageBuffer()
        buffer.append(bytes(HEADER_SIZE))
        for question in self.questions:
            question.pack(buffer)
        ends = [buffer.offset]
        for record in (*self.rr, *self.auth):
            record.pack(buffer)
            ends.append(buffer.offset)
        opt = b""
        for error in shrinking(self._extended_error):
            opt = write_opt(self._edns, self._rcode, self._options, error)
            if ends[-1] + len(opt) <= limit:
                break
        whole = len(ends)
        while len(ends) > 1 and ends[-1] + len(opt) > limit:
            ends.pop()
        header, kept = self.header, len(ends) - 1
        header.bitmap = self._flags | (TC if len(ends) < whole else 0)
        header.a = min(kept, len(self.rr))
        header.auth, header.ar = kept - header.a, 1 if opt else 0
        header.pack(head := MessageBuffer())
        return bytes(head.data + buffer.data[HEADER_SIZE : ends[-1]]) + opt


def _record(record: Record) -> RR:
    label = DNSLabel(record.name.labels)
    return RR(label, record.rtype, record.rclass, record.ttl, _rdata(record))


def _rdata(record: Record) -> dnslib.RD:
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
        case strings:
            return TXT(strings)
