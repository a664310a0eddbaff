"""Every action: what it makes, what it says, what refuses it, in the cloud's words."""

from __future__ import annotations

import re
from ipaddress import ip_address

import pytest

from tests.support.cloud_api import CLOUDAPI, VPC, Cloud
from tests.support.example_world import (
    BOUND,
    CUSTOM,
    DEDICATED,
    ENDPOINT,
    HZ,
    IN_A,
    IN_B,
    OFF,
    SERVERLESS,
    SERVERLESS_NAME,
    SH,
    SHANGHAI,
    SHARED,
    UNBOUND,
    VPC_A,
    VPC_B,
    VPC_C,
)
from vpcdns.control.openapi.actions import ACTIONS
from vpcdns.control.openapi.errors import Product, refused
from vpcdns.model.clients import identify
from vpcdns.model.dns import Question, Rcode, RRType
from vpcdns.model.names import Name
from vpcdns.model.resolution import resolve
from vpcdns.model.rules import Refusal, Rule
from vpcdns.model.world import World

NOBODY = "9" * 32


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def resolved(cloud: Cloud, name: str, client: str) -> list[str]:
    """The addresses that a client gets."""
    world = cloud.state.world
    resolution = resolve(Question(Name.from_text(name), RRType.A), identify(ip_address(client), world), world)
    if resolution.rcode is not Rcode.NOERROR:
        return []
    return [record.rdata_text() for record in resolution.answers if record.rtype == RRType.A]


def created_instance(cloud: Cloud, **over: str) -> str:
    given = {
        "InstanceName": "mine",
        "InstanceSpec": "api.s1.small",
        "ChargeType": "POSTPAY",
        "Token": "t-1",
        "HttpsPolicy": "HTTPS2_TLS1_2",
        **over,
    }
    instance_id: str = cloud.done("CreateInstance", **given)["InstanceId"]
    return instance_id


# Groups


def test_a_group_is_created_on_the_serverless_instance(cloud: Cloud) -> None:
    made = cloud.done("CreateApiGroup", GroupName="weather_2", Description="today's", BasePath="/w")
    group_id = made["GroupId"]
    assert re.fullmatch("[0-9a-f]{32}", group_id)
    assert made["SubDomain"] == f"{group_id}-{HZ}.alicloudapi.com"
    assert made["InstanceId"] == SHARED
    assert made["InstanceType"] == "VPC_SHARED"
    told = cloud.done("DescribeApiGroup", GroupId=group_id)
    assert told["VpcDomain"] == ""
    assert told["Description"] == "today's"
    assert told["BasePath"] == "/w"
    assert told["CreatedTime"] == "2026-11-22T11:01:03Z"
    assert re.fullmatch("[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", told["RequestId"])


def test_in_an_empty_world_the_serverless_instance_is_made_with_the_first_group() -> None:
    cloud = Cloud(world=World())
    made = cloud.done("CreateApiGroup", GroupName="first")
    assert made["InstanceId"] == "api-shared-vpc-001"
    vpc_id = cloud.done("CreateVpc", VPC, CidrBlock="10.9.0.0/16")["VpcId"]
    cloud.done("ModifyIntranetDomainPolicy", GroupId=made["GroupId"], VpcIntranetEnable="true")
    name = cloud.done("DescribeApiGroup", GroupId=made["GroupId"])["VpcDomain"]
    assert resolved(cloud, name, "10.9.0.5") == ["100.100.80.10"]
    assert resolved(cloud, name, "10.8.0.5") == []
    assert vpc_id in cloud.state.world.topology.vpcs


@pytest.mark.parametrize("name", ["abc", "1abc", "a-b-c", "a" * 51, "with space"])
def test_names_that_no_group_has(cloud: Cloud, name: str) -> None:
    assert cloud.refused("CreateApiGroup", GroupName=name) == (400, "InvalidFormatGroupName")


def test_a_group_name_is_unique(cloud: Cloud) -> None:
    assert cloud.refused("CreateApiGroup", GroupName="weather") == (400, "RepeatedGroupName")


