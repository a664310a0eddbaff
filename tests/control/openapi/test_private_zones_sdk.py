"""The cloud's own SDK makes private zones; clients inside and outside of their VPCs ask after every step."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import Any

import dns.edns
import dns.message
import dns.query
import dns.rcode
import pytest

from tests.support.cloud_api import CONFIG, cloud
from tests.support.cloud_sdk import config, refusal
from vpcdns.model.private_zone_rules import MAX_RRSET
from vpcdns.testing import Server

pytest.importorskip("alibabacloud_pvtz20180101", reason="needs the cloud's SDK, of the dev group")
from alibabacloud_pvtz20180101 import models
from alibabacloud_pvtz20180101.client import Client as Pvtz

# The SDK asks the clock in a way that Python 3.12 calls out of date.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")

IN_A, IN_B, IN_C = "10.61.0.5", "10.62.0.5", "10.63.0.5"
ZONES = {
    **CONFIG,
    "vpcs": [
        {"vpc_id": "vpc-a", "region_id": "cn-hangzhou", "cidr_blocks": ["10.61.0.0/16"]},
        {"vpc_id": "vpc-b", "region_id": "cn-hangzhou", "cidr_blocks": ["10.62.0.0/16"]},
        {"vpc_id": "vpc-c", "region_id": "cn-shanghai", "cidr_blocks": ["10.63.0.0/16"]},
    ],
}
FULL = [f"10.0.{number // 250}.{number % 250}" for number in range(MAX_RRSET)]
FULL_ZONE = {"zone": "full.example", "records": [{"name": "www", "type": "A", "values": FULL}]}
_numbers = count(1)


class Zones:
    """PrivateZone's client; an action is named as in the SDK and takes its parameters as they are there."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client = Pvtz(config(server))

    def __getattr__(self, action: str) -> Any:
        request = getattr(models, "".join(map(str.capitalize, action.split("_"))) + "Request")
        return lambda **parameters: getattr(self.client, action)(request(**parameters)).body

    def zone(self, name: str | None = None, *vpcs: str, **more: Any) -> str:
        """A zone that is bound to these VPCs."""
        name = name or f"zone-{next(_numbers)}.example"
        zone_id: str = self.add_zone(zone_name=name, **more).zone_id
        if vpcs:
            self.bind(zone_id, *vpcs)
        return zone_id

    def bind(self, zone_id: str, *vpcs: str) -> None:
        named = [
            models.BindZoneVpcRequestVpcs(vpc_id=vpc, region_id=region)
            for vpc, _, region in (one.partition("@") for one in vpcs)
        ]
        self.bind_zone_vpc(zone_id=zone_id, vpcs=named)

    def record(self, zone_id: str, rr: str, kind: str, value: str, **more: Any) -> int:
        made = self.add_zone_record(zone_id=zone_id, rr=rr, type=kind, value=value, **more)
        assert made.success is True
        record_id: int = made.record_id
        return record_id

    def records(self, zone_id: str, **more: Any) -> list[Any]:
        found: list[Any] = self.describe_zone_records(zone_id=zone_id, **more).records.record
        return found

    def code(self, action: str, **parameters: Any) -> str:
        """The code of a refusal, always of status 400, which has changed nothing."""
        before = self.server.client.world()
        with pytest.raises(Exception, match=r".") as raised:
            getattr(self, action)(**parameters)
        status, code = refusal(raised)
        assert status == 400
        assert self.server.client.world() == before
        return code

    def ask(self, name: str, client: str, rtype: str = "A") -> list[str]:
        """What a client at that address gets: the answer's data, or the RCODE."""
        host, port = self.server.dns
        subnet = dns.edns.ECSOption(client, ip_address(client).max_prefixlen)
        query = dns.message.make_query(name, rtype, use_edns=0, options=[subnet])
        response = dns.query.udp(query, host, port=port, timeout=5)
        if response.rcode():
            return [dns.rcode.to_text(response.rcode())]
        return sorted(data.to_text() for rrset in response.answer for data in rrset)


@contextmanager
def served_zones(given: dict[str, Any], state: Path | None = None) -> Iterator[Zones]:
    with cloud(given, state) as server:
        yield Zones(server)


