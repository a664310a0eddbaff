"""Reads a query: header, question and OPT, strictly, at a cost bounded by the message's length.

A query that can be answered only with an error is still a value: its `fault` is the RCODE that it is
owed. What is owed nothing (responses, fragments of a header) reads as None.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from vpcdns.errors import MalformedMessage
from vpcdns.model.dns import Question, Rcode, RRType
from vpcdns.model.names import MAX_LABEL, MAX_NAME, Name
from vpcdns.model.topology import Address

HEADER: Final = struct.Struct("!6H")
QR: Final = 0x8000
OPCODE: Final = 0x7800
RD: Final = 0x0100
AD: Final = 0x0020
CD: Final = 0x0010
DO: Final = 0x8000  # in the OPT record's flags (RFC 3225)

MAX_OPTIONS: Final = 16  # long option lists burn CPU elsewhere (CVE-2026-41292); real clients send 0 to 4
MAX_ADDITIONAL: Final = 2  # an OPT, and a TSIG or SIG(0) that is not looked at
MIN_UDP_PAYLOAD: Final = 512  # RFC 6891 §6.2.3: less counts as this

OPTION_NSID: Final = 3  # RFC 5001
OPTION_CLIENT_SUBNET: Final = 8  # RFC 7871
OPTION_COOKIE: Final = 10  # RFC 7873
OPTION_KEEPALIVE: Final = 11  # RFC 7828

_QUESTION_TAIL: Final = struct.Struct("!HH")
_RECORD_HEAD: Final = struct.Struct("!HHIH")
_OPTION_HEAD: Final = struct.Struct("!HH")
_SUBNET_HEAD: Final = struct.Struct("!HBB")
_SUBNET_FAMILIES: Final = {0: 0, 1: 32, 2: 128}  # 0: `dig +subnet=0`, "do not use my address"


@dataclass(frozen=True, slots=True)
class ClientSubnet:
    """The client that a forwarder names (RFC 7871 §6). `option` is the option's data as received."""

    option: bytes
    source_prefix: int
    address: Address | None

    def echo(self) -> bytes:
        """The option of the response: SCOPE equals SOURCE, as the answer holds for no more than that."""
        return self.option[:3] + bytes((self.source_prefix,)) + self.option[4:]


@dataclass(frozen=True, slots=True)
class Edns:
    """The query's OPT record (RFC 6891); of options that come twice the first counts.

    `malformed` when its options, or its place, break the format: the query is owed FORMERR, but with an
    OPT record of ours, or the client would learn that we do not know EDNS (RFC 6891 §6.1.1, §7).
    """

    payload_size: int
    version: int
    do: bool
    options: tuple[tuple[int, bytes], ...] = ()
    client_subnet: ClientSubnet | None = None
    malformed: bool = False

    def has(self, code: int) -> bool:
        return any(option == code for option, _ in self.options)


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


def read_query(message: bytes) -> Query | None:
    """Reads one message; None when it is owed no response at all (security.md §2)."""
    if len(message) < HEADER.size:
        return None
    identity, flags, qdcount, ancount, nscount, arcount = HEADER.unpack_from(message)
    if flags & QR:
        return None  # answering responses makes two servers talk for ever
    opcode, rd, ad, cd = flags >> 11 & 0xF, bool(flags & RD), bool(flags & AD), bool(flags & CD)
    if opcode != 0:
        # The body of an opcode that we do not know is not read (RFC 8906 §8.1.4).
        return Query(identity, opcode, rd, ad, cd, fault=Rcode.NOTIMP, size=len(message))
    question, question_wire, edns = None, b"", None
    fault: Rcode | None = None
    try:
        if qdcount != 1:  # RFC 9619 §4
            raise MalformedMessage("QDCOUNT is not 1")
        question, end = _read_question(message)
        question_wire = message[HEADER.size : end]
        if ancount or nscount or arcount > MAX_ADDITIONAL:
            raise MalformedMessage("a query with records")
        edns = _read_additional(message, end, arcount)
        if edns is not None and edns.malformed:
            fault = Rcode.FORMERR
        elif edns is not None and edns.version != 0:
            fault = Rcode.BADVERS  # RFC 6891 §6.1.3
        elif question.rtype == RRType.OPT:
            fault = Rcode.FORMERR  # OPT is no type to ask for
    except MalformedMessage:
        fault = Rcode.FORMERR
    return Query(identity, opcode, rd, ad, cd, question, question_wire, edns, fault, len(message))


def _read_question(message: bytes) -> tuple[Question, int]:
    name, offset = read_name(message, HEADER.size)
    if offset + _QUESTION_TAIL.size > len(message):
        raise MalformedMessage("the question is cut short")
    rtype, rclass = _QUESTION_TAIL.unpack_from(message, offset)
    return Question(name, rtype, rclass), offset + _QUESTION_TAIL.size