def test_a_group_on_an_unknown_instance(cloud: Cloud) -> None:
    answer = cloud.refused("CreateApiGroup", GroupName="lost", InstanceId="apigateway-none")
    assert answer == (400, "NotFoundInstance")


@pytest.mark.parametrize("written", ["true", "True", "TRUE"])
@pytest.mark.parametrize("action", ["ModifyIntranetDomainPolicy", "ModifyApiGroupNetworkPolicy"])
def test_a_vpc_domain_is_switched_on_and_off(cloud: Cloud, action: str, written: str) -> None:
    cloud.done(action, GroupId=OFF, VpcIntranetEnable=written)
    name = cloud.done("DescribeApiGroup", GroupId=OFF)["VpcDomain"]
    assert name == f"{OFF}-{HZ}-vpc.alicloudapi.com"
    assert resolved(cloud, name, IN_A) == [str(ENDPOINT)]
    cloud.done(action, GroupId=OFF, VpcIntranetEnable="true")
    cloud.done(action, GroupId=OFF, VpcIntranetEnable="false")
    assert cloud.done("DescribeApiGroup", GroupId=OFF)["VpcDomain"] == ""
    assert resolved(cloud, name, IN_A) == []


def test_an_empty_flag_is_an_absent_one(cloud: Cloud) -> None:
    answer = cloud.refused("ModifyIntranetDomainPolicy", GroupId=OFF, VpcIntranetEnable="")
    assert answer == (400, "MissingVpcIntranetEnable")
    answer = cloud.refused("ModifyIntranetDomainPolicy", GroupId=OFF, VpcIntranetEnable="yes")
    assert answer == (400, "InvalidVpcIntranetEnable")
    cloud.done(
        "ModifyApiGroupNetworkPolicy", GroupId=SERVERLESS, VpcIntranetEnable="", InternetEnable="false"
    )
    assert cloud.state.world.groups[SERVERLESS].vpc_domain


def test_enabling_before_binding_is_forbidden(cloud: Cloud) -> None:
    group_id = cloud.done("CreateApiGroup", GroupName="early", InstanceId=UNBOUND)["GroupId"]
    answer = cloud.ask("ModifyIntranetDomainPolicy", GroupId=group_id, VpcIntranetEnable="true")
    assert (answer.status, answer.body["Code"]) == (403, "ForbiddenVpcIntranetEnable")
    assert "bind apigateway-unbound first" in answer.body["Message"]
    assert "rule 6" in answer.body["Message"]
    assert answer.body["HostId"] == "apigateway.cn-hangzhou.aliyuncs.com"


def test_migration_to_a_dedicated_instance(cloud: Cloud) -> None:
    refusal = cloud.refused("ModifyApiGroupInstance", GroupId=SERVERLESS, TargetInstanceId=UNBOUND)
    assert refusal == (400, "InvalidTargetInstanceId")
    refusal = cloud.refused("ModifyApiGroupInstance", GroupId=SERVERLESS, TargetInstanceId="none")
    assert refusal == (400, "NotFoundInstance")
    assert resolved(cloud, SERVERLESS_NAME, IN_B)
    cloud.done("ModifyApiGroupInstance", GroupId=SERVERLESS, TargetInstanceId=BOUND, Remark="moved")
    told = cloud.done("DescribeApiGroup", GroupId=SERVERLESS)
    assert told["MigrationStatus"] == "Success"
    assert told["InstanceType"] == "VPC_DEDICATED"
    assert told["VpcDomain"] == SERVERLESS_NAME
    assert resolved(cloud, SERVERLESS_NAME, IN_A) == [str(ENDPOINT)]
    assert resolved(cloud, SERVERLESS_NAME, IN_B) == []


def test_migration_of_a_group_with_custom_domains_to_serverless(cloud: Cloud) -> None:
    refusal = cloud.refused("ModifyApiGroupInstance", GroupId=DEDICATED, TargetInstanceId=SHARED)
    assert refusal == (403, "ForbiddenDomainName")


