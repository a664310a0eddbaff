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
from vpcdns.model.dns import ExtendedError, Rcode
from vpcdns.model.topology import Prefix
from vpcdns.wire import format as fmt
from vpcdns.wire.buffer import MessageBuffer

MAX_OPTIONS: Final = 16  # long option lists burn CPU elsewhere (CVE-2026-41292); real clients send 0 to 4
_OPTION_HEAD: Final = struct.Struct("!HH")
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
    """The query's OPT record; if an option comes twice, the first one counts.

    `fault` is the RCODE that the query is owed for its OPT record: BADVERS, or FORMERR where its options or
    its place break the format. The response has an OPT record of ours even so, or the client would learn that
    we do not know EDNS (RFC 6891 §6.1.1, §7).
    """

    payload_size: int
    do: bool
    options: Options = ()
    client_subnet: ClientSubnet | None = None
    fault: Rcode | None = None

    def has(self, code: int) -> bool:
        return any(option == code for option, _ in self.options)


def read_opt(rclass: int, ttl: int, rdata: bytes) -> Edns:
    """An OPT record, by its class, TTL and data."""
    payload_size, do = max(rclass, fmt.MIN_UDP_PAYLOAD), bool(ttl & fmt.DO)
    if ttl >> 16 & 0xFF:  # RFC 6891 §6.1.3; what the data of another version means is not known
        return Edns(payload_size, do, fault=Rcode.BADVERS)
    try:
        options = read_options(rdata)
        cookie = options.get(fmt.OPTION_COOKIE)
        if cookie is not None and len(cookie) != 8 and not 16 <= len(cookie) <= 40:
            raise MalformedMessage("a cookie of an impossible length")  # RFC 7873 §5.2.2
        subnet = options.get(fmt.OPTION_CLIENT_SUBNET)
        client_subnet = None if subnet is None else _read_client_subnet(subnet)
    except MalformedMessage:
        return Edns(payload_size, do, fault=Rcode.FORMERR)
    return Edns(payload_size, do, tuple(options.items()), client_subnet)


def read_options(rdata: bytes) -> dict[int, bytes]:
    """The options of an OPT record's data, the first of each code; raises MalformedMessage."""
    options: dict[int, bytes] = {}
    at = count = 0
    while at + _OPTION_HEAD.size <= len(rdata) and count <= MAX_OPTIONS:
        code, length = _OPTION_HEAD.unpack_from(rdata, at)
        at, count = at + _OPTION_HEAD.size + length, count + 1
        options.setdefault(code, rdata[at - length : at])
    if at != len(rdata) or count > MAX_OPTIONS:
        raise MalformedMessage("EDNS options that are cut short, or too many")
    return options


def _read_client_subnet(option: bytes) -> ClientSubnet:
    """RFC 7871 §6: exactly as many octets as the prefix needs, the rest of the last one zero."""
    buffer = MessageBuffer(option)
    family, source, scope = buffer.unpack("!HBB")
    width, octets = _SUBNET_FAMILIES.get(family), option[buffer.offset :]
    if width is None or source > width or scope != 0 or len(octets) != (source + 7) // 8:
        raise MalformedMessage("a client subnet of no known form")
    if source % 8 and octets[-1] & (0xFF >> source % 8):
        raise MalformedMessage("a client subnet with bits behind its prefix")
    if source == 0:
        return ClientSubnet(option, None)  # RFC 7871 §7.1.2: the client wants no subnet used
    number = int.from_bytes(octets.ljust(width // 8, b"\0"), "big")
    if width == 32:
        return ClientSubnet(option, IPv4Network((number, source)))
    mapped = IPv6Address(number).ipv4_mapped if source >= 96 else None
    network = IPv6Network((number, source)) if mapped is None else IPv4Network((mapped, source - 96))
    return ClientSubnet(option, network)


def write_opt(edns: Edns | None, rcode: int, options: Options) -> bytes:
    """Our OPT record, if the query had one (RFC 6891 §7); DO is copied (RFC 3225 §3)."""
    return b"" if edns is None else _opt(rcode >> 4, edns.do, options)


@lru_cache(maxsize=1024)
def _opt(extended_rcode: int, do: bool, options: Options) -> bytes:
    # DO is given here: dnslib's setter would take the extended RCODE away.
    listed = [EDNSOption(code, data) for code, data in options]
    flags, size = "do" if do else "", fmt.MAX_UDP_PAYLOAD
    EDNS0(ext_rcode=extended_rcode, flags=flags, udp_len=size, opts=listed).pack(buffer := MessageBuffer())
    return bytes(buffer.data)


def keepalive(seconds: int) -> tuple[int, bytes]:
    """The option that says how long a connection may be idle (RFC 7828 §3.1), in tenths of a second."""
    return fmt.OPTION_KEEPALIVE, (seconds * 10).to_bytes(2, "big")


def without_text(extended_error: bytes) -> bytes:
    """An extended error's data, cut to its INFO-CODE (RFC 8914 §2)."""
    return extended_error[: fmt.INFO_CODE_SIZE]


def shrinking(error: ExtendedError | None) -> list[Options]:
    """An extended error as an option, and what is left of it as room runs out (RFC 8914 §3)."""
    if error is None:
        return [()]
    code = error.info_code.to_bytes(fmt.INFO_CODE_SIZE, "big")
    return [((fmt.OPTION_EXTENDED_ERROR, data),) for data in (code + error.text.encode(), code)] + [()]