@pytest.fixture(scope="module")
def zones() -> Iterator[Zones]:
    with served_zones({**ZONES, "private_zones": [FULL_ZONE]}) as served:
        yield served


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_whole_life_of_a_zone(zones: Zones) -> None:
    outside = ["REFUSED"]  # nothing is forwarded
    assert zones.check_zone_name(zone_name="corp.internal").check is True
    zone_id = zones.zone("corp.internal")
    record_id = zones.record(zone_id, "db", "A", "10.61.1.9")
    assert zones.ask("db.corp.internal", IN_A) == outside

    zones.bind(zone_id, "vpc-a@cn-hangzhou", "vpc-c@cn-shanghai")
    assert zones.ask("db.corp.internal", IN_A) == ["10.61.1.9"]
    assert zones.ask("DB.corp.internal", IN_C) == ["10.61.1.9"]
    assert zones.ask("db.corp.internal", IN_B) == outside
    assert zones.ask("none.corp.internal", IN_A) == ["NXDOMAIN"]

    zones.update_zone_record(record_id=record_id, rr="db2", type="A", value="10.61.1.10")
    assert zones.ask("db.corp.internal", IN_A) == ["NXDOMAIN"]
    assert zones.ask("db2.corp.internal", IN_A) == ["10.61.1.10"]

    off = zones.set_zone_record_status(record_id=record_id, status="DISABLE")
    assert (off.record_id, off.status) == (record_id, "DISABLE")
    assert zones.ask("db2.corp.internal", IN_A) == ["NXDOMAIN"]
    assert [one.status for one in zones.records(zone_id)] == ["DISABLE"]
    zones.set_zone_record_status(record_id=record_id, status="ENABLE")
    assert zones.ask("db2.corp.internal", IN_A) == ["10.61.1.10"]

    assert zones.set_proxy_pattern(zone_id=zone_id, proxy_pattern="RECORD").zone_id == zone_id
    assert zones.ask("none.corp.internal", IN_A) == outside, "the name is resolved without the zone"
    assert zones.describe_zone_info(zone_id=zone_id).proxy_pattern == "RECORD"
    zones.set_proxy_pattern(zone_id=zone_id, proxy_pattern="ZONE")
    assert zones.ask("none.corp.internal", IN_A) == ["NXDOMAIN"]

    zones.bind(zone_id, "vpc-b")
    assert zones.ask("db2.corp.internal", IN_A) == outside
    assert zones.ask("db2.corp.internal", IN_B) == ["10.61.1.10"]
    assert zones.code("delete_zone", zone_id=zone_id) == "Zone.VpcExists"

    assert zones.delete_zone_record(record_id=record_id).record_id == record_id
    assert zones.ask("db2.corp.internal", IN_B) == ["NXDOMAIN"]
    zones.bind(zone_id)
    assert zones.delete_zone(zone_id=zone_id).zone_id == zone_id
    assert zones.ask("db2.corp.internal", IN_B) == outside
    assert zones.code("describe_zone_info", zone_id=zone_id) == "Zone.NotExists"


def test_each_type_is_answered_and_described_as_it_was_given(zones: Zones) -> None:
    zone_id = zones.zone("types.example", "vpc-a")
    given = [
        ("@", "A", "10.61.1.1", None, "10.61.1.1"),
        ("six", "AAAA", "fd00::9", None, "fd00::9"),
        ("*.apps", "CNAME", "Gateway.types.example", None, "Gateway.types.example."),
        ("txt", "TXT", 'v=spf1 include:x -all; "quoted" \\ é', None, '"v=spf1 include:x -all; \\"quoted\\" '),
        ("@", "MX", "mail.types.example", 7, "7 mail.types.example."),
        ("_sip._tcp", "SRV", "10 5 5060 sip.types.example", None, "10 5 5060 sip.types.example."),
        ("back", "PTR", "host.types.example", None, "host.types.example."),
    ]
    for rr, kind, value, priority, answer in given:
        record_id = zones.record(zone_id, rr, kind, value, priority=priority, ttl=3600)
        name = f"{rr.replace('*', 'any')}.types.example".removeprefix("@.")
        assert any(text.startswith(answer) for text in zones.ask(name, IN_A, kind)), (kind, answer)
        (found,) = [one for one in zones.records(zone_id) if one.record_id == record_id]
        assert (found.rr, found.type, found.value, found.priority) == (rr, kind, value, priority)
        assert (found.ttl, found.status, found.line, found.weight) == (3600, "ENABLE", "default", 1)
        assert found.zone_id == zone_id
    # A final dot and letters of another size mean the same.
    alias = zones.record(zone_id, "alias", "cname", "www.example.org.")
    (found,) = zones.records(zone_id, keyword="ALIAS")
    assert (found.record_id, found.type, found.value, found.ttl) == (alias, "CNAME", "www.example.org", 60)


