"""Writes responses: names compressed, the question echoed, never longer than the client can take.

When a response does not fit, the extended error's text goes first, then the extended error, then
records from the end (RFC 8914 §3, dns-conformance.md §5); question and OPT stay (containers.md §2).
"""

from ipaddress import IPv4Address, IPv6Address

import dnslib
from dnslib import AAAA, CNAME, RR, SOA, TXT, A, DNSHeader, DNSLabel, DNSQuestion, DNSRecord

from vpcdns.model.dns import ExtendedError, Octets, Rcode, Record, Soa
from vpcdns.model.names import Name
from vpcdns.wire.buffer import MessageBuffer
from vpcdns.wire.edns import Options, shrinking, write_opt
from vpcdns.wire.format import AA, CD, HEADER, HEADER_SIZE, MAX_UDP_PAYLOAD, MIN_UDP_PAYLOAD, QR, RA, RD, TC
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
        # Not dnslib's constructor: it counts the sections, which waits here for how many records fit.
        self.rr = [_record(record) for record in answers]
        self.auth = [_record(record) for record in authority]
        self._flags = (AA if authoritative else 0) | (RA if recursion_available else 0)
        self._flags |= TC if truncated else 0
        self._query, self._rcode = query, int(rcode)
        self._options, self._extended_error = options, extended_error

    def pack(self, limit: int) -> bytes:
        """Wire format, at most `limit` octets; OPT only if the query had one (RFC 6891 §7)."""
        query, records = self._query, (*self.rr, *self.auth)
        buffer = MessageBuffer()
        buffer.append(bytes(HEADER_SIZE))  # pointers count from the header, which is written last
        if query.question is None or not records:
            buffer.append(query.question_wire)  # nothing will point to its name
        else:
            name, rtype, rclass = query.question.name, query.question.rtype, query.question.rclass
            DNSQuestion(DNSLabel(name.labels), rtype, rclass).pack(buffer)
        ends = [buffer.offset]
        for record in records:
            record.pack(buffer)
            ends.append(buffer.offset)
        opt = b""
        for error in shrinking(self._extended_error):
            opt = write_opt(query.edns, self._rcode, self._options, error)
            if ends[-1] + len(opt) <= limit:
                break
        while len(ends) > 1 and ends[-1] + len(opt) > limit:
            ends.pop()
        kept = len(ends) - 1
        flags = self._flags | QR | query.opcode << 11 | self._rcode & 0xF
        flags |= (RD if query.rd else 0) | (CD if query.cd else 0) | (TC if kept < len(records) else 0)
        answers, questions = min(kept, len(self.rr)), 1 if query.question_wire else 0
        fields = (query.id, flags, questions, answers, kept - answers, 1 if opt else 0)
        if not records:  # refusals, which come in floods: dnslib's header would cost 5 µs
            return HEADER.pack(*fields) + query.question_wire + opt
        DNSHeader(*fields).pack(head := MessageBuffer())
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
        case Octets(octets):
            return dnslib.RD(octets)
        case strings:
            return TXT(strings)