def test_a_group_is_modified_and_what_is_absent_stays(cloud: Cloud) -> None:
    cloud.done("ModifyApiGroup", GroupId=OFF, Description="one", BasePath="/b")
    cloud.done("ModifyApiGroup", GroupId=OFF, GroupName="renamed", UserLogConfig='{"requestBody":true}')
    told = cloud.done("DescribeApiGroup", GroupId=OFF)
    assert told["GroupName"] == "renamed"
    assert told["Description"] == "one"
    assert told["UserLogConfig"] == '{"requestBody":true}'
    assert cloud.state.world.groups[OFF].name == "renamed"


def test_groups_are_listed_in_pages_without_their_vpc_domains(cloud: Cloud) -> None:
    told = cloud.done("DescribeApiGroups", PageSize="3", PageNumber="2")
    assert told["TotalCount"] == 4
    assert len(told["ApiGroupAttributes"]["ApiGroupAttribute"]) == 1
    one = cloud.done("DescribeApiGroups", GroupId=DEDICATED)["ApiGroupAttributes"]["ApiGroupAttribute"]
    assert [group["GroupName"] for group in one] == ["orders"]
    assert "VpcDomain" not in one[0]
    on_bound = cloud.done("DescribeApiGroups", InstanceId=BOUND)
    assert on_bound["TotalCount"] == 2
    assert cloud.done("DescribeApiGroups", RegionId=SH)["TotalCount"] == 1
    assert cloud.done("DescribeApiGroups", GroupName="nothing")["ApiGroupAttributes"] == {
        "ApiGroupAttribute": []
    }
    for size in ("0", "51", "-1", "x"):
        assert cloud.refused("DescribeApiGroups", PageSize=size) == (400, "InvalidPageSize")


def test_a_deleted_group_is_gone_and_can_be_deleted_again(cloud: Cloud) -> None:
    cloud.done("DeleteApiGroup", GroupId=SERVERLESS)
    assert cloud.refused("DescribeApiGroup", GroupId=SERVERLESS) == (400, "NotFoundApiGroup")
    assert resolved(cloud, SERVERLESS_NAME, IN_A) == []
    cloud.done("DeleteApiGroup", GroupId=SERVERLESS)


def test_a_region_that_is_given_hides_the_others(cloud: Cloud) -> None:
    assert cloud.done("DescribeApiGroup", GroupId=SHANGHAI)["RegionId"] == SH
    assert cloud.refused("DescribeApiGroup", GroupId=SHANGHAI, RegionId=HZ) == (400, "NotFoundApiGroup")
    cloud.done("DeleteApiGroup", GroupId=SHANGHAI, RegionId=HZ)
    assert SHANGHAI in cloud.state.world.groups
    assert cloud.refused("DescribeApiGroups", RegionId="No Region") == (400, "InvalidRegionId")


def test_without_any_region_a_request_must_name_one() -> None:
    cloud = Cloud(region_id=None)
    assert cloud.refused("CreateApiGroup", GroupName="nowhere") == (400, "MissingRegionId")
    assert cloud.done("CreateApiGroup", GroupName="somewhere", RegionId=SH)["RegionId"] == SH


def test_tags_count_from_one(cloud: Cloud) -> None:
    made = cloud.done(
        "CreateApiGroup", GroupName="tagged", Tag__1__Key="k", Tag__1__Value="v", Tag__2__Key="e"
    )
    told = cloud.done("DescribeApiGroup", GroupId=made["GroupId"])
    assert told["Tags"]["TagInfo"] == [{"Key": "k", "Value": "v"}, {"Key": "e", "Value": ""}]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Description": "d" * 1_025}, "InvalidDescription"),
        ({"Tag__1__Key": "k" * 129}, "InvalidTag"),
        ({"Tag__1__Key": "k", "Tag__1__Value": "v" * 129}, "InvalidTag"),
    ],
)
def test_what_is_kept_is_no_longer_than_the_cloud_would_keep(
    cloud: Cloud, given: dict[str, str], code: str
) -> None:
    """Fifty groups are described in one answer."""
    assert cloud.refused("CreateApiGroup", GroupName="long_winded", **given) == (400, code)


