"""Text of records -> the model's, by dnspython; zone files (RFC 1035 §5, RFC 3597) and single values.

Knows how records are written and where an error in a file stands; the rules on them are the model's. Imported
when there is a private zone, and not before: dnspython takes a while.
"""

import io
import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.SOA
import dns.rdtypes.ANY.TXT
import dns.tokenizer
import dns.zonefile

from vpcdns.config.mistakes import cut
from vpcdns.errors import MalformedName
from vpcdns.model.dns import Octets, Rdata, RRType, Soa, type_text
from vpcdns.model.names import Name
from vpcdns.model.private_zones import ZoneRecord

_IN = dns.rdataclass.IN
MAX_GENERATED: Final = 65_536  # records of a file by $GENERATE: those of a /16, and seconds of reading
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
        if not text.lstrip().startswith("\\#"):  # RFC 3597 §5: any type may be written in generic form
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
    reader: Any = dns.zonefile.Reader(dns.tokenizer.Tokenizer(stream), _IN, records)  # type: ignore[arg-type] # has all it uses
    # Names outside the zone are for the rules to refuse: the reader would leave them out without a word.
    reader.current_origin = reader.last_name = _absolute(zone)
    while True:
        try:
            reader.read()
            return records.found
        except (dns.exception.DNSException, MalformedName, ValueError, ArithmeticError) as error:
            at = _read_to(stream, reader.tok)
            said(*lines.at(at), _in_file(error, lines.token(at)))
            if text.startswith("$TTL", lines.start(at)):
                reader.default_ttl_known = True  # said once, and not of every record behind it
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

    def start(self, end: int) -> int:
        """Where the line begins that the octet before `end` is in."""
        return self._text.rfind("\n", 0, max(0, end - 1)) + 1

    def token(self, end: int) -> str:
        """What was read before `end`, if that is within a line; nothing at the end of one."""
        said = self._text[self.start(end) : end]
        return "" if said.endswith("\n") else (said.split() or [""])[-1]

    def at(self, end: int) -> tuple[int, int]:
        """Where the token before `end` begins."""
        text, line_start = self._text, self.start(end)
        said = text[line_start:end].rstrip()
        self._line += text.count("\n", self._counted_to, line_start)
        self._counted_to = max(self._counted_to, line_start)
        return self._line, max(said.rfind(" "), said.rfind("\t")) + 2


class _Records:
    """What dnspython's reader adds records to; `line` says where it is."""

    def __init__(self, line: Callable[[], int]) -> None:
        self.manager = self
        self.found: list[LocatedRecord] = []
        self._line, self._generated = line, 0

    def origin_information(self) -> tuple[dns.name.Name, bool, dns.name.Name]:
        return dns.name.root, False, dns.name.root

    def check_put_rdataset(self, check: object) -> None:
        """Which types may stand beside each other is for the model's rules."""

    def _set_origin(self, origin: dns.name.Name) -> None:
        pass

    def add(self, name: dns.name.Name, ttl: int, rdata: dns.rdata.Rdata) -> None:
        record, line = ZoneRecord(Name(name.labels[:-1]), int(rdata.rdtype), _rdata(rdata), ttl), self._line()
        if self.found and self.found[-1][0] == line:
            self._generated += 1
            if self._generated >= MAX_GENERATED:
                raise ValueError(
                    f"more than {MAX_GENERATED} records by $GENERATE: write them, or split the zone"
                )
        self.found.append((line, record))


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


# What dnspython says, and what stands for it where something was read, or where the line ends.
_IN_FILE: Final = (
    ("Text input is malformed|expecting an identifier", "`{}` cannot stand there", "the line ends too early"),
    ("expecting an integer", "`{}` is no number", "the line ends too early"),
    ("expected EOL or EOF", "`{}` is one too many", "there is too much in the line"),
    ("unknown rdatatype", "`{}` is neither a record type nor a TTL", "it has no record type"),
    ("RR class is not", "`{}` is no class of a private zone: they are IN", "private zones are of class IN"),
    ("Missing default TTL", "it has no TTL: write one, or `$TTL 60` at the top", ""),
    ("TTL", "`{}` is no TTL: 0 to 2147483647 seconds", "there is no TTL"),
    ("unbalanced|ended unexpectedly", "a parenthesis or a quote is not closed", ""),
    ("newline in quoted", "a quote is not closed in its line", ""),
    (
        "directive '\\$INCLUDE'",
        "`$INCLUDE` is not allowed: put the records here, or into a zone of their own",
        "",
    ),
    ("directive", "there is no such directive: $ORIGIN, $TTL and $GENERATE are read", ""),
)


def _in_file(error: Exception, token: str) -> str:
    """What is wrong behind or with a token of a zone file."""
    reason = _reason(error)
    for pattern, with_token, without in _IN_FILE:
        if re.search(pattern, reason):
            return with_token.format(cut(token)) if token or not without else without
    return f"`{cut(token)}`: {reason}" if token else reason


def _reason(error: Exception) -> str:
    """What dnspython says, without the place, which is said apart."""
    said = re.sub(r"^<\w+>:\d+: ", "", str(error)).rstrip(".")
    return said or "it cannot be read"
