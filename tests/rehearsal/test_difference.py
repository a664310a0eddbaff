"""What distinguishes two Worlds, in words."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

from tests.support.example_world import VPC_A, example
from vpcdns.model.dns import RRType
from vpcdns.model.names import Name
from vpcdns.model.private_zones import PrivateZone, PrivateZones, ZoneRecord
from vpcdns.model.world import World
from vpcdns.rehearsal.difference import differences

ZONE = Name.from_text("corp.test")
DB = ZoneRecord(Name.from_text("db.corp.test"), RRType.A, IPv4Address("10.1.0.9"), 60)


def world(*zones: PrivateZone) -> World:
    return replace(example(), private_zones=PrivateZones.of(zones))


def test_private_zones_and_each_record() -> None:
    zone = PrivateZone("z", ZONE, frozenset({VPC_A})).with_records([(1, DB), (2, replace(DB, ttl=None))])
    other = zone.with_records(
        [(1, replace(DB, rdata=IPv4Address("10.1.0.8"))), (3, replace(DB, enabled=False))]
    )
    other = replace(other, fall_through=True, vpcs=frozenset())
    assert list(differences(world(zone), world(zone))) == []
    assert list(differences(world(), world(zone))) == ["private zone corp.test added (2 records)"]
    assert list(differences(world(zone), world())) == ["private zone corp.test removed (2 records)"]
    assert list(differences(world(zone), world(other))) == [
        f"private zone corp.test, vpcs: [{VPC_A}] -> []",
        "private zone corp.test, fall_through: False -> True",
        "private zone corp.test, changed: db.corp.test. 60 A 10.1.0.9 -> db.corp.test. 60 A 10.1.0.8",
        "private zone corp.test, added: db.corp.test. 60 A 10.1.0.9 (disabled)",
        "private zone corp.test, removed: db.corp.test. A 10.1.0.9",
    ]
