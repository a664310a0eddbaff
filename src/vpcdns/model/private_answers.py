"""What private zones answer, and to whom (DESIGN §1.11, §3).

Knows the zones that a client sees; that they come before everything else but vpcdns's own names is for
`resolution`, as is what a CNAME leads to.
"""

from dataclasses import replace

from vpcdns.model.clients import Client
from vpcdns.model.decision import Decision, Reason, Step, answer_step, soa_record
from vpcdns.model.dns import ExtendedError, InfoCode, Question, Rcode, Record, RRType, Soa
from vpcdns.model.names import Name
from vpcdns.model.private_zones import PrivateZone, ZoneRecord
from vpcdns.model.world import World


def decide(question: Question, client: Client, world: World) -> tuple[tuple[Step, ...], Decision | None]:
    """What the most specific zone says that has a say, and what the others have let pass before."""
    passed: list[Step] = []
    is_apex = False
    for zone in world.private_zones.enclosing(question.name, client.vpc_id):
        # RFC 4035 §3.1.4.1: DS lies above the zone cut, and is the parent's to answer.
        if question.rtype == RRType.DS and question.name == zone.zone:
            is_apex = True
            continue
        records = zone.at(question.name)
        if is_apex:
            # The name exists, though this zone does not delegate to the one below; no wildcard is for it.
            records = tuple(
                one for one in records or () if one.name == question.name and one.rtype == RRType.DS
            )
        if records is None and zone.fall_through:
            passed.append(Step("private zone", f"{zone.zone} lacks the name, and falls through"))
            continue
        decision = _answer(question, zone, records, world)
        return (), replace(decision, steps=(*passed, *decision.steps))
    return tuple(passed), None


def unseen(name: Name, client: Client, world: World) -> tuple[Name, ...]:
    """The zones that `name` lies in and the client does not see, the most specific first."""
    zones = world.private_zones
    return tuple(
        one
        for one in (name, *name.ancestors())
        if one in zones.names.values and (client.vpc_id is None or zones.seen(client.vpc_id, one) is None)
    )


def _answer(
    question: Question, zone: PrivateZone, found: tuple[ZoneRecord, ...] | None, world: World
) -> Decision:
    name, rtype = question.name, question.rtype
    step = Step("private zone", f"{name} lies in {zone.zone}, which this client's VPC sees")
    soa = _soa(zone, world)
    if found is None:
        error = ExtendedError(InfoCode.OTHER, f"private zone {zone.zone} has no such name")
        steps = (step, answer_step((), Rcode.NXDOMAIN, rtype))
        return Decision(Reason.PRIVATE_ZONE, steps, Rcode.NXDOMAIN, soa=soa, extended_error=error)
    alias = next((record for record in found if record.rtype == RRType.CNAME), None)
    if alias is not None:
        rtype = int(RRType.CNAME)
    elif rtype == RRType.ANY:
        rtype = found[0].rtype if found else int(RRType.SOA)  # RFC 8482 §4.1: one RRset
    records = _rrset(name, rtype, found, world)
    if not records and name == zone.zone:
        records = {int(RRType.SOA): (soa,), int(RRType.NS): (_ns(zone, world),)}.get(rtype, ())
    followed = alias is not None and question.rtype not in (RRType.CNAME, RRType.ANY)  # RFC 1034 §3.6.2
    target = alias.rdata if followed and alias is not None and isinstance(alias.rdata, Name) else None
    return Decision(
        Reason.PRIVATE_ZONE,
        (step, answer_step(records, Rcode.NOERROR, rtype)),
        records=records,
        soa=soa,
        cname=target,
        cyclic=len(records) > 1 and zone.rrset_order == "cyclic",
    )


def _rrset(name: Name, rtype: int, found: tuple[ZoneRecord, ...], world: World) -> tuple[Record, ...]:
    """Its records under the name asked for, with one TTL (RFC 2181 §5.2): the lowest."""
    of_type = [record for record in found if record.rtype == rtype]
    ttls = [world.answers.ttl if record.ttl is None else record.ttl for record in of_type]
    return tuple(Record(name, rtype, min(ttls), record.rdata) for record in of_type)


def _soa(zone: PrivateZone, world: World) -> Record:
    """As it stands in negative answers: its TTL is the lower one of its own and its MINIMUM (RFC 2308 §3)."""
    own = zone.soa()
    if own is None or not isinstance(own.rdata, Soa):
        return soa_record(zone.zone, world)
    ttl = world.answers.ttl if own.ttl is None else own.ttl
    return Record(zone.zone, RRType.SOA, min(ttl, own.rdata.minimum), own.rdata)


def _ns(zone: PrivateZone, world: World) -> Record:
    """A zone has name servers (RFC 1034 §4.2.1); one that names none is its own, as in RFC 6303 §3."""
    return Record(zone.zone, RRType.NS, world.answers.ttl, zone.zone)
