"""The OPT record (RFC 6891): read strictly, written by dnslib.

Knows the options that vpcdns understands; whether one is used is not decided here. Lists of options are read
by our own code: dnslib loses a last option without data, and lets up to four octets of garbage pass.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import Final

from dnslib import EDNS0, EDNSOption

from vpcdns.errors import MalformedMessage
from vpcdns.model.dns import ExtendedError
from vpcdns.model.topology import Prefix
from vpcdns.wire.buffer import MessageBuffer
from vpcdns.wire.format import (
    DO,
    MAX_UDP_PAYLOAD,
    MIN_UDP_PAYLOAD,
    OPTION_CLIENT_SUBNET,
    OPTION_COOKIE,
    OPTION_EXTENDED_ERROR,
)

MAX_OPTIONS: Final = 16  # long option lists burn CPU elsewhere (CVE-2026-41292); real clients send 0 to 4
_OPTION_HEAD: Final = struct.Struct("!HH")
_SUBNET_HEAD: Final = struct.Struct("!HBB")
_SUBNET_FAMILIES: Final = {0: 0, 1: 32, 2: 128}  # 0: `dig +subnet=0`, "do not use my address"

Options = tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class ClientSubnet:
    """The client that a forwarder names (RFC 7871 §6). `option` is the option's data as received."""

    option: bytes
    prefix: Prefix | None

    def echo(self, scope: int | None = None) -> bytes:
        """The option of the response: SCOPE equals SOURCE, as the answer holds for no more than that.

        Or is longer, where no answer can be given for so wide a subnet (RFC 7871 §7.2.1).
        """
        source = self.option[2]
        if scope is not None and self.prefix is not None and source > self.prefix.prefixlen:
            scope += source - self.prefix.prefixlen  # IPv4-mapped
        return self.option[:3] + bytes((source if scope is None else scope,)) + self.option[4:]


@dataclass(frozen=True, slots=True)
class Edns:
    """The query's OPT record; of options that come twice the first counts.

    `malformed` when its options, or its place, break the format: the query is owed FORMERR, but with an
    OPT record of ours, or the client would learn that we do not know EDNS (RFC 6891 §6.1.1, §7).
    """

    payload_size: int
    version: int
    do: bool
    options: Options = ()
    client_subnet: ClientSubnet | None = None
    malformed: bool = False

    def has(self, code: int) -> bool:
        return any(option == code for option, _ in self.options)


def read_opt(rclass: int, ttl: int, rdata: bytes) -> Edns:
    """An OPT record, by its class, TTL and data."""
    payload_size, version, do = max(rclass, MIN_UDP_PAYLOAD), ttl >> 16 & 0xFF, bool(ttl & DO)
    if version != 0 or not rdata:
        return Edns(payload_size, version, do)  # what the data of another version means is not known
    try:
        options = read_options(rdata)
        cookie = options.get(OPTION_COOKIE)
        if cookie is not None and len(cookie) != 8 and not 16 <= len(cookie) <= 40:
            raise MalformedMessage("a cookie of a length that there is not")  # RFC 7873 §5.2.2
        subnet = options.get(OPTION_CLIENT_SUBNET)
        client_subnet = None if subnet is None else _read_client_subnet(subnet)
    except MalformedMessage:
        return Edns(payload_size, version, do, malformed=True)
    return Edns(payload_size, 0, do, tuple(options.items()), client_subnet)


def read_options(rdata: bytes) -> dict[int, bytes]:
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
        return ClientSubnet(option, None)  # RFC 7871 §7.1.2: the client wants no subnet used
    number = int.from_bytes(octets.ljust(width // 8, b"\0"), "big")
    mapped = IPv6Address(number).ipv4_mapped if width == 128 and source >= 96 else None
    if mapped is not None:
        return ClientSubnet(option, IPv4Network((mapped, source - 96)))
    return ClientSubnet(
        option, IPv4Network((number, source)) if width == 32 else IPv6Network((number, source))
    )


def write_opt(edns: Edns | None, rcode: int, options: Options, error: ExtendedError | None = None) -> bytes:
    """Our OPT record, if the query had one (RFC 6891 §7); DO is copied (RFC 3225 §3)."""
    if edns is None:
        return b""
    if error is not None:
        text = error.info_code.to_bytes(2, "big") + error.text.encode()
        options = (*options, (OPTION_EXTENDED_ERROR, text))
    return _opt(rcode >> 4, edns.do, options)


@lru_cache(maxsize=1024)
def _opt(extended_rcode: int, do: bool, options: Options) -> bytes:
    # DO is given here: dnslib's setter would take the extended RCODE away.
    listed = [EDNSOption(code, data) for code, data in options]
    record = EDNS0(ext_rcode=extended_rcode, flags="do" if do else "", udp_len=MAX_UDP_PAYLOAD, opts=listed)
    record.pack(buffer := MessageBuffer())
    return bytes(buffer.data)


def shrinking(error: ExtendedError | None) -> tuple[ExtendedError | None, ...]:
    """An extended error, and what is left of it as room runs out."""
    return (None,) if error is None else (error, ExtendedError(error.info_code), None)
