"""One response as values that can be compared, and what differs between two."""

from __future__ import annotations

import socket

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
from dns.rrset import RRset

from tests.differential.queries import Asked

DEADLINE = 5.0
SHORT_DEADLINE = 0.5  # BIND limits the rate of its answers of class CH, with silence
Seen = dict[str, object]

_BITS = {"AA": 0x0400, "TC": 0x0200, "RD": 0x0100, "RA": 0x0080, "Z": 0x0040, "AD": 0x0020, "CD": 0x0010}


def ask(asked: Asked, port: int) -> bytes | None:
    """The response to that very message; None for silence, or a closed connection."""
    kind = socket.SOCK_STREAM if asked.tcp else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.settimeout(DEADLINE if asked.rclass == 1 else SHORT_DEADLINE)
        sock.bind((asked.client, 0))
        sock.connect(("127.0.0.1", port))
        try:
            if not asked.tcp:
                sock.send(asked.octets)
                return sock.recv(65535)
            sock.sendall(len(asked.octets).to_bytes(2, "big") + asked.octets)
            with sock.makefile("rb") as stream:
                length = stream.read(2)
                return stream.read(int.from_bytes(length, "big")) if length else None
        except (TimeoutError, ConnectionResetError):
            return None


def seen(asked: Asked, octets: bytes | None) -> Seen:
    """What a response says, TTLs apart from the records; additional records are the OPT's only."""
    if octets is None:
        return {"response": "none"}
    try:
        message = dns.message.from_wire(octets)
    except dns.exception.DNSException as error:
        return {"response": f"unreadable: {error!r}"}
    flags = int.from_bytes(octets[2:4], "big")
    return {
        "response": "one",
        "id": octets[:2] == asked.octets[:2],
        "QR": bool(flags & 0x8000),
        "opcode": dns.opcode.to_text(message.opcode()),
        "rcode": dns.rcode.to_text(message.rcode()),
        **{bit: bool(flags & value) for bit, value in _BITS.items()},
        "question": octets[12 : 12 + asked.name.size + 4] if message.question else b"",
        "answer": _records(message.answer),
        "answer TTL": _ttls(message.answer),
        "authority": _records(message.authority),
        "authority TTL": _ttls(message.authority),
        "additional": _records(message.additional),
        "EDNS": message.edns,
        "DO": bool(message.ednsflags & dns.flags.DO),
        "EDNS Z": message.ednsflags & 0x7FFF,
        "options": {int(option.otype): option.to_wire() for option in message.options if option.otype != 15},
    }


def differing(ours: Seen, theirs: Seen) -> set[str]:
    if ours["response"] != theirs["response"]:
        return {"response"}
    return {field for field in ours if ours[field] != theirs[field]}


def _records(section: list[RRset]) -> frozenset[str]:
    return frozenset(
        f"{rrset.name.to_text().lower()} {dns.rdatatype.to_text(rrset.rdtype)} {rdata.to_text().lower()}"
        for rrset in section
        for rdata in rrset
    )


def _ttls(section: list[RRset]) -> frozenset[int]:
    return frozenset(rrset.ttl for rrset in section)