def read_name(message: bytes, offset: int) -> tuple[Name, int]:
    """An uncompressed name, and the offset behind it; raises MalformedMessage.

    In a question there is nothing before it that a pointer could point to.
    """
    start, labels = offset, []
    while True:
        if offset >= len(message):
            raise MalformedMessage("a name is cut short")
        length = message[offset]
        offset += 1
        if length == 0:
            break
        if length > MAX_LABEL:
            raise MalformedMessage("a compression pointer or an unknown label type")
        if offset + length > len(message) or offset + length - start >= MAX_NAME:
            raise MalformedMessage("a name is cut short or too long")
        labels.append(message[offset : offset + length])
        offset += length
    return Name(tuple(labels)), offset


def _read_additional(message: bytes, offset: int, count: int) -> Edns | None:
    edns = None
    for _ in range(count):
        is_root = offset < len(message) and message[offset] == 0
        offset = skip_name(message, offset)
        if offset + _RECORD_HEAD.size > len(message):
            raise MalformedMessage("a record is cut short")
        rtype, rclass, ttl, length = _RECORD_HEAD.unpack_from(message, offset)
        offset += _RECORD_HEAD.size
        if offset + length > len(message):
            raise MalformedMessage("a record's data is cut short")
        if rtype == RRType.OPT:
            second = edns is not None
            edns = edns or _read_opt(rclass, ttl, message[offset : offset + length])
            if second or not is_root:  # RFC 6891 §6.1.1, §6.1.2
                edns = replace(edns, malformed=True)
        offset += length
    return edns


def skip_name(message: bytes, offset: int) -> int:
    """The offset behind a name, whose pointers are not followed; raises MalformedMessage."""
    start = offset
    while offset < len(message) and offset - start < MAX_NAME:
        length = message[offset]
        if length == 0:
            return offset + 1
        if length >= 0xC0:
            return offset + 2
        if length > MAX_LABEL:
            break
        offset += 1 + length
    raise MalformedMessage("a name is cut short or has an unknown label type")


def _read_opt(rclass: int, ttl: int, rdata: bytes) -> Edns:
    payload_size, version, do = max(rclass, MIN_UDP_PAYLOAD), ttl >> 16 & 0xFF, bool(ttl & DO)
    if version != 0:
        return Edns(payload_size, version, do)  # what the data of another version means is not known
    try:
        return _read_options(payload_size, do, rdata)
    except MalformedMessage:
        return Edns(payload_size, version, do, malformed=True)


def _read_options(payload_size: int, do: bool, rdata: bytes) -> Edns:
    options = read_opt_options(rdata)
    cookie = options.get(OPTION_COOKIE)
    if cookie is not None and len(cookie) != 8 and not 16 <= len(cookie) <= 40:
        raise MalformedMessage("a cookie of a length that there is not")  # RFC 7873 §5.2.2
    subnet = options.get(OPTION_CLIENT_SUBNET)
    client_subnet = None if subnet is None else _read_client_subnet(subnet)
    return Edns(payload_size, 0, do, tuple(options.items()), client_subnet)


def read_opt_options(rdata: bytes) -> dict[int, bytes]:
    """The options of an OPT record's data, the first of each code; raises MalformedMessage."""
    options: dict[int, bytes] = {}
    offset = count = 0
    while offset < len(rdata):
        if offset + _OPTION_HEAD.size > len(rdata):
            raise MalformedMessage("an EDNS option is cut short")
        code, length = _OPTION_HEAD.unpack_from(rdata, offset)
        offset += _OPTION_HEAD.size
        count += 1
        if offset + length > len(rdata) or count > MAX_OPTIONS:
            raise MalformedMessage("an EDNS option overruns its record, or there are too many")
        options.setdefault(code, rdata[offset : offset + length])
        offset += length
    return options


def _read_client_subnet(option: bytes) -> ClientSubnet:
    """RFC 7871 §6: exactly as many octets as the prefix needs, the rest of the last one zero."""
    if len(option) < _SUBNET_HEAD.size:
        raise MalformedMessage("a client subnet is cut short")
    family, source, scope = _SUBNET_HEAD.unpack_from(option)
    width, octets = _SUBNET_FAMILIES.get(family), option[_SUBNET_HEAD.size :]
    if width is None or source > width or scope != 0 or len(octets) != (source + 7) // 8:
        raise MalformedMessage("a client subnet of no known form")
    if source % 8 and octets[-1] & (0xFF >> source % 8):
        raise MalformedMessage("a client subnet with bits behind its prefix")
    if source == 0:
        return ClientSubnet(option, 0, None)  # RFC 7871 §7.1.2: the client wants no subnet used
    number = octets.ljust(width // 8, b"\0")
    return ClientSubnet(option, source, IPv4Address(number) if width == 32 else IPv6Address(number))