def test_a_zone_is_described_with_all_that_clients_read(zones: Zones) -> None:
    zone_id = zones.zone("1.61.10.in-addr.arpa", "vpc-a", proxy_pattern="RECORD", resource_group_id="rg-1")
    zones.record(zone_id, "9", "PTR", "db.corp.internal", remark="the database", weight=3)
    told = zones.describe_zone_info(zone_id=zone_id)
    (listed,) = zones.describe_zones(keyword="1.61.10.IN-ADDR.arpa", search_mode="EXACT").zones.zone
    for one in (told, listed):
        assert (one.zone_id, one.zone_name, one.zone_type) == (zone_id, "1.61.10.in-addr.arpa", "AUTH_ZONE")
        assert (one.is_ptr, one.proxy_pattern, one.record_count) == (True, "RECORD", 1)
        assert (one.remark, one.resource_group_id, one.dns_group) == ("", "rg-1", "NORMAL_ZONE")
        assert abs(one.create_timestamp / 1000 - time.time()) < 60
        assert one.create_time == time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(one.create_timestamp / 1000))
        assert one.update_timestamp >= one.create_timestamp
    (vpc,) = told.bind_vpcs.vpc
    assert (vpc.vpc_id, vpc.region_id, vpc.vpc_name) == ("vpc-a", "cn-hangzhou", "")
    assert told.slave_dns is False
    (record,) = zones.records(zone_id)
    assert (record.remark, record.weight) == ("the database", 3)
    assert record.update_timestamp == record.create_timestamp


def test_pages_and_filters_of_zones(zones: Zones) -> None:
    made = [zones.zone(f"n{number}.paged.example") for number in range(5)]
    zones.bind(made[0], "vpc-c")
    page = zones.describe_zones(keyword="PAGED", page_size=2, page_number=3)
    assert (page.page_number, page.page_size, page.total_items, page.total_pages) == (3, 2, 5, 3)
    assert len(page.zones.zone) == 1
    assert zones.describe_zones().page_size == 20
    beyond = zones.describe_zones(keyword="paged", page_number=9)
    assert (beyond.zones.zone, beyond.total_items) == ([], 5)
    none = zones.describe_zones(keyword="paged", search_mode="EXACT")
    assert (none.zones.zone, none.total_items, none.total_pages) == ([], 0, 0)
    for filters in ({"query_vpc_id": "vpc-c"}, {"query_region_id": "cn-shanghai"}):
        assert [one.zone_id for one in zones.describe_zones(keyword="paged", **filters).zones.zone] == made[
            :1
        ]
    assert zones.describe_zones(zone_type="CLOUD_PRODUCT_ZONE").total_items == 0
    assert zones.describe_zones(resource_group_id="rg-none").total_items == 0


def test_pages_and_filters_of_records(zones: Zones) -> None:
    zone_id = zones.zone()
    ids = [zones.record(zone_id, f"host-{number}", "A", f"10.0.0.{number}") for number in range(25)]
    ids.append(zones.record(zone_id, "@", "A", "10.0.0.99"))
    seen: list[int] = []
    for number in (1, 2):
        page = zones.describe_zone_records(zone_id=zone_id, page_number=number)
        assert (page.page_size, page.total_items, page.total_pages) == (20, 26, 2)
        seen += [one.record_id for one in page.records.record]
    assert seen == ids
    assert [one.rr for one in zones.records(zone_id, keyword="HOST-1")] == ["host-1"]
    like = zones.records(zone_id, keyword="Host-1", search_mode="LIKE")
    assert len(like) == 11
    assert [one.rr for one in zones.records(zone_id, keyword="@")] == ["@"]
    assert zones.records(zone_id, keyword="a b") == []
    assert zones.records(zone_id, tag="ecs") == []