# Instances


def test_an_instance_is_created_unbound_and_described(cloud: Cloud) -> None:
    instance_id = created_instance(cloud, UserVpcId="vpc-of-the-backends", ZoneId="cn-hangzhou-MAZ6")
    assert re.fullmatch("apigateway-hz-[0-9a-f]{12}", instance_id)
    told = cloud.done("DescribeInstances", InstanceId=instance_id)["Instances"]["InstanceAttribute"][0]
    assert told["Status"] == "RUNNING"
    assert told["InstanceChargeType"] == "PayAsYouGo"
    assert told["ConnectVpcId"] == "vpc-of-the-backends"
    assert "UserVpcId" not in told
    assert created_instance(cloud, Token="t-2") != instance_id


@pytest.mark.parametrize("name", ["InstanceName", "InstanceSpec", "ChargeType", "Token"])
def test_what_an_instance_needs(cloud: Cloud, name: str) -> None:
    given = {"InstanceName": "n", "InstanceSpec": "s", "ChargeType": "PostPaid", "Token": "t", name: ""}
    assert cloud.refused("CreateInstance", **given) == (400, f"Missing{name}")


def test_instances_are_listed_serverless_ones_too(cloud: Cloud) -> None:
    told = cloud.done("DescribeInstances", RegionId=HZ)
    assert {one["InstanceId"] for one in told["Instances"]["InstanceAttribute"]} == {SHARED, BOUND, UNBOUND}
    none = cloud.done("DescribeInstances", InstanceId="apigateway-none")
    assert none["Instances"] == {"InstanceAttribute": []}


def test_no_field_has_the_private_address(cloud: Cloud) -> None:
    assert str(ENDPOINT) not in str(cloud.done("DescribeInstances"))


def test_binding_rebinding_and_unbinding(cloud: Cloud) -> None:
    name = f"{DEDICATED}-{HZ}-vpc.alicloudapi.com"
    bind = "ModifyInstanceVpcAttributeForConsole"
    told = cloud.done("DescribeInstances", InstanceId=BOUND)["Instances"]["InstanceAttribute"][0]
    assert (told["UserVpcId"], told["UserVswitchId"]) == (VPC_A, "vsw-1")
    assert resolved(cloud, name, IN_A) == [str(ENDPOINT)]
    cloud.done(bind, InstanceId=BOUND, VpcId=VPC_A, VswitchId="vsw-1", Token="t")
    assert resolved(cloud, name, IN_A) == [str(ENDPOINT)], "bound where it was, the address stays"
    cloud.done(bind, InstanceId=BOUND, VpcId=VPC_B, VswitchId="vsw-1", VpcOwnerId="1234", Token="t")
    assert resolved(cloud, name, IN_A) == []
    assert resolved(cloud, name, IN_B) == ["10.2.8.1"]
    told = cloud.done("DescribeInstances", InstanceId=BOUND)["Instances"]["InstanceAttribute"][0]
    assert (told["UserVpcId"], told["VpcOwnerId"]) == (VPC_B, 1234)
    gone = {"InstanceId": BOUND, "VpcId": VPC_B, "DeleteVpcAccess": "true"}
    assert cloud.refused(bind, **gone) == (400, "DependencyViolationVpc")
    cloud.done("ModifyIntranetDomainPolicy", GroupId=DEDICATED, VpcIntranetEnable="false")
    assert cloud.refused(bind, **{**gone, "VpcId": VPC_A}) == (400, "InvalidVpcId")
    cloud.done(bind, **gone)
    assert cloud.state.world.instances[HZ, BOUND].binding is None
    assert cloud.refused(bind, **gone) == (400, "NotFoundVpc")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"InstanceId": "none", "VpcId": VPC_A, "VswitchId": "vsw-1"}, "NotFoundInstance"),
        ({"InstanceId": UNBOUND, "VpcId": "vpc-none", "VswitchId": "vsw-1"}, "NotFoundVpc"),
        ({"InstanceId": UNBOUND, "VpcId": VPC_A, "VswitchId": "vsw-none"}, "NotFoundVswitch"),
        ({"InstanceId": UNBOUND, "VpcId": VPC_C, "VswitchId": "vsw-1"}, "InvalidVpcId"),
        ({"InstanceId": SHARED, "VpcId": VPC_A, "VswitchId": "vsw-1", "RegionId": HZ}, "InvalidInstanceId"),
        ({"InstanceId": UNBOUND, "VpcId": VPC_A}, "MissingVswitchId"),
        ({"InstanceId": UNBOUND}, "MissingVpcId"),
        (
            {"InstanceId": UNBOUND, "VpcId": VPC_A, "VswitchId": "vsw-1", "VpcOwnerId": "me"},
            "InvalidVpcOwnerId",
        ),
    ],
)
def test_bindings_that_do_not_fit(cloud: Cloud, given: dict[str, str], code: str) -> None:
    assert cloud.refused("ModifyInstanceVpcAttributeForConsole", **given) == (400, code)


