"""Private zones: names that only the VPCs that a zone is bound to see (DESIGN §1.11).

Knows zones, their records and who sees them; `resolution` knows when they are asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from vpcdns.model.dns import Rdata, RRType, rdata_text, type_text
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.name_tree import NameTree
from vpcdns.model.names import Name

RRsetOrder = Literal["cyclic", "fixed"]  # BIND's words for rrset-order
RECORD_IDS: Final = 1 << 53  # so that a record's id is a number in JavaScript, too


@dataclass(frozen=True, slots=True)
class ZoneRecord:
    """A record of a private zone, of class IN; one that is not `enabled` is kept, and not served.

    `ttl` is in seconds; None stands for `answers.ttl`.
    """

    name: Name
    rtype: int
    rdata: Rdata
    ttl: int | None = None
    enabled: bool = True

    def __str__(self) -> str:
        """As in a zone file; what stands for no TTL there is left out."""
        ttl, state = "" if self.ttl is None else f" {self.ttl}", "" if self.enabled else " (disabled)"
        return f"{self.name}.{ttl} {type_text(self.rtype)} {rdata_text(self.rdata)}{state}"

    def default_id(self, zone_id: str) -> int:
        """The id of a record that a file gives none: the same at each start."""
        said = f"{zone_id} {str(self.name).lower()} {self.rtype} {rdata_text(self.rdata)}"
        return int(hashlib.sha256(said.encode()).hexdigest(), 16) % RECORD_IDS


@dataclass(frozen=True, slots=True)
class PrivateZone:
    """A zone, the VPCs that it is bound to, and its records by id.

    With `fall_through`, names that the zone lacks are resolved as if it were not there (the cloud's
    ProxyPattern RECORD); otherwise they do not exist (ZONE). `served` has the enabled records of each name.
    """

    zone_id: str
    zone: Name
    vpcs: frozenset[str] = frozenset()
    fall_through: bool = False
    rrset_order: RRsetOrder = "cyclic"
    records: FrozenMap[int, ZoneRecord] = field(default_factory=FrozenMap)
    served: NameTree[tuple[ZoneRecord, ...]] = field(default_factory=NameTree, compare=False)

    def with_records(self, records: Iterable[tuple[int, ZoneRecord]]) -> PrivateZone:
        """The zone with these records and no others, at a cost that is linear in them."""
        by_id, by_name = FrozenMap(records), dict[Name, list[ZoneRecord]]()
        for _, record in by_id.scan():
            if record.enabled:
                by_name.setdefault(record.name, []).append(record)
        served = NameTree.of((name, tuple(at_name)) for name, at_name in by_name.items())
        return replace(self, records=by_id, served=served)

    def with_record(self, record_id: int, record: ZoneRecord | None) -> PrivateZone:
        """With `record`, or without one, under that id."""
        old = self.records.get(record_id)
        served = self.served if old is None or not old.enabled else self._without(old)
        if record is None:
            return replace(self, records=self.records.delete(record_id), served=served)
        if record.enabled:
            served = served.put(record.name, (*served.values.get(record.name, ()), record))
        return replace(self, records=self.records.set(record_id, record), served=served)

    def at(self, name: Name) -> tuple[ZoneRecord, ...] | None:
        """The records that answer for `name`, or None where it does not exist."""
        found = self.served.match(name)
        if found is not None:
            return found[1]
        return () if name == self.zone or name in self.served.nodes else None

    def soa(self) -> ZoneRecord | None:
        """The zone's own SOA, if it has one; else one is made for it."""
        apex = self.served.values.get(self.zone, ())
        return next((record for record in apex if record.rtype == RRType.SOA), None)

    def _without(self, record: ZoneRecord) -> NameTree[tuple[ZoneRecord, ...]]:
        rest = tuple(one for one in self.served.values[record.name] if one is not record)
        return self.served.put(record.name, rest) if rest else self.served.remove(record.name)