def test_a_token_makes_one_thing(zones: Zones) -> None:
    zone_id = zones.zone("token.example", client_token="t-1")
    assert zones.zone("token.example", client_token="t-1") == zone_id
    assert zones.zone("token.example", client_token="t-2") != zone_id
    assert (
        zones.code("add_zone", zone_name="other.example", client_token="t-1") == "IdempotentParameterMismatch"
    )
    given = {"zone_id": zone_id, "rr": "www", "type": "A", "value": "10.0.0.1", "client_token": "t-1"}
    record_id = zones.add_zone_record(**given).record_id
    zones.set_zone_record_status(record_id=record_id, status="DISABLE")
    assert zones.add_zone_record(**given).record_id == record_id
    assert zones.code("add_zone_record", **{**given, "value": "10.0.0.2"}) == "IdempotentParameterMismatch"
    assert zones.code("add_zone_record", **{**given, "client_token": "t" * 65}) == "InvalidParameter"
    # What sets a value can be repeated as it is.
    for _ in range(2):
        zones.bind(zone_id, "vpc-a")
        zones.set_zone_record_status(record_id=record_id, status="ENABLE")
        zones.set_proxy_pattern(zone_id=zone_id, proxy_pattern="ZONE")
        zones.update_zone_record(record_id=record_id, rr="www", type="A", value="10.0.0.1")


def test_what_is_absent_from_an_update_stays(zones: Zones) -> None:
    zone_id = zones.zone()
    record_id = zones.record(zone_id, "@", "MX", "a.example", priority=9, ttl=300, remark="mail")
    zones.set_zone_record_status(record_id=record_id, status="DISABLE")
    zones.update_zone_record(record_id=record_id, rr="@", type="MX", value="b.example")
    (one,) = zones.records(zone_id)
    assert (one.value, one.priority, one.ttl, one.remark) == ("b.example", 9, 300, "mail")
    assert one.status == "DISABLE"
    zones.update_zone_record(record_id=record_id, rr="@", type="MX", value="b.example", priority=1, ttl=5)
    (one,) = zones.records(zone_id)
    assert (one.priority, one.ttl) == (1, 5)


@pytest.mark.parametrize(
    ("action", "parameters", "code"),
    [
        ("add_zone", {}, "MissingZoneName"),
        ("add_zone", {"zone_name": "a b"}, "Zone.Invalid.Name"),
        ("add_zone", {"zone_name": "."}, "Zone.Invalid.Name"),
        ("add_zone", {"zone_name": "*.example"}, "Zone.Invalid.Name"),
        ("add_zone", {"zone_name": f"{'a' * 64}.example"}, "Zone.Invalid.Name"),
        ("add_zone", {"zone_name": "münchen.example"}, "Zone.Invalid.Name"),
        ("add_zone", {"zone_name": "x.vpcdns.internal"}, "Zone.Invalid.Name"),
        ("add_zone", {"zone_name": "a.example", "proxy_pattern": "NONE"}, "InvalidParameter"),
        ("add_zone", {"zone_name": "a.example", "dns_group": "SLOW"}, "InvalidParameter"),
        ("delete_zone", {}, "MissingZoneId"),
        ("delete_zone", {"zone_id": "none"}, "Zone.NotExists"),
        ("describe_zone_info", {"zone_id": "none"}, "Zone.NotExists"),
        ("describe_zone_records", {"zone_id": "none"}, "Zone.NotExists"),
        ("describe_zones", {"page_size": 101}, "InvalidParameter"),
        ("describe_zones", {"page_number": 0}, "InvalidParameter"),
        ("describe_zones", {"search_mode": "FUZZY"}, "InvalidParameter"),
        ("bind_zone_vpc", {"zone_id": "none"}, "Zone.NotExists"),
        ("set_proxy_pattern", {"zone_id": "none", "proxy_pattern": "ZONE"}, "Zone.NotExists"),
        ("check_zone_name", {}, "MissingZoneName"),
        (
            "add_zone_record",
            {"zone_id": "none", "rr": "a", "type": "A", "value": "1.1.1.1"},
            "Zone.NotExists",
        ),
        ("update_zone_record", {"rr": "a", "type": "A", "value": "1.1.1.1"}, "MissingRecordId"),
        (
            "update_zone_record",
            {"record_id": 5, "rr": "a", "type": "A", "value": "1.1.1.1"},
            "Record.NotExists",
        ),
        ("set_zone_record_status", {"record_id": 5, "status": "ENABLE"}, "Record.NotExists"),
        ("delete_zone_record", {"record_id": 5}, "Record.NotExists"),
        ("delete_zone_record", {"record_id": -5}, "InvalidParameter"),
        ("delete_zone_record", {"record_id": "www"}, "InvalidParameter"),
        ("delete_zone_record", {"record_id": 10**20}, "InvalidParameter"),
        ("set_zone_record_status", {"record_id": 5, "status": "ON"}, "Record.NotExists"),
    ],
)
def test_what_is_refused(zones: Zones, action: str, parameters: dict[str, Any], code: str) -> None:
    assert zones.code(action, **parameters) == code