def test_a_vswitch_of_another_vpc(cloud: Cloud) -> None:
    made = cloud.done("CreateVSwitch", VPC, VpcId=VPC_B, CidrBlock="10.2.16.0/24", ZoneId="z")
    given = {"InstanceId": UNBOUND, "VpcId": VPC_A, "VswitchId": made["VSwitchId"]}
    assert cloud.refused("ModifyInstanceVpcAttributeForConsole", **given) == (400, "InvalidVswitchId")


def test_an_instance_is_modified_and_deleted(cloud: Cloud) -> None:
    cloud.done("ModifyInstanceAttribute", InstanceId=UNBOUND, InstanceName="new", Token="t")
    cloud.done("ModifyInstanceSpec", InstanceId=UNBOUND, InstanceSpec="api.s2.large", Token="t")
    told = cloud.done("DescribeInstances", InstanceId=UNBOUND)["Instances"]["InstanceAttribute"][0]
    assert (told["InstanceName"], told["InstanceSpec"]) == ("new", "api.s2.large")
    cloud.done("DeleteInstance", InstanceId=UNBOUND)
    assert cloud.refused("DeleteInstance", InstanceId=UNBOUND) == (400, "NotFoundInstance")
    assert cloud.refused("DeleteInstance", InstanceId=BOUND) == (400, "DependencyViolationInstance")


# Custom domains


def test_an_intranet_name_is_a_cname(cloud: Cloud) -> None:
    given = {"GroupId": DEDICATED, "DomainName": "New.example.org", "CustomDomainType": "INTRANET"}
    made = cloud.done("SetDomain", **given)
    assert made["DomainBindingStatus"] == "BINDING"
    assert made["SubDomain"] == f"{DEDICATED}-{HZ}.alicloudapi.com"
    assert resolved(cloud, "new.example.org", IN_A) == [str(ENDPOINT)]
    assert resolved(cloud, "new.example.org", IN_B) == []
    cloud.done("SetDomain", **given)
    told = cloud.done("DescribeDomain", GroupId=DEDICATED, DomainName="new.example.org")
    assert told["DomainCNAMEStatus"] == "RESOLVED"
    cloud.done("DeleteDomain", GroupId=DEDICATED, DomainName="new.example.org")
    cloud.done("DeleteDomain", GroupId=DEDICATED, DomainName="new.example.org")
    assert resolved(cloud, "new.example.org", IN_A) == []
    answer = cloud.refused("DescribeDomain", GroupId=DEDICATED, DomainName="new.example.org")
    assert answer == (400, "NotFoundDomain")


