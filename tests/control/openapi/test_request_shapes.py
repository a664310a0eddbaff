"""Requests as the aliyun CLI and the Terraform provider make them, over HTTP (facts §2, §3, §6)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from tests.support.cloud_api import KEY_ID, PVTZ, REGION, VPC, cloud, token, v2
from tests.support.example_world import HZ, example
from vpcdns.config import written
from vpcdns.testing import Server

VPC_A, VSW = "vpc-a", "vsw-1"


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    plain = written(example())
    plain["forward"] = {"upstreams": []}
    plain["admin"] = {"region_id": REGION}
    with cloud(plain) as server:
        yield server


class Raw:
    """Sends requests octet by octet as they are given."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def send(
        self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        connection = HTTPConnection("127.0.0.1", int(self.server.endpoint.rpartition(":")[2]), timeout=10)
        try:
            connection.request(method, target, body, headers or {})
            response = connection.getresponse()
            read = json.loads(response.read())
        finally:
            connection.close()
        assert isinstance(read, dict), "the SDKs break on anything else"
        return response.status, read

    def terraform(self, action: str, **parameters: str) -> tuple[int, dict[str, Any]]:
        """alicloud_api_gateway_instance: all in a form body, empty values too."""
        sent = {"Action": action, "Format": "JSON", "ClientToken": "", "RegionId": REGION, **parameters}
        request = v2(sent, form=True, Timestamp=_now())
        return self.send("POST", "/", request.body, {"Content-Type": "application/x-www-form-urlencoded"})

    def cli(self, action: str, version: str = "2016-07-14", **parameters: str) -> tuple[int, dict[str, Any]]:
        """The aliyun CLI, and the provider's older resources: all in the query, no body."""
        sent = {"Action": action, "RegionId": REGION, "Version": version, **parameters}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "x-sdk-client": "golang/1.0.0",
            "User-Agent": "AlibabaCloud (linux; amd64) Golang/1.22 Core/0.01",
            "x-sdk-invoke-type": "common",
        }
        return self.send("POST", f"/?{v2(sent, Timestamp=_now()).query}", b"", headers)


def _now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def raw(served: Server) -> Raw:
    """The tests share the server, and make objects of their own."""
    return Raw(served)


def test_terraform_creates_binds_reads_and_deletes_an_instance(raw: Raw) -> None:
    status, made = raw.terraform(
        "CreateInstance",
        InstanceName="tf-orders",
        InstanceSpec="api.s1.small",
        HttpsPolicy="HTTPS2_TLS1_2",
        ChargeType="PayAsYouGo",
        ZoneId="cn-hangzhou-MAZ6",
        InstanceType="normal",
        Token=token(),
        UserVpcId="",
        InstanceCidr="",
        **{"Tag.1.Key": "", "Tag.1.Value": ""},
    )
    assert status == 200
    instance_id = made["InstanceId"]
    status, read = raw.terraform("DescribeInstances", InstanceId=instance_id)
    attribute = read["Instances"]["InstanceAttribute"][0]
    assert attribute["Status"] == "RUNNING"
    assert attribute["InstanceChargeType"] == "PayAsYouGo"
    assert attribute["InstanceSpec"] == "api.s1.small"
    assert "UserVpcId" not in attribute
    status, _ = raw.terraform(
        "ModifyInstanceVpcAttributeForConsole",
        InstanceId=instance_id,
        VpcId=VPC_A,
        VswitchId=VSW,
        VpcOwnerId="",
        Token=token(),
    )
    assert status == 200
    attribute = raw.terraform("DescribeInstances", InstanceId=instance_id)[1]["Instances"][
        "InstanceAttribute"
    ][0]
    assert (attribute["UserVpcId"], attribute["UserVswitchId"]) == (VPC_A, VSW)
    assert (
        raw.terraform("ModifyInstanceAttribute", InstanceId=instance_id, InstanceName="n", Token="")[0] == 200
    )
    assert raw.terraform("DeleteInstance", InstanceId=instance_id)[0] == 200
    status, read = raw.terraform("DescribeInstances", InstanceId=instance_id)
    assert (status, read["Instances"]["InstanceAttribute"]) == (200, []), "gone is an empty list"


def test_terraform_creates_enables_reads_and_deletes_a_group(raw: Raw) -> None:
    status, made = raw.cli(
        "CreateApiGroup",
        GroupName="tf_group",
        Description="from Terraform",
        InstanceId="apigateway-bound",
        BasePath="",
    )
    assert status == 200, made
    group_id = made["GroupId"]
    assert raw.cli("ModifyIntranetDomainPolicy", GroupId=group_id, VpcIntranetEnable="true")[0] == 200
    status, read = raw.cli("DescribeApiGroup", GroupId=group_id)
    name = read["VpcDomain"]
    assert name == f"{group_id}-{REGION}-vpc.alicloudapi.com"
    assert (read["InstanceId"], read["Description"], read["UserLogConfig"]) == (
        "apigateway-bound",
        "from Terraform",
        "",
    )
    raw.server.client.assert_resolves(name, VPC_A, to="10.1.8.20")
    assert raw.cli("DeleteApiGroup", GroupId=group_id)[0] == 200
    # The provider polls without pause until it reads this.
    status, read = raw.cli("DescribeApiGroup", GroupId=group_id)
    assert (status, read["Code"]) == (400, "NotFoundApiGroup")
    raw.server.client.assert_denied(name, VPC_A)


