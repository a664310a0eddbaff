"""What data sources of Terraform read; and what is missing here never looks like what is gone."""

from __future__ import annotations

import importlib
from typing import Any, Final

import pytest

from tests.support import terraform_gateway_resources as gateway
from tests.support import terraform_resources as networks
from tests.support import terraform_zone_resources as zones
from tests.support.cloud_api import CLOUDAPI, PVTZ, VPC, Cloud
from tests.support.example_world import HZ, VPC_A, VPC_B
from tests.support.sdk_models import PACKAGES
from tests.support.terraform_provider import PAGE_SIZE, Failed, Provider, tags_of
from vpcdns.control.openapi.actions import ACTIONS
from vpcdns.control.openapi.parameters import is_reading

State = dict[str, Any]
# What the provider's reads of any resource take for "it is gone".
GONE: Final = (
    *("NotFoundApiGroup", "NotFoundApi", "NotFoundStage", "InvokeSlbApiFail", "NotFoundAccessControlList"),
    *(
        "InvokeDescribePluginsByGroupApiFail",
        "NotFoundApp",
        "NotFoundPlugin",
        "NotFoundBackend",
        "NotFoundModel",
    ),
    *(
        "InvalidVpcID.NotFound",
        "Forbidden.VpcNotFound",
        "InvalidVswitchID.NotFound",
        "InvalidResource.NotFound",
    ),
    *(*zones.ZONE_GONE, "Ecs.SyncTask.NotExists", "ResolverRule.NotExists", "ResolverEndpoint.NotExists"),
    *("System.Busy", "Throttling.User", "ServiceUnavailable"),
)


@pytest.fixture
def provider() -> Provider:
    return Provider(Cloud())


def vpcs(provider: Provider, **asked: Any) -> dict[str, State]:
    """`alicloud_vpcs`, which asks of each VPC for its route table."""
    found = {}
    for one in provider.pages(VPC, "DescribeVpcs", {"RegionId": HZ, **asked}, "Vpcs", "Vpc"):
        named = {"RegionId": HZ, "VpcId": one["VpcId"]}
        (table,) = provider.pages(
            VPC, "DescribeRouteTableList", named, "RouterTableList", "RouterTableListType"
        )
        fields = (
            "RegionId",
            "CreationTime",
            "CidrBlock",
            "Description",
            "DnsHostnameStatus",
            "Ipv6CidrBlock",
        )
        more = ("IsDefault", "ResourceGroupId", "VRouterId", "Status", "VpcId", "VpcName")
        found[one["VpcId"]] = {
            **{name: one[name] for name in (*fields, *more)},
            "secondary_cidr_blocks": one["SecondaryCidrBlocks"]["SecondaryCidrBlock"],
            "user_cidrs": one["UserCidrs"]["UserCidr"],
            "vswitch_ids": one["VSwitchIds"]["VSwitchId"],
            "tags": tags_of(one["Tags"]["Tag"]),
            "route_table_id": table["RouteTableId"],
        }
    return found


def vswitches(provider: Provider, **asked: Any) -> list[State]:
    """`alicloud_vswitches`; without a RouteTable the provider's process ends."""
    found = []
    for one in provider.pages(VPC, "DescribeVSwitches", {"RegionId": HZ, **asked}, "VSwitches", "VSwitch"):
        fields = ("CreationTime", "AvailableIpAddressCount", "CidrBlock", "Description", "IsDefault")
        more = ("Ipv6CidrBlock", "ResourceGroupId", "Status", "VSwitchId", "VSwitchName", "VpcId", "ZoneId")
        item = {name: one[name] for name in (*fields, *more)}
        table = one["RouteTable"]["RouteTableId"]
        found.append({**item, "route_table_id": table, "tags": tags_of(one["Tags"]["Tag"])})
    return found


def test_vpcs_with_their_route_tables(provider: Provider) -> None:
    vpc = networks.Vpc(provider)
    made = vpc.create({"cidr_block": "10.60.0.0/16", "vpc_name": "shop", "tags": {"team": "dns"}})
    assert set(vpcs(provider)) == {VPC_A, VPC_B, made}
    state, (found,) = vpc.read(made), vpcs(provider, VpcName="shop").values()
    assert (found["route_table_id"], found["VRouterId"]) == (state["route_table_id"], state["router_id"])
    assert set(vpcs(provider, Tag=[{"Key": "team", "Value": "dns"}])) == {made}
    assert vpcs(provider, IsDefault=True) == {}
    assert set(vpcs(provider, IsDefault=False, ResourceGroupId="rg-none")) == set()


def test_vswitches_have_a_route_table(provider: Provider) -> None:
    made = networks.VSwitch(provider).create(
        {"cidr_block": "10.1.64.0/24", "vpc_id": VPC_A, "zone_id": "cn-hangzhou-i", "tags": {"a": "1"}}
    )
    found = vswitches(provider, VpcId=VPC_A)
    assert len(found) == 3
    assert {one["route_table_id"] for one in found} == {vpcs(provider)[VPC_A]["route_table_id"]}
    (one,) = vswitches(provider, ZoneId="cn-hangzhou-i")
    assert (one["VSwitchId"], one["tags"], one["AvailableIpAddressCount"]) == (made, {"a": "1"}, 252)
    assert vswitches(provider, RouteTableId=one["route_table_id"], VSwitchName="none") == []


