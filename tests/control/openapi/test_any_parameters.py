"""Any values for any parameters of any action: no 5xx, and afterwards every Describe still answers."""

from __future__ import annotations

import importlib
import json
from functools import cache
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.api_parameters import POOL, filled
from tests.support.cloud_api import CLOUDAPI, PVTZ, VPC, Cloud
from tests.support.example_world import BOUND, DEDICATED, HZ, VPC_A
from tests.support.sdk_models import PACKAGES, parameters
from vpcdns.config import loads, written, yaml_text
from vpcdns.control.openapi.actions import ACTIONS
from vpcdns.control.openapi.parameters import is_reading
from vpcdns.state.journal import Contents
from vpcdns.state.journal_rows import Snapshot, parse_snapshot, snapshot_text

# What lists have of the same object, or the request's own words.
MORE_THAN_THE_SDK: Final = {
    *(".Tags", ".RouterTableIds", ".ResourceTags", ".Instances.InstanceAttribute.VipTypeList"),
    *(".WildcardDomainPatterns", ".BindStageName", ".IsHttpRedirectToHttps", ".CustomDomainType"),
}
Asked = tuple[tuple[str, str], dict[str, str]]
IDS: Final = (
    *("GroupId", "InstanceId", "VpcId", "VSwitchId", "ZoneId", "RecordId"),
    *("ApiId", "AclId", "VpcAccessId"),
)
ODD: Final = (
    "9" * 5_000,
    "-1",
    "0",
    str(1 << 63),
    "\N{ARABIC-INDIC DIGIT ONE}",
    "1e9",
    "1.0",
    "\x00",
    "\x1b[31m",
)
MORE: Final = (
    "{}",
    "[]",
    "null",
    "true",
    "..",
    "*",
    "a" * 300,
    "\N{RIGHT-TO-LEFT OVERRIDE}",
    "1,2",
    "%s",
    "'\"\\",
)
ANY: Final = st.one_of(st.text(max_size=20), st.sampled_from(ODD + MORE), st.integers().map(str))
OF_TYPE: Final = {
    "text": ANY,
    "int": st.one_of(st.integers(-1, 200).map(str), ANY),
    "bool": st.one_of(st.sampled_from(["true", "False"]), ANY),
}
IN_REGION: Final = {"RegionId": HZ}
ZONE: Final = {"ZoneId": "made"}
RECORD: Final = {"Rr": "www", "Type": "A", "Value": "10.1.0.9"}
STAGE: Final = {"ApiId": "made", "StageName": "TEST"}
ACL: Final = {"AclId": "made"}
ENTRIES: Final = {"AclEntrys": '[{"entry": "10.0.0.0/8", "comment": "c"}]'}
ACCESS: Final = {"VpcId": VPC_A, "InstanceId": "10.1.0.9", "Port": "80"}
PRIVATE_DNS: Final = {"IntranetDomain": "backend.example.org", "Type": "A"}
DOMAIN: Final = {"DomainName": "a.example.org"}
TAGGED: Final = {
    CLOUDAPI: {"ResourceType": "apiGroup", "ResourceId.1": DEDICATED},
    VPC: {"ResourceType": "VPC", "ResourceId.1": VPC_A},
    PVTZ: {"ResourceType": "ZONE", "ResourceId.1": "made"},
}
# What an action needs to succeed; those that are not here need nothing.
NEEDED: Final[dict[str, dict[str, str]]] = {
    "CreateApiGroup": {"GroupName": "fresh_name"},
    "CreateInstance": {"InstanceName": "n", "InstanceSpec": "s", "ChargeType": "PostPaid", "Token": "t"}
    | IN_REGION,
    "ModifyIntranetDomainPolicy": {"VpcIntranetEnable": "true"},
    "ModifyApiGroupInstance": {"TargetInstanceId": BOUND},
    "ModifyInstanceSpec": {"InstanceSpec": "s", "Token": "t"},
    "ModifyInstanceVpcAttributeForConsole": {"VpcId": VPC_A, "VswitchId": "vsw-1"},
    **{name: {"DomainName": "a.example.org"} for name in ("SetDomain", "DescribeDomain", "DeleteDomain")},
    "CreateVpc": {"CidrBlock": "10.40.0.0/16"} | IN_REGION,
    "CreateVSwitch": {"VpcId": "made", "CidrBlock": "10.40.1.0/24", "ZoneId": "cn-hangzhou-b"},
    **{name: {"VpcId": VPC_A} for name in ("DescribeVpcAttribute", "DeleteVpc")},
    "DeleteVSwitch": {"VSwitchId": "made"},
    **{name: {"ZoneName": "corp.internal"} for name in ("AddZone", "CheckZoneName")},
    **dict.fromkeys(("DeleteZone", "DescribeZoneInfo", "BindZoneVpc", "UpdateZoneRemark"), ZONE),
    "DescribeZoneRecords": ZONE,
    "SetProxyPattern": ZONE | {"ProxyPattern": "RECORD"},
    "AddZoneRecord": ZONE | RECORD,
    "UpdateZoneRecord": {"RecordId": "made"} | RECORD,
    "SetZoneRecordStatus": {"RecordId": "made", "Status": "DISABLE"},
    **{one: {"RecordId": "made"} for one in ("DeleteZoneRecord", "UpdateRecordRemark", "DescribeZoneRecord")},
    **{name: {"ApiId": "made"} for name in ("DescribeApi", "ModifyApi", "DeleteApi")},
    "CreateApi": {
        "ApiName": "made_api",
        "Visibility": "PRIVATE",
        "RequestConfig": "{}",
        "ServiceConfig": "{}",
    }
    | {"ResultType": "JSON", "ResultSample": "{}"},
    "DeployApi": STAGE | {"Description": "d"},
    **dict.fromkeys(("AbolishApi", "DescribeDeployedApi"), STAGE),
    "CreateAccessControlList": {"AclName": "made_acl"} | IN_REGION,
    **dict.fromkeys(("DescribeAccessControlListAttribute", "DeleteAccessControlList"), ACL),
    "SetAccessControlListAttribute": ACL | {"AclName": "made_acl2"},
    **{f"{one}AccessControlListEntry": ACL | ENTRIES for one in ("Add", "Remove")},
    **{f"{one}InstanceAccessControl": ACL | {"AclType": "white"} for one in ("Enable", "Disable")},
    "SetVpcAccess": ACCESS | {"Name": "made_access"},
    "RemoveVpcAccess": ACCESS,
    "CreatePrivateDNS": PRIVATE_DNS | {"Records": "[]"},
    "UpdatePrivateDNS": PRIVATE_DNS | {"Records": "[]"},
    "DeletePrivateDNS": PRIVATE_DNS,
    **{
        f"{one}InstanceWithPrivateDNS": {"IntranetDomains": '["backend.example.org"]'}
        for one in ("Associate", "Dissociate")
    },
    "ValidateVpcConnectivity": {"InstanceId": BOUND, "VpcAccessId": "made"},
    "SetDomainCertificate": DOMAIN | {"CertificateName": "c", "CertificateBody": "b"},
    "SetDomainWebSocketStatus": DOMAIN | {"ActionValue": "OPEN"},
    "SetWildcardDomainPatterns": DOMAIN | {"WildcardDomainPatterns": "[]"},
    "ReactivateDomain": DOMAIN,
    "ModifyApiGroupVpcWhitelist": {"VpcIds": VPC_A},
    "ModifyVpcAttribute": {"VpcId": "made", "VpcName": "other"},
    "DescribeVSwitchAttributes": {"VSwitchId": "made"},
    "ModifyVSwitchAttribute": {"VSwitchId": "made", "VSwitchName": "other"},
    "DescribeRouteTableList": {"VpcId": VPC_A},
    "MoveResourceGroup": {"ResourceType": "VPC", "ResourceId": VPC_A, "NewResourceGroupId": "rg-1"},
    "ChangeZoneDnsGroup": ZONE | {"DnsGroup": "FAST_ZONE"},
    "DescribeInstanceClusterInfo": {"InstanceClusterName": "x"},
    "DescribeZones": IN_REGION,
}
TAGS: Final = {
    "TagResources": {"Tag.1.Key": "k"},
    "UntagResources": {"TagKey.1": "k"},
    "ListTagResources": {},
}
# Of objects that are in no World: what begins their keys, and what describes them.
KEPT: Final = (
    ("api", "DescribeApi", "ApiId"),
    ("acl", "DescribeAccessControlListAttribute", "AclId"),
    ("vpc-access", "DescribeVpcAccesses", "VpcAccessId"),
)
# Made first, so that there is something to change.
MADE: Final = (
    (VPC, "CreateVpc"),
    (VPC, "CreateVSwitch"),
    (CLOUDAPI, "CreateInstance"),
    (CLOUDAPI, "SetDomain"),
    (CLOUDAPI, "CreateApi"),
    (CLOUDAPI, "CreateAccessControlList"),
    (CLOUDAPI, "SetVpcAccess"),
    (CLOUDAPI, "CreatePrivateDNS"),
    (PVTZ, "AddZone"),
    (PVTZ, "AddZoneRecord"),
)


