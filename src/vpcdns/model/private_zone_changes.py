"""What may be done to private zones and their records. Asks the rules and never repeats one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vpcdns.model.changes import Change, Refused, allow, found
from vpcdns.model.dns import Rdata
from vpcdns.model.names import Name
from vpcdns.model.private_zone_rules import beside_refusals, cycle_from, record_refusals, zone_refusals
from vpcdns.model.private_zones import PrivateZone, ZoneRecord
from vpcdns.model.rules import Refusal, Rule, duplicate
from vpcdns.model.world import World


@dataclass(frozen=True, slots=True)
class AddZone(Change):
    """Adds a zone without records, bound to no VPC."""

    zone_id: str
    zone: Name
    fall_through: bool = False

    def changed(self, world: World) -> World:
        if self.zone_id in world.private_zones.zones:
            raise Refused(duplicate(f"private zone {self.zone_id}", ("zone_id",)))
        return _with_zone(world, PrivateZone(self.zone_id, self.zone, fall_through=self.fall_through))


@dataclass(frozen=True, slots=True)
class DeleteZone(Change):
    """Removes a zone with its records; refused while it is bound."""

    zone_id: str

    def changed(self, world: World) -> World:
        zone = _zone(world, self.zone_id)
        for vpc_id in sorted(zone.vpcs):
            problem, way_out = f"it is bound to {vpc_id}", "bind it to no VPC first"
            raise Refused(
                Refusal(Rule.PRIVATE_ZONE, f"private zone {zone.zone}", problem, way_out, ("vpcs",))
            )
        return replace(world, private_zones=world.private_zones.without_zone(zone.zone_id))


@dataclass(frozen=True, slots=True)
class BindZone(Change):
    """Binds a zone to these VPCs, and to no others."""

    zone_id: str
    vpcs: tuple[str, ...]

    def changed(self, world: World) -> World:
        return _with_zone(world, replace(_zone(world, self.zone_id), vpcs=frozenset(self.vpcs)))


@dataclass(frozen=True, slots=True)
class SetFallThrough(Change):
    """Says what becomes of names that a zone lacks."""

    zone_id: str
    fall_through: bool

    def changed(self, world: World) -> World:
        return _with_zone(world, replace(_zone(world, self.zone_id), fall_through=self.fall_through))


@dataclass(frozen=True, slots=True)
class AddZoneRecord(Change):
    """Adds a record to a zone, under an id that no record of any zone has."""

    zone_id: str
    record_id: int
    record: ZoneRecord

    def changed(self, world: World) -> World:
        zone = _zone(world, self.zone_id)
        if any(self.record_id in one.records for one in world.private_zones.zones.values()):
            raise Refused(duplicate(f"record {self.record_id}", ("record_id",)))
        return _with_record(world, zone, self.record_id, self.record)


@dataclass(frozen=True, slots=True)
class UpdateZoneRecord(Change):
    """Puts another record in the place of one of a zone; or switches it on or off."""

    zone_id: str
    record_id: int
    record: ZoneRecord

    def changed(self, world: World) -> World:
        zone = _without(_zone(world, self.zone_id), self.record_id)
        return _with_record(world, zone, self.record_id, self.record)


@dataclass(frozen=True, slots=True)
class DeleteZoneRecord(Change):
    zone_id: str
    record_id: int

    def changed(self, world: World) -> World:
        zone = _without(_zone(world, self.zone_id), self.record_id)
        return replace(world, private_zones=world.private_zones.with_zone(zone))


def _zone(world: World, zone_id: str) -> PrivateZone:
    zones = world.private_zones.zones
    return found(zones, zone_id, f"private zone {zone_id}", "private_zones", "such zone")


def _without(zone: PrivateZone, record_id: int) -> PrivateZone:
    found(zone.records, record_id, f"private zone {zone.zone}", "records", f"record {record_id}")
    return zone.with_record(record_id, None)


def _with_zone(world: World, zone: PrivateZone) -> World:
    allow(zone_refusals(zone, world.private_zones.seen_as, world.topology.vpcs))
    return replace(world, private_zones=world.private_zones.with_zone(zone))


def _with_record(world: World, zone: PrivateZone, record_id: int, record: ZoneRecord) -> World:
    allow(_refusals(zone, record))
    changed = zone.with_record(record_id, record)
    if cycle := cycle_from(record.name, changed):
        around = " → ".join(map(str, (*cycle, cycle[0])))
        subject, problem = f"private zone {zone.zone}", f"CNAME records go round: {around}"
        raise Refused(Refusal(Rule.PRIVATE_ZONE, subject, problem, "let one lead elsewhere", ("record",)))
    return replace(world, private_zones=world.private_zones.with_zone(changed))


def _refusals(zone: PrivateZone, record: ZoneRecord) -> Iterator[Refusal]:
    yield from record_refusals(record, zone.zone)
    if record.enabled:
        others: dict[int, list[Rdata]] = {}
        for one in zone.served.values.get(record.name, ()):
            others.setdefault(one.rtype, []).append(one.rdata)
        yield from beside_refusals(record, others, zone.zone)
