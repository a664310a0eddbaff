"""Names in private zones. A plan asks for each of them by itself: no two are alike, and few sources see them.

Knows which names those are in one of two Worlds, and which VPCs see a zone around them; not how they resolve.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from vpcdns.model.dns import RRType
from vpcdns.model.names import Name
from vpcdns.model.private_zones import PrivateZone
from vpcdns.model.world import World


class PrivateNames:
    """Of two Worlds. `changed` says whether their zones differ in anything."""

    def __init__(self, old: World, new: World) -> None:
        self._worlds = old, new
        self._by_name = _by_name(old), _by_name(new)
        self._seen: dict[Name, frozenset[str]] = {}
        for zone in self._zones():
            self._seen[zone.zone] = self._seen.get(zone.zone, frozenset()) | zone.vpcs
        self._holds_vpc_domains = any(self.may_hold_vpc_domains(world.answers.suffix) for world in (old, new))
        self.changed = old.private_zones is not new.private_zones and old.private_zones != new.private_zones
        self._moved: set[Name] = set()  # zones of which more than records differs
        self._touched: set[Name] = set()  # owners of records that differ
        if self.changed:
            self._compare()

    def zone_of(self, name: Name) -> Name | None:
        """The most specific zone around a name, whoever sees it."""
        return next((one for one in (name, *name.ancestors()) if one in self._seen), None)

    def holders(self, name: Name) -> tuple[Name | None, Name | None]:
        """The most specific zone that has the name, and is bound to a VPC: before, and after."""
        around = (name, *name.ancestors())
        before, after = (
            next((one for one in around for zone in zones.get(one, ()) if zone.at(name) is not None), None)
            for zones in self._by_name
        )
        return before, after

    def seen_by(self, name: Name) -> frozenset[str]:
        """The VPCs that see a zone around the name, or where it leads as a custom domain, in either World."""
        if not self._seen:
            return frozenset()
        around = [name, *name.ancestors()]
        for world in self._worlds if self._holds_vpc_domains else ():
            if (custom := world.custom_domains.match(name)) is not None:
                target = world.vpc_domain(world.groups[custom[1]])
                around += target, *target.ancestors()
        return frozenset().union(*(self._seen.get(one, ()) for one in around))

    def may_hold_vpc_domains(self, suffix: Name) -> bool:
        return bool(self._seen) and (
            self.zone_of(suffix) is not None or any(zone.is_at_or_below(suffix) for zone in self._seen)
        )

    def names(self, everything: bool) -> Iterator[Name]:
        """The names whose answers may differ, each once: all, or those that aliases and zones touch."""
        owners = chain.from_iterable(self._owners(zone, everything) for zone in self._zones())
        return iter(dict.fromkeys(chain(owners, *map(self._gateway_names, self._worlds))))

    def _zones(self) -> Iterator[PrivateZone]:
        for world in self._worlds:
            yield from world.private_zones.zones.values()

    def _owners(self, zone: PrivateZone, everything: bool) -> Iterator[Name]:
        for name, records in zone.served.values.scan():
            alias = records[0].rtype == RRType.CNAME  # where it leads may have changed
            if everything or alias or name in self._touched or self._is_moved(name):
                yield name

    def _gateway_names(self, world: World) -> Iterator[Name]:
        """Custom domains and VPC domains in zones."""
        if not self._seen:
            return
        groups = world.groups.scan() if self.may_hold_vpc_domains(world.answers.suffix) else ()
        domains: Iterable[Name] = (world.vpc_domain(group) for _, group in groups)
        yield from (name for name in chain(domains, world.custom_domains.values) if self.seen_by(name))

    def _is_moved(self, name: Name) -> bool:
        return bool(self._moved) and any(one in self._moved for one in (name, *name.ancestors()))

    def _compare(self) -> None:
        old, new = (world.private_zones.zones for world in self._worlds)
        for zone_id in new.touched(old):
            was, now = old.get(zone_id), new.get(zone_id)
            if was is not None and now is not None and _alike(was, now):
                for record_id in now.records.touched(was.records):
                    records = was.records.get(record_id), now.records.get(record_id)
                    self._touched |= {record.name for record in records if record is not None}
            else:
                self._moved |= {zone.zone for zone in (was, now) if zone is not None}


def _by_name(world: World) -> dict[Name, list[PrivateZone]]:
    found: dict[Name, list[PrivateZone]] = {}
    for zone in world.private_zones.zones.values():
        if zone.vpcs:
            found.setdefault(zone.zone, []).append(zone)
    return found


def _alike(was: PrivateZone, now: PrivateZone) -> bool:
    return (was.zone, was.vpcs, was.fall_through) == (now.zone, now.vpcs, now.fall_through)
