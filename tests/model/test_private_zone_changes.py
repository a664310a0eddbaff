"""Changes of private zones: what they do, what is refused, and that they come back from JSON as they were."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from tests.support.example_world import VPC_A, VPC_B, example
from vpcdns.model.changes import Change
from vpcdns.model.dns import Octets, Rdata, RRType
from vpcdns.model.names import Name
from vpcdns.model.private_zone_changes import (
    AddZone,
    AddZoneRecord,
    BindZone,
    DeleteZone,
    DeleteZoneRecord,
    SetFallThrough,
    UpdateZoneRecord,
)
from vpcdns.model.private_zones import ZoneRecord
from vpcdns.model.rules import Refusal
from vpcdns.model.topology_changes import DeleteVpc
from vpcdns.model.world import World
from vpcdns.state.change_json import decode_change, encode_change

CORP = Name.from_text("corp.test")
ADDRESS = ZoneRecord(Name.from_text("db.corp.test"), RRType.A, ip_address("10.1.0.9"), 60)


def alias(owner: str, target: str) -> ZoneRecord:
    rdata: Rdata = Name.from_text(target)
    return ZoneRecord(Name.from_text(owner), RRType.CNAME, rdata)


def after(*changes: Change) -> World:
    world = example()
    for change in changes:
        changed = change.apply(world)
        assert not isinstance(changed, Refusal), changed
        world = changed
    return world


def refused(change: Change, *before: Change) -> str:
    refusal = change.apply(after(*before))
    assert isinstance(refusal, Refusal)
    return str(refusal)


MADE = (AddZone("z1", CORP), BindZone("z1", (VPC_A,)), AddZoneRecord("z1", 1, ADDRESS))


def test_a_zone_is_made_bound_filled_and_taken_away_again() -> None:
    world = after(*MADE)
    zone = world.private_zones.seen(VPC_A, CORP)
    assert zone is not None
    assert zone.at(ADDRESS.name) == (ADDRESS,)
    gone = after(*MADE, DeleteZoneRecord("z1", 1), BindZone("z1", ()), DeleteZone("z1"))
    assert gone.private_zones == example().private_zones


def test_a_record_is_changed_and_switched_off() -> None:
    off = ZoneRecord(ADDRESS.name, ADDRESS.rtype, ADDRESS.rdata, 60, enabled=False)
    world = after(*MADE, UpdateZoneRecord("z1", 1, off))
    assert world.private_zones.zones["z1"].at(ADDRESS.name) is None
    assert world.private_zones.zones["z1"].records[1] == off
    renamed = ZoneRecord(Name.from_text("new.corp.test"), RRType.A, ip_address("10.1.0.10"))
    moved = after(*MADE, UpdateZoneRecord("z1", 1, renamed)).private_zones.zones["z1"]
    assert (moved.at(ADDRESS.name), moved.at(renamed.name)) == (None, (renamed,))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (AddZone("z1", CORP), "there twice"),
        (AddZone("z2", Name.from_text("a.vpcdns.internal")), "cannot be private"),
        (DeleteZone("z1"), f"bound to {VPC_A}"),
        (DeleteZone("z9"), "no such zone"),
        (BindZone("z1", ("vpc-none",)), "there is no VPC vpc-none"),
        (AddZoneRecord("z1", 1, alias("x.corp.test", "y.test")), "there twice"),
        (AddZoneRecord("z1", 2, ADDRESS), "it is there already"),
        (AddZoneRecord("z1", 2, alias("db.corp.test", "y.test")), "no others"),
        (AddZoneRecord("z1", 2, alias("x.corp.test", "x.corp.test")), "go round"),
        (UpdateZoneRecord("z1", 7, ADDRESS), "there is no record 7"),
        (DeleteZoneRecord("z1", 7), "there is no record 7"),
    ],
)
def test_what_is_refused(change: Change, said: str) -> None:
    assert said in refused(change, *MADE)


def test_one_name_is_one_zone_in_a_vpc() -> None:
    second = (AddZone("z2", CORP), BindZone("z2", (VPC_B,)))
    assert after(*MADE, *second).private_zones.seen(VPC_B, CORP) is not None
    assert "another zone of that name" in refused(BindZone("z2", (VPC_B, VPC_A)), *MADE, *second)


def test_a_vpc_that_a_zone_is_bound_to_stays() -> None:
    assert "private zone corp.test is bound to it" in refused(DeleteVpc(VPC_A), *MADE) or "bound" in refused(
        DeleteVpc(VPC_A), *MADE
    )


@pytest.mark.parametrize(
    "change",
    [
        *MADE,
        SetFallThrough("z1", fall_through=True),
        AddZoneRecord("z1", 3, alias("*.corp.test", "a.b.test")),
        AddZoneRecord(
            "z1", 4, ZoneRecord(CORP, RRType.MX, Octets(b"\0\x0a\1m\4corp\4test\0", "10 m.corp.test."))
        ),
        AddZoneRecord("z1", 5, ZoneRecord(CORP, 65280, Octets(b"\1\2", "\\# 2 0102"), enabled=False)),
        AddZoneRecord("z1", 6, ZoneRecord(CORP, RRType.TXT, (b'a "b"', b"\xff"))),
    ],
)
def test_changes_come_back_from_json(change: Change) -> None:
    assert decode_change(encode_change(change)) == change
