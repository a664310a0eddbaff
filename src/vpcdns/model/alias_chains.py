"""Chains of CNAME records in private zones that resolution does not follow to an end: too long, or round.

Knows which names lead on, and asks `private_answers` where to. Names whose CNAME record leads to no other of
ours are not followed, and VPCs that see the same zones around the rest count once.
"""

from dataclasses import dataclass, field
from ipaddress import IPv4Address
from operator import attrgetter
from typing import Final

from vpcdns.model.clients import Client
from vpcdns.model.decision import Reason
from vpcdns.model.dns import Question, RRType
from vpcdns.model.names import Name
from vpcdns.model.private_answers import decide
from vpcdns.model.private_zones import PrivateZone
from vpcdns.model.resolution import MAX_CHAIN, resolve
from vpcdns.model.vpc_domains import group_at
from vpcdns.model.world import World

MAX_FOLLOWED: Final = 200_000  # names, of all VPCs together: some seconds
_ANYWHERE: Final = IPv4Address("192.0.2.1")  # a client's VPC decides, not its address


@dataclass(slots=True)
class Broken:
    """Names of a zone with chains that are too long; or, with `circle`, names that lead to each other.

    `classes` are the VPCs in which it is so, those together that see the same.
    """

    zone: Name
    circle: tuple[Name, ...] = ()
    names: dict[Name, None] = field(default_factory=dict)
    classes: dict[tuple[str, ...], None] = field(default_factory=dict)


def broken_chains(world: World) -> tuple[list[Broken], bool]:
    """What gets SERVFAIL in which VPCs, and whether everything was followed; linear in the records."""
    starts = _leading_on(world)
    found: dict[object, Broken] = {}
    left = MAX_FOLLOWED
    for vpcs, zones in _classes(starts, world).items():
        walk = _Walk(Client(_ANYWHERE, vpcs[0]), world, left)
        for zone in zones:
            for name in starts.get(zone.zone_id, ()):
                if walk.length(name) <= MAX_CHAIN + 1:  # and the name at the end
                    continue
                circle = walk.circle_from.get(name, ())
                key = circle[0] if circle else zone.zone_id
                if key not in found and walk.fails(name):
                    found[key] = Broken(zone.zone, circle)
                if (broken := found.get(key)) is not None:
                    broken.names.setdefault(name)
                    broken.classes.setdefault(vpcs)
        left = walk.left
    return list(found.values()), left > 0


@dataclass(slots=True)
class _Walk:
    """What `client` gets: how many names each chain has. It stops when `left` names are followed."""

    client: Client
    world: World
    left: int
    circle_from: dict[Name, tuple[Name, ...]] = field(default_factory=dict)
    _lengths: dict[Name, int] = field(default_factory=dict)

    def length(self, start: Name) -> int:
        """How many names a chain has from `start` on; of one without an end more than are followed."""
        path: dict[Name, None] = {}
        name: Name | None = start
        while name is not None and name not in self._lengths and name not in path and self.left > 0:
            path[name] = None
            name = self._target(name)
            self.left -= 1
        length = 0 if name is None else self._lengths.get(name, 0)
        circle = () if name is None else self.circle_from.get(name, ())
        if name is not None and name in path and self.left > 0:
            names = list(path)[list(path).index(name) :]
            first = names.index(min(names, key=attrgetter("folded")))
            circle, length = (*names[first:], *names[:first]), MAX_CHAIN + 1
        for passed in reversed(path):
            length += 1
            self._lengths[passed] = length
            if circle:
                self.circle_from[passed] = circle
        return self._lengths.get(start, 0)

    def fails(self, name: Name) -> bool:
        """Whether resolution says so as well."""
        found = resolve(Question(name, RRType.A), self.client, self.world)
        return found.reason is Reason.CHAIN_TOO_LONG

    def _target(self, name: Name) -> Name | None:
        _, decision = decide(Question(name, RRType.A), self.client, self.world)
        if decision is not None:
            return decision.cname
        custom = self.world.custom_domains.match(name)
        return None if custom is None else self.world.vpc_domain(self.world.groups[custom[1]])


def _leading_on(world: World) -> dict[str, dict[Name, Name]]:
    """By zone, the names with a CNAME record that leads to a name that may lead on, and to which."""
    aliases: dict[str, list[tuple[Name, Name]]] = {}
    for zone_id, zone in world.private_zones.zones.scan():
        for name, records in zone.served.values.scan() if zone.vpcs else ():
            if records[0].rtype == RRType.CNAME and isinstance(target := records[0].rdata, Name):
                aliases.setdefault(zone_id, []).append((name, target))
    owners = {name for pairs in aliases.values() for name, _ in pairs}
    suffix = world.answers.suffix
    for name in [name for name in owners if name.is_at_or_below(suffix)]:
        if (group := group_at(name, world)) is not None:
            owners.update(group.custom_domains)
    above = {name.parent() for name in owners if name.is_wildcard}

    def leads_on(target: Name) -> bool:
        return target in owners or (bool(above) and any(one in above for one in target.ancestors()))

    found = {zone_id: {one: to for one, to in pairs if leads_on(to)} for zone_id, pairs in aliases.items()}
    return {zone_id: names for zone_id, names in found.items() if names}


def _classes(starts: dict[str, dict[Name, Name]], world: World) -> dict[tuple[str, ...], list[PrivateZone]]:
    """VPCs for which the same zones have a say in these names and in those that they lead to."""
    zones = world.private_zones
    passed = {name for pairs in starts.values() for pair in pairs.items() for name in pair}
    near = {one for name in passed for one in (name, *name.ancestors()) if one in zones.names.values}
    if starts:  # a custom domain leads to a VPC domain, which a zone may hold
        suffix = world.answers.suffix
        near |= {
            one for one in zones.names.values if one.is_at_or_below(suffix) or suffix.is_at_or_below(one)
        }
    seen: dict[str, list[str]] = {}
    for zone_id, zone in zones.zones.scan():
        for vpc_id in zone.vpcs if zone.zone in near else ():
            seen.setdefault(vpc_id, []).append(zone_id)
    classes: dict[tuple[str, ...], list[str]] = {}
    for vpc_id, zone_ids in seen.items():
        if any(zone_id in starts for zone_id in zone_ids):
            classes.setdefault(tuple(zone_ids), []).append(vpc_id)
    return {tuple(vpcs): [zones.zones[zone_id] for zone_id in ids] for ids, vpcs in classes.items()}
