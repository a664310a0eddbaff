"""How long upstreams' responses hold, here and for clients. Pure: messages and seconds.

Negative answers (RFC 2308) hold as long as their SOA says; what is neither answer nor denial is not kept.
"""

from typing import Final

from vpcdns.model.cache_limits import TtlLimits
from vpcdns.model.dns import Rcode, RRType
from vpcdns.wire.upstream import Relayed, RelayedRecord, soa_minimum, with_ttls

# What may stand in an answer section beside the answer: a chain (RFC 1034, 6672) and its signatures.
_NO_ANSWERS: Final = frozenset({RRType.CNAME, 39, 46})  # 39 DNAME, 46 RRSIG


def within_limits(relayed: Relayed, ttls: TtlLimits) -> Relayed:
    """The response with every TTL within its limits, as it is kept and handed on.

    A negative answer's authority section has the TTL that clients keep it for (RFC 2308 §5).
    """
    low, high = ttls.min_ttl, ttls.max_ttl
    for record in relayed.records:
        if not low <= record.ttl <= high or (record.section == 1 and record.ttl > ttls.negative_max_ttl):
            break
    else:
        return relayed
    if relayed.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN):
        return relayed
    negative = is_negative(relayed)

    def limited(record: RelayedRecord) -> int:
        if negative and record.section == 1:
            return min(record.ttl, high, ttls.negative_max_ttl)
        return min(max(record.ttl, low), high)

    limits = list(map(limited, relayed.records))
    return relayed if limits == [record.ttl for record in relayed.records] else with_ttls(relayed, limits)


def ttl_of(relayed: Relayed, ttls: TtlLimits) -> int:
    """How many seconds a response may be kept; 0: not at all.

    The lowest TTL of answer and authority. A negative answer counts by its SOA (RFC 2308 §5), and
    without one is not kept.
    """
    if relayed.truncated or relayed.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN):
        return 0
    ttl, answered, soa = ttls.max_ttl, False, None
    for record in relayed.records:
        if record.section == 2:
            break
        ttl = min(ttl, record.ttl)
        if record.section == 0:
            answered = answered or record.rtype not in _NO_ANSWERS
        elif soa is None and record.rtype == RRType.SOA:
            soa = record
    if relayed.rcode == Rcode.NOERROR and answered:
        return ttl
    if soa is not None:
        return min(ttls.negative_max_ttl, soa_minimum(relayed, soa), ttl)
    # CNAME, DNAME or RRSIG may have been the question; else the chain is all that is known.
    chain = relayed.rcode == Rcode.NOERROR and relayed.records and relayed.records[0].section == 0
    return min(ttls.negative_max_ttl, ttl) if chain else 0


def is_negative(relayed: Relayed) -> bool:
    """Whether it says that there is no such name, or nothing of that type."""
    return relayed.rcode == Rcode.NXDOMAIN or not any(map(_is_answer, relayed.records))


def _is_answer(record: RelayedRecord) -> bool:
    return record.section == 0 and record.rtype not in _NO_ANSWERS
