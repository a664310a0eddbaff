"""Responses to forwarded queries: what upstreams said, without what they say about our names."""

from dataclasses import replace
from typing import Final

from vpcdns.errors import MalformedMessage, MalformedName
from vpcdns.model.decision import OWN_NAMES, Outcome
from vpcdns.model.dns import ExtendedError, InfoCode, Question, Rcode, Record, RRType
from vpcdns.model.policy import Explain
from vpcdns.model.resolution import Resolution, resolve
from vpcdns.model.world import World
from vpcdns.query.beginning import decide
from vpcdns.query.following import followed, ttl_of
from vpcdns.query.responses import explained, failed, in_turn, limit_of, options_of, response_to
from vpcdns.query.values import Drop, Failure, Fetched, Forward, Response
from vpcdns.wire.edns import without_text
from vpcdns.wire.relay import without_records_from, write_relayed
from vpcdns.wire.upstream import PROOFS, Relayed, is_owned_by_question, owner_as_written, record_of

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
            hop = followed(result, resolution, world)
            if hop is None and resolution.answers:
                hop = _with_records(result, resolution)
    except (MalformedMessage, MalformedName):
        result = Failure.UNUSABLE
    if isinstance(result, Failure):
        return response_to(query, arrival, failed(resolution, result), world)
    if hop is not None and hop.outcome is Outcome.FORWARD:
        return replace(forward, resolution=hop)
    if hop is not None and hop.outcome is Outcome.DROP:
        return Drop(hop)
    if hop is not None:
        return response_to(query, arrival, in_turn(hop, forward.turn), world)
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


def _with_records(fetched: Fetched, resolution: Resolution) -> Resolution:
    """The Resolution of a CNAME chain, with what the last name's upstreams say at its end."""
    relayed, sections = fetched.relayed, (list[Record](), list[Record]())
    if relayed.truncated or len(relayed.records) > MAX_REBUILT:
        raise MalformedMessage("cut short, or too long to be put behind a CNAME")
    labels = 0
    for record in relayed.records:
        if record.section == 0 or (record.section == 1 and record.rtype in PROOFS):
            rebuilt, read = record_of(relayed, record, ttl_of(fetched, record))
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
        proofs=(*resolution.proofs, *sections[1]),
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
