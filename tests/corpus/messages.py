"""Messages, octet by octet: well formed if their parts are, and not if a case wants them otherwise.

Knows the wire format (RFC 1035 §4.1) by itself, so that what is recorded hangs on no library.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

_TYPES: Final = (
    "A 1 NS 2 MD 3 CNAME 5 SOA 6 MB 7 NULL 10 PTR 12 HINFO 13 MINFO 14 MX 15 TXT 16 RP 17 AFSDB 18 RT 21 "
    "PX 26 AAAA 28 LOC 29 SRV 33 NAPTR 35 KX 36 DNAME 39 OPT 41 DS 43 SSHFP 44 RRSIG 46 NSEC 47 DNSKEY 48 "
    "NSEC3 50 TLSA 52 SVCB 64 HTTPS 65 SPF 99 TKEY 249 TSIG 250 IXFR 251 AXFR 252 MAILB 253 ANY 255 URI 256 "
    "CAA 257"
)
TYPES: Final = {name: int(number) for name, number in zip(*[iter(_TYPES.split())] * 2, strict=True)}
CLASSES: Final = {"IN": 1, "CH": 3, "HS": 4, "NONE": 254, "ANY": 255}
UPSTREAM_ID: Final = 0x7A7A  # of every query that goes to upstreams
QR, AA, TC, RD, RA, Z, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0040, 0x0020, 0x0010
NSID, SUBNET, EXPIRE, COOKIE, KEEPALIVE, PADDING, EXTENDED_ERROR = 3, 8, 9, 10, 11, 12, 15


def labels(name: str) -> list[bytes]:
    """The labels of a name without escapes; the root has none."""
    return [label.encode("latin-1") for label in name.split(".") if label]


def wire(name: str) -> bytes:
    """A name, uncompressed; a label may be too long for one."""
    return b"".join(bytes((len(label),)) + label for label in labels(name)) + b"\0"


def pointer(offset: int) -> bytes:
    return struct.pack("!H", 0xC000 | offset)


def header(
    identity: int = 0x1234, flags: int = RD, qd: int = 1, an: int = 0, ns: int = 0, ar: int = 0
) -> bytes:
    return struct.pack("!6H", identity, flags, qd, an, ns, ar)


def type_of(rtype: str | int) -> int:
    return rtype if isinstance(rtype, int) else TYPES[rtype]


def question(name: str | bytes, rtype: str | int = "A", rclass: int = 1) -> bytes:
    """A question; a name that is octets is taken as it is."""
    octets = name if isinstance(name, bytes) else wire(name)
    return octets + struct.pack("!HH", type_of(rtype), rclass)


def option(code: int, data: bytes = b"") -> bytes:
    return struct.pack("!HH", code, len(data)) + data


def subnet(family: int, source: int, octets: bytes, scope: int = 0) -> bytes:
    """A client subnet (RFC 7871 §6)."""
    return option(SUBNET, struct.pack("!HBB", family, source, scope) + octets)


def opt(
    options: bytes = b"",
    size: int = 1232,
    *,
    version: int = 0,
    do: bool = False,
    rcode: int = 0,
    z: int = 0,
    owner: bytes = b"\0",
) -> bytes:
    """An OPT record (RFC 6891 §6.1.2)."""
    ttl = rcode << 24 | version << 16 | do << 15 | z
    return owner + struct.pack("!HHIH", 41, size, ttl, len(options)) + options


def query(
    name: str | bytes,
    rtype: str | int = "A",
    edns: bytes = b"",
    *,
    rclass: int = 1,
    flags: int = RD,
    identity: int = 0x1234,
) -> bytes:
    """A query; `edns` is an OPT record, or empty."""
    return header(identity, flags, ar=bool(edns)) + question(name, rtype, rclass) + edns


@dataclass(frozen=True, slots=True)
class RR:
    """A record. `data` is octets, and names between them; octets for an owner are taken as they are."""

    owner: str | bytes
    rtype: str | int
    data: Sequence[bytes | str]
    ttl: int = 300
    rclass: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """An upstream's response before it is octets. `squeeze` says how names are compressed.

    0 not at all, 1 owners only when they are the question's, 2 wherever RFC 1035 lets them be.
    """

    name: str | bytes
    rtype: str | int = "A"
    answers: tuple[RR, ...] = ()
    authority: tuple[RR, ...] = ()
    additional: tuple[RR, ...] = ()
    edns: bytes = b""
    behind: tuple[RR, ...] = ()  # records behind the OPT record
    flags: int = QR | RD | RA
    rclass: int = 1
    squeeze: int = 2

    def octets(self, identity: int) -> bytes:
        body = bytearray(question(self.name, self.rtype, self.rclass))
        places: dict[tuple[bytes, ...], int] = {}
        if self.squeeze and isinstance(self.name, str):
            _remember(labels(self.name), 12, places)
        for record in (*self.answers, *self.authority, *self.additional):
            self._add(record, body, places)
        body += self.edns
        for record in self.behind:
            self._add(record, body, places)
        counts = (len(self.answers), len(self.authority))
        additional = len(self.additional) + bool(self.edns) + len(self.behind)
        return header(identity, self.flags, 1, *counts, additional) + bytes(body)

    def to(self, name: str | bytes, rtype: str | int, rclass: int = 1) -> Answer:
        """The same response to another question, whose records keep their owners."""
        return replace(self, name=name, rtype=rtype, rclass=rclass)

    def _add(self, record: RR, body: bytearray, places: dict[tuple[bytes, ...], int]) -> None:
        self._name(record.owner, body, places, squeeze=self.squeeze > 0, learn=self.squeeze > 1)
        body += struct.pack("!HHI", type_of(record.rtype), record.rclass, record.ttl)
        at = len(body)
        body += b"\0\0"
        for part in record.data:
            if isinstance(part, bytes):
                body += part
            else:
                deep = self.squeeze > 1 and type_of(record.rtype) <= 33
                self._name(part, body, places, squeeze=deep, learn=deep)
        struct.pack_into("!H", body, at, len(body) - at - 2)

    def _name(
        self,
        name: str | bytes,
        body: bytearray,
        places: dict[tuple[bytes, ...], int],
        *,
        squeeze: bool,
        learn: bool,
    ) -> None:
        if isinstance(name, bytes):
            body += name
            return
        rest = labels(name)
        while rest:
            place = places.get(tuple(rest))
            if squeeze and place is not None:
                body += pointer(place)
                return
            if learn and 12 + len(body) < 0x4000:
                places[tuple(rest)] = 12 + len(body)
            label = rest.pop(0)
            body.append(len(label))
            body += label
        body.append(0)


def _remember(parts: list[bytes], offset: int, places: dict[tuple[bytes, ...], int]) -> None:
    for start, label in enumerate(parts):
        places.setdefault(tuple(parts[start:]), offset)
        offset += 1 + len(label)


def flipped(octets: bytes, bits: Iterable[int]) -> bytes:
    """With some bits, counted from the first octet's highest, turned over."""
    found = bytearray(octets)
    for bit in bits:
        found[bit // 8] ^= 0x80 >> bit % 8
    return bytes(found)
