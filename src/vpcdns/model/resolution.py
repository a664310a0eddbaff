"""The single place where a query's fate is decided (DESIGN §3).

`resolve` is total and deterministic: the same question, client and world give the same Resolution,
which carries the reason and the steps that led there. The wire, `explain`, the log, the metrics and
the console all render that one value.
"""

from dataclasses import dataclass, replace
from typing import Final

from vpcdns.model import private_answers, vpc_domains
from vpcdns.model.cache_limits import TtlLimits
from vpcdns.model.clients import Client
from vpcdns.model.decision import Decision, Outcome, Reason, Step, answer_step, pick, soa_record
from vpcdns.model.dns import ExtendedError, InfoCode, Question, Rcode, Rdata, Record, RRClass, RRType
from vpcdns.model.gateway_rules import VPCDNS_INTERNAL
from vpcdns.model.names import Name
from vpcdns.model.policy import AnyUpstream, Otherwise
from vpcdns.model.special_use import is_delegated, records_at, zone_of
from vpcdns.model.world import World

# CNAMEs; a custom domain leads to a VPC domain and no further. BIND follows 17 and Unbound 11; what upstreams
# lead to is bounded in `query`.
MAX_CHAIN: Final = 16


@dataclass(frozen=True, slots=True)
class Resolution:
    """The fate of a query. `answers` are in order, CNAMEs first; `soa` is set on negative answers only.

    `proofs` are what upstreams said for the authority section, where their words end a CNAME chain. With
    `cyclic` the records of the last name come each time in another order.

    `target` is the last name of the CNAME chain: the one that `rcode` and `reason` are about (RFC 6604),
    and the one to forward when the outcome is FORWARD, to `upstreams`, whose answers are kept for `ttls`.
    """

    question: Question
    client: Client
    outcome: Outcome
    rcode: Rcode
    reason: Reason
    target: Name
    steps: tuple[Step, ...]
    answers: tuple[Record, ...] = ()
    soa: Record | None = None
    proofs: tuple[Record, ...] = ()
    cyclic: bool = False
    extended_error: ExtendedError | None = None
    authoritative: bool = False
    upstreams: tuple[AnyUpstream, ...] = ()
    ttls: TtlLimits | None = None

    @property
    def personal(self) -> bool:
        """Whether it depends on more of the client than its VPC: never kept, never shared."""
        return self.reason is Reason.WHOAMI or self.reason is Reason.EXPLAIN


def resolve(question: Question, client: Client, world: World) -> Resolution:
    """Decides what becomes of `question` from `client` in `world`; every CNAME hop is decided anew."""
    steps = [Step("client", f"{client.address} counts as {client} ({client.matched})")]
    answers: list[Record] = []
    hop, authoritative = question, False
    for _ in range(MAX_CHAIN + 1):
        decision = _decide(hop, client, world)
        steps += decision.steps
        answers += decision.records
        # RFC 6604 §2: AA is that of the first name; refusing, or having nobody to ask, says nothing of it.
        silent = decision.rcode is Rcode.REFUSED or decision.reason is Reason.NO_UPSTREAMS
        local = decision.outcome is Outcome.RESPOND and not silent
        authoritative = authoritative or bool(answers) or local
        if decision.cname is None:
            break
        hop = Question(decision.cname, question.rtype, question.rclass)
    else:
        answers.clear()
        too_long = ExtendedError(InfoCode.OTHER, "the CNAME chain is too long")
        decision = Decision(Reason.CHAIN_TOO_LONG, (), Rcode.SERVFAIL, extended_error=too_long)
    negative = not decision.records and decision.rcode in (Rcode.NOERROR, Rcode.NXDOMAIN)
    soa = decision.soa or (None if decision.zone is None else soa_record(decision.zone, world))
    return Resolution(
        question=question,
        client=client,
        outcome=decision.outcome,
        rcode=decision.rcode,
        reason=decision.reason,
        target=hop.name,
        steps=tuple(steps),
        answers=tuple(answers),
        soa=soa if negative else None,
        cyclic=decision.cyclic,
        extended_error=decision.extended_error,
        authoritative=authoritative,
        upstreams=decision.upstreams,
        ttls=decision.ttls,
    )