def test_the_cli_asks_for_the_vpc_product_on_the_same_port(raw: Raw) -> None:
    status, made = raw.cli("CreateVpc", VPC, CidrBlock="10.66.0.0/16", VpcName="cli")
    assert status == 200
    status, read = raw.cli("DescribeVpcs", VPC, VpcId=made["VpcId"])
    assert read["Vpcs"]["Vpc"][0]["VpcName"] == "cli"
    status, read = raw.cli("DescribeVpcs", VPC, VpcId="vpc-none")
    assert (status, read["TotalCount"]) == (200, 0)


def test_terraform_makes_reads_and_deletes_a_zone_with_a_record(raw: Raw) -> None:
    """alicloud_pvtz_zone, _attachment and _record: form bodies, with a region that counts for nothing."""

    def asked(action: str, **parameters: str) -> dict[str, Any]:
        named = {name.replace("__", "."): value for name, value in parameters.items()}
        status, read = raw.terraform(action, **named, Version=PVTZ, Lang="en", UserClientIp="")
        assert status == 200, read
        return read

    zone = {"ZoneId": asked("AddZone", ZoneName="tf.example", ResourceGroupId="")["ZoneId"]}
    asked("UpdateZoneRemark", **zone, Remark="by terraform")
    asked("BindZoneVpc", **zone, Vpcs__1__VpcId=VPC_A, Vpcs__1__RegionId=HZ)
    (vpc,) = asked("DescribeZoneInfo", **zone)["BindVpcs"]["Vpc"]
    assert (vpc["VpcId"], vpc["RegionId"]) == (VPC_A, HZ)
    assert asked("ListTagResources", ResourceType="ZONE", ResourceId__1=zone["ZoneId"])["TagResources"] == []
    record = {"Rr": "www", "Type": "A", "Value": "10.1.0.80"}
    record_id = str(asked("AddZoneRecord", **zone, **record, Priority="", Ttl="60")["RecordId"])
    raw.server.client.assert_resolves("www.tf.example", VPC_A, to="10.1.0.80")
    (read,) = asked("DescribeZoneRecords", **zone, PageNumber="1", PageSize="50")["Records"]["Record"]
    assert {
        **record,
        "Ttl": 60,
        "Status": "ENABLE",
        "Remark": "",
        "RecordId": int(record_id),
    }.items() <= read.items()
    asked("SetZoneRecordStatus", RecordId=record_id, Status="DISABLE")
    raw.server.client.assert_denied("www.tf.example", VPC_A)
    asked("DeleteZoneRecord", RecordId=record_id)
    asked("BindZoneVpc", **zone)
    asked("DeleteZone", **zone)
    status, read = raw.cli("DescribeZoneInfo", PVTZ, **zone)
    assert (status, read["Code"], read["HostId"]) == (400, "Zone.NotExists", "pvtz.aliyuncs.com")


def test_get_is_allowed_when_it_is_signed(raw: Raw) -> None:
    # What was signed as a POST is no signed GET.
    query = v2({"Action": "DescribeRegions"}, Timestamp=_now()).query
    status, read = raw.send("GET", f"/?{query}")
    assert (status, read["Code"]) == (400, "SignatureDoesNotMatch")


def test_the_region_is_told_by_the_hosts_name_where_requests_are_signed(raw: Raw) -> None:
    query = v2({"Action": "DescribeInstances"}, Timestamp=_now()).query
    headers = {"Host": "apigateway.cn-shanghai.aliyuncs.com"}
    status, read = raw.send("POST", f"/?{query}", b"", headers)
    assert status == 200
    assert [one["RegionId"] for one in read["Instances"]["InstanceAttribute"]] == ["cn-shanghai"]


@pytest.mark.parametrize(
    ("target", "body", "headers"),
    [
        ("/", b"", {}),
        ("/", b"\xff\xfe", {"Content-Type": "application/x-www-form-urlencoded"}),
        ("/?" + "&".join(f"a{number}=b" for number in range(1500)), b"", {}),
        ("/?Action=%00&Version=%ff", b"", {}),
        ("/?AccessKeyId=testAK&Signature=%ff&Timestamp=x", b"", {}),
        ("/", b"", {"Authorization": "ACS3-HMAC-SHA256 "}),
        ("/", b"", {"Authorization": "ACS3-HMAC-SHA256 Credential=\xe9,SignedHeaders=\xe9,Signature=\xe9"}),
        ("/", b"{" * 1000, {"Content-Type": "application/json"}),
    ],
)
def test_whatever_comes_is_refused_in_the_clouds_form(
    raw: Raw, target: str, body: bytes, headers: dict[str, str]
) -> None:
    """Never 5xx, never Throttling: clients would repeat that for minutes."""
    status, read = raw.send("POST", target, body, headers)
    assert 400 <= status < 500
    assert set(read) == {"RequestId", "HostId", "Code", "Message", "Recommend"}


def test_the_key_is_in_the_history_and_no_secret_is_in_the_log(raw: Raw) -> None:
    raw.cli("CreateApiGroup", GroupName="logged")
    assert "testSK" not in raw.server.log
    assert KEY_ID not in raw.server.log
