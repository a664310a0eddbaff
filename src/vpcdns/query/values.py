"""How a query arrives, and what can become of it. Knows no rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from vpcdns.model.cache_limits import DEFAULT_CACHE, TtlLimits
from vpcdns.model.dns import ExtendedError, InfoCode
from vpcdns.model.names import Name
from vpcdns.model.policy import AnyUpstream, Listen, Transport
from vpcdns.model.resolution import Resolution
from vpcdns.model.topology import Address
from vpcdns.wire.format import AD, CD, RD
from vpcdns.wire.query import Query, asking_for, folded, name_in
from vpcdns.wire.upstream import Relayed

STALE_TTL: Final = 30  # seconds, RFC 8767 §4
_USUAL_TTLS: Final = (DEFAULT_CACHE.max_ttl, DEFAULT_CACHE.min_ttl, DEFAULT_CACHE.negative_max_ttl)


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a message arrived: from which address and port, over which transport, at which listener.

    `peer` is never an IPv4-mapped IPv6 address. `proxied` is the client that a PROXY header named, if the
    peer is trusted to name one.
    """

    peer: Address
    transport: Transport = "udp"
    listen: Listen | None = None
    port: int = 0
    proxied: Address | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """Octets to send. `resolution` is None when the query could not be resolved, only answered.

    `relayed` is the upstream's response that the octets were made of, if they were.
    """

    octets: bytes
    query: Query
    resolution: Resolution | None = None
    relayed: Relayed | None = None


@dataclass(frozen=True, slots=True)
class Forward:
    """A query to be asked of `resolution.upstreams`; `finish` makes the response from what they say.

    What is asked is the last name of the CNAME chain so far: `resolution.target`.
    """

    query: Query
    arrival: Arrival
    resolution: Resolution
    revision: int
    turn: int = field(default=0, compare=False)

    @property
    def question_wire(self) -> bytes:
        """The question section that upstreams get: the client's own, unless a CNAME led on."""
        own = self.query.question_wire
        return asking_for(self.resolution.target, own) if self.resolution.answers else own

    @property
    def key(self) -> ForwardKey:
        """The same for all queries that upstreams are asked once; has no client's subnet (RebirthDay)."""
        edns, question = self.query.edns, self.question_wire
        bits = self.query.flags & (RD | AD | CD) | (0 if edns is None else 1 + edns.do)
        whom = whom_text(self.resolution.upstreams, self.resolution.ttls)
        return folded(question) + f"{bits} {whom}".encode()


ForwardKey = bytes  # octets remember their hash, and every forwarded query looks them up half a dozen times


def whom_text(upstreams: tuple[AnyUpstream, ...], ttls: TtlLimits | None) -> str:
    """The end of a key: who is asked; and other TTLs than the usual ones, which make another answer of it."""
    whom = " ".join(map(str, upstreams))
    if ttls is None:
        return f"{whom} uncached"
    limits = ttls.max_ttl, ttls.min_ttl, ttls.negative_max_ttl
    return whom if limits == _USUAL_TTLS else f"{whom} {limits}"


def parts_of_key(key: ForwardKey) -> tuple[Name, str]:
    """The name that is asked for, and who is asked: `whom_text`."""
    name, end = name_in(key)
    return name, key[end:].decode().partition(" ")[2]


@dataclass(frozen=True, slots=True)
class Fetched:
    """An upstream's response, `age` seconds old; `stale` when it outlived its TTL (RFC 8767).

    Its records have `stale_ttl` then. `until` is when it will have aged by a second, on the clock of whoever
    keeps it.
    """

    relayed: Relayed
    age: int = 0
    stale: bool = False
    stale_ttl: int = STALE_TTL
    until: float = field(default=0.0, compare=False)


class Failure(Enum):
    """Why there is no response from upstream; the table of errors to extended errors (RFC 8914).

    All are SERVFAIL: never NXDOMAIN, never an empty NOERROR (RFC 5625 §6.2).
    """

    SILENT = (InfoCode.NO_REACHABLE_AUTHORITY, "no upstream answered in time")
    UNRESOLVED = (InfoCode.NO_REACHABLE_AUTHORITY, "the upstreams' names do not resolve")
    UNREACHABLE = (InfoCode.NETWORK_ERROR, "no upstream could be reached")
    UNUSABLE = (InfoCode.NETWORK_ERROR, "upstream's response was unusable")
    REFUSED = (InfoCode.NETWORK_ERROR, "upstream refused")
    REMEMBERED = (InfoCode.CACHED_ERROR, "upstream failed a moment ago")
    OVERLOADED = (InfoCode.OTHER, "too many queries are being forwarded")
    LOOP = (InfoCode.OTHER, "forwarding loop: an upstream asks us what we asked it")
    CHAIN = (InfoCode.OTHER, "the CNAME chain has no end, or a very late one")

    def __init__(self, info_code: InfoCode, text: str) -> None:
        self.error = ExtendedError(info_code, text)


@dataclass(frozen=True, slots=True)
class Drop:
    """No response: the message is owed none, or policy says so."""

    resolution: Resolution | None = None
