"""Private zones of the API beside the configuration file, and large ones."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest

from tests.support.cloud_api import PVTZ, Cloud
from tests.support.example_world import VPC_A, example
from vpcdns.control.openapi import private_zone_records
from vpcdns.model.dns import RRType
from vpcdns.model.names import Name
from vpcdns.model.private_zones import PrivateZone, PrivateZones, ZoneRecord
from vpcdns.model.world import World

RECORDS = 5_000
LARGE = Name.from_text("large.example")


def world() -> World:
    """The example with a large zone."""
    records = (
        (number, ZoneRecord(Name.from_text(f"n{number}.large.example"), RRType.A, IPv4Address(number), 60))
        for number in range(1, RECORDS + 1)
    )
    zone = PrivateZone("large", LARGE, frozenset({VPC_A})).with_records(records)
    return replace(example(), private_zones=PrivateZones.of([zone]))


@pytest.fixture
def cloud() -> Cloud:
    return Cloud(world())


def done(cloud: Cloud, action: str, **parameters: str) -> dict[str, Any]:
    return cloud.done(action, PVTZ, **parameters)


def test_only_the_page_that_is_shown_is_made(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    described = private_zone_records._described  # noqa: SLF001 - how often it is called

    def counted(call: Any, zone: PrivateZone, record_id: int) -> dict[str, Any]:
        made.append(record_id)
        return described(call, zone, record_id)

    monkeypatch.setattr(private_zone_records, "_described", counted)
    last = done(cloud, "DescribeZoneRecords", ZoneId="large", PageNumber="250")
    assert (last["TotalItems"], last["TotalPages"]) == (RECORDS, 250)
    assert len(made) == len(last["Records"]["Record"]) == 20
    done(cloud, "DescribeZoneRecords", ZoneId="large", Keyword="n1", SearchMode="LIKE", PageSize="5")
    assert len(made) == 25
    assert done(cloud, "DescribeZoneInfo", ZoneId="large")["RecordCount"] == RECORDS


def test_every_record_is_on_one_page(cloud: Cloud) -> None:
    seen = [
        record["RecordId"]
        for number in range(1, 51)
        for record in done(
            cloud, "DescribeZoneRecords", ZoneId="large", PageSize="100", PageNumber=str(number)
        )["Records"]["Record"]
    ]
    assert sorted(seen) == list(range(1, RECORDS + 1))


def test_zones_and_what_is_kept_of_them_survive_a_reload_and_not_a_reset(cloud: Cloud) -> None:
    zone_id = done(cloud, "AddZone", ZoneName="made.example")["ZoneId"]
    given = {"ZoneId": zone_id, "Rr": "www", "Type": "A", "Value": "10.1.0.80", "Remark": "the web"}
    record_id = str(done(cloud, "AddZoneRecord", **given)["RecordId"])
    done(cloud, "UpdateRecordRemark", RecordId="7", Remark="of the file")
    cloud.state.reload(world())
    assert done(cloud, "DescribeZoneRecord", RecordId=record_id)["Remark"] == "the web"
    assert done(cloud, "DescribeZoneInfo", ZoneId=zone_id)["CreateTime"] == "2026-11-22T11:01Z"
    cloud.state.reset()
    assert cloud.refused("DescribeZoneRecord", PVTZ, RecordId=record_id) == (400, "Record.NotExists")
    assert done(cloud, "DescribeZoneRecord", RecordId="7")["Remark"] == "of the file"
    assert set(cloud.state.contents.attributes) == {"zone large", "record large 7"}


def test_nothing_is_kept_of_a_zone_that_is_deleted(cloud: Cloud) -> None:
    zone_id = done(cloud, "AddZone", ZoneName="made.example")["ZoneId"]
    for number in range(3):
        done(cloud, "AddZoneRecord", ZoneId=zone_id, Rr=f"n{number}", Type="A", Value="10.1.0.80")
    (first, *_) = cloud.state.world.private_zones.zones[zone_id].records
    done(cloud, "DeleteZoneRecord", RecordId=str(first))
    assert len(cloud.state.contents.attributes) == 3
    done(cloud, "DeleteZone", ZoneId=zone_id)
    assert not cloud.state.contents.attributes
