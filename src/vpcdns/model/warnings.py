"""What a valid configuration may say without its author meaning it: warnings of `check` and of the start."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from vpcdns.model.alias_chains import MAX_FOLLOWED, broken_chains
from vpcdns.model.clients import shut_out
from vpcdns.model.gateway import Group
from vpcdns.model.gateway_rules import VPCDNS_INTERNAL
from vpcdns.model.names import Name
from vpcdns.model.policy import ForwardRule
from vpcdns.model.private_zones import PrivateZone
from vpcdns.model.resolution import MAX_CHAIN
from vpcdns.model.vpc_domains import group_at, recognise
from vpcdns.model.world import World

_SHOWN: Final = 5  # VPCs of a zone, names of a circle
_NOBODYS: Final = b"!-vpc"  # the label of a VPC domain that no group can have


def warnings(world: World) -> Iterator[str]:
    """Each with the way out; linear in the objects."""
    return chain(
        shut_out(world),
        _hidden_vpc_domains(world),
        _hidden_custom_domains(world),
        _idle_rules(world),
        _broken_chains(world),
    )


def _hidden_vpc_domains(world: World) -> Iterator[str]:
    """In the VPCs that a zone is bound to, it is asked before VPC domains (DESIGN §1.11)."""
    suffix = world.answers.suffix
    for zone in world.private_zones.zones.values():
        if not zone.vpcs:
            continue
        if suffix.is_at_or_below(zone.zone):
            if not zone.fall_through or zone.at(Name((_NOBODYS, *suffix.labels))) is not None:
                how = (
                    f"{suffix} lies in the zone" if not zone.fall_through else "a wildcard holds their names"
                )
                why = f"VPC domains do not resolve in {_listed(zone)}, nor custom domains: {how}"
                way_out = "set fall_through" if not zone.fall_through else "remove the wildcard"
                yield f"private zone {zone.zone}: {why}; {way_out}, or make the zone smaller"
                continue
            names: Iterable[Name] = (name for name in zone.served.nodes if len(name) == len(suffix) + 1)
        else:
            names = (zone.zone,)
        for name in names:
            if (group := _group_of(name, world)) is not None:
                domains = group.custom_domains
                more = f" and {len(domains) - 1} more lead" if len(domains) > 1 else " leads"
                leading = f", where {domains[0]}{more}" if domains else ""
                why = (
                    f"in {_listed(zone)} it is asked before the VPC domain of group {group.group_id}{leading}"
                )
                yield f"private zone {zone.zone}: {why}; {_own_way_out(zone, name)}"


def _group_of(name: Name, world: World) -> Group | None:
    """The group whose VPC domain, enabled or not, is exactly `name`."""
    group = group_at(name, world)
    return group if group is not None and world.vpc_domain(group) == name else None


def _own_way_out(zone: PrivateZone, name: Name) -> str:
    if name == zone.zone:
        return "unbind it there, or give it the address that the name should have"
    return f"remove what it has at or below {name}, or give it the address that the name should have"


def _hidden_custom_domains(world: World) -> Iterator[str]:
    """In the VPCs that a zone is bound to, it is asked before a custom domain (DESIGN §1.11)."""
    by_name: dict[Name, list[PrivateZone]] = {}
    for zone in world.private_zones.zones.values():
        if zone.vpcs:
            by_name.setdefault(zone.zone, []).append(zone)
    for name, group_id in world.custom_domains.values.scan() if by_name else ():
        for above in (name, *name.ancestors()):
            for zone in by_name.get(above, ()):
                if not zone.fall_through or zone.at(name) is not None:
                    why = f"in {_listed(zone)} it is asked before custom domain {name} of group {group_id}"
                    way_out = "add its records to the zone, or set fall_through and leave them out"
                    yield f"private zone {zone.zone}: {why}; {way_out}"


def _idle_rules(world: World) -> Iterator[str]:
    for rule in world.forwarding.rules:
        if (never := _never_asked(rule, world)) is not None:
            yield f"forward rule {rule.domain}: it is never asked, as {never}; remove it"
            continue
        group_id = world.custom_domains.values.get(rule.domain)
        if group_id is not None:
            why = f"the name itself is answered here, as group {group_id} has it as a custom domain"
            yield f"forward rule {rule.domain}: {why}; the rule holds for names below it only"


def _never_asked(rule: ForwardRule, world: World) -> str | None:
    domain = rule.domain
    if domain.is_at_or_below(VPCDNS_INTERNAL):
        return f"{VPCDNS_INTERNAL} is answered here"
    if recognise(domain, world.answers.suffix) is not None:
        return "names of VPC-domain form, and those around them, are answered here"
    hiding = [_hiding(domain, vpc_id, world) for vpc_id in sorted(rule.vpcs)]
    if hiding and (first := hiding[0]) is not None and None not in hiding:
        return f"private zone {first.zone} is asked before it in {_shown(sorted(rule.vpcs))}"
    return None


def _hiding(domain: Name, vpc_id: str, world: World) -> PrivateZone | None:
    """The zone that answers for all names at or below `domain` in that VPC."""
    zones = world.private_zones.enclosing(domain, vpc_id)
    return next((zone for zone in zones if not zone.fall_through), None)


def _broken_chains(world: World) -> Iterator[str]:
    found, all_followed = broken_chains(world)
    for broken in found:
        where = f"private zone {broken.zone}: in {_shown(sorted(chain.from_iterable(broken.classes)))}"
        if broken.circle:
            names = [*broken.circle[:_SHOWN], "…"] if len(broken.circle) > _SHOWN else broken.circle
            around = " → ".join(map(str, (*names, broken.circle[0])))
            yield f"{where} CNAME records go round, which is SERVFAIL: {around}; let one lead elsewhere"
        else:
            first, more = next(iter(broken.names)), len(broken.names) - 1
            others = f" and {more} more" if more else ""
            why = f"CNAME chains of more than {MAX_CHAIN} records are SERVFAIL: that from {first}{others}"
            yield f"{where} {why}; let it lead closer to its end"
    if not all_followed:
        yield f"CNAME chains of private zones: only {MAX_FOLLOWED:,} names were followed; shorten the chains"


def _listed(zone: PrivateZone) -> str:
    return _shown(sorted(zone.vpcs))


def _shown(vpcs: list[str]) -> str:
    return ", ".join(vpcs[:_SHOWN]) + (", …" if len(vpcs) > _SHOWN else "")
