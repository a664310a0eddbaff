"""PROXY protocol v2: how a proxy in front of us names the real client.

Knows the header's octets (https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt §2.2). Whether a
peer may name clients is for the model.
"""

import struct
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from vpcdns.errors import MalformedMessage
from vpcdns.model.topology import Address, unmapped

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
HEADER_SIZE: Final = 16
MAX_SIZE: Final = 536  # header, the longest address block (UNIX sockets) and room for TLVs
_HEAD: Final = struct.Struct("!12sBBH")
_LOCAL, _PROXY = 0, 1
_WIDTHS: Final = {1: 4, 2: 16}  # octets of an address, by family: AF_INET, AF_INET6


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """`size` is of the whole header in octets; `source` is None when the proxy speaks for itself."""

    size: int
    source: Address | None


def read_proxy(octets: bytes) -> ProxyHeader | None:
    """The header that `octets` begin with; None: there is none, or it is not complete yet.

    Raises MalformedMessage for a header that cannot be used.
    """
    if len(octets) < HEADER_SIZE or not octets.startswith(SIGNATURE):
        return None
    _, version_command, family_protocol, length = _HEAD.unpack_from(octets)
    version, command, size = version_command >> 4, version_command & 0xF, HEADER_SIZE + length
    if version != 2 or command not in (_LOCAL, _PROXY) or size > MAX_SIZE:
        raise MalformedMessage("a PROXY header of another version or size")
    if len(octets) < size:
        return None
    if command == _LOCAL:
        return ProxyHeader(size, None)
    width = _WIDTHS.get(family_protocol >> 4)
    if width is None:
        return ProxyHeader(size, None)  # AF_UNSPEC, AF_UNIX: §2.2 has the receiver use the real connection
    if length < 2 * (width + 2):  # the client that it means is not the proxy itself
        raise MalformedMessage("a PROXY header too short for its addresses")
    return ProxyHeader(size, unmapped(ip_address(octets[HEADER_SIZE : HEADER_SIZE + width])))
