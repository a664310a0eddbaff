"""Where upstreams' CNAMEs lead, for this client, and the records that a validator needs on the way."""

from dataclasses import replace
from typing import Final

from vpcdns.errors import MalformedMessage
from vpcdns.model.decision import OWN_NAMES, Outcome, Reason, Step
from vpcdns.model.dns import Octets, Question, Rcode, Record, RRType
from vpcdns.model.names import Name
from vpcdns.model.resolution import Resolution, resolve
from vpcdns.model.world import World
from vpcdns.query.responses import failed
from vpcdns.query.values import Failure, Fetched
from vpcdns.wire.upstream import Relayed, RelayedRecord, covered_type, record_of

MAX_CNAMES: Final = 16  # in one response; BIND and Unbound follow 11. Each costs the reading of a name
_LEADING_ON: Final = frozenset({int(RRType.CNAME), int(RRType.DNAME)})
_DENIALS: Final = frozenset({47, 50})  # NSEC, NSEC3
_LABELS_AT: Final = 3  # in the data of a RRSIG


def followed(fetched: Fetched, resolution: Resolution, world: World) -> Resolution | None:
    """What an upstream's CNAMEs lead to, for this client: each starts again from the top (DESIGN §1.11).

    None: nowhere but where the same upstreams have said all there is. Nothing that they say about a name that
    is decided here, or that others are asked for, or behind it, is passed on (CVE-2026-26017).
    """
    question, relayed = resolution.question, fetched.relayed
    if relayed.plain or question.rtype in (RRType.CNAME, RRType.ANY):
        return None
    links = _cnames(fetched, resolution, world)
    name, chain = resolution.target, list(resolution.answers)
    hop: Resolution | None = None
    while (link := links.pop(name, None)) is not None:
        target, records = link
        # In the case in which it was asked for, and not as somebody else asked before (RFC 4343 §4).
        chain += (replace(one, name=name) if one.name == name else one for one in records)
        name = target
        hop = resolve(Question(name, question.rtype), resolution.client, world)
        alike = hop.outcome is Outcome.FORWARD and not hop.answers and hop.upstreams == resolution.upstreams
        # Where there is nobody else to ask, these upstreams' word is all there is.
        if not alike and hop.reason is not Reason.NO_UPSTREAMS:
            break
    else:
        if hop is None or not _is_bare(relayed, question.rtype):
            return None
    passed = [record.name for record in chain if record.rtype == RRType.CNAME]
    if name in passed or len(passed) > MAX_CNAMES:
        return failed(resolution, Failure.CHAIN)
    return replace(
        hop,
        question=question,
        answers=(*chain, *hop.answers),
        proofs=(*resolution.proofs, *_wildcard_proofs(fetched, chain)),
        steps=(*resolution.steps, Step("cname", f"upstream says CNAME {name}"), *hop.steps[1:]),
        # RFC 6604 §2: of the first name, which is an upstream's unless a CNAME of ours led there.
        authoritative=bool(resolution.answers) and resolution.authoritative,
    )


def _cnames(fetched: Fetched, resolution: Resolution, world: World) -> dict[Name, tuple[Name, list[Record]]]:
    """Owner -> target of each CNAME in the answer, and its record with what a validator needs to believe it.

    That is its signatures, or the signed DNAME that it was made from (RFC 6672 §5.3).
    """
    relayed, found = fetched.relayed, dict[Name, tuple[Name, list[Record]]]()
    cnames = [record for record in relayed.records if record.section == 0 and record.rtype == RRType.CNAME]
    proving = [
        record
        for record in relayed.records
        if cnames
        and record.section == 0
        and (record.rtype == RRType.DNAME or covered_type(relayed, record) in _LEADING_ON)
    ]
    if len(cnames) > MAX_CNAMES or len(proving) > 2 * MAX_CNAMES:
        raise MalformedMessage("more CNAMEs than any resolver follows")
    for record in cnames:
        name, target = relayed.name(record.name_at), relayed.name(record.rdata_at)
        if name in found:
            # RFC 2181 §10.1: one CNAME for a name. Of two, a client might follow the one that we do not.
            raise MalformedMessage("two CNAMEs at one name")
        found[name] = target, [Record(name, RRType.CNAME, ttl_of(fetched, record), target)]
    dnames: dict[Name, list[Record]] = {}
    for record in proving:
        rebuilt, _ = record_of(relayed, record, ttl_of(fetched, record))
        if RRType.DNAME in (record.rtype, covered_type(relayed, record)):
            dnames.setdefault(rebuilt.name, []).append(rebuilt)
        elif rebuilt.name in found:
            found[rebuilt.name][1].append(rebuilt)
    for owner, records in dnames.items():
        ours = resolve(Question(owner, RRType.A), resolution.client, world).reason in OWN_NAMES
        if not ours and {record.rtype for record in records} == {RRType.DNAME, RRType.RRSIG}:
            for name, (_, chain) in found.items():
                if name != owner and name.is_at_or_below(owner):
                    chain[:0] = records
    return found


def _wildcard_proofs(fetched: Fetched, chain: list[Record]) -> list[Record]:
    """That no closer name exists than the wildcard that a signed CNAME was made from (RFC 4035 §3.1.3.3).

    Nothing where the upstream denies what the chain leads to: its proofs would deny what is there for us.
    """
    relayed = fetched.relayed
    authority = [record for record in relayed.records if record.section == 1]
    if not any(_is_of_wildcard(record) for record in chain) or len(authority) > 2 * MAX_CNAMES:
        return []
    if any(record.rtype == RRType.SOA for record in authority):
        return []
    return [
        record_of(relayed, record, ttl_of(fetched, record))[0]
        for record in authority
        if record.rtype in _DENIALS or covered_type(relayed, record) in _DENIALS
    ]


def _is_of_wildcard(record: Record) -> bool:
    """Whether it is a signature of fewer labels than its owner has (RFC 4034 §3.1.3)."""
    rdata = record.rdata
    signs = record.rtype == RRType.RRSIG
    return signs and isinstance(rdata, Octets) and rdata.octets[_LABELS_AT] < len(record.name)


def _is_bare(relayed: Relayed, rtype: int) -> bool:
    """Whether the message ends in a CNAME, and says nothing of what is there.

    So answer authoritative servers that know no more; stub resolvers take it for a failure.
    """
    if relayed.truncated or relayed.rcode != Rcode.NOERROR:
        return False
    # With a SOA it says that there is no data of that type (RFC 2308 §2.2).
    ends = ((0, rtype), (1, int(RRType.SOA)))
    return not any((record.section, record.rtype) in ends for record in relayed.records)


def ttl_of(fetched: Fetched, record: RelayedRecord) -> int:
    """What is left of a record's TTL."""
    return fetched.stale_ttl if fetched.stale else max(0, record.ttl - fetched.age)
