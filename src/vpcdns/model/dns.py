"""The words of DNS that decisions are made of: questions, records, response codes.

Knows the numbers of the IANA registries, not the octets: `wire` writes those. A type or class that
has no name here is its plain number.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from vpcdns.model.names import Name, escaped


class Rcode(IntEnum):
    """Response codes (RFC 6895 §2.3); those above 15 need an OPT record."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    BADVERS = 16


class RRType(IntEnum):
    """Types that vpcdns treats or names; every other is a plain number (RFC 3597)."""

    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    PTR = 12
    MX = 15
    TXT = 16
    AAAA = 28
    SRV = 33
    NAPTR = 35
    DNAME = 39
    OPT = 41
    DS = 43
    RRSIG = 46
    NSEC = 47
    DNSKEY = 48
    SVCB = 64
    HTTPS = 65
    CAA = 257
    TKEY = 249
    TSIG = 250
    IXFR = 251
    AXFR = 252
    ANY = 255


class RRClass(IntEnum):
    IN = 1
    CH = 3
    HS = 4
    NONE = 254
    ANY = 255


class InfoCode(IntEnum):
    """Extended DNS error codes (RFC 8914 §4)."""

    OTHER = 0
    STALE_ANSWER = 3
    CACHED_ERROR = 13
    NOT_READY = 14
    PROHIBITED = 18
    STALE_NXDOMAIN_ANSWER = 19
    NOT_AUTHORITATIVE = 20
    NO_REACHABLE_AUTHORITY = 22
    NETWORK_ERROR = 23


def type_text(rtype: int) -> str:
    """`A`, or `TYPE1000` for a type without a name here (RFC 3597 §5)."""
    return RRType(rtype).name if rtype in _TYPES else f"TYPE{rtype}"


def type_number(text: str) -> int:
    """The number of `A`, `aaaa` or `TYPE1000`; raises ValueError for anything else."""
    word = text.upper()
    if word in RRType.__members__:
        return int(RRType[word])
    if word.startswith("TYPE") and word[4:].isdigit() and int(word[4:]) < 65536:
        return int(word[4:])
    raise ValueError(f"{text!r} is no record type: write A, AAAA, TXT, … or TYPE and its number")


_QUOTED: Final = b'"\\'  # escaped in a character string
_TYPES: Final = frozenset(int(member) for member in RRType)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked (RFC 1035 §4.1.2); the name keeps the client's case."""

    name: Name
    rtype: int
    rclass: int = RRClass.IN


@dataclass(frozen=True, slots=True)
class Soa:
    """SOA RDATA (RFC 1035 §3.3.13); times in seconds, the serial 32 bits."""

    mname: Name
    rname: Name
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int


@dataclass(frozen=True, slots=True)
class Octets:
    """RDATA of any type as octets, names in it uncompressed; `text` is its presentation format."""

    octets: bytes
    text: str = field(default="", compare=False)


Rdata = IPv4Address | IPv6Address | Name | Soa | Octets | tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record of class IN or CH.

    `rdata` is an address for A and AAAA, a Name for CNAME, NS and PTR, a Soa for SOA, strings
    of at most 255 octets for TXT, or Octets for whatever else. `ttl` is in seconds.
    """

    name: Name
    rtype: int
    ttl: int
    rdata: Rdata
    rclass: int = RRClass.IN

    def rdata_text(self, *, final_dots: bool = True) -> str:
        """The RDATA in presentation format; its names may be without their final dots."""
        return rdata_text(self.rdata, final_dots=final_dots)


def rdata_text(rdata: Rdata, *, final_dots: bool = True) -> str:
    """RDATA in presentation format; its names may be without their final dots."""
    text = _absolute if final_dots else str
    match rdata:
        case tuple() as strings:
            return " ".join(f'"{escaped(string, _QUOTED, 0x20)}"' for string in strings)
        case Name() as name:
            return text(name)
        case Soa() as soa:
            names = f"{text(soa.mname)} {text(soa.rname)}"
            return f"{names} {soa.serial} {soa.refresh} {soa.retry} {soa.expire} {soa.minimum}"
        case Octets(octets, known):
            return known or f"\\# {len(octets)} {octets.hex()}"  # RFC 3597 §5
        case address:
            return str(address)


@dataclass(frozen=True, slots=True)
class ExtendedError:
    """An extended DNS error (RFC 8914): its code, and a short text for a person."""

    info_code: InfoCode
    text: str = ""


def _absolute(name: Name) -> str:
    return str(name) if not name.labels else f"{name}."