@pytest.mark.parametrize(
    ("rr", "kind", "value", "code"),
    [
        ("", "A", "10.0.0.1", "MissingRr"),
        ("a b", "A", "10.0.0.1", "Record.Invalid.Rr"),
        ("a..b", "A", "10.0.0.1", "Record.Invalid.Rr"),
        ("www.elsewhere.example.", "A", "10.0.0.1", "Record.Invalid.Rr"),
        ("a.*", "A", "10.0.0.1", "Record.Invalid.Rr"),
        (".".join(["a" * 60] * 4), "A", "10.0.0.1", "Record.Invalid.Rr"),
        ("ü", "A", "10.0.0.1", "Record.Invalid.Rr"),
        ("www", "", "10.0.0.1", "MissingType"),
        ("www", "NS", "ns.example", "Record.Invalid.Type"),
        ("www", "TYPE1", "10.0.0.1", "Record.Invalid.Type"),
        ("@", "CNAME", "www.example", "Record.Invalid.Type"),
        ("www", "A", "", "MissingValue"),
        ("www", "A", "10.0.0.256", "Record.Invalid.Value"),
        ("www", "A", "10.0.0.1 10.0.0.2", "Record.Invalid.Value"),
        ("www", "A", "\\# 4 0a000001", "Record.Invalid.Value"),
        ("www", "AAAA", "10.0.0.1", "Record.Invalid.Value"),
        ("www", "CNAME", "10.0.0.1", "Record.Invalid.Value"),
        ("www", "CNAME", "a b", "Record.Invalid.Value"),
        ("www", "CNAME", "@", "Record.Invalid.Value"),
        ("www", "PTR", "http://x/", "Record.Invalid.Value"),
        ("www", "MX", "5 mail.example", "Record.Invalid.Value"),
        ("www", "TXT", "x" * 256, "Record.Invalid.Value"),
        ("www", "TXT", '"open', "Record.Invalid.Value"),
        ("www", "SRV", "10 5 sip.example", "Record.Invalid.Value"),
        ("www", "SRV", "10 5 65536 sip.example", "Record.Invalid.Value"),
        ("www", "SRV", "a b c sip.example", "Record.Invalid.Value"),
    ],
)
def test_records_that_are_none(zones: Zones, rr: str, kind: str, value: str, code: str) -> None:
    zone_id = zones.zone()
    good = zones.record(zone_id, "good", "A", "10.0.0.1")
    given = {"rr": rr, "type": kind, "value": value}
    assert zones.code("add_zone_record", zone_id=zone_id, **given) == code
    assert zones.code("update_zone_record", record_id=good, **given) == code
    assert [one.record_id for one in zones.records(zone_id)] == [good]


@pytest.mark.parametrize(
    "given",
    [
        {"ttl": 4},
        {"ttl": 86_401},
        {"ttl": "an hour"},
        {"priority": 0},
        {"priority": 100},
        {"weight": 101},
        {"line": "aliyun_r_cn-beijing"},
        {"remark": "x" * 51},
    ],
)
def test_parameters_out_of_their_bounds(zones: Zones, given: dict[str, Any]) -> None:
    record = {"rr": "www", "type": "MX", "value": "mail.example"}
    assert zones.code("add_zone_record", zone_id=zones.zone(), **record, **given) == "InvalidParameter"


def test_records_that_may_not_stand_together(zones: Zones) -> None:
    zone_id = zones.zone()
    www = {"zone_id": zone_id, "rr": "www", "type": "A", "value": "10.0.0.1"}
    zones.add_zone_record(**www)
    assert zones.code("add_zone_record", **www) == "Record.Invalid.Conflict", "it is there"
    alias = {**www, "type": "CNAME", "value": "other.example"}
    assert zones.code("add_zone_record", **alias) == "Record.Invalid.Conflict", "CNAME beside others"
    # Two CNAMEs that lead to each other; and one that is only switched on into that.
    zone = zones.describe_zone_info(zone_id=zone_id).zone_name
    zones.record(zone_id, "a", "CNAME", f"b.{zone}")
    second = zones.record(zone_id, "b", "CNAME", "elsewhere.example")
    circle = {"record_id": second, "rr": "b", "type": "CNAME", "value": f"a.{zone}"}
    assert zones.code("update_zone_record", **circle) == "Record.Invalid.Conflict"
    zones.set_zone_record_status(record_id=second, status="DISABLE")
    zones.update_zone_record(**circle)
    on = {"record_id": second, "status": "ENABLE"}
    assert zones.code("set_zone_record_status", **on) == "Record.Invalid.Conflict"


