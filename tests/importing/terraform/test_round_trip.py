"""A state is imported and served; the cloud's own SDKs tell the same objects, and DNS answers in the VPCs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cloud_api import KEYS, REGION
from tests.support.cloud_sdk import config
from tests.support.command_line import vpcdns
from tests.support.terraform_documents import WRITTEN, hybrid, state, written
from vpcdns.testing import Server

pytest.importorskip("alibabacloud_cloudapi20160714", reason="needs the cloud's SDK, of the dev group")
from alibabacloud_cloudapi20160714 import models as cloudapi
from alibabacloud_cloudapi20160714.client import Client as CloudApi
from alibabacloud_pvtz20180101 import models as pvtz
from alibabacloud_pvtz20180101.client import Client as Pvtz
from alibabacloud_vpc20160428 import models as vpcs
from alibabacloud_vpc20160428.client import Client as Vpc

# The SDK asks the clock in a way that Python 3.12 calls out of date.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")

ORDERS = "4fe3d18607eba35112ec3982cab60e44"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("imported")
    own = folder / "own.yaml"
    own.write_text(
        """
forward: {upstreams: []}
groups: [{group_id: alicloud_api_gateway_group.orders, custom_domains: [api.example.com]}]
networks: [{network_id: alicloud_vpn_customer_gateway.office, resolves_as: vpc-core}]
"""
    )
    made = vpcdns("import", "terraform", str(written(folder, state(*hybrid()))), "--overlay", str(own))
    assert made.returncode == 0, made.stderr
    with Server(made.stdout, environment=KEYS) as server:
        yield server


def told(one: Any) -> dict[str, Any]:
    found: dict[str, Any] = one.body.to_map()
    return found


def attributes(address: str) -> dict[str, Any]:
    """What the state says of a resource."""
    values: dict[str, Any] = next(one["values"] for one in hybrid() if one["address"] == address)
    return values


def test_vpcs_and_vswitches(served: Server) -> None:
    client = Vpc(config(served))
    found = told(client.describe_vpcs(vpcs.DescribeVpcsRequest(region_id=REGION)))["Vpcs"]["Vpc"]
    assert {one["VpcId"]: one["CidrBlock"] for one in found} == {
        "vpc-core": attributes("alicloud_vpc.core")["cidr_block"],
        "vpc-shop": attributes("alicloud_vpc.shop")["cidr_block"],
    }
    request = vpcs.DescribeVSwitchesRequest(region_id=REGION)
    switches = told(client.describe_vswitches(request))["VSwitches"]["VSwitch"]
    assert {(one["VSwitchId"], one["VpcId"], one["CidrBlock"]) for one in switches} == {
        ("vsw-core-i", "vpc-core", "10.1.8.0/24"),
        ("vsw-shop", "vpc-shop", "172.20.1.0/24"),
    }


def test_instances_with_their_bindings(served: Server) -> None:
    client = CloudApi(config(served))
    found = told(client.describe_instances(cloudapi.DescribeInstancesRequest()))["Instances"]
    bound = {
        one["InstanceId"]: (one.get("UserVpcId", ""), one.get("UserVswitchId", ""))
        for one in found["InstanceAttribute"]
    }
    said = attributes("alicloud_api_gateway_instance.orders")
    assert bound["apigateway-hz-1"] == (said["ingress_vpc_id"], said["ingress_vswitch_id"])
    assert bound["apigateway-hz-2"] == ("", "")
    assert set(bound) == {"apigateway-hz-1", "apigateway-hz-2", "api-shared-vpc-001"}


@pytest.mark.parametrize("name", ["orders", "maps"])
def test_groups_with_their_vpc_domains(served: Server, name: str) -> None:
    said = attributes(f"alicloud_api_gateway_group.{name}")
    request = cloudapi.DescribeApiGroupRequest(group_id=said["id"])
    found = told(CloudApi(config(served)).describe_api_group(request))
    assert (found["GroupName"], found["InstanceId"]) == (said["name"], said["instance_id"])
    assert found.get("VpcDomain", "") == said["vpc_domain"]
    assert ("api.example.com" in str(found["CustomDomains"])) is (name == "orders")


def test_private_zones_with_their_records(served: Server) -> None:
    client = Pvtz(config(served))
    zones = told(client.describe_zones(pvtz.DescribeZonesRequest()))["Zones"]["Zone"]
    zone = attributes("alicloud_pvtz_zone.corp")
    assert [(one["ZoneId"], one["ZoneName"]) for one in zones] == [(zone["id"], zone["zone_name"])]
    request = pvtz.DescribeZoneRecordsRequest(zone_id=zone["id"], page_size=50)
    records = told(client.describe_zone_records(request))["Records"]["Record"]
    keys = ("RecordId", "Rr", "Type", "Value", "Ttl", "Status")
    managed = [one["values"] for one in hybrid() if one["type"] == "alicloud_pvtz_zone_record"]
    wanted = ("record_id", "rr", "type", "value", "ttl", "status")
    assert sorted(tuple(one[key] for key in keys) for one in records) == sorted(
        tuple(one[key] for key in wanted) for one in managed
    )
    mails = [one["Priority"] for one in records if one["Type"] == "MX"]
    assert mails == [5]
    bound = told(client.describe_zone_info(pvtz.DescribeZoneInfoRequest(zone_id=zone["id"])))
    assert {one["VpcId"] for one in bound["BindVpcs"]["Vpc"]} == {"vpc-core", "vpc-shop"}
    assert bound["ProxyPattern"] == zone["proxy_pattern"]


def test_dns_answers_in_the_vpcs(served: Server) -> None:
    ask, name = served.client, attributes("alicloud_api_gateway_group.orders")["vpc_domain"]
    for asked in (name, "api.example.com"):
        ask.assert_resolves(asked, "10.1.0.5", to="10.1.8.1")
        ask.assert_denied(asked, "10.2.0.5")
    ask.assert_resolves(name, "192.168.10.5", to="10.1.8.1")
    ask.assert_resolves("db.corp.internal", "10.2.0.5", to="10.1.8.9")


def test_what_the_provider_wrote_is_told_as_it_read_it() -> None:
    """The state was written by the provider against such a server: the same API tells the same of it now."""
    made = vpcdns("import", "terraform", str(WRITTEN / "terraform.tfstate.json"))
    with Server(made.stdout, environment=KEYS) as server:
        client = CloudApi(config(server))
        found = told(client.describe_api_group(cloudapi.DescribeApiGroupRequest(group_id=ORDERS)))
        assert (found["GroupName"], found["InstanceId"]) == ("tforders", "apigateway-hz-452285060152")
        assert found["VpcDomain"] == f"{ORDERS}-cn-hangzhou-vpc.alicloudapi.com"
        assert found["SubDomain"] == f"{ORDERS}-cn-hangzhou.alicloudapi.com"
