"""Values for parameters of the cloud's API: what fits, mostly, and what does not."""

from __future__ import annotations

from tests.support.example_world import (
    BOUND,
    DEDICATED,
    HZ,
    OFF,
    SERVERLESS,
    SH,
    SHARED,
    UNBOUND,
    VPC_A,
    VPC_B,
    VPC_C,
)

POOL = {
    "GroupId": [DEDICATED, OFF, SERVERLESS, "9" * 32, "made"],
    "InstanceId": [SHARED, BOUND, UNBOUND, "made", "none"],
    "TargetInstanceId": [SHARED, BOUND, UNBOUND, "made"],
    "VpcId": [VPC_A, VPC_B, VPC_C, "made", "vpc-none"],
    "VswitchId": ["vsw-1", "vsw-2", "made", ""],
    "VSwitchId": ["vsw-1", "made"],
    "VpcIntranetEnable": ["true", "False", "", "maybe"],
    "DeleteVpcAccess": ["true", "false", ""],
    "GroupName": ["fresh_name", "weather", "x", "ünïcödé_1"],
    "DomainName": ["a.example.org", "API.example.com", "*.example.net", "..", "x.alicloudapi.com"],
    "CustomDomainType": ["INTRANET", "INTERNET", "intranet", "OTHER"],
    "IsForce": ["true", ""],
    "CidrBlock": ["10.40.0.0/16", "10.40.1.0/24", "10.2.64.0/24", "10.1.0.0/16", "100.64.0.0/16", "x"],
    "RegionId": [HZ, SH, "", "eu-central-1", "NO!"],
    "ZoneId": ["z", "made", "made"],
    "ZoneName": ["corp.internal", "example.net", "a b"],
    "ProxyPattern": ["ZONE", "record", "other"],
    "Vpcs.1.VpcId": [VPC_A, VPC_B, "vpc-none"],
    "Vpcs.2.VpcId": [VPC_C],
    "RecordId": ["made", "made", "5", "x"],
    "Rr": ["@", "www", "*", "a.b", "a b"],
    "Type": ["A", "CNAME", "MX", "TXT", "SRV", "NS"],
    "Value": ["10.1.0.9", "www.corp.internal", "a.b.corp.internal", "1 2 3 www.example", 'a "b" \\ ;'],
    "Ttl": ["60", "5", "4"],
    "Priority": ["1", "99", "100"],
    "Status": ["ENABLE", "disable", "other"],
    "Remark": ["r", "r" * 51],
    "Keyword": ["www", "@", "corp"],
    "SearchMode": ["LIKE", "EXACT"],
    "ClientToken": ["t-1", "t-2"],
    "ResourceType": ["ZONE"],
    "ResourceId.1": ["made"],
    "TagKey.1": ["k"],
    "Token": ["t-1", "t-2"],
    "InstanceName": ["n"],
    "InstanceSpec": ["s"],
    "ChargeType": ["PostPaid", "PREPAY", "free"],
    "Description": ["", "text\n\x00"],
    "PageSize": ["1", "50", "x"],
    "Tag.1.Key": ["k"],
    "ApiId": ["made", "none"],
    "VpcAccessId": ["made", "none"],
    "AclId": ["made", "none"],
    "AclEntrys": ["[]", "null", "[null]", '[{"entry": "fd00::/8"}]', '[{"Entry": "10.0.0.0/8,x"}]', "[[]]"],
    "RequestConfig": ["{}", "[]", '{"requestPath": "/x"}', '{"RequestPath": null}', "{" * 40],
    "RequestParameters": ["[]", "null", "[1]", "NaN"],
    "Records": ["[]", '[{"Record": "10.0.0.1", "Weight": 101}]', '[{"Record": 1}]'],
    "IntranetDomains": ["[]", '["db.corp.example"]', "{}", "[1]"],
    "StageName": ["RELEASE", "test", "x"],
    "Port": ["80", "-1", "65536"],
    "AddressIPVersion": ["ipv4", "ipv6"],
    "NextToken": ["0", "1", "x"],
}


def filled(parameters: dict[str, str], made: dict[str, str]) -> dict[str, str]:
    """The latest id that was made in place of `made`."""
    alias = {"TargetInstanceId": "InstanceId", "VswitchId": "VSwitchId", "ResourceId.1": "ZoneId"}
    return {
        name: made.get(alias.get(name, name), "none") if value == "made" else value
        for name, value in parameters.items()
    }
