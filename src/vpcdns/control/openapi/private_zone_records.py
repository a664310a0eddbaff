"""The actions on the records of private zones.

Values are read as the cloud takes them: names are absolute without a final dot, a TXT value is plain text,
the preference of an MX record is a parameter of its own. What a record may be is the model's.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final

from vpcdns.config import custom_domain, read_record, written_owner, zone_file_text
from vpcdns.control.openapi.call import Call, Records
from vpcdns.control.openapi.errors import ApiError, token_of_another
from vpcdns.control.openapi.parameters import Action
from vpcdns.control.openapi.private_zones import MAX_REMARK, SEARCH_MODES, named_zone, times
from vpcdns.errors import MalformedName
from vpcdns.model.dns import RRType, rdata_text, type_text
from vpcdns.model.names import Name
from vpcdns.model.private_zone_changes import AddZoneRecord, DeleteZoneRecord, UpdateZoneRecord
from vpcdns.model.private_zones import RECORD_IDS, PrivateZone, ZoneRecord
from vpcdns.state.api_attributes import Attributes, RecordKey, object_key

TYPES: Final = ("A", "AAAA", "CNAME", "TXT", "MX", "PTR", "SRV")
TTL: Final = 60  # seconds, of a record that is added without one
TTLS: Final = (5, 86_400)
MAX_PRIORITY: Final = 99
MAX_WEIGHT: Final = 100
_STATUSES: Final = {"ENABLE": True, "DISABLE": False}


def add_zone_record(call: Call) -> dict[str, Any]:
    zone = named_zone(call)
    record, attributes = _record(call, zone, None), {**_kept(call), "CreatedTime": call.at}
    record_id = int(call.new_id(), 16) % RECORD_IDS
    holder = _holder(call, record_id)
    if holder is None:
        change = AddZoneRecord(zone.zone_id, record_id, record)
        call.commit(change, records=_edited(call, zone, record_id, attributes))
    elif holder.zone_id != zone.zone_id or replace(holder.records[record_id], enabled=True) != record:
        raise token_of_another(f"record {record_id} of zone {holder.zone}")
    return {"RecordId": record_id, "Success": True}


def update_zone_record(call: Call) -> dict[str, Any]:
    """Puts another record in its place; status stays, and so do TTL and priority that are absent."""
    zone, record_id = _named(call)
    record = _record(call, zone, zone.records[record_id])
    change = UpdateZoneRecord(zone.zone_id, record_id, record)
    call.commit(change, records=_edited(call, zone, record_id, _kept(call)))
    return {"RecordId": record_id}


def set_zone_record_status(call: Call) -> dict[str, Any]:
    (zone, record_id), status = _named(call), call.one_of("Status", _STATUSES)
    record = replace(zone.records[record_id], enabled=_STATUSES[status])
    change = UpdateZoneRecord(zone.zone_id, record_id, record)
    call.commit(change, records=_edited(call, zone, record_id, {}))
    return {"RecordId": record_id, "Status": status}


def delete_zone_record(call: Call) -> dict[str, Any]:
    zone, record_id = _named(call)
    key = object_key(RecordKey(zone.zone_id, record_id))
    change = DeleteZoneRecord(zone.zone_id, record_id)
    call.commit(change, records={**call.edited(zone, {}), key: None})
    return {"RecordId": record_id}


def update_record_remark(call: Call) -> dict[str, Any]:
    """Sets a record's remark; without one it has none."""
    zone, record_id = _named(call)
    call.commit(records=_edited(call, zone, record_id, {"Remark": None, **_kept(call)}))
    return {"RecordId": record_id}


def describe_zone_record(call: Call) -> dict[str, Any]:
    return _described(call, *_named(call))


def describe_zone_records(call: Call) -> dict[str, Any]:
    """One page of a zone's records; `Keyword` is about their names."""
    zone, keyword = named_zone(call), call.parameters.get("Keyword")
    mode = call.one_of("SearchMode", SEARCH_MODES, "EXACT")
    found: Collection[int] = zone.records
    if call.parameters.get("Tag") is not None:
        found = ()  # what the cloud copies from servers' names
    elif keyword is not None:
        found = (_called if mode == "EXACT" else _like)(zone, keyword)
    return call.page(found, "Records", "Record", lambda record_id: _described(call, zone, record_id))


def _called(zone: PrivateZone, keyword: str) -> list[int]:
    """Looks at every record, as `_like` does: 100,000 take some 0.1 s."""
    try:
        folded = _name(keyword, zone).folded
    except MalformedName:
        return []
    return [record_id for record_id, record in zone.records.scan() if record.name.folded == folded]


def _like(zone: PrivateZone, keyword: str) -> list[int]:
    part, own = keyword.lower().encode(), len(zone.zone)
    at_apex = keyword == "@"
    return [
        record_id
        for record_id, record in zone.records.scan()
        if (part in b".".join(record.name.folded[:-own]) if len(record.name) > own else at_apex)
    ]


