"""What a valid configuration may say without its author meaning it: warnings of `check` and of the start."""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from vpcdns.model.clients import shut_out
from vpcdns.model.names import Name
from vpcdns.model.private_zones import PrivateZone
from vpcdns.model.world import World

_SHOWN: Final = 5  # VPCs of a zone


def warnings(world: World) -> Iterator[str]:
    """Each with the way out; linear in the objects."""
    return chain(
        shut_out(world), _hidden_vpc_domains(world), _hidden_custom_domains(world), _idle_rules(world)
    )


def _hidden_vpc_domains(world: World) -> Iterator[str]:
    suffix = world.answers.suffix
    for zone in world.private_zones.zones.values():
        if zone.vpcs and suffix.is_at_or_below(zone.zone) and not zone.fall_through:
            why = f"VPC domains do not resolve in {_listed(zone)}: {suffix} lies in the zone"
            yield f"private zone {zone.zone}: {why}; set fall_through, or make the zone smaller"


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
        group_id = world.custom_domains.values.get(rule.domain)
        if group_id is not None:
            why = f"the name itself is answered here, as group {group_id} has it as a custom domain"
            yield f"forward rule {rule.domain}: {why}; the rule holds for names below it only"


def _listed(zone: PrivateZone) -> str:
    vpcs = sorted(zone.vpcs)
    return ", ".join(vpcs[:_SHOWN]) + (", …" if len(vpcs) > _SHOWN else "")