def test_groups_page_by_page(provider: Provider) -> None:
    for number in range(PAGE_SIZE + 1):
        gateway.Group(provider).create({"name": f"group_{number}", "description": "", "base_path": "/"})
    found: list[State] = []
    for page in (1, 2):
        asked = {"PageSize": PAGE_SIZE, "PageNumber": page}
        found += provider.go(CLOUDAPI, "DescribeApiGroups", asked)["ApiGroupAttributes"]["ApiGroupAttribute"]
    fields = ("GroupId", "GroupName", "RegionId", "SubDomain", "Description", "TrafficLimit", "BillingStatus")
    read = [tuple(one[name] for name in (*fields, "IllegalStatus")) for one in found]
    made = [one for one in found if one["GroupName"].startswith("group_")]
    assert len(set(read)) == len(found) == PAGE_SIZE + 1 + len(Cloud().world.groups) - 1
    assert all(one["CreatedTime"] and one["ModifiedTime"] for one in made)


def test_zones_in_detail_and_their_records(provider: Provider) -> None:
    zone, record = zones.Zone(provider), zones.Record(provider)
    zone_id = zone.create({"zone_name": "corp.example", "remark": "r"})
    zones.Attachment(provider).create({"zone_id": zone_id, "vpc_ids": [VPC_A]})
    config = {"zone_id": zone_id, "rr": "www", "type": "A", "value": "10.1.0.9"}
    record_id = record.create(config)
    (found,) = provider.pages(
        PVTZ, "DescribeZones", {"Keyword": "corp", "SearchMode": "LIKE"}, "Zones", "Zone"
    )
    state = zone.read(zone_id)
    read = (found["ZoneName"], found["ProxyPattern"], found["RecordCount"], found["Remark"], found["IsPtr"])
    names = ("zone_name", "proxy_pattern", "record_count", "remark", "is_ptr")
    assert read == tuple(state[name] for name in names)
    assert found["CreateTimestamp"]
    assert found["UpdateTimestamp"]
    assert found["ResourceGroupId"] == ""
    detail = zones.zone_detail(provider, zone_id)
    assert detail["SlaveDns"] is False
    (bound,) = detail["BindVpcs"]["Vpc"]
    assert (bound["VpcId"], bound["VpcName"], bound["RegionId"], bound["RegionName"]) == (VPC_A, "", HZ, HZ)
    asked = {"ZoneId": zone_id, "Keyword": "www", "SearchMode": "EXACT"}
    (item,) = provider.pages(PVTZ, "DescribeZoneRecords", asked, "Records", "Record")
    assert f"{item['RecordId']}:{zone_id}" == record_id
    fields = {
        "Rr": "rr",
        "Ttl": "ttl",
        "Type": "type",
        "Value": "value",
        "Status": "status",
        "Remark": "remark",
    }
    state = record.read(record_id)
    assert {name: item[name] for name in fields} == {name: state[to] for name, to in fields.items()}


def test_the_service_is_open_in_the_words_that_the_provider_knows(provider: Provider) -> None:
    with pytest.raises(Failed) as raised:
        provider.tea(CLOUDAPI, "OpenApiGatewayService", {})
    assert raised.value.is_one_of("ORDER.OPEND")


def reading_actions() -> list[tuple[str, str]]:
    """All actions of the SDKs that read."""
    found = []
    for version, package in PACKAGES.items():
        models = dir(importlib.import_module(f"{package}.models"))
        names = (one.removesuffix("ResponseBody") for one in models if one.endswith("ResponseBody"))
        found += [(version, name) for name in names if is_reading(name)]
    return found


def test_no_action_that_is_missing_looks_like_a_resource_that_is_gone(provider: Provider) -> None:
    missing = [one for one in reading_actions() if one not in ACTIONS]
    assert len(missing) > 100
    for version, name in missing:
        for ask in (provider.tea, provider.go):
            with pytest.raises(Failed) as raised:
                ask(version, name, {"ResourceId": "x"})
            assert raised.value.code == "UnsupportedOperation"
            assert not raised.value.is_gone
            assert not raised.value.is_one_of(*GONE)


@pytest.mark.parametrize(
    ("version", "action", "asked"),
    [
        (CLOUDAPI, "DescribeApiGroup", {"GroupId": "9" * 32, "Colour": "red"}),
        (VPC, "DescribeVpcAttribute", {"VpcId": VPC_A, "Colour": "red"}),
        (VPC, "DescribeVSwitchAttributes", {"Colour": "red"}),
        (VPC, "DescribeRouteTableList", {"PageSize": "51"}),
        (PVTZ, "DescribeZoneInfo", {"ZoneId": "z", "Colour": "red"}),
        (PVTZ, "ListTagResources", {"ResourceType": "RULE"}),
    ],
)
def test_a_wrong_parameter_does_not_look_like_that_either(
    provider: Provider, version: str, action: str, asked: State
) -> None:
    with pytest.raises(Failed) as raised:
        provider.tea(version, action, asked)
    assert not raised.value.is_gone
    assert not raised.value.is_one_of(*GONE)
