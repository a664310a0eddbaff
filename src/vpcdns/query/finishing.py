"""Responses to forwarded queries: what upstreams said, without what they say about our names."""

from dataclasses import replace
from typing import Final

from vpcdns.errors import MalformedMessage, MalformedName
from vpcdns.model.decision import OWN_NAMES, Outcome, Step
from vpcdns.model.dns import ExtendedError, InfoCode, Question, Rcode, Record, RRType
from vpcdns.model.policy import Explain
from vpcdns.model.resolution import Resolution, resolve
from vpcdns.model.world import World
from vpcdns.query.beginning import decide
from vpcdns.query.responses import explained, limit_of, options_of, response_to
from vpcdns.query.values import Drop, Failure, Fetched, Forward, Response
from vpcdns.wire.edns import without_text
from vpcdns.wire.relay import without_records_from, write_relayed
from vpcdns.wire.upstream import PROOFS, Relayed, is_owned_by_question

STALE_TTL: Final = 30  # seconds, RFC 8767 §4
MAX_CNAMES: Final = 16  # in one response; BIND and Unbound follow 11. Each costs the reading of a name
_RCODES: Final = frozenset(Rcode)
MAX_OWNERS: Final = 64  # names with records in one response; a referral to the root has 27, a long chain 17


def finish(forward: Forward, result: Fetched | Failure, world: World) -> Response | Forward | Drop:
    """The response to a forwarded query, made from what the upstreams said.

    Decided in `world`, the current one: a query that was on its way during a change is decided anew, and
    is a Forward again if other upstreams are to be asked now.
    """
    query, arrival, resolution = forward.query, forward.arrival, forward.resolution
    if world.revision != forward.revision:
        anew = decide(query, resolution.question, arrival, world)
        if not isinstance(anew, Forward) or anew.resolution.upstreams != resolution.upstreams:
            return anew
        forward, resolution = anew, anew.resolution
    own: Resolution | None = None
    try:
        if isinstance(result, Fetched):
            if result.relayed.truncated and arrival.transport == "tcp":
                raise MalformedMessage("truncated, with nowhere left to ask for the rest")
            own = _own_hop(result, resolution, world)
    except (MalformedMessage, MalformedName):
        result = Failure.UNUSABLE
    if isinstance(result, Failure):
        failed = replace(
            resolution, outcome=Outcome.RESPOND, rcode=Rcode.SERVFAIL, extended_error=result.error
        )
        return response_to(query, arrival, failed, world)
    if own is not None:
        return Drop(own) if own.outcome is Outcome.DROP else response_to(query, arrival, own, world)
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
        ttl=STALE_TTL if fetched.stale else None,
        extended_error=explained(_fetched_error(fetched), explain),
        options=options_of(query, arrival, resolution.client, world),
    )
    rcode = Rcode(relayed.rcode) if relayed.rcode in _RCODES else Rcode.SERVFAIL
    return Response(octets, query, replace(resolution, outcome=Outcome.RESPOND, rcode=rcode), relayed)


def _own_hop(fetched: Fetched, resolution: Resolution, world: World) -> Resolution | None:
    """Follows an upstream's CNAMEs; the first that leads to a name of ours is decided for this client.

    Nothing that the upstream says about such a name, or behind it, is passed on (CVE-2026-26017).
    """
    question, relayed = resolution.question, fetched.relayed
    if relayed.plain or question.rtype in (RRType.CNAME, RRType.ANY):
        return None
    cnames = [record for record in relayed.records if record.section == 0 and record.rtype == RRType.CNAME]
    if not cnames:
        return None
    if len(cnames) > MAX_CNAMES:
        raise MalformedMessage("more CNAMEs than any resolver follows")
    targets = {relayed.name(record.name_at): record for record in cnames}
    if len(targets) < len(cnames):
        # RFC 2181 §10.1: one CNAME for a name. Of two, a client might follow the one that we do not.
        raise MalformedMessage("two CNAMEs at one name")
    name, chain = question.name, list[Record]()
    while (record := targets.pop(name, None)) is not None:
        target = relayed.name(record.rdata_at)
        ttl = STALE_TTL if fetched.stale else max(0, record.ttl - fetched.age)
        chain.append(Record(name, RRType.CNAME, ttl, target))
        hop = resolve(Question(target, question.rtype), resolution.client, world)
        if hop.reason in OWN_NAMES:
            return replace(
                hop,
                question=question,
                answers=(*chain, *hop.answers),
                steps=(*resolution.steps, Step("cname", f"upstream says CNAME {target}"), *hop.steps[1:]),
                authoritative=False,  # RFC 6604 §2: the first name is not ours
            )
        name = target
    return None


def _unowned(relayed: Relayed, resolution: Resolution, world: World) -> Relayed:
    """The response without what the upstream says about our names unasked, and without all that follows.

    Such records come behind a CNAME that was itself asked for, or as additional ones: nobody needs them.
    The SOA above a denied name may be the suffix's, and stays with its proofs. A record is cut off with all
    that follow, as those may point into it. Owners that are the question's name, which is not ours, are
    nearly all there are, and cost nothing; behind more than MAX_OWNERS others nothing is passed on.
    """
    if relayed.plain:
        return relayed
    decided = {resolution.question.name}
    for place, record in enumerate(relayed.records):
        proves = record.section == 1 and record.rtype in PROOFS
        if proves or is_owned_by_question(relayed, record):
            continue
        name = relayed.name(record.name_at)
        if name in decided:
            continue
        decided.add(name)
        if (
            len(decided) > MAX_OWNERS
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
