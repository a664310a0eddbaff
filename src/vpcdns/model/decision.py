"""What a decision consists of: outcome, reason, steps, and what one name is to one client.

Knows what a decision can say; `resolution` and the modules that it asks know what to decide.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from vpcdns.model.cache_limits import TtlLimits
from vpcdns.model.dns import ExtendedError, Rcode, Rdata, Record, RRType, Soa, type_text
from vpcdns.model.names import Name
from vpcdns.model.policy import AnyUpstream
from vpcdns.model.world import World


class Outcome(Enum):
    """What becomes of the query."""

    RESPOND = "respond"
    FORWARD = "forward"
    DROP = "drop"


class Reason(Enum):
    """Why; one word for each way through the table of DESIGN §3."""

    STRANGER = "stranger"
    CLASS_REFUSED = "class-refused"
    TRANSFER_REFUSED = "transfer-refused"
    SERVER_IDENTITY = "server-identity"
    SERVERLESS_SAME_REGION = "serverless-same-region"
    DEDICATED_BOUND_VPC = "dedicated-bound-vpc"
    OTHER_REGION = "other-region"
    OTHER_VPC = "other-vpc"
    INTERNET = "internet"
    NOT_BOUND = "not-bound"
    VPC_DOMAIN_OFF = "vpc-domain-off"
    NO_SUCH_GROUP = "no-such-group"
    BELOW_VPC_DOMAIN = "below-vpc-domain"
    SEARCH_EXPANDED = "search-expanded"
    PRIVATE_ZONE = "private-zone"
    CUSTOM_DOMAIN = "custom-domain"
    SUFFIX = "suffix"
    VPCDNS_INTERNAL = "vpcdns-internal"
    WHOAMI = "whoami"
    EXPLAIN = "explain"
    SPECIAL_USE = "special-use"
    FORWARDED = "forwarded"
    NO_UPSTREAMS = "no-upstreams"
    CHAIN_TOO_LONG = "chain-too-long"


# All others are about names that are the gateway's or vpcdns's own: no upstream has a say in those.
OWN_NAMES: Final = frozenset(Reason) - {
    Reason.STRANGER,
    Reason.CLASS_REFUSED,
    Reason.TRANSFER_REFUSED,
    Reason.SERVER_IDENTITY,
    Reason.SPECIAL_USE,
    Reason.FORWARDED,
    Reason.NO_UPSTREAMS,
    Reason.CHAIN_TOO_LONG,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a decision: a word for what was looked at, and what was found, for a person."""

    step: str
    detail: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What one name is to the client: one hop of a Resolution.

    `zone` is the zone whose SOA a negative answer carries, or `soa` that SOA; `cname` is what to go on with.
    With `cyclic` the records may come in any order, and each time in another.
    """

    reason: Reason
    steps: tuple[Step, ...]
    rcode: Rcode = Rcode.NOERROR
    records: tuple[Record, ...] = ()
    zone: Name | None = None
    soa: Record | None = None
    cyclic: bool = False
    cname: Name | None = None
    extended_error: ExtendedError | None = None
    outcome: Outcome = Outcome.RESPOND
    upstreams: tuple[AnyUpstream, ...] = ()
    ttls: TtlLimits | None = None


def soa_record(zone: Name, world: World) -> Record:
    """The SOA of one of our zones. TTL and MINIMUM are the negative TTL (RFC 2308 §4, §5)."""
    ttl = world.answers.negative_ttl
    # Nobody transfers the zone: refresh, retry and expire only have to look sane (RFC 1912 §2.2).
    soa = Soa(_MNAME, _RNAME, world.revision & 0xFFFFFFFF, 3600, 600, 86400, ttl)
    return Record(zone, RRType.SOA, ttl, soa)


def pick(name: Name, rtype: int, ttl: int, available: dict[int, tuple[Rdata, ...]]) -> tuple[Record, ...]:
    """The RRset of that type; for ANY the first there is, and only that (RFC 8482 §4.1)."""
    if rtype == RRType.ANY:
        rtype = next(iter(available), RRType.ANY)
    return tuple(Record(name, rtype, ttl, rdata) for rdata in available.get(rtype, ()))


def answer_step(records: tuple[Record, ...], rcode: Rcode, rtype: int) -> Step:
    """The closing step of a decision, in words."""
    if records:
        shown = ", ".join(record.rdata_text() for record in records)
        return Step("answer", f"{type_text(records[0].rtype)} {shown}")
    if rcode is Rcode.NOERROR:
        return Step("answer", f"NODATA: the name exists, but has no {type_text(rtype)} record")
    return Step("answer", rcode.name)


_MNAME: Final = Name((b"vpcdns", b"internal"))
_RNAME: Final = Name((b"hostmaster", b"vpcdns", b"internal"))
