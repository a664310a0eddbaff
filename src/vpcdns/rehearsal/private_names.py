"""Names in private zones. A plan asks for each of them by itself: no two are alike, and few sources see them.

Knows which names those are in one of two Worlds, and which VPCs see a zone around them; not how they resolve.
`*.corp.test` stands for the names below corp.test that nothing else is said of.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from vpcdns.model.dns import RRType
from vpcdns.model.names import MAX_NAME, Name
from vpcdns.model.private_zones import PrivateZone
from vpcdns.model.world import World


class PrivateNames:
    """Of two Worlds. `changed` says whether their zones differ in anything."""

    def __init__(self, old: World, new: World) -> None:
        self._worlds = old, new
        self._by_name = _by_name(old), _by_name(new)  # those that somebody sees
        self._there = _there(old), _there(new)
        self._seen: dict[Name, frozenset[str]] = {}
        for zone in self._zones():
            self._seen[zone.zone] = self._seen.get(zone.zone, frozenset()) | zone.vpcs
        self._holds_vpc_domains = any(self.may_hold_vpc_domains(world.answers.suffix) for world in (old, new))
        self.changed = old.private_zones is not new.private_zones and old.private_zones != new.private_zones
        self._moved: set[Name] = set()  # zones of which more than records differs
        self._edited: set[Name] = set()  # zones of which records differ
        self._touched: set[Name] = (
            set()
        )  # owners of records that differ, and the names between them and the zone
        if self.changed:
            self._compare()

    def zone_of(self, name: Name) -> Name | None:
        """The most specific zone around a name, whoever sees it."""
        return next((one for one in (name, *name.ancestors()) if one in self._seen), None)

    def bound(self, zone: Name | None) -> str:
        """The VPCs that the zones of a name are bound to; before and after, where that differs."""
        said = []
        for by_name, there in zip(self._by_name, self._there, strict=True):
            zones = by_name.get(zone, ()) if zone is not None else ()
            vpcs = sorted(frozenset().union(*(one.vpcs for one in zones)))
            unseen = "unbound" if zone in there else "no such zone"
            said.append(f"bound to {', '.join(vpcs)}" if vpcs else unseen)
        return " -> ".join(dict.fromkeys(said))

    def deciding(self, name: Name) -> tuple[Name | None, Name | None]:
        """The most specific zone that somebody sees and that lets the name not pass: before, and after.

        Of a custom domain that no zone holds, the one that holds the VPC domain that it leads to.
        """
        before, after = (
            next((zone for one in self._names_of(name, world) if (zone := _decider(one, zones))), None)
            for world, zones in zip(self._worlds, self._by_name, strict=True)
        )
        return before, after

    def types_at(self, names: Iterable[Name]) -> set[int]:
        """The types of the records, but for A, that a zone has for any of these names."""
        around = [(name, one) for name in names for one in (name, *name.ancestors())]
        zones = ((name, zone) for by in self._by_name for name, one in around for zone in by.get(one, ()))
        return {record.rtype for name, zone in zones for record in zone.at(name) or ()} - {RRType.A}

    def seen_by(self, name: Name) -> frozenset[str]:
        """The VPCs that see a zone around the name, or where it leads as a custom domain, in either World."""
        if not self._seen:
            return frozenset()
        names = dict.fromkeys(chain.from_iterable(self._names_of(name, world) for world in self._worlds))
        around = chain.from_iterable((one, *one.ancestors()) for one in names)
        return frozenset().union(*(self._seen.get(one, ()) for one in around))

    def may_hold_vpc_domains(self, suffix: Name) -> bool:
        return bool(self._seen) and (
            self.zone_of(suffix) is not None or any(zone.is_at_or_below(suffix) for zone in self._seen)
        )

    def names(self, everything: bool) -> Iterator[Name]:
        """The names whose answers may differ, each once: all, or those that aliases and zones touch."""
        owners = chain.from_iterable(self._owners(zone, everything) for zone in self._zones())
        gateways = chain.from_iterable(map(self._gateway_names, self._worlds))
        ruled = chain.from_iterable(self._ruled(world, everything) for world in self._worlds)
        return iter(dict.fromkeys(chain(owners, gateways, ruled)))

    def is_inner(self, name: Name) -> bool:
        """Whether it is `*.` below a name within a zone, and no record's."""
        if not name.is_wildcard or name.parent() in self._seen:
            return False
        around = (name, *name.ancestors())
        zones = (zone for by in self._by_name for one in around for zone in by.get(one, ()))
        return not any(name in zone.served.values for zone in zones)

    def _names_of(self, name: Name, world: World) -> Iterator[Name]:
        """The name, and the VPC domain that it leads to as a custom domain where a zone may hold that."""
        yield name
        if self._holds_vpc_domains and (custom := world.custom_domains.match(name)) is not None:
            yield world.vpc_domain(world.groups[custom[1]])

    def _zones(self) -> Iterator[PrivateZone]:
        for world in self._worlds:
            yield from world.private_zones.zones.values()

    def _owners(self, zone: PrivateZone, everything: bool) -> Iterator[Name]:
        """The names that exist in the zone, and `*.` those below which others may be that do not."""
        if everything or self._is_in(zone.zone, self._edited) or self._is_in(zone.zone, self._moved):
            yield zone.zone
            yield from wildcard(zone.zone)
        for name in zone.served.nodes:
            if len(name) <= len(zone.zone):  # above the zone
                continue
            records = zone.served.values.get(name, ())
            alias = bool(records) and records[0].rtype == RRType.CNAME  # where it leads may have changed
            if everything or alias or name in self._touched or self._is_in(name, self._moved):
                yield name
                # RFC 4592 §2.2.1: a name that exists keeps a wildcard above it from those below it.
                if not name.is_wildcard and any(map(zone.at, wildcard(name.parent()))):
                    yield from wildcard(name)

    def _gateway_names(self, world: World) -> Iterator[Name]:
        """Custom domains and VPC domains in zones."""
        if not self._seen:
            return
        groups = world.groups.scan() if self.may_hold_vpc_domains(world.answers.suffix) else ()
        domains: Iterable[Name] = (world.vpc_domain(group) for _, group in groups)
        yield from (name for name in chain(domains, world.custom_domains.values) if self.seen_by(name))
        for name in world.custom_domains.values:
            if not name.is_wildcard and self.zone_of(name) is not None:
                yield from self._closer(name, world)

    def _closer(self, name: Name, world: World) -> Iterator[Name]:
        """What a custom domain keeps from a wildcard one above it (RFC 4592 §3.3.1)."""
        for node in (name, *name.ancestors()):
            above = next(wildcard(node.parent()), None) if len(node) > 1 else None
            if above is not None and world.custom_domains.match(above) is not None:
                yield from (node, *wildcard(node))

    def _ruled(self, world: World, everything: bool) -> Iterator[Name]:
        """Domains of forward rules in zones that may have let them pass, or do so now."""
        for domain in dict.fromkeys(rule.domain for rule in world.forwarding.rules):
            if everything or self._is_in(domain, self._moved) or self._is_in(domain, self._edited):
                yield from (domain, *wildcard(domain)) if self.zone_of(domain) is not None else ()

    @staticmethod
    def _is_in(name: Name, zones: set[Name]) -> bool:
        return bool(zones) and any(one in zones for one in (name, *name.ancestors()))

    def _compare(self) -> None:
        old, new = (world.private_zones.zones for world in self._worlds)
        for zone_id in new.touched(old):
            was, now = old.get(zone_id), new.get(zone_id)
            if was is not None and now is not None and _alike(was, now):
                touched = list(now.records.touched(was.records))
                records = (zone.records.get(one) for zone in (was, now) for one in touched)
                for name in {record.name for record in records if record is not None}:
                    if was.served.values.get(name) == now.served.values.get(name):
                        continue  # another id, or another record that is not enabled
                    above = (one for one in name.ancestors() if len(one) > len(now.zone))
                    self._touched.update((name, *above))
                    self._edited.add(now.zone)
            else:
                self._moved |= {zone.zone for zone in (was, now) if zone is not None}


def wildcard(name: Name) -> Iterator[Name]:
    """The name that stands for those below `name`; none where that would be too long."""
    if name.size + 2 <= MAX_NAME:
        yield Name((b"*", *name.labels))


def _by_name(world: World) -> dict[Name, list[PrivateZone]]:
    found: dict[Name, list[PrivateZone]] = {}
    for zone in world.private_zones.zones.values():
        if zone.vpcs:
            found.setdefault(zone.zone, []).append(zone)
    return found


def _there(world: World) -> frozenset[Name]:
    return frozenset(zone.zone for zone in world.private_zones.zones.values())


def _decider(name: Name, zones: dict[Name, list[PrivateZone]]) -> Name | None:
    for one in (name, *name.ancestors()):
        if any(not zone.fall_through or zone.at(name) is not None for zone in zones.get(one, ())):
            return one
    return None


def _alike(was: PrivateZone, now: PrivateZone) -> bool:
    return (was.zone, was.vpcs, was.fall_through) == (now.zone, now.vpcs, now.fall_through)
