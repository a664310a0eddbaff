"""Private zones in a configuration: records as text, zone files, and what is wrong with either."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from vpcdns.config import load, loads, written, yaml_text
from vpcdns.config.zone_records import read_rdata, read_type, read_zone_file
from vpcdns.errors import ConfigurationError
from vpcdns.model.names import Name
from vpcdns.model.private_zone_changes import AddZoneRecord
from vpcdns.model.private_zones import PrivateZone, PrivateZones
from vpcdns.state.change_json import decode_change, encode_change

VPC = "vpcs: [{vpc_id: vpc-a, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16]}]\n"
ZONE_FILE = """\
$TTL 300
@ IN SOA ns hostmaster ( 1 3600
   600 86400 60 ) ; a comment
  IN NS ns
ns A 10.1.0.1
mail 60 IN A 10.1.0.9
@ MX 10 mail
*.apps CNAME ns
txt TXT "a b" c\\"d
srv SRV 1 2 443 ns.elsewhere.
web HTTPS 1 . alpn=h2,h3
odd TYPE65280 \\# 4 0a000001
$ORIGIN sub
k AAAA fd00::1
$GENERATE 1-2 n$ A 10.1.1.$
"""


def zones(text: str, folder: Path = Path()) -> list[PrivateZone]:
    return list(loads(VPC + text, folder=folder).world.private_zones.zones.values())


def records(zone: PrivateZone) -> list[str]:
    return [f"{record.name} {record.ttl} {record.rtype} {record.rdata}" for record in zone.records.values()]


def problems(text: str, folder: Path = Path()) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        loads(VPC + text, "c.yaml", folder=folder)
    return [str(problem) for problem in raised.value.problems]


def test_records_as_text() -> None:
    (zone,) = zones("""private_zones:
  - zone: Corp.internal
    vpcs: [vpc-a]
    records:
      - {name: db, type: A, values: [10.1.0.9, 10.1.0.10], ttl: 60}
      - {name: "*.apps", type: CNAME, values: [gateway.corp.internal.]}
      - {name: far.corp.internal., type: txt, values: ['"a b" c'], enabled: false}
      - {name: "@", type: MX, values: ["10 mail"]}
""")
    assert (zone.zone, zone.vpcs, zone.fall_through) == (
        Name.from_text("corp.internal"),
        frozenset({"vpc-a"}),
        False,
    )
    shown = [(str(r.name), r.ttl, r.enabled) for r in zone.records.values()]
    assert shown == [
        ("db.Corp.internal", 60, True),
        ("db.Corp.internal", 60, True),
        ("*.apps.Corp.internal", None, True),
        ("far.corp.internal", None, False),
        ("Corp.internal", None, True),
    ]


def test_a_zone_file(tmp_path: Path) -> None:
    (tmp_path / "corp.zone").write_text(ZONE_FILE)
    (zone,) = zones("private_zones: [{zone: corp.test, vpcs: [vpc-a], file: corp.zone}]", tmp_path)
    assert len(zone.records) == 13
    assert "k.sub.corp.test 300 28 fd00::1" in records(zone)
    assert "n2.sub.corp.test 300 1 10.1.1.2" in records(zone)
    assert zone.soa() is not None


def test_what_is_written_is_read_back_the_same(tmp_path: Path) -> None:
    (tmp_path / "corp.zone").write_text(ZONE_FILE)
    before = loads(
        VPC
        + """private_zones:
  - {zone: corp.test, vpcs: [vpc-a], file: corp.zone, rrset_order: fixed}
  - zone: other.test
    fall_through: true
    records:
      - {name: '@', type: A, values: [10.1.0.2], enabled: false}
      - {name: 'a\\.b', type: A, values: [10.1.0.3]}
