"""Messages put together octet by octet, so that they can be as wrong as a test wants."""

from __future__ import annotations

import struct
from ipaddress import ip_address

from vpcdns.wire.proxy import SIGNATURE

OPT_HEAD = b"\0\0\x29\x04\xd0\0\0\0\0"


def header(flags: int = 0x0100, qd: int = 1, an: int = 0, ns: int = 0, ar: int = 0) -> bytes:
    return struct.pack("!6H", 0xBEEF, flags, qd, an, ns, ar)


def opt(rdata: bytes = b"", head: bytes = OPT_HEAD) -> bytes:
    return head + struct.pack("!H", len(rdata)) + rdata


def option(code: int, data: bytes) -> bytes:
    return struct.pack("!HH", code, len(data)) + data


def proxy_header(
    source: str = "10.1.0.5", *, command: int = 0x21, protocol: int = 2, extra: bytes = b"", family: int = 0
) -> bytes:
    address = ip_address(source)
    family = family or (1 if address.version == 4 else 2)
    block = address.packed + address.packed + struct.pack("!HH", 40_000, 53) + extra
    return SIGNATURE + bytes((command, family << 4 | protocol)) + struct.pack("!H", len(block)) + block
