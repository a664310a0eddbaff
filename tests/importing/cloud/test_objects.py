"""Accounts become configurations: VPNs and CENs after the SDKs' models, and whatever else may be told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.cloud_account import CEN, HANGZHOU, HYBRID, FakeCloud, asked
from vpcdns.importing.cloud.account import account_text
from vpcdns.importing.cloud.objects import inventory_of
from vpcdns.importing.finish import finish
from vpcdns.importing.inventory import Inventory
from vpcdns.importing.text import configuration_text

pytest.importorskip("alibabacloud_cbn20170912", reason="needs the cloud's SDK, of the dev group")

GROUP = "523e8dc7bbe04613b5b1d726c2a7889d"
VPC = {"VpcId": "vpc-a", "RegionId": HANGZHOU, "CidrBlock": "10.1.0.0/16"}
BOUND = {
    "InstanceId": "apigateway-hz-1",
    "InstanceType": "VPC_DEDICATED",
    "UserVpcId": "vpc-a",
    "UserVswitchId": "vsw-a",
}


def imported(items: dict[str, list[dict[str, Any]]]) -> Inventory:
    """An account as an inventory that makes a World."""
    inventory = inventory_of(asked(FakeCloud(items)))
    finish(inventory)
    assert "\n".join(configuration_text(inventory, "a test"))
    return inventory


def part(inventory: Inventory, section: str, *identity: str) -> dict[str, Any]:
    item = inventory.get(section, *identity)
    assert item is not None
    return item.part


def test_an_ipsec_connection_and_the_network_behind_it() -> None:
    inventory = imported(HYBRID)
    assert part(inventory, "connections", "vco-office") == {
        "connection_id": "vco-office",
        "type": "ipsec",
        "vpc_id": "vpc-core",
        "network_id": "cgw-office",
        "local_subnets": ["10.1.0.0/16", "100.64.0.0/10"],
        "remote_subnets": ["192.168.10.0/24"],
    }
    network = part(inventory, "networks", "cgw-office")
    assert network["cidr_blocks"] == ["192.168.10.0/24"]
    assert [one["destination"] for one in network["routes"]] == ["10.1.0.0/16", "100.64.0.0/10"]


def test_a_cen_with_its_attachments_and_routes() -> None:
    inventory = imported(HYBRID)
    cen = part(inventory, "connections", CEN)
    assert cen["edition"] == "enterprise"  # another region still has a router of the old one
    assert sorted(cen["attachments"], key=str) == [
        "vpc-core",
        {"network_id": "cgw-depot", "kind": "vpn", "region_id": "cn-hangzhou"},
        {"network_id": "vbr-idc", "kind": "vbr", "region_id": "cn-hangzhou"},
    ]
    routes = {one["host"]: (one["host_vpc_id"], set(one["access"])) for one in cen["service_routes"]}
    assert routes == {"100.100.2.136/32": ("vpc-core", {"vbr-idc", "cgw-depot"})}
    assert cen["routes"] == [
        {"destination": "100.100.80.0/24", "via": "vpc-core"},
        {"destination": "10.7.0.0/16", "via": "vpc-core"},
    ]
    assert part(inventory, "networks", "vbr-idc")["resolves_as"] == "vpc-core"
    assert any("cen-empty" in one.why for one in inventory.omissions)


def test_no_secret_is_kept() -> None:
    text = account_text(asked(FakeCloud(HYBRID)))
    assert "vco-office" in text
    assert "secret" not in text
    assert "never kept" not in text


def test_custom_domains_are_those_that_lead_to_the_vpc_domain() -> None:
    names = [
        {"DomainName": "own.example", "CustomDomainType": "INTRANET", "DomainBindingStatus": "BINDING"},
        {"DomainName": "public.example", "CustomDomainType": "INTERNET", "DomainBindingStatus": "BINDING"},
        {"DomainName": "loose.example", "CustomDomainType": "INTRANET", "DomainBindingStatus": "BOUND"},
    ]
    group = {
        "GroupId": GROUP,
        "GroupName": "weather",
        "InstanceId": "apigateway-hz-1",
        "VpcDomain": f"{GROUP}-cn-hangzhou-vpc.alicloudapi.com",
        "CustomDomains": {"DomainItem": names},
    }
    inventory = imported({"VPC": [VPC], "instance": [BOUND], "group": [group]})
    found = part(inventory, "groups", GROUP)
    assert (found["vpc_domain"], found["custom_domains"]) == (True, ["own.example"])
    assert sorted(one.why.partition(":")[0] for one in inventory.omissions) == [
        "custom domain loose.example",
        "custom domain public.example",
    ]


def test_a_serverless_instance_of_any_name() -> None:
    shared = {"InstanceId": "api-pool-7", "InstanceType": "VPC_SHARED"}
    group = {"GroupId": GROUP, "GroupName": "weather", "InstanceId": "api-pool-7", "VpcDomain": "x"}
    inventory = imported({"instance": [shared], "group": [group]})
    assert part(inventory, "instances", HANGZHOU, "api-pool-7")["type"] == "serverless"
    assert any("guessed: its address" in note for note in inventory.notes)


def test_a_record_for_one_line_alone_is_left_out() -> None:
    zone = {"ZoneId": "z1", "ZoneName": "corp.internal"}
    record = {"RecordId": 7, "Rr": "db", "Type": "A", "Value": "10.1.0.9", "Ttl": 60}
    records = [record | {"Line": "default"}, record | {"RecordId": 8, "Line": "aliyun"}]
    inventory = imported({"private zone": [zone], "record": records})
    assert [one["record_ids"] for one in part(inventory, "private_zones", "z1")["records"]] == [[7]]
    assert [one.why for one in inventory.omissions] == ["record db: it is for the line aliyun only"]


@pytest.mark.parametrize("kind", sorted(HYBRID))
def test_nothing_but_ids(kind: str) -> None:
    """Every other field is missing from every object of one kind."""
    ids = {"VpcId", "VpnGatewayId", "CustomerGatewayId", "VpnConnectionId", "CenId", "ChildInstanceId"}
    ids |= {"TransitRouterId", "TransitRouterAttachmentId", "TransitRouterRouteTableId"}
    ids |= {"TransitRouterRouteEntryDestinationCidrBlock", "Host", "HostVpcId", "AccessRegionId"}
    bare = [{name: value for name, value in item.items() if name in ids} for item in HYBRID[kind]]
    imported(HYBRID | {kind: bare})


@pytest.mark.parametrize("kind", sorted(HYBRID))
def test_what_is_named_and_not_there(kind: str) -> None:
    imported({name: items for name, items in HYBRID.items() if name != kind})


@pytest.mark.parametrize(
    ("kind", "item"),
    [
        ("VPC", {"VpcId": "vpc-a", "CidrBlock": 7, "RegionId": ["x"]}),
        ("VPC", {"VpcId": "vpc-a", "CidrBlock": "no block"}),
        ("VPC", {"VpcId": "vpc\x1b[2J", "CidrBlock": "10.1.0.0/16"}),
        ("vSwitch", {"VSwitchId": "vsw-a", "VpcId": "vpc-unknown", "CidrBlock": "10.1.8.0/24"}),
        ("vSwitch", {"VSwitchId": "vsw-a"}),
        ("instance", BOUND),
        ("instance", {"InstanceId": "i", "InstanceType": None, "UserVpcId": {}}),
        ("instance", {"InstanceId": "i", "UserVpcId": "vpc-a"}),
        ("group", {"GroupId": "no group", "InstanceId": "i"}),
        ("group", {"GroupId": GROUP, "CustomDomains": {"DomainItem": [{}]}}),
        ("private zone", {"ZoneId": "z1"}),
        ("private zone", {"ZoneId": "z1", "ZoneName": "a..b", "BindVpcs": {"Vpc": [{"VpcId": "vpc-x"}]}}),
    ],
)
def test_odd_items_are_left_out_or_said(kind: str, item: dict[str, Any]) -> None:
    imported({kind: [item]})
