"""Large private zones are read in linear time, what is wrong in them too; a change costs what changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from tests.support.example_world import VPC_A, VPC_B, example
from vpcdns.config import loads
from vpcdns.errors import ConfigurationError
from vpcdns.model.changes import Change
from vpcdns.model.dns import RRType
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
from vpcdns.model.private_zones import PrivateZone, PrivateZones, ZoneRecord
from vpcdns.model.world import World

VPC = "vpcs: [{vpc_id: vpc-a, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16]}]\n"
ZONE = VPC + "private_zones: [{zone: corp.test, vpcs: [vpc-a], file: corp.zone}]\n"
AT_MOST = 0.01  # seconds a change may take: the event loop answers nothing meanwhile


def address(number: int) -> str:
    return str(IPv4Address(0x0A000000 + number))


def plain_file(count: int) -> list[str]:
    return [f"h{number} A {address(number)}" for number in range(count)]


def chain(count: int) -> list[str]:
    return [f"h{number} CNAME h{number + 1}" for number in range(count)]


def deep_names(count: int) -> list[str]:
    return [f"{number}.a.b.c.d.e.f PTR h{number}" for number in range(count)]


def bad_data(count: int) -> list[str]:
    return [f"h{number} A 10.0.0" for number in range(count)]


def unclosed(count: int) -> list[str]:
    return [f"h{number} A ( x" for number in range(count)]


def outside(count: int) -> list[str]:
    return [f"h{number}. A 10.0.0.1" for number in range(count)]


def one_rrset(count: int) -> list[str]:
    return [f"h A {address(number)}" for number in range(count)]


def one_name(count: int) -> list[str]:
    return [f"h TYPE{number % 60_000 + 1_000} \\# 4 {number:08x}" for number in range(count)]


def beside_a_cname(count: int) -> list[str]:
    return ["h CNAME x", *one_rrset(count - 1)]


def from_file(lines: Callable[[int], list[str]], count: int, folder: Path) -> str:
    (folder / "corp.zone").write_text("\n".join(["$TTL 60", *lines(count), ""]))
    return ZONE


def from_text(count: int) -> str:
    entries = [f"{{name: h{n}, type: A, values: [{address(n)}]}}" for n in range(count)]
    return f"{VPC}private_zones: [{{zone: corp.test, vpcs: [vpc-a], records: [{', '.join(entries)}]}}]"


def disabled_twins(count: int) -> str:
    values = ", ".join(["10.0.0.1"] * count)
    record = f"{{name: h, type: A, enabled: false, values: [{values}]}}"
    return f"{VPC}private_zones: [{{zone: corp.test, vpcs: [vpc-a], records: [{record}]}}]"


def cost(text: str, folder: Path) -> float:
    """CPU seconds of one load, whether or not it fails."""
    began = time.process_time()
    with suppress(ConfigurationError):
        loads(text, folder=folder)
    return time.process_time() - began


def is_linear(text: Callable[[int], str], few: int, folder: Path) -> bool:
    """Five times as many cost some five times as much; the best of three, as others use this machine too."""
    ratios = (cost(text(5 * few), folder) / cost(text(few), folder) for _ in range(3))
    return any(ratio < 8 for ratio in ratios)


FILES = [plain_file, chain, deep_names, bad_data, unclosed, outside, one_rrset, one_name, beside_a_cname]


@pytest.mark.parametrize("lines", FILES)
def test_a_zone_file_is_read_in_linear_time(tmp_path: Path, lines: Callable[[int], list[str]]) -> None:
    assert is_linear(lambda count: from_file(lines, count, tmp_path), 1_000, tmp_path)


@pytest.mark.parametrize("text", [from_text, disabled_twins])
def test_records_are_read_in_linear_time(tmp_path: Path, text: Callable[[int], str]) -> None:
    assert is_linear(text, 1_000, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("lines", [plain_file, bad_data])
def test_100_000_records_of_a_file_take_five_times_as_long_as_20_000(
    tmp_path: Path, lines: Callable[[int], list[str]]
) -> None:
    assert is_linear(lambda count: from_file(lines, count, tmp_path), 20_000, tmp_path)


@pytest.mark.slow
def test_100_000_records_as_text_take_five_times_as_long_as_20_000(tmp_path: Path) -> None:
    assert is_linear(from_text, 20_000, tmp_path)


@pytest.mark.slow
def test_of_100_000_errors_the_first_100_are_said_and_the_others_counted(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        loads(from_file(bad_data, 100_000, tmp_path), folder=tmp_path)
    assert (len(raised.value.problems), raised.value.more) == (100, 99_900)
    assert [problem.line for problem in raised.value.problems] == [*range(2, 102)]


@pytest.fixture(scope="module")
def large() -> World:
    """2,000 zones, one of them with 20,000 records, a chain of CNAMEs."""
    zones = [
        PrivateZone(f"z{number}", Name.from_text(f"z{number}.test"), frozenset({VPC_A, VPC_B}))
        for number in range(2_000)
    ]
    names = [Name.from_text(f"h{number}.z7.test") for number in range(20_001)]
    records = (ZoneRecord(names[number], RRType.CNAME, names[number + 1]) for number in range(20_000))
    zones[7] = zones[7].with_records(enumerate(records))
    return replace(example(), private_zones=PrivateZones.of(zones))


def record(owner: str, low: int) -> ZoneRecord:
    return ZoneRecord(Name.from_text(owner), RRType.A, IPv4Address(0x0A000000 + low), 60)


@pytest.mark.parametrize(
    "change",
    [
        AddZone("new", Name.from_text("new.test")),
        BindZone("z5", (VPC_A,)),
        BindZone("z7", ()),
        SetFallThrough("z7", True),
        AddZoneRecord("z7", 200_000, record("new.z7.test", 1)),
        UpdateZoneRecord("z7", 19_999, record("h19999.z7.test", 2)),
        DeleteZoneRecord("z7", 500),
    ],
    ids=lambda change: type(change).__name__,
)
def test_a_change_costs_what_changes(large: World, change: Change) -> None:
    assert fastest(change, large) < AT_MOST


def test_so_does_deleting_a_zone(large: World) -> None:
    unbound = BindZone("z7", ()).apply(large)
    assert isinstance(unbound, World)
    assert fastest(DeleteZone("z7"), unbound) < AT_MOST


def fastest(change: Change, world: World) -> float:
    """Seconds, of the best of five."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        assert isinstance(change.apply(world), World)
        times.append(time.perf_counter() - began)
    return min(times)