def test_too_many_records_of_one_name(zones: Zones) -> None:
    many = zones.describe_zones(keyword="full.example", search_mode="EXACT").zones.zone[0]
    assert many.record_count == MAX_RRSET
    more = {"zone_id": many.zone_id, "rr": "www", "type": "A", "value": "10.9.9.9"}
    assert zones.code("add_zone_record", **more) == "QuotaExceeded.Record"


def test_bindings_that_do_not_fit(zones: Zones) -> None:
    zone_id, twin = zones.zone("twin.example", "vpc-a"), zones.zone("twin.example", "vpc-b")

    def refused(*vpcs: tuple[str | None, str | None], zone: str = zone_id) -> str:
        named = [models.BindZoneVpcRequestVpcs(vpc_id=vpc, region_id=region) for vpc, region in vpcs]
        return zones.code("bind_zone_vpc", zone_id=zone, vpcs=named)

    assert refused(("vpc-a", None), ("vpc-none", None)) == "ZoneVpc.NotExists.VpcId"
    assert refused(("vpc-a", "cn-shanghai")) == "ZoneVpc.NotExists.VpcId"
    assert refused((None, "cn-hangzhou")) == "MissingVpcs.1.VpcId"
    assert refused(("vpc-a", None), zone=twin) == "ZoneVpc.Invalid.Conflict"
    assert refused((None, None), ("vpc-a", None)) == "InvalidParameter"
    told = zones.describe_zone_info(zone_id=zone_id).bind_vpcs.vpc
    assert [vpc.vpc_id for vpc in told] == ["vpc-a"]


def test_names_that_no_zone_may_have(zones: Zones) -> None:
    for name in (".", "a b", "*.example", "vpcdns.internal", "x" * 64):
        told = zones.check_zone_name(zone_name=name)
        assert (told.success, told.check) == (True, False)


def test_remarks(zones: Zones) -> None:
    zone_id = zones.zone()
    record_id = zones.record(zone_id, "www", "A", "10.0.0.1", weight=2)
    zones.update_zone_remark(zone_id=zone_id, remark="ours")
    zones.update_record_remark(record_id=record_id, remark="the web")
    assert zones.describe_zone_info(zone_id=zone_id).remark == "ours"
    told = zones.describe_zone_record(record_id=record_id)
    assert (told.zone_id, told.rr, told.remark, told.weight) == (zone_id, "www", "the web", 2)
    assert zones.code("update_zone_remark", zone_id=zone_id, remark="x" * 51) == "Zone.Remark"
    zones.update_zone_remark(zone_id=zone_id)
    zones.update_record_remark(record_id=record_id)
    assert zones.describe_zone_info(zone_id=zone_id).remark == ""
    assert zones.describe_zone_record(record_id=record_id).remark == ""


