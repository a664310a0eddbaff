"""Reads a query: header, question and OPT, strictly, at a cost bounded by the message's length.

A query that can be answered only with an error is still a value: its `fault` is the RCODE that it is
owed. What gets no response (responses, parts of a header) is read as None.
"""

from dataclasses import dataclass, replace
from typing import Final

from dnslib import DNSQuestion

from vpcdns.errors import MalformedMessage
from vpcdns.model.dns import Question, Rcode, RRType
from vpcdns.model.names import Name
from vpcdns.wire.buffer import MessageBuffer, read_labels, write_name
from vpcdns.wire.edns import Edns, read_opt
from vpcdns.wire.format import HEADER, HEADER_SIZE, OPCODE, OPT_SIZE, QR, RECORD_HEAD, TYPE_AND_CLASS_SIZE

_OPT: Final = int(RRType.OPT)  # plain numbers compare in half the time
MAX_ADDITIONAL: Final = 2  # an OPT, and a TSIG or SIG(0) that is not looked at


@dataclass(frozen=True, slots=True)
class Query:
    """A query, or as much of one as could be read.

    `fault` is the RCODE that it is owed when it cannot be resolved. `flags` is the header's word (RFC 1035
    §4.1.1). `question_wire` is the question section as received: it is echoed octet for octet. `size` is the
    message's, in octets.
    """

    id: int
    flags: int
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
    if flags & OPCODE:
        # The body of an opcode that we do not know is not read (RFC 8906 §8.1.4).
        return Query(identity, flags, fault=Rcode.NOTIMP, size=len(message))
    if qdcount != 1:  # RFC 9619 §4
        return Query(identity, flags, fault=Rcode.FORMERR, size=len(message))
    question, question_wire, edns, fault = None, b"", None, None
    buffer = MessageBuffer(message, HEADER_SIZE)
    try:
        parsed = DNSQuestion.parse(buffer)
        question = Question(Name(parsed.qname.label), parsed.qtype, parsed.qclass)
        question_wire = message[HEADER_SIZE : buffer.offset]
        if ancount or nscount or arcount > MAX_ADDITIONAL:
            raise MalformedMessage("a query with records")
        edns = _read_additional(buffer, arcount)
        fault = None if edns is None else edns.fault
        if question.rtype == _OPT:  # no type to ask for
            fault = fault or Rcode.FORMERR
    except MalformedMessage:
        fault = Rcode.FORMERR
    return Query(identity, flags, question, question_wire, edns, fault, len(message))


def folded(question_wire: bytes) -> bytes:
    """The same for names that differ in case only (RFC 4343). Lengths are below 64, hence no letters."""
    return question_wire[:-TYPE_AND_CLASS_SIZE].lower() + question_wire[-TYPE_AND_CLASS_SIZE:]


def name_in(question_wire: bytes) -> tuple[Name, int]:
    """The name that begins there, and the offset behind type and class. Raises MalformedMessage."""
    labels, end, _ = read_labels(bytes(HEADER_SIZE) + question_wire, HEADER_SIZE)
    return Name(tuple(labels)), end - HEADER_SIZE + TYPE_AND_CLASS_SIZE


def asking_for(name: Name, question_wire: bytes) -> bytes:
    """The same question about another name."""
    return write_name(name) + question_wire[-TYPE_AND_CLASS_SIZE:]


def _read_additional(buffer: MessageBuffer, count: int) -> Edns | None:
    """The OPT record. Not by dnslib's RR: it refuses records without data, and reads options laxly."""
    found: Edns | None = None
    for _ in range(count):
        owner_at = buffer.offset
        buffer.skip_name()
        misplaced = found is not None or buffer.offset > owner_at + 1  # RFC 6891 §6.1.1, §6.1.2
        rtype, rclass, ttl, length = buffer.unpack(RECORD_HEAD.format)
        rdata = buffer.get(length)
        if rtype == _OPT:
            found = found or read_opt(rclass, ttl, rdata)
            found = replace(found, fault=Rcode.FORMERR) if misplaced else found
    return found
