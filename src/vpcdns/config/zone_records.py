"""Text of records -> the model's, by dnspython; zone files (RFC 1035 §5, RFC 3597) and single values.

Knows how records are written and where an error in a file stands; the rules on them are the model's. Imported
when there is a private zone, and not before: dnspython takes a while.
"""

import io
import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.SOA
import dns.rdtypes.ANY.TXT
import dns.tokenizer
import dns.zonefile

from vpcdns.errors import MalformedName
from vpcdns.model.dns import Octets, Rdata, RRType, Soa, type_text
from vpcdns.model.names import Name
from vpcdns.model.private_zones import ZoneRecord

_IN = dns.rdataclass.IN
_NAMES = frozenset({int(RRType.CNAME), int(RRType.NS), int(RRType.PTR)})
Said = Callable[[int, int, str], None]  # line, column, and what is wrong there
LocatedRecord = tuple[int, ZoneRecord]  # and the line that it ends in


def read_type(text: str) -> int:
    """The number of a type by any name that it has; raises ValueError with what is wrong."""
    try:
        return int(dns.rdatatype.from_text(text))
    except (dns.exception.DNSException, ValueError):
        raise ValueError(f"`{text}` is no record type") from None


def read_owner(text: str, zone: Name) -> Name:
    """A record's name, `@` for the zone's own, relative unless it ends in a dot. Raises MalformedName."""
    if text == "@":
        return zone
    name = Name.from_text(text)
    return name if text.endswith(".") and not text.endswith("\\.") else name.under(zone)


def read_rdata(rtype: int, text: str, zone: Name) -> Rdata:
    """The data of a record; names in it are relative to the zone. Raises ValueError with what is wrong."""
    try:
        if rtype == RRType.A:
            return IPv4Address(text)
        if rtype == RRType.AAAA:
            return IPv6Address(text)
        return _rdata(
            dns.rdata.from_text(_IN, dns.rdatatype.RdataType.make(rtype), text, _absolute(zone), False)
        )
    except (dns.exception.DNSException, ValueError, MalformedName) as error:
        raise ValueError(f"`{text}` is no data of type {type_text(rtype)}: {_reason(error)}") from None


def read_zone_file(text: str, zone: Name, said: Said) -> list[LocatedRecord]:
    """The records of a zone file; `said` hears of every line that is none, and the others are read on."""
    stream, lines = io.StringIO(text), _Lines(text)
    records = _Records(lambda: lines.at(_read_to(stream, reader.tok))[0])
    reader: Any = dns.zonefile.Reader(dns.tokenizer.Tokenizer(stream), _IN, records)  # type: ignore[arg-type]
    # Names outside the zone are for the rules to refuse: the reader would leave them out without a word.
    reader.current_origin = reader.last_name = _absolute(zone)
    while True:
        try:
            reader.read()
            return records.found
        except (dns.exception.DNSException, MalformedName, ValueError, ArithmeticError) as error:
            at = _read_to(stream, reader.tok)
            said(*lines.at(at), _reason(error))
        # What cannot be read ends with its line.
        behind = at if text[at - 1 : at] == "\n" else text.find("\n", at) + 1
        if not 0 < behind < len(text):
            return records.found
        stream.seek(behind)
        reader.tok = dns.tokenizer.Tokenizer(stream)


def _read_to(stream: io.StringIO, tokens: dns.tokenizer.Tokenizer) -> int:
    return stream.tell() - (tokens.ungotten_char is not None)


class _Lines:
    """Lines and columns of places in a text, which are asked for from front to back."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line, self._counted_to = 1, 0

    def at(self, end: int) -> tuple[int, int]:
        """Where the token before `end` begins."""
        text, line_start = self._text, self._text.rfind("\n", 0, max(0, end - 1)) + 1
        said = text[line_start:end].rstrip()
        self._line += text.count("\n", self._counted_to, line_start)
        self._counted_to = max(self._counted_to, line_start)
        return self._line, max(said.rfind(" "), said.rfind("\t")) + 2


class _Records:
    """What dnspython's reader adds records to; `line` says where it is."""

    def __init__(self, line: Callable[[], int]) -> None:
        self.manager = self
        self.found: list[LocatedRecord] = []
        self._line = line

    def origin_information(self) -> tuple[dns.name.Name, bool, dns.name.Name]:
        return dns.name.root, False, dns.name.root

    def check_put_rdataset(self, check: object) -> None:
        """Which types may stand beside each other is for the model's rules."""

    def _set_origin(self, origin: dns.name.Name) -> None:
        pass

    def add(self, name: dns.name.Name, ttl: int, rdata: dns.rdata.Rdata) -> None:
        record = ZoneRecord(Name(name.labels[:-1]), int(rdata.rdtype), _rdata(rdata), ttl)
        self.found.append((self._line(), record))


def _absolute(name: Name) -> dns.name.Name:
    return dns.name.Name((*name.labels, b""))


def _rdata(read: Any) -> Rdata:
    """Dnspython's value as the model's: typed where the model has a type, else octets and their text."""
    rtype = int(read.rdtype)
    if rtype == RRType.A:
        return IPv4Address(read.address)
    if rtype == RRType.AAAA:
        return IPv6Address(read.address)
    if rtype in _NAMES:
        return Name(read.target.labels[:-1])
    if rtype == RRType.SOA:
        names = Name(read.mname.labels[:-1]), Name(read.rname.labels[:-1])
        return Soa(*names, read.serial, read.refresh, read.retry, read.expire, read.minimum)
    if rtype == RRType.TXT:
        return tuple(read.strings)
    return Octets(read.to_wire(), read.to_text())


def _reason(error: Exception) -> str:
    """What dnspython says, without the place, which is said apart."""
    return re.sub(r"^<\w+>:\d+: ", "", str(error)) or "it cannot be read"
