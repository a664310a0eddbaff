"""One DNS query over UDP, or TCP when the answer is cut, as a client in some VPC would ask it.

Knows just enough of the wire format: a question, a client subnet, and the answer section's addresses.
"""

from __future__ import annotations

import secrets
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from vpcdns.errors import MalformedMessage
from vpcdns.model.dns import Question, Rcode, RRType, type_number, type_text
from vpcdns.model.names import Name
from vpcdns.wire.relay import Relayed, RelayedRecord, answers_question, cname_target, read_response
from vpcdns.wire.stub import question_wire

_SUBNET: Final = 8  # RFC 7871
_EXTENDED_ERROR_TEXT: Final = 2  # octets of info-code before it (RFC 8914 §2)
_PAYLOAD: Final = 1232


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `rcode` is None when nothing did.

    `addresses` are those of the answer section, `records` all of it as text, `explanation` the extended
    error's.
    """

    rcode: str | None
    addresses: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    explanation: str = ""


def ask(server: tuple[str, int], name: str, rtype: str, client: str | None, timeout: float) -> Answer:
    """Asks once; `client` is the address to ask as, which the server must believe us."""
    identity = secrets.randbelow(0x10000)
    question = question_wire(Question(Name.from_text(name), type_number(rtype)))
    options = b"" if client is None else _subnet(client)
    opt = b"\0" + struct.pack("!HHIH", RRType.OPT, _PAYLOAD, 0, len(options)) + options
    message = struct.pack("!6H", identity, 0x0100, 1, 0, 0, 1) + question + opt
    with suppress(TimeoutError, ConnectionError):
        relayed = _over_udp(server, message, question, timeout)
        if relayed is not None and relayed.truncated:
            relayed = _over_tcp(server, message, timeout)
        if relayed is not None:
            return _answer(relayed)
    return Answer(None)


def _subnet(client: str) -> bytes:
    address = ip_address(client)
    family = 1 if address.version == 4 else 2
    data = struct.pack("!HBB", family, address.max_prefixlen, 0) + address.packed
    return struct.pack("!HH", _SUBNET, len(data)) + data


def _over_udp(server: tuple[str, int], message: bytes, question: bytes, timeout: float) -> Relayed | None:
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.connect(server)
        sock.send(message)
        while True:
            octets = sock.recv(65535)
            with suppress(MalformedMessage):
                if answers_question(octets, int.from_bytes(message[:2], "big"), question):
                    return read_response(octets)


def _over_tcp(server: tuple[str, int], message: bytes, timeout: float) -> Relayed | None:
    with socket.create_connection(server, timeout) as sock, sock.makefile("rb") as stream:
        sock.sendall(len(message).to_bytes(2, "big") + message)
        length = int.from_bytes(stream.read(2), "big")
        return read_response(stream.read(length)) if length else None


def _answer(relayed: Relayed) -> Answer:
    records = [record for record in relayed.records if record.section == 0]
    texts = [_text(relayed, record) for record in records]
    addresses = tuple(
        text.partition(" ")[2]
        for record, text in zip(records, texts, strict=True)
        if record.rtype in (RRType.A, RRType.AAAA)
    )
    explained = [error[_EXTENDED_ERROR_TEXT:].decode("utf-8", "replace") for error in relayed.extended_errors]
    known = relayed.rcode in {int(rcode) for rcode in Rcode}
    rcode = Rcode(relayed.rcode).name if known else f"RCODE{relayed.rcode}"
    return Answer(rcode, addresses, tuple(texts), "; ".join(explained))


def _text(relayed: Relayed, record: RelayedRecord) -> str:
    """`A 10.1.8.20`, `CNAME target`; of other types the octets in hexadecimal."""
    rdata = relayed.octets[record.rdata_at : record.end]
    match record.rtype:
        case RRType.A:
            return f"A {IPv4Address(rdata)}"
        case RRType.AAAA:
            return f"AAAA {IPv6Address(rdata)}"
        case RRType.CNAME:
            return f"CNAME {cname_target(relayed, record)}"
        case _:
            return f"{type_text(record.rtype)} {rdata.hex()}"
