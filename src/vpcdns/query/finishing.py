"""Responses to forwarded queries: what upstreams said, without what they say about our names."""

from dataclasses import replace
from typing import Final

from vpcdns.errors import MalformedMessage, MalformedName
from vpcdns.model.decision import OWN_NAMES, Outcome, Reason, Step
from vpcdns.model.dns import ExtendedError, InfoCode, Question, Rcode, Record, RRType
from vpcdns.model.names import Name
from vpcdns.model.policy import Explain
from vpcdns.model.resolution import Resolution, resolve
from vpcdns.model.world import World
from vpcdns.query.beginning import decide
from vpcdns.query.responses import explained, limit_of, options_of, response_to
from vpcdns.query.values import Drop, Failure, Fetched, Forward, Response
from vpcdns.wire.edns import without_text
from vpcdns.wire.relay import without_records_from, write_relayed
from vpcdns.wire.upstream import (
    PROOFS,
    Relayed,
    RelayedRecord,
    covered_type,
    is_owned_by_question,
    owner_as_written,
    record_of,
)

MAX_CNAMES: Final = 16  # in one response; BIND and Unbound follow 11. Each costs the reading of a name
MAX_REBUILT: Final = 500  # records behind CNAMEs that came from elsewhere; each costs some 20 µs
_RCODES: Final = frozenset(Rcode)
MAX_LABELS: Final = 2_048  # of names that are read; with what is done about a name, each costs some 6 µs
MAX_OWNERS: Final = 64  # names with records in one response; a referral to the root has 27, a long chain 17


def finish(forward: Forward, result: Fetched | Failure, world: World) -> Response | Forward | Drop:
    """The response to a forwarded query, made from what the upstreams said.

    A Forward again if a CNAME leads on. Decided in `world`, the current one: a query that was on its way
    during a change is decided anew, which may be another Forward, too.
    """
    query, arrival, resolution = forward.query, forward.arrival, forward.resolution
    if world.revision != forward.revision:
        anew = decide(query, resolution.question, arrival, world)
        if not isinstance(anew, Forward) or anew.key != forward.key:
            return anew
        forward, resolution = anew, anew.resolution
    hop: Resolution | None = None
    try:
        if isinstance(result, Fetched):
            if result.relayed.truncated and arrival.transport == "tcp":
                raise MalformedMessage("truncated, with nowhere left to ask for the rest")
            hop = _followed(result, resolution, world)
            if hop is None and resolution.answers:
                hop = _with_records(result, resolution)
    except (MalformedMessage, MalformedName):
        result = Failure.UNUSABLE
    if isinstance(result, Failure):
        return response_to(query, arrival, _servfail(resolution, result), world)
    if hop is not None and hop.outcome is Outcome.FORWARD:
        return Forward(query, arrival, hop, world.revision)
    if hop is not None:
        return Drop(hop) if hop.outcome is Outcome.DROP else response_to(query, arrival, hop, world)
    return _relay(forward, result, world)


def _relay(forward: Forward, fetched: Fetched, world: World) -> Response:
    query, arrival, resolution = forward.query, forward.arrival, forward.resolution
    relayed, explain = _unowned(fetched.relayed, resolution, world), world.answers.explain
    if explain is not Explain.FULL and relayed.extended_errors:  # the upstream's are said as ours are
        codes = tuple(map(without_text, relayed.extended_errors)) if explain is Explain.CODE else ()
        relayed = relayed._replace(extended_errors=codes)
    octets = write_relayed(
        relayed,
        query,
        limit_of(query, arrival, resolution.client, world),
        age=fetched.age,
        ttl=fetched.stale_ttl if fetched.stale else None,
        extended_error=explained(_fetched_error(fetched), explain),
        options=options_of(query, arrival, resolution.client, world),
    )
    told = replace(resolution, outcome=Outcome.RESPOND, rcode=_rcode(relayed))
    return Response(octets, query, told, relayed)


def _rcode(relayed: Relayed) -> Rcode:
    return Rcode(relayed.rcode) if relayed.rcode in _RCODES else Rcode.SERVFAIL


def _servfail(resolution: Resolution, failure: Failure) -> Resolution:
    return replace(
        resolution,
        outcome=Outcome.RESPOND,
        rcode=Rcode.SERVFAIL,
        answers=(),
        authoritative=False,
        extended_error=failure.error,
    )


def _followed(fetched: Fetched, resolution: Resolution, world: World) -> Resolution | None:
    """What an upstream's CNAMEs lead to, for this client: each starts again from the top (DESIGN §1.11).

    None: nowhere but where the same upstreams have said all there is. Nothing that they say about a name that
    is decided here, or that others are asked for, or behind it, is passed on (CVE-2026-26017).
    """
    question, relayed = resolution.question, fetched.relayed
    if relayed.plain or question.rtype in (RRType.CNAME, RRType.ANY):
        return None
    links = _cnames(fetched)
    name, chain = resolution.target, list(resolution.answers)
    hop: Resolution | None = None
    while (link := links.pop(name, None)) is not None:
        target, records = link
        chain += records
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
        return _servfail(resolution, Failure.CHAIN)
    return replace(
        hop,
        question=question,
        answers=(*chain, *hop.answers),
        steps=(*resolution.steps, Step("cname", f"upstream says CNAME {name}"), *hop.steps[1:]),
        # RFC 6604 §2: of the first name, which is an upstream's unless a CNAME of ours led there.
        authoritative=bool(resolution.answers) and resolution.authoritative,
    )