def needed(at: tuple[str, str]) -> dict[str, str]:
    version, name = at
    of_cloudapi = parameters(*at) if version == CLOUDAPI else {}
    reads = is_reading(name) and name.endswith("s")
    usual = {} if reads else {"GroupId": DEDICATED, "InstanceId": "made"}
    if "TagResources" in name.replace("UnT", "Unt").replace("Untag", "Tag"):
        return TAGGED[version] | TAGS[name.replace("UnT", "Unt")] | IN_REGION
    return {one: usual[one] for one in usual if one in of_cloudapi} | NEEDED.get(name, {})


def call(at: tuple[str, str]) -> st.SearchStrategy[Asked]:
    """A call of one action that would do, but for a few parameters of its SDK model that may be anything."""
    named = {
        parameter.replace(".N", dot): kind
        for parameter, kind in {**parameters(*at), "RegionId": "text"}.items()
        for dot in ((".1", ".2") if ".N" in parameter else ("",))
    }
    odd = st.one_of([st.tuples(st.just(name), value(name, kind)) for name, kind in sorted(named.items())])
    return st.lists(odd, max_size=2).map(lambda chosen: (at, needed(at) | dict(chosen)))


@cache
def value(name: str, kind: str) -> st.SearchStrategy[str]:
    return st.one_of(st.sampled_from(POOL.get(name, [""])), OF_TYPE[kind])