def _described(call: Call, zone: PrivateZone, record_id: int) -> dict[str, Any]:
    record, attributes = zone.records[record_id], call.record(RecordKey(zone.zone_id, record_id))
    priority, value = _value(record)
    return {
        "RecordId": record_id,
        "ZoneId": zone.zone_id,
        "Rr": written_owner(record.name, zone.zone),
        "Type": type_text(record.rtype),
        "Value": value,
        "Ttl": call.world.answers.ttl if record.ttl is None else record.ttl,
        "Status": "ENABLE" if record.enabled else "DISABLE",
        "Remark": attributes.get("Remark", ""),
        "Line": "default",
        "Weight": attributes.get("Weight", 1),
        **({} if priority is None else {"Priority": priority}),
        **times(attributes),
    }


def _value(record: ZoneRecord) -> tuple[int | None, str]:
    """An MX record's priority, and what the cloud calls a record's value."""
    text = rdata_text(record.rdata, final_dots=False)
    if record.rtype == RRType.TXT and isinstance(record.rdata, tuple) and len(record.rdata) == 1:
        try:
            plain = record.rdata[0].decode()
        except UnicodeDecodeError:
            return None, text
        return None, text if plain.startswith('"') else plain
    if record.rtype == RRType.MX:
        priority, _, host = text.partition(" ")
        return int(priority), host.removesuffix(".") or "."
    if record.rtype == RRType.SRV and not text.endswith(" ."):
        return None, text.removesuffix(".")
    return None, text


def _record(call: Call, zone: PrivateZone, old: ZoneRecord | None) -> ZoneRecord:
    """The record that the parameters spell out, in the place of `old`."""
    try:
        name = _name(call.required("Rr"), zone)
    except MalformedName as error:
        raise ApiError("Record.Invalid.Rr", f"Rr is invalid: {error}.") from None
    kind, value = call.required("Type").upper(), call.required("Value")
    if kind not in TYPES:
        raise ApiError("Record.Invalid.Type", f"Type is invalid: write one of {', '.join(TYPES)}.")
    ttl: int | None = TTL if old is None else old.ttl
    if "Ttl" in call.parameters:
        ttl = call.number("Ttl", TTL, TTLS[1], TTLS[0])
    had = None if old is None else _value(old)[0]
    priority = call.number("Priority", 1 if had is None else had, MAX_PRIORITY)
    try:
        text = zone_file_text(kind, value, priority)
        said = {"name": f"{name}.", "type": kind, "value": text, "ttl": ttl}
        return read_record({**said, "enabled": old is None or old.enabled})
    except ValueError as error:
        raise ApiError("Record.Invalid.Value", f"Value is invalid: {str(error).rstrip('.')}.") from None


def _name(rr: str, zone: PrivateZone) -> Name:
    if rr.endswith("."):
        raise MalformedName(f"`{rr[:64]}` ends in a dot; write it without {zone.zone}")
    return zone.zone if rr == "@" else custom_domain(rr).under(zone.zone)


def _kept(call: Call) -> Attributes:
    """What of a record decides nothing."""
    if (line := call.parameters.get("Line", "default")) != "default":
        raise call.invalid("Line", f"There is the line `default` only, and no `{line[:64]}`.")
    remark = call.parameters.get("Remark")
    if remark is not None and len(remark) > MAX_REMARK:
        raise call.invalid("Remark", f"At most {MAX_REMARK} characters.")
    kept: dict[str, Any] = {} if remark is None else {"Remark": remark}
    if "Weight" in call.parameters:
        kept["Weight"] = call.number("Weight", 1, MAX_WEIGHT)
    return kept


def _holder(call: Call, record_id: int) -> PrivateZone | None:
    return next((zone for zone in call.world.private_zones.zones.values() if record_id in zone.records), None)


def _named(call: Call) -> tuple[PrivateZone, int]:
    """The record that `RecordId` names, and its zone."""
    call.required("RecordId")
    record_id = call.number("RecordId", 0, RECORD_IDS, 0)
    zone = _holder(call, record_id)
    if zone is None:
        raise ApiError("Record.NotExists", f"Record is not exists: there is no record {record_id}.")
    return zone, record_id


def _edited(call: Call, zone: PrivateZone, record_id: int, attributes: Attributes) -> Records:
    return {**call.edited(zone, {}), **call.edited(RecordKey(zone.zone_id, record_id), attributes)}


_RECORD: Final = "Rr Type Value Ttl:int Priority:int Line Weight:int"
ACTIONS: Final = {
    "AddZoneRecord": Action(add_zone_record, f"ZoneId {_RECORD} Remark ClientToken"),
    "UpdateZoneRecord": Action(update_zone_record, f"RecordId:int {_RECORD}"),
    "SetZoneRecordStatus": Action(set_zone_record_status, "RecordId:int Status"),
    "DeleteZoneRecord": Action(delete_zone_record, "RecordId:int"),
    "UpdateRecordRemark": Action(update_record_remark, "RecordId:int Remark"),
    "DescribeZoneRecord": Action(describe_zone_record, "RecordId:int"),
    "DescribeZoneRecords": Action(
        describe_zone_records, "ZoneId Keyword SearchMode Tag PageNumber:int PageSize:int"
    ),
}
