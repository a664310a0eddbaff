"""Reads a query: header, question and OPT, strictly, at a cost bounded by the message's length.

A query that can be answered only with an error is still a value: its `fault` is the RCODE that it is
owed. What is owed nothing (responses, fragments of a header) reads as None.
"""

from dataclasses import dataclass, replace
from typing import Final

from dnslib import DNSQuestion

from vpcdns.errors import MalformedMessage
from vpcdns.model.dns import Question, Rcode, RRType
from vpcdns.model.names import Name
from vpcdns.wire.buffer import MessageBuffer
from vpcdns.wire.edns import Edns, read_opt
from vpcdns.wire.format import AD, CD, HEADER, HEADER_SIZE, OPT_SIZE, QR, RD, RECORD_HEAD

_OPT: Final = int(RRType.OPT)  # plain numbers compare in half the time
MAX_ADDITIONAL: Final = 2  # an OPT, and a TSIG or SIG(0) that is not looked at


@dataclass(frozen=True, slots=True)
class Query:
    """A query, or as much of one as could be read.

    `fault` is the RCODE that it is owed when it cannot be resolved. `question_wire` is the question
    section as received: it is echoed octet for octet. `size` is the message's, in octets.
    """

    id: int
    opcode: int
    rd: bool
    ad: bool
    cd: bool
    question: Question | None = None
    question_wire: bytes = b""
    edns: Edns | None = None
    fault: Rcode | None = None
    size: int = 0

    @property
    def is_bare(self) -> bool:
        """Whether the message is a header, a question and at most an OPT record without options.

        Nothing else, octets behind them included, which are tolerated when a query is read.
        """
        opt = 0 if self.edns is None else OPT_SIZE
        return self.size == HEADER_SIZE + len(self.question_wire) + opt


def read_query(message: bytes) -> Query | None:
    """Reads one message; None when it is owed no response at all (security.md §2)."""
    if len(message) < HEADER_SIZE:
        return None
    identity, flags, qdcount, ancount, nscount, arcount = HEADER.unpack_from(message)
    if flags & QR:
        return None  # answering responses makes two servers talk for ever
    opcode, rd, ad, cd = flags >> 11 & 0xF, bool(flags & RD), bool(flags & AD), bool(flags & CD)
    if opcode != 0:
        # The body of an opcode that we do not know is not read (RFC 8906 §8.1.4).
        return Query(identity, opcode, rd, ad, cd, fault=Rcode.NOTIMP, size=len(message))
    if qdcount != 1:  # RFC 9619 §4
        return Query(identity, opcode, rd, ad, cd, fault=Rcode.FORMERR, size=len(message))
    question, question_wire, edns = None, b"", None
    fault: Rcode | None = None
    buffer = MessageBuffer(message, HEADER_SIZE)
    try:
        parsed = DNSQuestion.parse(buffer)
        question = Question(Name(parsed.qname.label), parsed.qtype, parsed.qclass)
        question_wire = message[HEADER_SIZE : buffer.offset]
        if ancount or nscount or arcount > MAX_ADDITIONAL:
            raise MalformedMessage("a query with records")
        edns = _read_additional(buffer, arcount)
        if edns is not None and edns.malformed:
            fault = Rcode.FORMERR
        elif edns is not None and edns.version != 0:
            fault = Rcode.BADVERS  # RFC 6891 §6.1.3
        elif question.rtype == _OPT:
            fault = Rcode.FORMERR  # OPT is no type to ask for
    except MalformedMessage:
        fault = Rcode.FORMERR
    return Query(identity, opcode, rd, ad, cd, question, question_wire, edns, fault, len(message))


def _read_additional(buffer: MessageBuffer, count: int) -> Edns | None:
    """The OPT record. Not by dnslib's RR: it refuses records without data, and reads options laxly."""
    edns, misplaced = None, False
    for _ in range(count):
        owner_at = buffer.offset
        buffer.skip_name()
        is_root = buffer.offset == owner_at + 1
        rtype, rclass, ttl, length = buffer.unpack(RECORD_HEAD.format)
        rdata = buffer.get(length)
        if rtype == _OPT:
            misplaced = misplaced or edns is not None or not is_root  # RFC 6891 §6.1.1, §6.1.2
            edns = edns or read_opt(rclass, ttl, rdata)
    return replace(edns, malformed=True) if edns is not None and misplaced else edns
