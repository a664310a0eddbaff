"""Names that are answered locally, as their RFCs say, and never leave for an upstream by themselves.

Knows which zones these are and what exists in them. Whether an operator's rule gives one of them to
an upstream is for `resolution`.
"""

from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from vpcdns.model.dns import Rdata, RRType
from vpcdns.model.names import Name


class ZoneKind(Enum):
    LOOPBACK = auto()  # every name is the loopback address
    NONEXISTENT = auto()  # no name exists, not even the zone's own
    EMPTY = auto()  # SOA and NS at the apex, and next to nothing below


@dataclass(frozen=True, slots=True)
class LocalZone:
    """A zone that is served locally; `source` is the RFC that says so."""

    apex: Name
    kind: ZoneKind
    source: str

    def is_meant_by(self, domain: Name) -> bool:
        """Whether a forward rule for `domain` is about the names of this zone.

        One for `.` or `arpa` is about other names. One for `in-addr.arpa`, or for a part of it, is about the
        private addresses in it as well.
        """
        if domain.is_at_or_below(self.apex):
            return True
        reverse = any(domain.is_at_or_below(tree) for tree in REVERSE)
        return reverse and self.source in _PRIVATE and self.apex.is_at_or_below(domain)


REVERSE: Final = (Name((b"in-addr", b"arpa")), Name((b"ip6", b"arpa")))
_PRIVATE: Final = frozenset(("RFC 6303 §4.1", "RFC 6303 §4.4", "RFC 7793 §2"))
_LOCALHOST: Final = Name((b"localhost",))
_LOOPBACK: Final[dict[int, Rdata]] = {RRType.A: IPv4Address("127.0.0.1"), RRType.AAAA: IPv6Address("::1")}
# What exists in an EMPTY zone below its apex.
_RECORDS: Final[dict[Name, dict[int, Rdata]]] = {
    Name.from_text("1.0.0.127.in-addr.arpa"): {RRType.PTR: _LOCALHOST},
    Name((b"1", *[b"0"] * 31, b"ip6", b"arpa")): {RRType.PTR: _LOCALHOST},
    Name.from_text("_dns.resolver.arpa"): {},  # RFC 9462 §6.4: NODATA, whatever is below the zone
}
_NONTERMINALS: Final = frozenset(ancestor for name in _RECORDS for ancestor in name.ancestors())

_IPV4_REVERSE: Final = (
    *(("RFC 6303 §4.1", zone) for zone in ("10", "168.192", *(f"{second}.172" for second in range(16, 32)))),
    *(("RFC 6303 §4.2", zone) for zone in ("0", "127", "254.169", "2.0.192", "100.51.198", "113.0.203")),
    ("RFC 6303 §4.2", "255.255.255.255"),
    *(("RFC 7793 §2", f"{second}.100") for second in range(64, 128)),
)
_IPV6_REVERSE: Final = (
    ("RFC 6303 §4.3", ".".join("0" * 32)),
    ("RFC 6303 §4.3", ".".join("1" + "0" * 31)),
    ("RFC 6303 §4.4", "d.f"),
    *(("RFC 6303 §4.5", f"{nibble}.e.f") for nibble in "89ab"),
    ("RFC 6303 §4.6", "8.b.d.0.1.0.0.2"),
)


_LISTED: Final = (
    ("localhost", ZoneKind.LOOPBACK, "RFC 6761 §6.3"),
    ("invalid", ZoneKind.NONEXISTENT, "RFC 6761 §6.4"),
    ("onion", ZoneKind.NONEXISTENT, "RFC 7686 §2"),
    ("alt", ZoneKind.NONEXISTENT, "RFC 9476 §3"),
    ("home.arpa", ZoneKind.EMPTY, "RFC 8375 §4"),
    ("resolver.arpa", ZoneKind.EMPTY, "RFC 9462 §6.4"),
    *((f"{zone}.in-addr.arpa", ZoneKind.EMPTY, rfc) for rfc, zone in _IPV4_REVERSE),
    *((f"{zone}.ip6.arpa", ZoneKind.EMPTY, rfc) for rfc, zone in _IPV6_REVERSE),
)
_ZONES: Final = {
    zone.apex: zone for zone in (LocalZone(Name.from_text(text), kind, rfc) for text, kind, rfc in _LISTED)
}
# Every name that this module knows by itself.
NAMED: Final = frozenset((*_ZONES, *_RECORDS))


def zone_of(name: Name) -> LocalZone | None:
    """The locally served zone that `name` lies in."""
    if (zone := _ZONES.get(name)) is not None:
        return zone
    return next((_ZONES[ancestor] for ancestor in name.ancestors() if ancestor in _ZONES), None)


def is_delegated(name: Name) -> bool:
    """Whether a locally served zone begins here that a public parent delegates, insecurely (RFC 6303 §3)."""
    zone = _ZONES.get(name)
    return zone is not None and zone.kind is ZoneKind.EMPTY


def records_at(name: Name, zone: LocalZone) -> dict[int, Rdata] | None:
    """What exists at `name` besides the apex's SOA, by type; None: the name does not exist."""
    match zone.kind:
        case ZoneKind.LOOPBACK:
            return _LOOPBACK
        case ZoneKind.NONEXISTENT:
            return None
        case ZoneKind.EMPTY:
            records = _RECORDS.get(name)
            if name == zone.apex:
                return {RRType.NS: zone.apex, **(records or {})}  # RFC 6303 §3
            if records is None and name in _NONTERMINALS:
                return {}  # RFC 8020: an empty non-terminal exists
            return records
