"""How a query arrives, and what can become of it. Knows no rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from vpcdns.model.dns import ExtendedError, InfoCode
from vpcdns.model.policy import Listen, Transport
from vpcdns.model.resolution import Resolution
from vpcdns.model.topology import Address
from vpcdns.wire.format import AD, CD, RD
from vpcdns.wire.query import Query, asking_for, folded
from vpcdns.wire.upstream import Relayed


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
        whom = " ".join(map(str, self.resolution.upstreams))
        return folded(question) + f"{bits} {whom}".encode()


ForwardKey = bytes  # octets remember their hash, and every forwarded query looks them up half a dozen times


@dataclass(frozen=True, slots=True)
class Fetched:
    """An upstream's response, `age` seconds old; `stale` when it outlived its TTL (RFC 8767).

    `until` is when it will have aged by a second, on the clock of whoever keeps it.
    """

    relayed: Relayed
    age: int = 0
    stale: bool = False
    until: float = field(default=0.0, compare=False)


class Failure(Enum):
    """Why there is no response from upstream; the table of errors to extended errors (RFC 8914).

    All are SERVFAIL: never NXDOMAIN, never an empty NOERROR (RFC 5625 §6.2).
    """

    SILENT = (InfoCode.NO_REACHABLE_AUTHORITY, "no upstream answered in time")
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