def _cnames(fetched: Fetched) -> dict[Name, tuple[Name, list[Record]]]:
    """Owner -> target of each CNAME in the answer, and its record with its signatures."""
    relayed, found = fetched.relayed, dict[Name, tuple[Name, list[Record]]]()
    cnames = [record for record in relayed.records if record.section == 0 and record.rtype == RRType.CNAME]
    signed = int(RRType.CNAME)
    signatures = [
        record
        for record in relayed.records
        if cnames and record.section == 0 and covered_type(relayed, record) == signed
    ]
    if len(cnames) > MAX_CNAMES or len(signatures) > 2 * MAX_CNAMES:
        raise MalformedMessage("more CNAMEs than any resolver follows")
    for record in cnames:
        name, target = relayed.name(record.name_at), relayed.name(record.rdata_at)
        if name in found:
            # RFC 2181 §10.1: one CNAME for a name. Of two, a client might follow the one that we do not.
            raise MalformedMessage("two CNAMEs at one name")
        found[name] = target, [Record(name, RRType.CNAME, _ttl(fetched, record), target)]
    for record in signatures:
        signature, _ = record_of(relayed, record, _ttl(fetched, record))
        if signature.name in found:
            found[signature.name][1].append(signature)
    return found


def _is_bare(relayed: Relayed, rtype: int) -> bool:
    """Whether the message ends in a CNAME, and says nothing of what is there.

    So answer authoritative servers that know no more; stub resolvers take it for a failure.
    """
    if relayed.truncated or relayed.rcode != Rcode.NOERROR:
        return False
    # With a SOA it says that there is no data of that type (RFC 2308 §2.2).
    ends = ((0, rtype), (1, int(RRType.SOA)))
    return not any((record.section, record.rtype) in ends for record in relayed.records)


def _ttl(fetched: Fetched, record: RelayedRecord) -> int:
    return fetched.stale_ttl if fetched.stale else max(0, record.ttl - fetched.age)


def _with_records(fetched: Fetched, resolution: Resolution) -> Resolution:
    """The Resolution of a CNAME chain, with what the last name's upstreams say at its end."""
    relayed, sections = fetched.relayed, (list[Record](), list[Record]())
    if relayed.truncated or len(relayed.records) > MAX_REBUILT:
        raise MalformedMessage("cut short, or too long to be put behind a CNAME")
    labels = 0
    for record in relayed.records:
        if record.section == 0 or (record.section == 1 and record.rtype in PROOFS):
            rebuilt, read = record_of(relayed, record, _ttl(fetched, record))
            sections[record.section].append(rebuilt)
            labels += read
            if labels > MAX_LABELS:
                raise MalformedMessage("longer names than can be put behind a CNAME")
    failed = relayed.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN)
    return replace(
        resolution,
        outcome=Outcome.RESPOND,
        rcode=_rcode(relayed),
        answers=() if failed else (*resolution.answers, *sections[0]),
        proofs=tuple(sections[1]),
        extended_error=_fetched_error(fetched),
    )


def _unowned(relayed: Relayed, resolution: Resolution, world: World) -> Relayed:
    """The response without what the upstream says about our names unasked, and without all that follows.

    Such records come behind a CNAME that was itself asked for, or as additional ones: nobody needs them.
    The SOA above a denied name may be the suffix's, and stays with its proofs. A record is cut off with all
    that follow, as those may point into it. Owners that are the question's name, which is not ours, are
    nearly all there are, and cost nothing; behind more than MAX_OWNERS others, or their MAX_LABELS,
    nothing is passed on.
    """
    if relayed.plain:
        return relayed
    decided, written, labels = {resolution.question.name}, set[bytes](), 0
    for place, record in enumerate(relayed.records):
        proves = record.section == 1 and record.rtype in PROOFS
        if proves or is_owned_by_question(relayed, record):
            continue
        if (octets := owner_as_written(relayed, record)) in written:
            continue
        written.add(octets)
        name = relayed.name(record.name_at)
        labels += len(name)
        if name in decided and labels <= MAX_LABELS:
            continue
        decided.add(name)
        if (
            len(decided) > MAX_OWNERS
            or labels > MAX_LABELS
            or resolve(Question(name, RRType.A), resolution.client, world).reason in OWN_NAMES
        ):
            return without_records_from(relayed, place)
    return relayed


def _fetched_error(fetched: Fetched) -> ExtendedError | None:
    relayed = fetched.relayed
    if fetched.stale:
        code = InfoCode.STALE_NXDOMAIN_ANSWER if relayed.rcode == Rcode.NXDOMAIN else InfoCode.STALE_ANSWER
        return ExtendedError(code, "upstreams do not answer")
    if relayed.rcode == Rcode.SERVFAIL and not relayed.extended_errors:
        return ExtendedError(InfoCode.NETWORK_ERROR, "upstream answered SERVFAIL")
    return None