def _decide(question: Question, client: Client, world: World) -> Decision:
    """One row of the table in DESIGN §3, top to bottom; the first that fits."""
    name = question.name
    if not client.allowed:
        # No text: a response to a stranger is as short as can be (docs/decisions/0009).
        return _refused(Reason.STRANGER, "this client may not ask", InfoCode.PROHIBITED, "")
    if question.rclass != RRClass.IN:
        return _decide_class(question, world)
    if question.rtype in (RRType.AXFR, RRType.IXFR):
        detail = "zone transfers are not given"
        return _refused(Reason.TRANSFER_REFUSED, detail, InfoCode.PROHIBITED, detail)
    if question.rtype == RRType.DS and name == VPCDNS_INTERNAL:
        return _forwarded(question, client, world, exists=True)
    if name.is_at_or_below(VPCDNS_INTERNAL):
        return _decide_internal(question, client, world)
    passed, decision = private_answers.decide(question, client, world)
    if decision is not None:
        return decision
    if question.rtype == RRType.DS and _is_apex(name, client, world):
        # RFC 4035 §3.1.4.1: DS lies above the zone cut, and is the parent's to answer.
        decision = _decide_foreign(question, client, world, is_apex=True)
    else:
        decision = _decide_public(question, client, world)
    for zone in private_answers.unseen(name, client, world) if world.private_zones else ():
        passed = (*passed, Step("private zone", f"{zone} is not bound to where this client is"))
    return replace(decision, steps=(*passed, *decision.steps)) if passed else decision


def _is_apex(name: Name, client: Client, world: World) -> bool:
    """Whether a zone begins there that is answered here, for this client."""
    is_private = client.vpc_id is not None and world.private_zones.seen(client.vpc_id, name) is not None
    return is_private or name == world.answers.suffix or is_delegated(name)


def _decide_public(question: Question, client: Client, world: World) -> Decision:
    """What a name is without private zones."""
    name, suffix = question.name, world.answers.suffix
    if (formed := vpc_domains.recognise(name, suffix)) is not None:
        return vpc_domains.decide(question, formed, client, world)
    if name == suffix:
        return _local(question, world, name, Reason.SUFFIX, f"{suffix} is the suffix of the VPC domains", {})
    custom = world.custom_domains.match(name)
    if custom is not None and not _is_excepted(question, custom[0], client, world):
        return _decide_custom(question, *custom, world)
    return _decide_foreign(question, client, world)


def _is_excepted(question: Question, owner: Name, client: Client, world: World) -> bool:
    """Whether a forward rule is for less than a wildcard custom domain: then it is meant as an exception."""
    rule = world.forwarding.rule_for(question.name, client.vpc_id) if owner.is_wildcard else None
    return rule is not None and len(rule.domain) >= len(owner)


def _decide_custom(question: Question, owner: Name, group_id: str, world: World) -> Decision:
    target = world.vpc_domain(world.groups[group_id])
    cname = Record(question.name, RRType.CNAME, world.answers.ttl, target)
    step = Step("custom domain", f"{owner} belongs to group {group_id}: CNAME {target}")
    followed = question.rtype not in (RRType.CNAME, RRType.ANY)  # RFC 1034 §3.6.2
    return Decision(Reason.CUSTOM_DOMAIN, (step,), records=(cname,), cname=target if followed else None)


def _decide_foreign(question: Question, client: Client, world: World, is_apex: bool = False) -> Decision:
    """Names that are not the gateway's: special-use ones are ours to answer, the rest is forwarded.

    `is_apex` is a question about the apex of a zone of ours, to the zone above it, where it exists.
    """
    rule = world.forwarding.rule_for(question.name, client.vpc_id)
    zone = None if is_apex and is_delegated(question.name) else zone_of(question.name)
    if zone is not None and (rule is None or not zone.is_meant_by(rule.domain)):
        detail = f"special-use name under {zone.apex}, answered locally ({zone.source})"
        records = records_at(question.name, zone)
        if records is None and is_apex:
            records = {}
        if records is not None:
            available: dict[int, tuple[Rdata, ...]] = {rtype: (rdata,) for rtype, rdata in records.items()}
            return _local(question, world, zone.apex, Reason.SPECIAL_USE, detail, available)
        steps = (Step("name", detail), answer_step((), Rcode.NXDOMAIN, question.rtype))
        return Decision(Reason.SPECIAL_USE, steps, Rcode.NXDOMAIN, zone=zone.apex)
    return _forwarded(question, client, world, exists=is_apex)


def _forwarded(question: Question, client: Client, world: World, exists: bool = False) -> Decision:
    """What upstreams say; where there are none, a name that `exists` has no data, at most."""
    rule = world.forwarding.rule_for(question.name, client.vpc_id)
    upstreams, ttls = world.forwarding.by(rule)
    if not upstreams:
        whose = "" if rule is None else f" for {rule.domain}"
        detail = f"not a name of ours, and no upstreams{whose} to ask"
        error = ExtendedError(InfoCode.NOT_AUTHORITATIVE, "not ours, and no upstreams")
        rcode = Rcode.NOERROR if exists else Rcode.NXDOMAIN
        if world.forwarding.otherwise is Otherwise.REFUSED:
            rcode = Rcode.REFUSED
        steps = (Step("answer", f"{rcode.name}: {detail}"),)
        return Decision(Reason.NO_UPSTREAMS, steps, rcode, extended_error=error)
    whose = "the default" if rule is None else f"the rule for {rule.domain}"
    detail = f"not a name of ours: forwarded to {', '.join(map(str, upstreams))} by {whose}"
    steps = (Step("forward", detail),)
    return Decision(Reason.FORWARDED, steps, outcome=Outcome.FORWARD, upstreams=upstreams, ttls=ttls)