""",
        folder=tmp_path,
    ).world
    again = loads(yaml_text(written(before))).world
    assert again.private_zones == before.private_zones


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("{zone: x.test, vpcs: [vpc-z]}", "there is no VPC vpc-z"),
        ("{zone: vpcdns.internal}", "which is ours, cannot be private"),
        ("{zone: x.test, records: [{name: a, type: A, values: ['10.1']}]}", "`10.1` is no data of type A"),
        ("{zone: x.test, records: [{name: a, type: B, values: ['10.1']}]}", "`B` is no record type"),
        ("{zone: x.test, records: [{name: a..b, type: A, values: [10.1.1.1]}]}", "`a..b` is no name"),
        ("{zone: x.test, records: [{name: a.y., type: A, values: [10.1.1.1]}]}", "outside x.test"),
        ("{zone: x.test, records: [{name: '@', type: CNAME, values: [y.]}]}", "no CNAME beside it"),
        ("{zone: x.test, records: [{name: a, type: NS, values: [y.]}]}", "delegates nothing"),
        ("{zone: x.test, records: [{name: a, type: OPT, values: ['']}]}", "OPT"),
        ("{zone: x.test, records: [{name: a, type: CNAME, values: [y., z.]}]}", "one CNAME record at most"),
        ("{zone: x.test, records: [{name: a, type: CNAME, values: [a]}]}", "CNAME records go round"),
        ("{zone: x.test, file: none.zone}", "there is no such file"),
        ("{zone: x.test, file: .}", "it is a directory"),
    ],
)
def test_what_is_wrong_is_said(zone: str, said: str) -> None:
    assert any(said in problem for problem in problems(f"private_zones: [{zone}]")), problems(
        f"private_zones: [{zone}]"
    )


def test_errors_in_a_zone_file_have_its_name_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "bad.zone"
    file.write_text(
        '$TTL 60\na A 10.1.0.1\nb A 10.1.300\nc BOGUS 1\nd TXT "open\ne A 10.1.0.2\na.b. A 10.1.0.1\n'
    )
    found = problems("private_zones: [{zone: x.test, file: bad.zone}]", tmp_path)
    assert [problem.split(" ")[0] for problem in found] == [
        f"{file}:{place}:" for place in ("3:5", "4:3", "5:7", "7:1")
    ]


def test_of_20_000_errors_the_first_100_are_said_and_the_others_counted(tmp_path: Path) -> None:
    (tmp_path / "bad.zone").write_text("$TTL 60\n" + "a BOGUS 1\n" * 20_000)
    with pytest.raises(ConfigurationError, match="19900") as raised:
        loads(VPC + "private_zones: [{zone: x.test, file: bad.zone}]", folder=tmp_path)
    assert len(raised.value.problems) == 100


def test_one_name_twice_in_one_vpc() -> None:
    twice = "private_zones: [{zone: x.test, vpcs: [vpc-a]}, {zone: X.test, vpcs: [vpc-a]}]"
    assert any("sees another zone of that name" in problem for problem in problems(twice))
    assert len(zones("private_zones: [{zone: x.test, vpcs: [vpc-a]}, {zone: X.test}]")) == 2


def test_a_file_that_is_loaded(tmp_path: Path) -> None:
    """Zone files are found beside the configuration."""
    (tmp_path / "corp.zone").write_text("$TTL 60\na A 10.1.0.1\n")
    (tmp_path / "c.yaml").write_text(VPC + "private_zones: [{zone: x.test, file: corp.zone}]")
    assert load(tmp_path / "c.yaml").world.object_counts()["private_zones"] == 1


def test_ids_of_records_are_each_ones_own() -> None:
    told = problems("""private_zones:
  - zone: a.example
    records: [{name: x, type: A, values: [10.0.0.1, 10.0.0.2], record_ids: [5, 5]}]
  - zone: b.example
    records: [{name: x, type: A, values: [10.0.0.1], record_ids: [5]}]
""")
    assert len(told) == 2
    assert "private_zones[0].records[0].record_ids[1]: record 5 is there twice" in told[0]
    assert "private_zones[1].records[0].record_ids[0]: record 5 is there twice" in told[1]
    for number in (-1, 1 << 53):
        (said,) = problems(f"""private_zones:
  - zone: a.example
    records: [{{name: x, type: A, values: [10.0.0.1], record_ids: [{number}]}}]
""")
        assert "record_ids[0]" in said


def test_the_longest_name_is_written_and_read_again() -> None:
    owner = "".join("\\001" * 60 + "." for _ in range(4)) + "x"
    (zone,) = zones(f"""private_zones:
  - zone: io
    records: [{{name: '{owner}', type: A, values: [10.0.0.1]}}]
""")
    (record,) = zone.records.values()
    assert record.name.size == 250
    world = loads(VPC + "private_zones: [{zone: io}]").world
    world = replace(world, private_zones=PrivateZones.of([zone]))
    assert loads(yaml_text(written(world)), revision=world.revision).world == world
    change = AddZoneRecord(zone.zone_id, 5, record)
    assert decode_change(encode_change(change)) == change


@pytest.mark.parametrize(
    ("rtype", "generic", "plain"),
    [
        ("TYPE1", r"\# 4 01020304", "1.2.3.4"),
        ("A", r"  \# 4 0102 0304", "1.2.3.4"),
        ("AAAA", r"\# 16 20010db8000000000000000000000001", "2001:db8::1"),
        ("TYPE5", r"\# 8 01 61 04 74657374 00", "a.test."),
        ("TXT", r"\# 3 02 6869", '"hi"'),
        ("TYPE15", r"\# 5 000a 016d 00", "10 m."),
    ],
)
def test_types_that_are_known_may_be_written_as_others_are(rtype: str, generic: str, plain: str) -> None:
    """RFC 3597 §5, in `values` as in zone files."""
    zone = Name.from_text("corp.test")
    number = read_type(rtype)
    rdata = read_rdata(number, generic, zone)
    assert rdata == read_rdata(number, plain, zone)
    said = list[str]()
    found = read_zone_file(f"a 60 {rtype} {generic}\n", zone, lambda *where: said.append(str(where)))
    assert (said, [record.rdata for _, record in found]) == ([], [rdata])


@pytest.mark.parametrize("text", [r"\# 3 010203", r"\# 4 010203", r"\#", r"\# x", r"\# 4 zz"])
def test_generic_data_of_the_wrong_length(text: str) -> None:
    with pytest.raises(ValueError, match="is no data of type A"):
        read_rdata(1, text, Name.from_text("corp.test"))
