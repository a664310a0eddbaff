"""Private zones of a configuration, and their zone files -> the model's, under its rules.

Linear in the records, of which there may be hundreds of thousands. Knows where each was written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Final

from pydantic import Field, ValidationError

from vpcdns.config.mistakes import Mistake, Mistakes, Path
from vpcdns.config.schema import MAX_RECORD_TTL, PrivateZonePart, ZoneRecordPart
from vpcdns.config.topology_schema import Part
from vpcdns.config.values import Line, OwnerText, RecordText
from vpcdns.config.watched_files import WatchedFiles
from vpcdns.errors import MalformedName
from vpcdns.model.dns import Rdata, RRType
from vpcdns.model.names import Name
from vpcdns.model.private_zone_rules import beside_refusals, cycles, record_refusals, zone_refusals
from vpcdns.model.private_zones import PrivateZone, PrivateZones, ZoneRecord, default_zone_id
from vpcdns.model.rules import Refusal
from vpcdns.model.topology import Topology

if TYPE_CHECKING:
    from types import ModuleType

_SHOWN: Final = 10  # names of a circle of CNAMEs
MAX_ZONE_FILE: Final = 256 << 20  # octets; a device file has no end


@dataclass(slots=True)
class ZoneBuilder:
    """All private zones of a configuration; `folder` is where the paths of zone files start.

    `files` hears of them, and `digest` of what is in them.
    """

    topology: Topology
    folder: FilePath
    mistakes: Mistakes
    files: WatchedFiles
    digest: hashlib._Hash
    _seen: dict[tuple[str, Name], str] = field(default_factory=dict)
    _record_ids: set[int] = field(default_factory=set)

    def build(self, parts: list[PrivateZonePart]) -> PrivateZones:
        zones: dict[str, PrivateZone] = {}
        named: dict[Name, int] = {}
        for index, part in enumerate(parts):
            path: Path = ("private_zones", index)
            number = named[part.zone] = named.get(part.zone, -1) + 1
            zone_id = part.zone_id or default_zone_id(part.zone, number)
            zone = PrivateZone(zone_id, part.zone, frozenset(part.vpcs), part.fall_through, part.rrset_order)
            if zone_id in zones:
                self.mistakes.add((*path, "zone_id"), f"`{zone_id}` is there twice", "give each its own id")
            self.mistakes.add_refusals(path, zone_refusals(zone, self._seen, self.topology.vpcs))
            for vpc_id in zone.vpcs:
                self._seen.setdefault((vpc_id, zone.zone), zone_id)
            records = _Records(zone, path, self.mistakes, self._octets, self._record_ids)
            zones[zone_id] = records.build(part, self.folder)
        return PrivateZones.of(zones.values())

    def _octets(self, file: FilePath) -> bytes:
        self.files.add(file)
        octets = _octets(file)
        self.digest.update(octets)
        return octets


@dataclass(slots=True)
class _Records:
    """The records of one zone; `taken` are the ids that records of any zone have."""

    zone: PrivateZone
    path: Path
    mistakes: Mistakes
    octets: Callable[[FilePath], bytes]
    taken: set[int]
    _by_id: dict[int, ZoneRecord] = field(default_factory=dict)
    _twins: dict[int, int] = field(default_factory=dict)
    _at: dict[Name, dict[int, set[Rdata]]] = field(default_factory=dict)
    _aliases: dict[Name, tuple[FilePath, int]] = field(default_factory=dict)
    _entries: dict[Name, Path] = field(default_factory=dict)  # where CNAME records stand that are in no file

    def build(self, part: PrivateZonePart, folder: FilePath) -> PrivateZone:
        if part.records or part.file is not None:
            # Here, as dnspython takes longer to import than all the rest of a start.
            from vpcdns.config import zone_records  # noqa: PLC0415 - slow to import

            for index, entry in enumerate(part.records):
                self._add_entry((*self.path, "records", index), entry, zone_records)
            if part.file is not None:
                self._add_file(folder / part.file, zone_records)
        zone = self.zone.with_records(self._by_id.items())
        for cycle in cycles(zone):
            self._add_cycle(cycle)
        return zone

    def _add_entry(self, path: Path, entry: ZoneRecordPart, reading: ModuleType) -> None:
        way_out = "write it as in a zone file"
        try:
            rtype = reading.read_type(entry.type)
        except ValueError as error:
            self.mistakes.add(
                (*path, "type"), str(error), "write A, AAAA, CNAME, TXT, … or TYPE and its number"
            )
            return
        try:
            name = reading.read_owner(entry.name, self.zone.zone)
        except MalformedName as error:
            self.mistakes.add((*path, "name"), f"`{entry.name}` is no name: {error}", way_out)
            return
        ids = entry.record_ids or []
        for place, value in enumerate(entry.values):
            try:
                rdata = reading.read_rdata(rtype, value, self.zone.zone)
            except ValueError as error:
                self.mistakes.add((*path, "values", place), str(error), way_out)
                continue
            record = ZoneRecord(name, rtype, rdata, entry.ttl, entry.enabled)
            refusals = list(self._refusals(record))
            self.mistakes.add_refusals(path, refusals)
            record_id = ids[place] if place < len(ids) else None
            if record_id in self.taken:
                what = f"record {record_id} is there twice"
                self.mistakes.add((*path, "record_ids", place), what, "give each its own id, or none")
            elif not refusals:
                self._keep(record, record_id)
                if rtype == RRType.CNAME:
                    self._entries[name] = (*path, "values", place)

    def _add_file(self, file: FilePath, reading: ModuleType) -> None:
        try:
            text = self.octets(file).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode()
            line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
            what = f"octet {error.object[error.start]:#04x} is no UTF-8: this is another encoding, or no text"
            self._add_in_file(file, line, column, what, "save it as UTF-8; write other octets as \\DDD")
            return
        except (OSError, ValueError) as error:
            what = f"{file} cannot be read: {getattr(error, 'strerror', None) or error}"
            self.mistakes.add((*self.path, "file"), what, "name a zone file, relative to this file")
            return

        def said(line: int, column: int, what: str) -> None:
            self._add_in_file(file, line, column, what, "write it as RFC 1035 §5 says")

        count = len(self.mistakes)
        located = reading.read_zone_file(text, self.zone.zone, said)
        if not located and len(self.mistakes) == count:  # an editor may be about to write it
            self._add_in_file(file, 1, 1, "it has no records", "write some, or leave `file` out")
        for line, record in located:
            if record.rdata in self._at.get(record.name, {}).get(record.rtype, ()):
                continue  # as all servers do
            refusals = list(self._refusals(record))
            for refusal in refusals:
                what = f"{refusal.subject}: {refusal.problem} ({refusal.rule})"
                self._add_in_file(file, line, 1, what, refusal.way_out)
            if not refusals:
                self._keep(record, None)
                if record.rtype == RRType.CNAME:
                    self._aliases[record.name] = file, line

    def _add_cycle(self, cycle: tuple[Name, ...]) -> None:
        around = " → ".join(
            map(str, (*cycle[:_SHOWN], "…", cycle[0]) if len(cycle) > _SHOWN else (*cycle, cycle[0]))
        )
        what, way_out = f"CNAME records go round: {around}", "let one lead elsewhere"
        place = next((self._aliases[name] for name in cycle if name in self._aliases), None)
        if place is None:
            self.mistakes.add(self._entries.get(cycle[0], self.path), what, way_out)
        else:
            self._add_in_file(*place, 1, what, way_out)

    def _add_in_file(self, file: FilePath, line: int, column: int, what: str, way_out: str) -> None:
        self.mistakes.append(Mistake((), what, way_out, line=line, column=column, file=str(file)))

    def _refusals(self, record: ZoneRecord) -> Iterator[Refusal]:
        yield from record_refusals(record, self.zone.zone)
        if record.enabled:
            yield from beside_refusals(record, self._at.get(record.name, {}), self.zone.zone)

    def _keep(self, record: ZoneRecord, record_id: int | None) -> None:
        if record_id is None:
            first = record.default_id(self.zone.zone_id)
            record_id = self._twins.get(first, first)
            while record_id in self.taken:  # disabled twins
                record_id += 1
            self._twins[first] = record_id + 1
        self.taken.add(record_id)
        self._by_id[record_id] = record
        if record.enabled:
            self._at.setdefault(record.name, {}).setdefault(record.rtype, set()).add(record.rdata)


def read_record(value: object) -> ZoneRecord:
    """One record as `written_record` gives it; raises ValueError with what is wrong."""
    from vpcdns.config import zone_records  # noqa: PLC0415 - slow to import

    try:
        part = _RecordText.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    rtype, root = zone_records.read_type(part.type), Name(())
    name = zone_records.read_owner(part.name, root)
    return ZoneRecord(name, rtype, zone_records.read_rdata(rtype, part.value, root), part.ttl, part.enabled)


class _RecordText(Part):
    name: OwnerText
    type: Line
    value: RecordText
    ttl: int | None = Field(default=None, ge=0, le=MAX_RECORD_TTL)
    enabled: bool = True


def _octets(file: FilePath) -> bytes:
    if not file.is_file():
        if file.is_dir():
            raise ValueError("it is a directory")
        raise ValueError("it is no regular file" if file.exists() else "there is no such file")
    with file.open("rb") as opened:
        octets = opened.read(MAX_ZONE_FILE + 1)
    if len(octets) > MAX_ZONE_FILE:
        raise ValueError(f"it has more than {MAX_ZONE_FILE >> 20} MiB")
    return octets