def test_an_internet_name_is_kept_and_changes_no_answer(cloud: Cloud) -> None:
    before = cloud.state.world
    cloud.done("SetDomain", GroupId=SERVERLESS, DomainName="www.example.org")
    assert cloud.state.world is before
    told = cloud.done("DescribeApiGroup", GroupId=SERVERLESS)["CustomDomains"]["DomainItem"]
    assert [(one["DomainName"], one["CustomDomainType"]) for one in told] == [("www.example.org", "INTERNET")]
    taken = {"GroupId": OFF, "DomainName": "WWW.example.org"}
    assert cloud.refused("SetDomain", **taken) == (400, "RepeatedDomainName")
    cloud.done("SetDomain", **taken, IsForce="true")
    assert cloud.done("DescribeApiGroup", GroupId=SERVERLESS)["CustomDomains"] == {"DomainItem": []}
    cloud.done("DeleteDomain", **taken)
    assert cloud.refused("DescribeDomain", **taken) == (400, "NotFoundDomain")


def test_an_intranet_name_needs_a_dedicated_instance(cloud: Cloud) -> None:
    given = {"GroupId": SERVERLESS, "DomainName": "x.example.org", "CustomDomainType": "INTRANET"}
    assert cloud.refused("SetDomain", **given) == (403, "ForbiddenDomainName")


def test_a_name_of_another_group_is_taken_by_force_only(cloud: Cloud) -> None:
    given = {"GroupId": OFF, "DomainName": CUSTOM, "CustomDomainType": "INTRANET"}
    assert cloud.refused("SetDomain", **given) == (400, "RepeatedDomainName")
    cloud.done("SetDomain", **given, IsForce="True")
    assert cloud.state.world.custom_domains.values[Name.from_text(CUSTOM)] == OFF


def test_a_group_has_five_names_of_a_type(cloud: Cloud) -> None:
    for number in range(4):
        cloud.done("SetDomain", GroupId=OFF, DomainName=f"{number}.example.org", CustomDomainType="INTRANET")
    answer = cloud.refused("SetDomain", GroupId=OFF, DomainName="5.example.org", CustomDomainType="INTRANET")
    assert answer == (400, "ExceedLimitDomainName")


@pytest.mark.parametrize(
    "name", ["a b.example", "http://x.example", "münchen.example", "-a.example", "..", "a;b"]
)
def test_what_is_no_custom_domain(cloud: Cloud, name: str) -> None:
    given = {"GroupId": OFF, "DomainName": name, "CustomDomainType": "INTRANET"}
    assert cloud.refused("SetDomain", **given) == (400, "InvalidFormatDomainName")


def test_a_name_under_the_suffix_is_no_custom_domain(cloud: Cloud) -> None:
    given = {"GroupId": OFF, "DomainName": "x.alicloudapi.com", "CustomDomainType": "INTRANET"}
    assert cloud.refused("SetDomain", **given) == (400, "InvalidDomainName")


# VPCs


def test_a_vpc_its_vswitches_and_their_end(cloud: Cloud) -> None:
    vpc_id = cloud.done("CreateVpc", VPC, CidrBlock="10.50.0.0/16", VpcName="mine")["VpcId"]
    assert re.fullmatch("vpc-[a-z0-9]{21}", vpc_id)
    told = cloud.done("DescribeVpcAttribute", VPC, VpcId=vpc_id)
    assert (told["Status"], told["CidrBlock"], told["VpcName"]) == ("Available", "10.50.0.0/16", "mine")
    made = cloud.done("CreateVSwitch", VPC, VpcId=vpc_id, CidrBlock="10.50.1.0/24", ZoneId="cn-hangzhou-b")
    listed = cloud.done("DescribeVSwitches", VPC, VpcId=vpc_id)["VSwitches"]["VSwitch"]
    assert [(one["VSwitchId"], one["AvailableIpAddressCount"]) for one in listed] == [
        (made["VSwitchId"], 252)
    ]
    assert cloud.refused("DeleteVpc", VPC, VpcId=vpc_id) == (400, "DependencyViolation")
    bind = "ModifyInstanceVpcAttributeForConsole"
    cloud.done(bind, InstanceId=UNBOUND, VpcId=vpc_id, VswitchId=made["VSwitchId"])
    assert cloud.refused("DeleteVSwitch", VPC, VSwitchId=made["VSwitchId"]) == (400, "DependencyViolation")
    cloud.done(bind, InstanceId=UNBOUND, VpcId=vpc_id, DeleteVpcAccess="true")
    cloud.done("DeleteVSwitch", VPC, VSwitchId=made["VSwitchId"])
    cloud.done("DeleteVpc", VPC, VpcId=vpc_id)
    assert cloud.refused("DescribeVpcAttribute", VPC, VpcId=vpc_id) == (404, "InvalidVpcID.NotFound")
    assert cloud.refused("DeleteVSwitch", VPC, VSwitchId="vsw-x") == (404, "InvalidVswitchID.NotFound")
    assert len(cloud.done("DescribeVpcs", VPC)["Vpcs"]["Vpc"]) == 3