def _decide_class(question: Question, world: World) -> Decision:
    """CH TXT of a few names says who answers (RFC 4892); everything else outside IN is refused."""
    texts: dict[tuple[bytes, ...], str] = {
        (b"version", b"bind"): world.identity.version,
        (b"version", b"server"): world.identity.version,
        (b"id", b"server"): world.identity.server_id,
        (b"hostname", b"bind"): world.identity.server_id,
    }
    text = texts.get(question.name.folded)
    chaos_text = question.rclass == RRClass.CH and question.rtype in (RRType.TXT, RRType.ANY)
    if text is None or not chaos_text:
        detail = "only class IN is answered"
        return _refused(Reason.CLASS_REFUSED, detail, InfoCode.NOT_AUTHORITATIVE, detail)
    record = Record(question.name, RRType.TXT, 0, (text.encode()[:255],), RRClass.CH)
    step = Step("answer", f"the server's own {question.name}")
    return Decision(Reason.SERVER_IDENTITY, (step,), records=(record,))


def _decide_internal(question: Question, client: Client, world: World) -> Decision:
    """`vpcdns.internal`: what the server says about itself and about the client."""
    zone, reason, available = VPCDNS_INTERNAL, Reason.EXPLAIN, dict[int, tuple[Rdata, ...]]()
    match question.name.relative_to(zone):
        case ():
            return _local(question, world, zone, Reason.VPCDNS_INTERNAL, "the zone of vpcdns itself", {})
        case (b"whoami",):
            reason, detail, available = Reason.WHOAMI, "the client as it is seen", _whoami(client, world)
        case (b"explain",):
            detail = "ask for <name>.explain.vpcdns.internal, type TXT"
        case (*labels, b"explain"):
            asked = Name(question.name.labels[: len(labels)])
            detail, available = f"explains {asked}", _explain(asked, client, world)
        case _:
            steps = (Step("name", "no such name in vpcdns.internal"), answer_step((), Rcode.NXDOMAIN, 0))
            return Decision(Reason.VPCDNS_INTERNAL, steps, Rcode.NXDOMAIN, zone=zone)
    return _local(question, world, zone, reason, detail, available, ttl=0)  # the next client is another


def _whoami(client: Client, world: World) -> dict[int, tuple[Rdata, ...]]:
    rtype = RRType.A if client.address.version == 4 else RRType.AAAA
    texts = [
        f"address={client.address}",
        f"vpc={client.vpc_id or 'none (the Internet)'}",
        *([f"network={client.network_id}"] if client.network_id else []),
        f"matched={client.matched}",
    ]
    if zones := world.private_zones.seen_by(client.vpc_id):
        texts.append(f"private_zones={','.join(map(str, zones))}")
    return {rtype: (client.address,), RRType.TXT: (_strings(texts),)}


def _explain(asked: Name, client: Client, world: World) -> dict[int, tuple[Rdata, ...]]:
    """The steps for type A, one string each, in one TXT record: records of an RRset have no order."""
    resolution = resolve(Question(asked, RRType.A), client, world)
    texts = [f"{number}. {step.step}: {step.detail}" for number, step in enumerate(resolution.steps, 1)]
    end = resolution.rcode.name if resolution.outcome is Outcome.RESPOND else resolution.outcome.value
    return {RRType.TXT: (_strings([*texts, f"{end} ({resolution.reason.value})"]),)}


def _strings(texts: list[str]) -> tuple[bytes, ...]:
    return tuple(text.encode()[:255] for text in texts)  # RFC 1035 §3.3: a string has at most 255 octets


def _local(
    question: Question,
    world: World,
    apex: Name,
    reason: Reason,
    detail: str,
    available: dict[int, tuple[Rdata, ...]],
    ttl: int | None = None,
) -> Decision:
    """A name that exists here; the apex of its zone has a SOA besides."""
    ttl = world.answers.ttl if ttl is None else ttl
    records = pick(question.name, question.rtype, ttl, available)
    if question.name == apex and question.rtype in (RRType.SOA, RRType.ANY):
        records = (soa_record(question.name, world),)
    steps = (Step("name", detail), answer_step(records, Rcode.NOERROR, question.rtype))
    return Decision(reason, steps, records=records, zone=apex)


def _refused(reason: Reason, detail: str, code: InfoCode, text: str) -> Decision:
    steps = (Step("answer", f"REFUSED: {detail}"),)
    return Decision(reason, steps, Rcode.REFUSED, extended_error=ExtendedError(code, text))