def test_tags(zones: Zones) -> None:
    first, second = zones.zone(), zones.zone()

    def tagged(*ids: str, over_write: bool | None = None, **tags: str) -> None:
        named = [models.TagResourcesRequestTag(key=key, value=value) for key, value in tags.items()]
        zones.tag_resources(resource_type="ZONE", resource_id=list(ids), tag=named, over_write=over_write)

    def listed(**more: Any) -> list[tuple[str, str, str]]:
        found = zones.list_tag_resources(resource_type="ZONE", **more).tag_resources
        return [(one.resource_id, one.tag_key, one.tag_value) for one in found]

    assert listed(resource_id=[first]) == []
    tagged(first, second, team="dns", env="test")
    tagged(first, env="live")
    assert listed(resource_id=[first]) == [(first, "team", "dns"), (first, "env", "live")]
    live = [models.ListTagResourcesRequestTag(key="env", value="live")]
    assert {one for one, _, _ in listed(tag=live)} == {first}
    page = zones.list_tag_resources(resource_type="ZONE", resource_id=[first, second], size=3)
    assert len(page.tag_resources) == 3
    rest = zones.list_tag_resources(
        resource_type="ZONE", resource_id=[first, second], next_token=page.next_token
    )
    assert [one.tag_key for one in rest.tag_resources] == ["env"]
    assert rest.next_token is None
    wanted = [models.DescribeZonesRequestResourceTag(key="env", value="test")]
    (found,) = zones.describe_zones(resource_tag=wanted).zones.zone
    assert found.zone_id == second
    assert [(tag.key, tag.value) for tag in found.resource_tags.resource_tag] == [
        ("team", "dns"),
        ("env", "test"),
    ]
    zones.untag_resources(resource_type="ZONE", resource_id=[second], tag_key=["env"])
    assert listed(resource_id=[second]) == [(second, "team", "dns")]
    zones.untag_resources(resource_type="ZONE", resource_id=[second], all=True)
    assert listed(resource_id=[second]) == []
    tagged(first, over_write=True, only="this")
    assert listed(resource_id=[first]) == [(first, "only", "this")]
    zone = {"resource_type": "ZONE", "resource_id": [first]}
    assert zones.code("tag_resources", **zone) == "MissingTag.1.Key"
    assert zones.code("untag_resources", **zone) == "MissingTagKey.1"
    assert zones.code("list_tag_resources", resource_type="RULE") == "InvalidParameter"
    assert zones.code("list_tag_resources", **{**zone, "resource_id": ["none"]}) == "Zone.NotExists"
    many = [models.TagResourcesRequestTag(key=f"k{number}", value="") for number in range(20)]
    assert zones.code("tag_resources", **zone, tag=many) == "QuotaExceeded.Tag"


def test_what_terraform_asks_about_a_zone_besides(zones: Zones) -> None:
    zone_id = zones.zone()
    assert zones.code("describe_sync_ecs_host_task", zone_id=zone_id) == "Ecs.SyncTask.NotExists"


def test_a_zone_files_zone_is_the_apis_too(tmp_path: Path) -> None:
    (tmp_path / "corp.zone").write_text(
        "$TTL 300\n@ SOA ns.corp.internal. root.corp.internal. 1 2 3 4 5\n"
        '@ NS ns.corp.internal.\nns A 10.61.0.53\ntxt TXT "one" "two"\n@ MX 0 .\nca CAA 0 issue "x"\n'
    )
    zone = {"zone": "corp.internal", "vpcs": ["vpc-a"], "file": str(tmp_path / "corp.zone")}
    given = {"zone": "plain.internal", "records": [{"name": "a", "type": "A", "values": ["10.0.0.1"]}]}
    config = {**ZONES, "private_zones": [zone, given]}
    state = tmp_path / "vpcdns.state"
    with served_zones(config, state) as zones:
        by_name = {one.zone_name: one for one in zones.describe_zones().zones.zone}
        corp = by_name["corp.internal"]
        assert (corp.record_count, corp.create_time) == (6, None)
        described = {(one.rr, one.type): one for one in zones.records(corp.zone_id)}
        assert described["txt", "TXT"].value == '"one" "two"'
        mail = described["@", "MX"]
        assert (mail.priority, mail.value, mail.ttl) == (0, ".", 300)
        assert described["ca", "CAA"].value == '0 issue "x"'
        (plain,) = zones.records(by_name["plain.internal"].zone_id)
        assert plain.ttl == 60, "answers.ttl"
        ns = described["ns", "A"].record_id
        assert 0 <= ns < 1 << 53
        zones.update_zone_record(record_id=ns, rr="ns", type="A", value="10.61.0.54")
        made = zones.zone("made.internal", "vpc-a")
        kept = zones.record(made, "www", "A", "10.61.0.80", remark="kept")
        before = json.dumps([one.to_map() for one in zones.records(corp.zone_id)])
    with served_zones(config, state) as zones:
        assert zones.ask("ns.corp.internal", IN_A) == ["10.61.0.54"]
        assert zones.ask("www.made.internal", IN_A) == ["10.61.0.80"]
        after = json.dumps([one.to_map() for one in zones.records(corp.zone_id)])
        assert sorted(json.loads(after), key=str) == sorted(json.loads(before), key=str)
        (one,) = zones.records(made)
        assert (one.record_id, one.remark) == (kept, "kept")
        assert one.create_timestamp
        zones.delete_zone_record(record_id=ns)
        assert zones.ask("ns.corp.internal", IN_A) == ["NXDOMAIN"]