OF_ACTIONS: Final = [call(at) for at in sorted(ACTIONS)]
CALLS: Final = st.lists(st.one_of(OF_ACTIONS), min_size=5, max_size=25)


@given(CALLS)
@settings(max_examples=60)
def test_any_parameters_give_no_5xx_and_every_describe_still_answers(calls: list[Asked]) -> None:
    cloud, made = Cloud(), dict[str, str]()
    for (version, name), given_ in (*((at, needed(at)) for at in MADE), *calls):
        answer = cloud.ask(name, version, **filled(given_, made))
        assert answer.status in (200, 400, 403, 404)
        assert json.loads(json.dumps(answer.body)) == answer.body
        assert not answer.body.get("Code", "").startswith(("Throttling", "ServiceUnavailable", "Internal"))
        assert answer.body.get("Code") != "MissingVersion"
        if answer.status == 200:
            read(version, name, answer.body)
            made |= {one: str(answer.body[one]) for one in IDS if one in answer.body and not is_reading(name)}
    assert_everything_is_described(cloud)
    contents = cloud.state.contents
    text = yaml_text(written(contents.world))
    assert loads(text, revision=contents.world.revision).world == contents.world
    kept = parse_snapshot(snapshot_text(Snapshot(contents, ""))).contents
    assert dict(kept.attributes) == dict(contents.attributes)
    assert isinstance(kept, Contents)


def read(version: str, name: str, body: dict[str, Any]) -> None:
    """Reads a response as the SDK does, and finds that nothing in it was lost: the SDK has all its fields."""
    models = importlib.import_module(f"{PACKAGES[version]}.models")
    read_again = getattr(models, f"{name}ResponseBody")().from_map(json.loads(json.dumps(body)))
    if is_reading(name):
        assert set(unseen(body, read_again.to_map())) <= MORE_THAN_THE_SDK, name


def unseen(said: Any, told: Any, at: str = "") -> list[str]:
    """What a client of the SDK does not see of a response."""
    if isinstance(said, list):
        return [one for pair in zip(said, told, strict=True) for one in unseen(*pair, at)]
    if not isinstance(said, dict):
        return []
    lost = [f"{at}.{key}" for key in said if key not in told]
    return lost + [one for key in said if key in told for one in unseen(said[key], told[key], f"{at}.{key}")]


def assert_everything_is_described(cloud: Cloud) -> None:
    """Every reading action answers, for every object that there is."""
    world = cloud.state.world
    zones = world.private_zones.zones
    regions = {"RegionId": ""}
    asked: list[tuple[str, str, dict[str, str]]] = [
        *((CLOUDAPI, "DescribeApiGroup", {"GroupId": one}) for one in world.groups),
        *(
            (CLOUDAPI, "DescribeDomain", {"GroupId": group.group_id, "DomainName": str(name)})
            for group in world.groups.values()
            for name in group.custom_domains
        ),
        *((VPC, "DescribeVpcAttribute", {"VpcId": one}) for one in world.topology.vpcs),
        *((PVTZ, "DescribeZoneInfo", {"ZoneId": one}) for one in zones),
        *((PVTZ, "DescribeZoneRecords", {"ZoneId": one}) for one in zones),
        *(
            (PVTZ, "DescribeZoneRecord", {"RecordId": str(one)})
            for zone in zones.values()
            for one in zone.records
        ),
        *((CLOUDAPI, one, {}) for one in ("DescribeRegions", "DescribeApiGroups", "DescribeInstances")),
        *((VPC, one, {}) for one in ("DescribeVpcs", "DescribeVSwitches", "DescribeRegions")),
        (PVTZ, "DescribeZones", {}),
        *((CLOUDAPI, one, {}) for one in ("DescribeVpcAccesses", "DescribeApis", "ListPrivateDNS")),
        *((CLOUDAPI, "DescribeApiGroupVpcWhitelist", {"GroupId": one}) for one in world.groups),
        (VPC, "DescribeRouteTableList", {}),
        (CLOUDAPI, "DescribeAccessControlLists", {}),
        *(
            (CLOUDAPI, action, {parameter: key.rpartition(" ")[2]})
            for word, action, parameter in KEPT
            for key in cloud.state.contents.attributes
            if key.startswith(f"{word} ")
        ),
        (PVTZ, "ListTagResources", {"ResourceType": "ZONE"}),
    ]
    for version, name, given_ in asked:
        body = cloud.done(name, version, **given_, **regions)
        if "TotalCount" in body:
            pages = -(-body["TotalCount"] // body["PageSize"])
            for number in range(2, pages + 1):
                cloud.done(name, version, **given_, **regions, PageNumber=str(number))