def test_a_block_that_is_somebody_elses_stands_in_for_nobody(cloud: Cloud) -> None:
    vpc_id = cloud.done("CreateVpc", VPC, CidrBlock="10.1.0.0/16")["VpcId"]
    assert cloud.state.world.topology.vpcs[vpc_id].source_networks == ()
    assert identify(ip_address(IN_A), cloud.state.world).vpc_id == VPC_A


def test_a_vpc_that_something_names_stays(cloud: Cloud) -> None:
    assert cloud.refused("DeleteVpc", VPC, VpcId=VPC_A) == (400, "DependencyViolation")


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ("10.2.8.0/25", "InvalidCidrBlock"),
        ("10.3.0.0/24", "InvalidCidrBlock"),
        ("10.2.0.1/24", "InvalidFormatCidrBlock"),
        ("x", "InvalidFormatCidrBlock"),
        ("", "MissingCidrBlock"),
    ],
)
def test_vswitches_that_do_not_fit(cloud: Cloud, block: str, code: str) -> None:
    assert cloud.refused("CreateVSwitch", VPC, VpcId=VPC_B, CidrBlock=block, ZoneId="z") == (400, code)


def test_no_vpc_in_the_space_of_the_clouds_services(cloud: Cloud) -> None:
    assert cloud.refused("CreateVpc", VPC, CidrBlock="100.64.0.0/16") == (400, "InvalidCidrBlock")


# All of them


def test_an_action_that_is_not_there(cloud: Cloud) -> None:
    assert cloud.refused("CreateApp", AppName="x") == (400, "UnsupportedOperation")
    assert cloud.refused("CreateVpc", CLOUDAPI) == (400, "UnsupportedOperation")
    assert cloud.refused("DescribeApiGroup", "2010-01-01") == (400, "UnsupportedOperation")
    assert cloud.refused("DescribeApiGroup", "") == (400, "MissingVersion")
    assert cloud.refused("") == (400, "MissingAction")


def test_regions(cloud: Cloud) -> None:
    told = cloud.done("DescribeRegions")["Regions"]["Region"]
    assert [one["RegionId"] for one in told] == [HZ, SH]
    assert told[0]["RegionEndpoint"] == "apigateway.cn-hangzhou.aliyuncs.com"


@pytest.mark.parametrize(("version", "action"), ACTIONS)
def test_without_parameters_every_action_answers_in_the_clouds_form(
    cloud: Cloud, version: str, action: str
) -> None:
    answer = cloud.ask(action, version)
    assert answer.status in (200, 400)
    assert "RequestId" in answer.body
    assert answer.status == 200 or answer.body["Code"].startswith(("Missing", "ORDER.OPEND"))


@pytest.mark.parametrize("product", Product)
@pytest.mark.parametrize("rule", Rule)
def test_every_rule_has_a_code_and_none_of_our_making_is_a_servers_fault(
    product: Product, rule: Rule
) -> None:
    error = refused(Refusal(rule, "it", "is wrong", "mend it"), product)
    assert 400 <= error.status < 500
    assert not error.code.startswith("Throttling")
    assert "mend it" in error.message
