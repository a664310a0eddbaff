"""The rules on private zones and their records; configuration and changes obey the same ones.

Each function yields a Refusal for every way in which an object breaks a rule. Knows nothing of files or of
HTTP: `where` names the field, and the caller knows the place.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from vpcdns.model.dns import Rdata, RRType, type_text
from vpcdns.model.gateway_rules import VPCDNS_INTERNAL
from vpcdns.model.names import Name
from vpcdns.model.private_zones import PrivateZone, ZoneRecord
from vpcdns.model.rules import Refusal, Rule, missing
from vpcdns.model.topology import Vpc

MAX_TTL: Final = 0x7FFFFFFF  # seconds, RFC 2181 §8
MAX_RRSET: Final = 500  # records: with names of full length they fit into a message of 64 KiB
# Asked for, but never in a zone (RFC 6895 §3.1), and what a private zone would have to be signed for
# (RFC 4034, 5155, 7344), or to delegate with.
_META: Final = frozenset({0, 41, *range(128, 256)})
_SIGNING: Final = frozenset({43, 46, 47, 48, 50, 51, 59, 60})
_ONLY_ONE: Final = frozenset({int(RRType.CNAME), int(RRType.SOA)})


def zone_refusals(
    zone: PrivateZone, seen: Mapping[tuple[str, Name], str], vpcs: Mapping[str, Vpc]
) -> Iterator[Refusal]:
    """Whether such a zone may be, bound to its VPCs, beside those that these see; not what is in it."""
    subject = f"private zone {zone.zone}"
    if not zone.zone.labels or zone.zone.is_at_or_below(VPCDNS_INTERNAL):
        whose = "the root" if not zone.zone.labels else f"{VPCDNS_INTERNAL}, which is ours,"
        yield Refusal(
            Rule.PRIVATE_ZONE, subject, f"{whose} cannot be private", "take another name", ("zone",)
        )
    for vpc_id in sorted(zone.vpcs):
        if vpc_id not in vpcs:
            yield missing(Rule.REFERENCE, subject, f"VPC {vpc_id}", "vpcs", ("vpcs",))
        if seen.get((vpc_id, zone.zone), zone.zone_id) != zone.zone_id:
            problem = f"{vpc_id} sees another zone of that name already"
            yield Refusal(Rule.UNIQUE, subject, problem, "put the records into one zone", ("vpcs",))


def record_refusals(record: ZoneRecord, zone: Name) -> Iterator[Refusal]:
    """What is wrong with a record by itself."""
    kind = type_text(record.rtype)
    subject = f"{kind} record {record.name} of private zone {zone}"
    rule, where = Rule.PRIVATE_ZONE, ("type",)
    if not record.name.is_at_or_below(zone):
        yield Refusal(rule, subject, f"it lies outside {zone}", "mend the name", ("name",))
    if record.rtype in _META:
        yield Refusal(rule, subject, f"{kind} is no type of records", "take another type", where)
    if record.rtype in _SIGNING:
        yield Refusal(rule, subject, "private zones are not signed", "remove it", where)
    if record.rtype == RRType.DNAME:
        yield Refusal(rule, subject, "DNAME is not supported", "write CNAME records, or a wildcard", where)
    if record.rtype in (RRType.SOA, RRType.NS) and record.name != zone:
        problem = f"{kind} stands at the zone's own name only: a private zone delegates nothing"
        yield Refusal(rule, subject, problem, "make it a zone, or write a forward rule", where)
    if record.rtype == RRType.CNAME and record.name == zone:
        problem = "the zone's own name has a SOA, and no CNAME beside it (RFC 1034 §3.6.2)"
        yield Refusal(rule, subject, problem, "write its addresses instead", where)
    if record.ttl is not None and not 0 <= record.ttl <= MAX_TTL:
        yield Refusal(rule, subject, f"a TTL of {record.ttl}", f"0 to {MAX_TTL} seconds", ("ttl",))


def beside_refusals(
    record: ZoneRecord, others: Mapping[int, Collection[Rdata]], zone: Name
) -> Iterator[Refusal]:
    """Whether an enabled record may stand beside the enabled ones of its name: `others`, by type."""
    subject = f"{type_text(record.rtype)} record {record.name} of private zone {zone}"
    alike = others.get(record.rtype, ())
    if record.rdata in alike:
        yield Refusal(Rule.UNIQUE, subject, "it is there already", "remove one of the two")
    elif alike and record.rtype in _ONLY_ONE:
        problem = f"a name has one {type_text(record.rtype)} record at most"
        yield Refusal(Rule.PRIVATE_ZONE, subject, problem, "remove one of the two")
    if len(alike) >= MAX_RRSET:
        problem = f"more than {MAX_RRSET} records of one name and type"
        yield Refusal(Rule.PRIVATE_ZONE, subject, problem, "remove some", ("values",))
    is_alias, has_alias = record.rtype == RRType.CNAME, RRType.CNAME in others
    if (len(others) > has_alias) if is_alias else has_alias:
        problem = "a name with a CNAME record has no others (RFC 1034 §3.6.2)"
        yield Refusal(Rule.PRIVATE_ZONE, subject, problem, "remove the CNAME record, or the others")


def cycle_from(name: Name, zone: PrivateZone) -> tuple[Name, ...]:
    """The names of a circle of CNAMEs within the zone that begins at `name`; empty: there is none."""
    passed: dict[Name, None] = {}
    while name not in passed:
        target = _alias(name, zone)
        if target is None:
            return ()
        passed[name] = None
        name = target
    names = list(passed)
    return tuple(names[names.index(name) :])


def cycles(zone: PrivateZone) -> Iterator[tuple[Name, ...]]:
    """Every circle of CNAMEs within the zone, once; linear in its records."""
    ended: set[Name] = set()
    for start in zone.served.values:
        path: dict[Name, None] = {}
        name: Name | None = start
        while name is not None and name not in ended and name not in path:
            path[name] = None
            name = _alias(name, zone)
        if name is not None and name in path:
            names = list(path)
            yield tuple(names[names.index(name) :])
        ended.update(path)


def _alias(name: Name, zone: PrivateZone) -> Name | None:
    if not name.is_at_or_below(zone.zone):
        return None
    found: tuple[ZoneRecord, ...] = zone.at(name) or ()
    target: Rdata | None = found[0].rdata if found and found[0].rtype == RRType.CNAME else None
    return target if isinstance(target, Name) else None