@dataclass(frozen=True, slots=True)
class PrivateZones:
    """All private zones by id, their ids by name, and which of them a VPC sees under which name."""

    zones: FrozenMap[str, PrivateZone] = field(default_factory=FrozenMap)
    names: NameTree[frozenset[str]] = field(default_factory=NameTree)
    seen_as: FrozenMap[tuple[str, Name], str] = field(default_factory=FrozenMap)

    @staticmethod
    def of(zones: Iterable[PrivateZone]) -> PrivateZones:
        """Of two zones of one name in one VPC the first wins (the rules refuse them)."""
        by_id, seen = FrozenMap((zone.zone_id, zone) for zone in zones), dict[tuple[str, Name], str]()
        names: dict[Name, frozenset[str]] = {}
        for zone_id, zone in by_id.scan():
            names[zone.zone] = names.get(zone.zone, frozenset()) | {zone_id}
            for vpc_id in zone.vpcs:
                seen.setdefault((vpc_id, zone.zone), zone_id)
        return PrivateZones(by_id, NameTree.of(names.items()), FrozenMap(seen))

    def __bool__(self) -> bool:
        return bool(self.zones)

    def with_zone(self, zone: PrivateZone) -> PrivateZones:
        """With `zone`, in the place of the one with its id, at a cost that is that of the change."""
        old, zones = self.zones.get(zone.zone_id), self.zones.set(zone.zone_id, zone)
        if old is not None and (old.zone, old.vpcs) == (zone.zone, zone.vpcs):
            return replace(self, zones=zones)
        rest = self if old is None else self.without_zone(zone.zone_id)
        ids = rest.names.values.get(zone.zone, frozenset()) | {zone.zone_id}
        seen = {(vpc_id, zone.zone): zone.zone_id for vpc_id in zone.vpcs}
        return PrivateZones(zones, rest.names.put(zone.zone, ids), rest.seen_as.edited(seen))

    def without_zone(self, zone_id: str) -> PrivateZones:
        """Without that zone; raises KeyError when it is not there."""
        zone = self.zones[zone_id]
        ids = self.names.values[zone.zone] - {zone_id}
        names = self.names.put(zone.zone, ids) if ids else self.names.remove(zone.zone)
        seen = ((vpc_id, zone.zone) for vpc_id in zone.vpcs)
        gone = [key for key in seen if self.seen_as.get(key) == zone_id]
        return PrivateZones(self.zones.delete(zone_id), names, self.seen_as.edited({}, gone))

    def seen(self, vpc_id: str, name: Name) -> PrivateZone | None:
        """The zone of exactly that name that a VPC sees."""
        zone_id = self.seen_as.get((vpc_id, name))
        return None if zone_id is None else self.zones[zone_id]

    def seen_by(self, vpc_id: str | None) -> list[Name]:
        """The names of the zones that clients of that VPC see."""
        return sorted((zone for vpc, zone in self.seen_as if vpc == vpc_id), key=str)

    def enclosing(self, name: Name, vpc_id: str | None) -> Iterator[PrivateZone]:
        """The zones that a client of that VPC sees and `name` lies in, the most specific first."""
        if vpc_id is None or not self.zones:
            return
        for candidate in (name, *name.ancestors()):
            if candidate in self.names.values and (zone := self.seen(vpc_id, candidate)) is not None:
                yield zone

    def overlap(self, name: Name, vpc_id: str | None) -> bool:
        """Whether a zone that clients of that VPC see has a say in any name at or below `name`."""
        if next(self.enclosing(name, vpc_id), None) is not None:
            return True
        return name in self.names.nodes and any(
            vpc == vpc_id and zone.is_at_or_below(name) for vpc, zone in self.seen_as
        )

    def are_near(self, name: Name) -> bool:
        """Whether names below `name` may be a private zone's: it lies above one, or in one."""
        if not self.zones:
            return False
        above = not name.labels or name in self.names.nodes
        return above or any(one in self.names.values for one in name.ancestors())


def default_zone_id(zone: Name, number: int) -> str:
    """The id of a zone that a file gives none: of so many zones with that name before it."""
    return hashlib.md5(f"{str(zone).lower()} {number}".encode(), usedforsecurity=False).hexdigest()
