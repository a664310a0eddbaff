"""What real clients of the cloud's API stumbled over: each fault once, with its kind (facts/clients.md)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.cloud_api import CLOUDAPI, VPC, Cloud, v2, v3
from tests.support.example_world import BOUND, DEDICATED, HZ, OFF, SERVERLESS, SH, SHARED, UNBOUND, VPC_A
from vpcdns.control.openapi.keys import AccessKeys
from vpcdns.control.openapi.request import ApiRequest
from vpcdns.model.world import World
from vpcdns.state import Commit
from vpcdns.state.api_attributes import object_key

BIND = "ModifyInstanceVpcAttributeForConsole"


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def instance(cloud: Cloud, **over: str) -> str:
    given = {"InstanceName": "n", "InstanceSpec": "api.s1.small", "ChargeType": "PostPaid", "Token": "t"}
    made: str = cloud.done("CreateInstance", **{**given, **over})["InstanceId"]
    return made


def described(cloud: Cloud, instance_id: str) -> dict[str, Any]:
    (told,) = cloud.done("DescribeInstances", InstanceId=instance_id)["Instances"]["InstanceAttribute"]
    assert isinstance(told, dict)
    return told


def group(cloud: Cloud, name: str, **over: str) -> str:
    made: str = cloud.done("CreateApiGroup", GroupName=name, **over)["GroupId"]
    return made


def names(cloud: Cloud, **asked: str) -> list[str]:
    told = cloud.done("DescribeApiGroups", **asked)["ApiGroupAttributes"]["ApiGroupAttribute"]
    return [one["GroupName"] for one in told]


# 1: an owner of 5,000 digits made every later DescribeInstances a 500.


@pytest.mark.parametrize("owner", ["9" * 5_000, str(1 << 63), "\N{ARABIC-INDIC DIGIT ONE}", "-", "1.0"])
def test_an_owner_that_is_no_int64_is_refused(cloud: Cloud, owner: str) -> None:
    bind = {"InstanceId": UNBOUND, "VpcId": VPC_A, "VswitchId": "vsw-1"}
    assert cloud.refused(BIND, **bind, VpcOwnerId=owner) == (400, "InvalidVpcOwnerId")
    cloud.done(BIND, **bind, VpcOwnerId=str((1 << 63) - 1))
    assert described(cloud, UNBOUND)["VpcOwnerId"] == (1 << 63) - 1


@pytest.mark.parametrize("owner", ["9" * 5_000, "\N{ARABIC-INDIC DIGIT ONE}"])
def test_what_an_older_state_file_holds_poisons_no_read(cloud: Cloud, owner: str) -> None:
    of = cloud.state.world.instances[HZ, BOUND]
    cloud.state.commit(Commit((), {object_key(of): {"VpcOwnerId": owner}}))
    assert "VpcOwnerId" not in described(cloud, BOUND)


# 2: Terraform replaced vpc_connect instances and their groups.


def test_what_a_vpc_connect_instance_has_in_each_zone_is_returned(cloud: Cloud) -> None:
    zones = {
        "ZoneVSwitchSecurityGroup.1.ZoneId": "cn-hangzhou-b",
        "ZoneVSwitchSecurityGroup.1.VSwitchId": "vsw-1",
        "ZoneVSwitchSecurityGroup.1.CidrBlock": "10.1.8.0/24",
        "ZoneVSwitchSecurityGroup.1.SecurityGroupId": "sg-1",
    }
    made = instance(cloud, InstanceType="vpc_connect", UserVpcId=VPC_A, InstanceCidr="172.16.0.0/12", **zones)
    told = described(cloud, made)
    assert told["DedicatedInstanceType"] == "vpc_connect"
    assert told["ConnectVpcId"] == VPC_A
    assert told["InstanceCidrBlock"] == "172.16.0.0/12"
    assert told["NetworkInterfaceAttributes"]["NetworkInterfaceAttribute"] == [
        {
            "ZoneId": "cn-hangzhou-b",
            "VswitchId": "vsw-1",
            "CidrBlock": "10.1.8.0/24",
            "SecurityGroupId": "sg-1",
        }
    ]
    of_it = cloud.done("DescribeApiGroup", GroupId=group(cloud, "on_it", InstanceId=made))
    assert of_it["DedicatedInstanceType"] == "vpc_connect"
    assert cloud.done("DescribeApiGroup", GroupId=DEDICATED)["DedicatedInstanceType"] == "normal"
    assert cloud.done("DescribeApiGroup", GroupId=SERVERLESS)["DedicatedInstanceType"] == ""


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ({"UserVpcId": "vpc-none"}, "NotFoundVpc"),
        ({"ZoneVSwitchSecurityGroup.1.VSwitchId": "vsw-none"}, "NotFoundVswitch"),
        ({"ZoneVSwitchSecurityGroup.1.ZoneId": "z"}, "MissingZoneVSwitchSecurityGroup.VSwitchId"),
        (
            {"UserVpcId": "vpc-b", "ZoneVSwitchSecurityGroup.1.VSwitchId": "vsw-9"},
            "InvalidZoneVSwitchSecurityGroup",
        ),
    ],
)
def test_networks_that_a_vpc_connect_instance_cannot_have(
    cloud: Cloud, over: dict[str, str], code: str
) -> None:
    given = {"InstanceName": "n", "InstanceSpec": "s", "ChargeType": "PostPaid", "Token": "t"}
    assert cloud.refused("CreateInstance", **given, InstanceType="vpc_connect", **over) == (400, code)


# 4: a wrong secret crashed the classic SDK.


def test_a_wrong_signature_is_answered_with_what_is_to_be_signed(cloud: Cloud) -> None:
    request = v2({"Action": "DescribeApiGroups"}, secret="wrong")
    message = cloud.api.answer(request).body["Message"]
    before, _, signed = message.partition("server string to sign is:")
    assert before == "Specified signature is not matched with our calculation. "
    assert signed.startswith("POST&%2F&AccessKeyId%3DtestAK%26Action%3DDescribeApiGroups%26")
    # aliyun-python-sdk-core's client.py compares the part behind the first colon with what it has signed.
    assert message.split(":")[1] == signed
    message = cloud.api.answer(v3("DescribeApiGroups", {}, secret="wrong")).body["Message"]
    assert "server string to sign is:ACS3-HMAC-SHA256\n" in message


def test_whatever_does_not_match_has_the_colon(cloud: Cloud) -> None:
    for request in (
        ApiRequest("POST", "/", "Action=x&Version=y", {"authorization": "Basic x"}),
        ApiRequest("POST", "/", "Action=x&Version=y", {"authorization": "ACS3-HMAC-SHA256 x"}),
        v2({"Action": "x"}, secret="wrong"),
    ):
        answer = cloud.api.answer(request)
        assert answer.body["Code"] == "SignatureDoesNotMatch"
        assert len(answer.body["Message"].split(":")) > 1


# 5: GET and POST.


def test_get_does_what_post_does_where_it_is_signed(cloud: Cloud) -> None:
    made = v2({"Action": "CreateApiGroup", "GroupName": "by_get"}, method="GET")
    assert made.method == "GET"
    assert cloud.api.answer(made).status == 200
    assert names(cloud, GroupName="by_get") == ["by_get"]


# 6: an unsigned header overrode the signed parameter.


def test_the_signed_action_counts_and_not_a_header_beside_it(cloud: Cloud) -> None:
    signed = v2({"Action": "DescribeApiGroup", "GroupId": OFF})
    headers = {**signed.headers, "x-acs-action": "DeleteApiGroup", "x-acs-version": VPC}
    request = ApiRequest(signed.method, signed.path, signed.query, headers)
    answer = cloud.api.answer(request)
    assert (answer.status, answer.body.get("GroupId")) == (200, OFF)
    # pop-core has it in lower case.
    unkeyed = Cloud(keys=AccessKeys({}), open_without_keys=True)
    query = f"Action=DescribeApiGroup&Version={CLOUDAPI}&GroupId={OFF}"
    answer = unkeyed.api.answer(ApiRequest("POST", "/", query, {"x-acs-action": "describeapigroup"}))
    assert answer.status == 200
    # A header alone is not covered by the older signature.
    headers["x-acs-version"] = CLOUDAPI
    bare = v2({"Action": "", "GroupId": OFF})
    answer = cloud.api.answer(ApiRequest("POST", "/", bare.query, headers))
    assert answer.body["Code"] == "MissingAction"
    assert OFF in cloud.state.world.groups


# 8: a repeated ClientToken made two VPCs.


def test_a_repeated_token_makes_nothing_new(cloud: Cloud) -> None:
    asked = {"CidrBlock": "10.50.0.0/16", "VpcName": "once", "ClientToken": "t-1"}
    first = cloud.done("CreateVpc", VPC, **asked)
    again = cloud.done("CreateVpc", VPC, **asked)
    assert {**first, "RequestId": ""} == {**again, "RequestId": ""}
    assert {"VRouterId", "RouteTableId", "VpcId"} <= set(first)
    assert cloud.done("DescribeVpcs", VPC, VpcName="once")["TotalCount"] == 1
    vswitch = {"VpcId": first["VpcId"], "CidrBlock": "10.50.1.0/24", "ZoneId": "z", "ClientToken": "t-1"}
    made = cloud.done("CreateVSwitch", VPC, **vswitch)["VSwitchId"]
    assert cloud.done("CreateVSwitch", VPC, **vswitch)["VSwitchId"] == made
    assert instance(cloud, Token="t-1") == instance(cloud, Token="t-1")
    for action, version, over in (
        ("CreateVpc", VPC, {**asked, "VpcName": "another"}),
        ("CreateVSwitch", VPC, {**vswitch, "CidrBlock": "10.50.2.0/24"}),
    ):
        assert cloud.refused(action, version, **over) == (400, "IdempotentParameterMismatch")
    assert cloud.refused("CreateVpc", VPC, ClientToken="t" * 65) == (400, "InvalidClientToken")
    # When what it made is gone, it makes another.
    cloud.done("DeleteVSwitch", VPC, VSwitchId=made)
    cloud.done("DeleteVpc", VPC, VpcId=first["VpcId"])
    assert cloud.done("CreateVpc", VPC, **{**asked, "VpcName": "new"})["VpcId"] == first["VpcId"]


# 9: filters were ignored, and everything returned.


def test_groups_are_filtered_and_sorted(cloud: Cloud) -> None:
    first = group(cloud, "first", **{"Tag.1.Key": "env", "Tag.1.Value": "prod"})
    cloud.now += 10
    group(cloud, "second", **{"Tag.1.Key": "env", "Tag.1.Value": "test", "Tag.2.Key": "x"})
    cloud.now += 10
    assert names(cloud)[:2] == ["second", "first"]
    assert names(cloud, Sort="asc")[-2:] == ["first", "second"]
    cloud.done("ModifyApiGroup", GroupId=first, Description="changed")
    assert names(cloud)[:2] == ["first", "second"]
    assert names(cloud, **{"Tag.1.Key": "env"}) == ["first", "second"]
    assert names(cloud, **{"Tag.1.Key": "env", "Tag.1.Value": "test"}) == ["second"]
    assert names(cloud, **{"Tag.1.Key": "env", "Tag.2.Key": "x"}) == ["second"]
    assert names(cloud, **{"Tag.1.Key": "none"}) == []
    assert cloud.refused("DescribeApiGroups", Sort="newest") == (400, "InvalidSort")


def test_instances_are_filtered(cloud: Cloud) -> None:
    made = instance(cloud, InstanceType="vpc_connect", **{"Tag.1.Key": "env"})

    def ids(**asked: str) -> set[str]:
        told = cloud.done("DescribeInstances", RegionId=HZ, **asked)["Instances"]["InstanceAttribute"]
        return {one["InstanceId"] for one in told}

    assert ids() == {SHARED, BOUND, UNBOUND, made}
    assert ids(InstanceType="VPC_SHARED") == {SHARED}
    assert ids(InstanceType="VPC_DEDICATED") == {BOUND, UNBOUND, made}
    assert ids(InstanceType="vpc_connect") == {made}
    assert ids(InstanceType="normal") == {BOUND, UNBOUND}
    assert ids(**{"Tag.1.Key": "env"}) == {made}
    assert cloud.refused("DescribeInstances", InstanceType="banana") == (400, "InvalidInstanceType")


def test_vpcs_and_vswitches_are_filtered(cloud: Cloud) -> None:
    tagged = {"Tag.1.Key": "env", "Tag.1.Value": "prod"}
    vpc_id = cloud.done(
        "CreateVpc", VPC, CidrBlock="10.50.0.0/16", ResourceGroupId="rg-1", EnableIpv6="true", **tagged
    )["VpcId"]
    made = cloud.done(
        "CreateVSwitch",
        VPC,
        VpcId=vpc_id,
        CidrBlock="10.50.1.0/24",
        ZoneId="cn-hangzhou-k",
        VSwitchName="mine",
        **tagged,
    )["VSwitchId"]

    def vpcs(**asked: str) -> list[str]:
        return [one["VpcId"] for one in cloud.done("DescribeVpcs", VPC, **asked)["Vpcs"]["Vpc"]]

    def vswitches(**asked: str) -> list[str]:
        told = cloud.done("DescribeVSwitches", VPC, **asked)["VSwitches"]["VSwitch"]
        return [one["VSwitchId"] for one in told]

    everything = len(vpcs())
    assert everything > 1
    assert vpcs(ResourceGroupId="rg-1") == vpcs(**tagged) == vpcs(EnableIpv6="true") == [vpc_id]
    assert len(vpcs(EnableIpv6="false")) == everything - 1
    assert vpcs(IsDefault="true") == vpcs(DhcpOptionsSetId="dopt-1") == []
    assert len(vpcs(IsDefault="false")) == everything
    assert cloud.refused("DescribeVpcs", VPC, VpcId=",".join(map(str, range(21)))) == (400, "InvalidVpcId")
    table_id = cloud.done("DescribeVpcs", VPC, VpcId=vpc_id)["Vpcs"]["Vpc"][0]["RouterTableIds"]
    for asked in (
        {"ZoneId": "cn-hangzhou-k"},
        {"VSwitchName": "mine"},
        tagged,
        {"ResourceGroupId": "rg-1"},
        {"VpcId": vpc_id, "IsDefault": "false"},
        {"RouteTableId": table_id["RouterTableIds"][0]},
        {"VSwitchId": f"{made}, vsw-none"},
    ):
        assert vswitches(**asked) == [made], asked
    for asked in ({"ZoneId": "z"}, {"IsDefault": "true"}, {"VpcId": "vpc-none"}, {"EnableIpv6": "true"}):
        assert vswitches(**asked) == [], asked


# 12, 13: what was said to be stored and returned, and was not.


def test_items_of_groups_have_what_clients_read(cloud: Cloud) -> None:
    told = cloud.done("DescribeApiGroups")["ApiGroupAttributes"]["ApiGroupAttribute"]
    for item in told:
        assert (item["TrafficLimit"], item["BillingStatus"], item["IllegalStatus"]) == (
            500,
            "NORMAL",
            "NORMAL",
        )
        assert "VpcDomain" not in item


def test_network_policies_are_returned(cloud: Cloud) -> None:
    told = cloud.done("DescribeApiGroup", GroupId=OFF)
    assert (told["VpcSlbIntranetDomain"], told["DisableInnerDomain"], told["Ipv6Status"]) == ("", False, "")
    on = {"VpcSlbIntranetEnable": "true", "InnerDomainEnable": "false", "InternetIPV6Enable": "True"}
    cloud.done("ModifyApiGroupNetworkPolicy", GroupId=OFF, HttpsPolicy="HTTPS1_1_TLS1_0", **on)
    told = cloud.done("DescribeApiGroup", GroupId=OFF)
    assert told["VpcSlbIntranetDomain"] == f"{OFF}-{HZ}-intranet.alicloudapi.com"
    assert (told["DisableInnerDomain"], told["Ipv6Status"]) == (True, "NORMAL")
    assert told["HttpsPolicy"] == "HTTPS1_1_TLS1_0"


def test_a_groups_configurations_are_returned(cloud: Cloud) -> None:
    names = (
        *("DefaultDomain", "UserLogConfig", "PassthroughHeaders", "CompatibleFlags"),
        *("CustomTraceConfig", "CustomerConfigs", "CustomAppCodeConfig", "Description", "BasePath"),
    )
    given = {name: f"{name}'s" for name in names}
    cloud.done("ModifyApiGroup", GroupId=OFF, **given)
    assert given.items() <= cloud.done("DescribeApiGroup", GroupId=OFF).items()


def test_a_domains_attributes_are_returned(cloud: Cloud) -> None:
    for kind, name in (("INTERNET", "A.example.org"), ("INTRANET", "b.example.org")):
        asked = {"GroupId": DEDICATED, "DomainName": name}
        cloud.done(
            "SetDomain", **asked, CustomDomainType=kind, BindStageName="TEST", IsHttpRedirectToHttps="true"
        )
        told = cloud.done("DescribeApiGroup", GroupId=DEDICATED)["CustomDomains"]["DomainItem"]
        (item,) = [one for one in told if one["DomainName"].lower() == name.lower()]
        assert (item["BindStageName"], item["IsHttpRedirectToHttps"]) == ("TEST", True)
        # Binding it again changes what is given, and no more.
        cloud.done("SetDomain", **asked, CustomDomainType=kind, IsHttpRedirectToHttps="false")
        told = cloud.done("DescribeDomain", **asked)
        assert (told["BindStageName"], told["IsHttpRedirectToHttps"]) == ("TEST", False)
        cloud.done("DeleteDomain", **asked)
        cloud.done("SetDomain", **asked, CustomDomainType=kind)
        assert cloud.done("DescribeDomain", **asked)["BindStageName"] == ""


def test_an_instances_attributes_are_returned(cloud: Cloud) -> None:
    flags = {"VpcSlbIntranetEnable": "true", "EgressIpv6Enable": "true", "IPV6Enabled": "true"}
    times = {"MaintainStartTime": "02:00Z", "MaintainEndTime": "06:00Z"}
    cloud.done("ModifyInstanceAttribute", InstanceId=BOUND, **flags, **times, IntranetSegments="10.0.0.0/8")
    told = described(cloud, BOUND)
    assert times.items() <= told.items()
    assert all(told[name] is True for name in ("VpcSlbIntranetEnable", "EgressIpv6Enable", "SupportIpv6"))
    assert told["IntranetSegments"] == "10.0.0.0/8"
    answer = cloud.refused("ModifyInstanceAttribute", InstanceId=BOUND, IPV6Enabled="maybe")
    assert answer == (400, "InvalidIPV6Enabled")


def test_a_vpcs_router_and_route_table_are_returned(cloud: Cloud) -> None:
    made = cloud.done("CreateVpc", VPC, EnableDnsHostname="true")
    told = cloud.done("DescribeVpcAttribute", VPC, VpcId=made["VpcId"])
    assert told["VRouterId"] == made["VRouterId"]
    assert told["RouterTableIds"]["RouterTableIds"] == [made["RouteTableId"]]
    assert told["DnsHostnameStatus"] == "ENABLED"
    (vswitch,) = cloud.done("DescribeVSwitches", VPC, VSwitchId="vsw-1", VpcId=VPC_A)["VSwitches"]["VSwitch"]
    assert vswitch["RouteTable"]["RouteTableType"] == "System"
    assert vswitch["RouteTable"]["RouteTableId"].startswith("vtb-")


# 15: names were unique in the request's region.


def test_a_groups_name_is_unique_in_its_own_region(cloud: Cloud) -> None:
    shanghai = next(one for one in cloud.state.world.instances.values() if one.region_id == SH)
    elsewhere = group(cloud, "weather", RegionId=SH, InstanceId=shanghai.instance_id)
    other = group(cloud, "other", RegionId=SH, InstanceId=shanghai.instance_id)
    # The request's region is the default one; the group's counts.
    assert cloud.refused("ModifyApiGroup", GroupId=other, GroupName="weather") == (400, "RepeatedGroupName")
    cloud.done("ModifyApiGroup", GroupId=elsewhere, GroupName="weather")
    cloud.done("ModifyApiGroup", GroupId=OFF, GroupName="other")


# 16: what is the region's own.


def test_a_serverless_instance_is_not_deleted_and_has_no_specification() -> None:
    cloud = Cloud(world=World())
    shared = cloud.done("CreateApiGroup", GroupName="only")
    cloud.done("DeleteApiGroup", GroupId=shared["GroupId"])
    for action, more in (("DeleteInstance", {}), ("ModifyInstanceSpec", {"InstanceSpec": "s", "Token": "t"})):
        answer = cloud.refused(action, InstanceId=shared["InstanceId"], **more)
        assert answer == (403, "ForbiddenInstanceId")


# 20: blocks that no VPC of the cloud has.


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ("127.0.0.0/8", "InvalidCidrBlock"),
        ("127.1.0.0/16", "InvalidCidrBlock"),
        ("169.254.0.0/16", "InvalidCidrBlock"),
        ("224.0.0.0/16", "InvalidCidrBlock"),
        ("240.0.0.0/16", "InvalidCidrBlock"),
        ("0.0.0.0/16", "InvalidCidrBlock"),
        ("0.0.0.0/0", "InvalidCidrBlock"),
        ("100.64.0.0/16", "InvalidCidrBlock"),
        ("100.127.255.0/24", "InvalidCidrBlock"),
        ("10.0.0.0/15", "InvalidCidrBlock"),
        ("10.50.0.0/29", "InvalidCidrBlock"),
        ("10.50.0.1/32", "InvalidCidrBlock"),
        ("10.50.0.1", "InvalidFormatCidrBlock"),
        ("10.50.0.0/255.255.0.0", "InvalidFormatCidrBlock"),
        ("10.50.0.1/16", "InvalidFormatCidrBlock"),
        ("\N{ARABIC-INDIC DIGIT ONE}0.50.0.0/16", "InvalidFormatCidrBlock"),
        ("fd00::/48", "InvalidFormatCidrBlock"),
    ],
)
def test_blocks_that_no_vpc_has(cloud: Cloud, block: str, code: str) -> None:
    assert cloud.refused("CreateVpc", VPC, CidrBlock=block) == (400, code)


@pytest.mark.parametrize(
    "block", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "10.50.0.0/28", "8.8.0.0/16"]
)
def test_blocks_that_a_vpc_has(block: str) -> None:
    Cloud(world=World()).done("CreateVpc", VPC, CidrBlock=block)


def test_masks_of_vswitches(cloud: Cloud) -> None:
    vpc_id = cloud.done("CreateVpc", VPC, CidrBlock="10.0.0.0/8")["VpcId"]
    for block, code in (("10.0.0.0/15", "InvalidCidrBlock"), ("10.0.0.0/30", "InvalidCidrBlock")):
        asked = {"VpcId": vpc_id, "ZoneId": "z", "CidrBlock": block}
        assert cloud.refused("CreateVSwitch", VPC, **asked) == (400, code)
    for block in ("10.0.0.0/16", "10.1.0.0/29"):
        cloud.done("CreateVSwitch", VPC, VpcId=vpc_id, ZoneId="z", CidrBlock=block)


# 21, 22: what was accepted.


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ({}, "MissingDuration"),
        ({"Duration": "1"}, "MissingPricingCycle"),
        ({"Duration": "1", "PricingCycle": "week"}, "InvalidPricingCycle"),
        ({"Duration": "10", "PricingCycle": "month"}, "InvalidDuration"),
        ({"Duration": "4", "PricingCycle": "Year"}, "InvalidDuration"),
        ({"Duration": "0", "PricingCycle": "Year"}, "InvalidDuration"),
    ],
)
def test_an_instance_paid_for_in_advance_is_so_for_some_time(
    cloud: Cloud, over: dict[str, str], code: str
) -> None:
    given = {"InstanceName": "n", "InstanceSpec": "s", "ChargeType": "PrePaid", "Token": "t"}
    assert cloud.refused("CreateInstance", **given, **over) == (400, code)
    made = instance(cloud, ChargeType="PREPAY", Duration="1", PricingCycle="year")
    assert described(cloud, made)["InstanceChargeType"] == "PrePaid"


def test_a_name_has_one_type_in_a_group(cloud: Cloud) -> None:
    for first, second in (("INTERNET", "INTRANET"), ("INTRANET", "INTERNET")):
        asked = {"GroupId": DEDICATED, "DomainName": f"{first}.example.org"}
        cloud.done("SetDomain", **asked, CustomDomainType=first)
        answer = cloud.refused("SetDomain", **asked, CustomDomainType=second)
        assert answer == (400, "RepeatedDomainName")
        told = cloud.done("DescribeApiGroup", GroupId=DEDICATED)["CustomDomains"]["DomainItem"]
        assert [one["DomainName"] for one in told].count(f"{first}.example.org") == 1
        cloud.done("DeleteDomain", **asked)
        cloud.done("SetDomain", **asked, CustomDomainType=second)


# A read action that is missing: Terraform takes 404 for "the resource is gone".


@pytest.mark.parametrize("name", ["DescribeApp", "DescribePluginSchemas", "GetInstance", "Nothing"])
def test_an_action_that_is_missing_is_no_resource_that_is_gone(cloud: Cloud, name: str) -> None:
    answer = cloud.ask(name)
    assert (answer.status, answer.body["Code"]) == (400, "UnsupportedOperation")
    assert "not found" not in answer.body["Message"].lower()
    assert name in answer.body["Message"]
