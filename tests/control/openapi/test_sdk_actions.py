"""The cloud's own SDKs call the actions that say nothing to DNS, and read in their models what was stored."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.cloud_api import CLOUDAPI, CONFIG, PVTZ, VPC, cloud
from tests.support.cloud_sdk import config, refusal
from tests.support.sdk_models import PACKAGES
from vpcdns.control.openapi import (
    access_control,
    apis,
    domain_settings,
    gateway_settings,
    private_dns,
    regions,
    tags,
    vpc_accesses,
    vpc_attributes,
    vpc_blocks,
)
from vpcdns.testing import Server

pytest.importorskip("alibabacloud_cloudapi20160714", reason="needs the cloud's SDK, of the dev group")
# The SDK asks the clock in a way that Python 3.12 calls out of date.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")

R, BOUND, GROUP = "cn-hangzhou", "apigateway-bound", "d" * 32
WORLD: Final = {
    **CONFIG,
    "vpcs": [
        {
            "vpc_id": "vpc-a",
            "region_id": R,
            "cidr_blocks": ["10.1.0.0/16"],
            "vswitches": [{"vswitch_id": "vsw-1", "cidr_block": "10.1.8.0/24"}],
        },
        {
            "vpc_id": "vpc-b",
            "region_id": R,
            "cidr_blocks": ["10.2.0.0/16"],
            "vswitches": [{"vswitch_id": "vsw-2", "cidr_block": "10.2.8.0/24"}],
        },
        {"vpc_id": "vpc-c", "region_id": "cn-shanghai", "cidr_blocks": ["10.3.0.0/16"]},
    ],
    "instances": [
        {
            "instance_id": BOUND,
            "type": "dedicated",
            "region_id": R,
            "binding": {"vpc_id": "vpc-a", "vswitch_id": "vsw-1"},
        }
    ],
    "groups": [
        {"group_id": GROUP, "name": "weather", "instance_id": BOUND, "custom_domains": ["api.example.com"]}
    ],
}
REQUESTED: Final = {
    "RequestProtocol": "HTTP",
    "RequestHttpMethod": "GET",
    "RequestPath": "/w",
    "RequestMode": "MAPPING",
}
# As the Terraform provider writes it, and as it is read.
SERVED: Final = {"serviceProtocol": "HTTP", "serviceAddress": "http://10.1.8.9", "serviceTimeout": 1000}
API: Final = {
    "group_id": GROUP,
    "api_name": "rain",
    "visibility": "PRIVATE",
    "request_config": json.dumps(REQUESTED),
    "service_config": json.dumps(SERVED),
    "request_parameters": json.dumps([{"ApiParameterName": "city", "Location": "QUERY"}]),
    "service_parameters": "null",
    "result_type": "JSON",
    "result_sample": "{}",
}
DOMAIN: Final = {"group_id": GROUP, "domain_name": "api.example.com"}
ITEM: Final = "CustomDomains.DomainItem.0"
ENTRIES: Final = '[null, {"Entry": "10.0.0.0/8,192.0.2.0/24", "Comment": "c"}]'
NAMED: Final = {"intranet_domain": "db.corp.example", "type": "VPC"}
TAG: Final = [{"key": "team", "value": "dns"}]
TAGGED: Final = "TagResources.TagResource"

# What is called, with which parameters, and what its response has: `=name` notes a value, `{name}` is a noted
# one. An expected text is a refusal's code.
Step = tuple[str, str, dict[str, Any], dict[str, Any] | str]
STORIES: Final[dict[str, list[Step]]] = {
    "networks": [
        (VPC, "modify_vpc_attribute", {"vpc_id": "vpc-a", "vpc_name": "a", "description": "d"}, {}),
        (VPC, "modify_vpc_attribute", {"vpc_id": "vpc-a", "enable_ipv_6": True}, {}),
        (
            VPC,
            "describe_vpc_attribute",
            {"vpc_id": "vpc-a"},
            {"VpcName": "a", "Description": "d", "EnabledIpv6": True},
        ),
        (VPC, "modify_vpc_attribute", {"vpc_id": "vpc-a", "description": ""}, {}),
        (VPC, "describe_vpc_attribute", {"vpc_id": "vpc-a"}, {"VpcName": "a", "Description": ""}),
        (VPC, "modify_vpc_attribute", {"vpc_id": "vpc-none"}, "InvalidVpcID.NotFound"),
        (VPC, "modify_vpc_attribute", {"vpc_id": "vpc-b", "cidr_block": "10.2.0.0/17"}, {}),
        (VPC, "modify_vpc_attribute", {"vpc_id": "vpc-b", "cidr_block": "10.9.0.0/16"}, "InvalidCidrBlock"),
        (VPC, "describe_vpc_attribute", {"vpc_id": "vpc-b"}, {"CidrBlock": "10.2.0.0/17"}),
        (
            VPC,
            "associate_vpc_cidr_block",
            {"vpc_id": "vpc-b", "secondary_cidr_block": "10.70.0.0/16"},
            {"CidrBlock": "10.70.0.0/16", "IpVersion": "IPV4"},
        ),
        (
            VPC,
            "associate_vpc_cidr_block",
            {"vpc_id": "vpc-b", "secondary_cidr_block": "10.70.0.0/16"},
            "InvalidCidrBlock",
        ),
        (
            VPC,
            "describe_vpc_attribute",
            {"vpc_id": "vpc-b"},
            {"SecondaryCidrBlocks.SecondaryCidrBlock": ["10.70.0.0/16"]},
        ),
        (VPC, "unassociate_vpc_cidr_block", {"vpc_id": "vpc-b", "secondary_cidr_block": "10.70.0.0/16"}, {}),
        (
            VPC,
            "unassociate_vpc_cidr_block",
            {"vpc_id": "vpc-b", "secondary_cidr_block": "10.2.0.0/17"},
            "InvalidSecondaryCidrBlock",
        ),
        (VPC, "modify_vswitch_attribute", {"v_switch_id": "vsw-1", "v_switch_name": "one"}, {}),
        (
            VPC,
            "describe_vswitch_attributes",
            {"v_switch_id": "vsw-1"},
            {"VSwitchName": "one", "VpcId": "vpc-a", "CidrBlock": "10.1.8.0/24", "Ipv6CidrBlock": ""},
        ),
        (VPC, "describe_vswitch_attributes", {"v_switch_id": "vsw-none"}, "InvalidVswitchID.NotFound"),
        (
            VPC,
            "describe_route_table_list",
            {"vpc_id": "vpc-a"},
            {
                "TotalCount": 1,
                "RouterTableList.RouterTableListType.0.RouteTableId": "=table",
                "RouterTableList.RouterTableListType.0.VSwitchIds.VSwitchId": ["vsw-1"],
                "RouterTableList.RouterTableListType.0.RoutePropagationEnable": True,
            },
        ),
        (VPC, "modify_route_table_attributes", {"route_table_id": "{table}", "route_table_name": "main"}, {}),
        (VPC, "describe_route_table_list", {"route_table_name": "main"}, {"TotalCount": 1}),
        (VPC, "describe_route_table_list", {"route_table_type": "Custom"}, {"TotalCount": 0}),
        (VPC, "modify_route_table_attributes", {"route_table_id": "none"}, "InvalidRouteTableId.NotFound"),
        (
            VPC,
            "move_resource_group",
            {"resource_type": "vpc", "resource_id": "vpc-a", "new_resource_group_id": "rg-1"},
            {},
        ),
        (VPC, "describe_vpcs", {"resource_group_id": "rg-1"}, {"Vpcs.Vpc.0.VpcId": "vpc-a", "TotalCount": 1}),
    ],
    "tags of networks": [
        (VPC, "tag_resources", {"resource_type": "VPC", "resource_id": ["vpc-a", "vpc-b"], "tag": TAG}, {}),
        (VPC, "tag_resources", {"resource_type": "VSWITCH", "resource_id": ["vsw-1"], "tag": TAG}, {}),
        (
            VPC,
            "list_tag_resources",
            {"resource_type": "VPC", "tag": TAG, "max_results": 1},
            {f"{TAGGED}.0.ResourceId": "vpc-a", f"{TAGGED}.0.TagValue": "dns", "NextToken": "=next"},
        ),
        (
            VPC,
            "list_tag_resources",
            {"resource_type": "VPC", "tag": TAG, "next_token": "{next}"},
            {f"{TAGGED}.0.ResourceId": "vpc-b", "NextToken": None},
        ),
        (VPC, "describe_vswitches", {"tag": TAG}, {"TotalCount": 1}),
        (
            VPC,
            "un_tag_resources",
            {"resource_type": "VPC", "resource_id": ["vpc-a"], "tag_key": ["team"]},
            {},
        ),
        (VPC, "list_tag_resources", {"resource_type": "VPC", "resource_id": ["vpc-a", "none"]}, {TAGGED: []}),
        (
            VPC,
            "tag_resources",
            {"resource_type": "VPC", "resource_id": ["none"], "tag": TAG},
            "InvalidVpcID.NotFound",
        ),
        (VPC, "list_tag_resources", {"resource_type": "EIP", "resource_id": ["x"]}, "InvalidResourceType"),
    ],
    "tags of gateways": [
        (CLOUDAPI, "tag_resources", {"resource_type": "apiGroup", "resource_id": [GROUP], "tag": TAG}, {}),
        (CLOUDAPI, "tag_resources", {"resource_type": "instance", "resource_id": [BOUND], "tag": TAG}, {}),
        (
            CLOUDAPI,
            "list_tag_resources",
            {"resource_type": "apiGroup", "resource_id": [GROUP]},
            {f"{TAGGED}.0.TagKey": "team", f"{TAGGED}.0.ResourceType": "apiGroup"},
        ),
        (CLOUDAPI, "describe_instances", {"tag": TAG}, {"TotalCount": 1}),
        (CLOUDAPI, "describe_api_groups", {"tag": TAG}, {"TotalCount": 1}),
        (CLOUDAPI, "untag_resources", {"resource_type": "instance", "resource_id": [BOUND], "all": True}, {}),
        (CLOUDAPI, "list_tag_resources", {"resource_type": "instance", "resource_id": [BOUND]}, {TAGGED: []}),
        (
            CLOUDAPI,
            "untag_resources",
            {"resource_type": "instance", "resource_id": [BOUND]},
            "MissingTagKey.1",
        ),
    ],
    "zones and regions": [
        (VPC, "describe_regions", {}, {"Regions.Region.0.RegionId": R}),
        (CLOUDAPI, "describe_regions", {}, {"Regions.Region.0.RegionId": R}),
        (VPC, "describe_zones", {"region_id": R}, {"Zones.Zone.0.ZoneId": f"{R}-a"}),
        (VPC, "describe_zones", {"region_id": R, "zone_type": "CloudBox"}, {"Zones.Zone": []}),
        (CLOUDAPI, "describe_zones", {}, {"Zones.Zone.0.ZoneId": f"{R}-MAZ1(a,b)"}),
        (
            VPC,
            "create_vswitch",
            {"vpc_id": "vpc-b", "cidr_block": "10.2.64.0/24", "zone_id": f"{R}-k"},
            {"VSwitchId": "=vswitch"},
        ),
        (VPC, "describe_zones", {"region_id": R}, {"Zones.Zone.3.ZoneId": f"{R}-k"}),
        (VPC, "delete_vswitch", {"v_switch_id": "{vswitch}"}, {}),
    ],
    "VPC access": [
        (
            CLOUDAPI,
            "set_vpc_access",
            {"name": "web", "vpc_id": "vpc-a", "instance_id": "10.1.8.9", "port": 80, "tag": TAG},
            {"VpcAccessId": "=access"},
        ),
        (
            CLOUDAPI,
            "describe_vpc_accesses",
            {"name": "we"},
            {
                "TotalCount": 1,
                "VpcAccessAttributes.VpcAccessAttribute.0.VpcAccessId": "{access}",
                "VpcAccessAttributes.VpcAccessAttribute.0.Port": 80,
                "VpcAccessAttributes.VpcAccessAttribute.0.RegionId": R,
                "VpcAccessAttributes.VpcAccessAttribute.0.Tags.TagInfo.0.Value": "dns",
            },
        ),
        (CLOUDAPI, "describe_vpc_accesses", {"name": "we", "accurate_query": True}, {"TotalCount": 0}),
        (CLOUDAPI, "describe_vpc_accesses", {"vpc_id": "vpc-b"}, {"TotalCount": 0}),
        (CLOUDAPI, "describe_vpc_accesses", {"port": "81"}, {"TotalCount": 0}),
        (
            CLOUDAPI,
            "set_vpc_access",
            {"name": "web", "vpc_id": "vpc-b", "instance_id": "i-1", "port": 80},
            "RepeatedName",
        ),
        (
            CLOUDAPI,
            "set_vpc_access",
            {"name": "again", "vpc_id": "vpc-a", "instance_id": "10.1.8.9", "port": 80},
            "RepeatedInstanceId",
        ),
        (
            CLOUDAPI,
            "set_vpc_access",
            {"name": "x", "vpc_id": "vpc-none", "instance_id": "i", "port": 1},
            "NotFoundVpc",
        ),
        (
            CLOUDAPI,
            "set_vpc_access",
            {"name": "x", "vpc_id": "vpc-c", "instance_id": "i", "port": 1},
            "InvalidVpcId",
        ),
        (
            CLOUDAPI,
            "set_vpc_access",
            {"name": "x", "vpc_id": "vpc-a", "instance_id": "i", "port": 65536},
            "InvalidPort",
        ),
        (
            CLOUDAPI,
            "validate_vpc_connectivity",
            {"instance_id": BOUND, "vpc_access_id": "{access}"},
            {"Connected": True, "IpType": "ECS"},
        ),
        (
            CLOUDAPI,
            "validate_vpc_connectivity",
            {"instance_id": BOUND, "vpc_access_id": "none"},
            "NotFoundVpcAccess",
        ),
        (CLOUDAPI, "remove_vpc_access", {"vpc_id": "vpc-a", "instance_id": "10.1.8.9", "port": 80}, {}),
        (
            CLOUDAPI,
            "remove_vpc_access",
            {"vpc_id": "vpc-a", "instance_id": "10.1.8.9", "port": 80},
            "NotFoundVpcAccess",
        ),
    ],
    "custom domains": [
        (
            CLOUDAPI,
            "set_domain_certificate",
            {
                **DOMAIN,
                "certificate_name": "cert",
                "certificate_body": "-----BEGIN",
                "certificate_private_key": "key",
            },
            {},
        ),
        (
            CLOUDAPI,
            "describe_domain",
            DOMAIN,
            {"CertificateName": "cert", "CertificateBody": "-----BEGIN", "CertificatePrivateKey": None},
        ),
        (CLOUDAPI, "set_domain_web_socket_status", {**DOMAIN, "action_value": "OPEN"}, {}),
        (CLOUDAPI, "set_wildcard_domain_patterns", {**DOMAIN, "wildcard_domain_patterns": '["a"]'}, {}),
        (CLOUDAPI, "reactivate_domain", DOMAIN, {}),
        (
            CLOUDAPI,
            "describe_api_group",
            {"group_id": GROUP},
            {
                f"{ITEM}.DomainWebSocketStatus": "OPEN",
                f"{ITEM}.WildcardDomainPatterns": '["a"]',
                f"{ITEM}.CertificateName": "cert",
                f"{ITEM}.DomainLegalStatus": "NORMAL",
            },
        ),
        (CLOUDAPI, "reactivate_domain", {**DOMAIN, "domain_name": "x.example.com"}, "NotFoundDomain"),
    ],
    "APIs": [
        (CLOUDAPI, "create_api", API, {"ApiId": "=api"}),
        (CLOUDAPI, "create_api", API, "RepeatedApiName"),
        (
            CLOUDAPI,
            "create_api",
            {**API, "api_name": "x", "request_config": "[]"},
            "InvalidFormatRequestConfig",
        ),
        (
            CLOUDAPI,
            "describe_api",
            {"api_id": "{api}", "group_id": GROUP},
            {
                "ApiName": "rain",
                "GroupName": "weather",
                "RequestConfig.RequestPath": "/w",
                "ServiceConfig.ServiceTimeout": 1000,
                "RequestParameters.RequestParameter.0.ApiParameterName": "city",
                "ServiceParameters.ServiceParameter": [],
                "DeployedInfos.DeployedInfo.0.DeployedStatus": "NONDEPLOYED",
            },
        ),
        (
            CLOUDAPI,
            "deploy_api",
            {"api_id": "{api}", "group_id": GROUP, "stage_name": "RELEASE", "description": "d"},
            {},
        ),
        (CLOUDAPI, "modify_api", {"api_id": "{api}", "group_id": GROUP, "api_name": "snow"}, {}),
        (
            CLOUDAPI,
            "describe_deployed_api",
            {"api_id": "{api}", "group_id": GROUP, "stage_name": "RELEASE"},
            {"ApiName": "rain", "StageName": "RELEASE"},
        ),
        (
            CLOUDAPI,
            "describe_apis",
            {"group_id": GROUP, "api_name": "now", "api_path": "/w", "stage_name": "RELEASE"},
            {
                "TotalCount": 1,
                "ApiSummarys.ApiSummary.0.ApiName": "snow",
                "ApiSummarys.ApiSummary.0.ApiMethod": "GET",
            },
        ),
        (CLOUDAPI, "describe_apis", {"un_deployed": True}, {"TotalCount": 0}),
        (CLOUDAPI, "delete_api_group", {"group_id": GROUP}, "DependencyViolationApiGroup"),
        (CLOUDAPI, "abolish_api", {"api_id": "{api}", "group_id": GROUP, "stage_name": "RELEASE"}, {}),
        (
            CLOUDAPI,
            "abolish_api",
            {"api_id": "{api}", "group_id": GROUP, "stage_name": "RELEASE"},
            "NotFoundStage",
        ),
        (
            CLOUDAPI,
            "describe_deployed_api",
            {"api_id": "{api}", "group_id": GROUP, "stage_name": "RELEASE"},
            "NotFoundStage",
        ),
        (CLOUDAPI, "delete_api", {"api_id": "{api}", "group_id": GROUP}, {}),
        (CLOUDAPI, "describe_api", {"api_id": "{api}", "group_id": GROUP}, "NotFoundApi"),
    ],
    "access control": [
        (CLOUDAPI, "create_access_control_list", {"acl_name": "office"}, {"AclId": "=acl"}),
        (CLOUDAPI, "create_access_control_list", {"acl_name": "office"}, "RepeatedAclName"),
        (CLOUDAPI, "add_access_control_list_entry", {"acl_id": "{acl}", "acl_entrys": ENTRIES}, {}),
        (CLOUDAPI, "add_access_control_list_entry", {"acl_id": "{acl}", "acl_entrys": ENTRIES}, {}),
        (
            CLOUDAPI,
            "describe_access_control_list_attribute",
            {"acl_id": "{acl}"},
            {
                "AclName": "office",
                "AddressIPVersion": "ipv4",
                "AclEntrys.AclEntry": [
                    {"AclEntryComment": "c", "AclEntryIp": "10.0.0.0/8"},
                    {"AclEntryComment": "c", "AclEntryIp": "192.0.2.0/24"},
                ],
            },
        ),
        (
            CLOUDAPI,
            "add_access_control_list_entry",
            {"acl_id": "{acl}", "acl_entrys": '[{"entry": "fd00::/8"}]'},
            "InvalidAclEntrys",
        ),
        (
            CLOUDAPI,
            "remove_access_control_list_entry",
            {"acl_id": "{acl}", "acl_entrys": '[{"entry": "10.0.0.0/8"}]'},
            {},
        ),
        (CLOUDAPI, "set_access_control_list_attribute", {"acl_id": "{acl}", "acl_name": "home"}, {}),
        (
            CLOUDAPI,
            "describe_access_control_lists",
            {"acl_name": "ho"},
            {"Acls.Acl.0.AclId": "{acl}", "TotalCount": 1},
        ),
        (
            CLOUDAPI,
            "enable_instance_access_control",
            {"instance_id": BOUND, "acl_id": "{acl}", "acl_type": "white"},
            {},
        ),
        (
            CLOUDAPI,
            "describe_instances",
            {"instance_id": BOUND},
            {
                "Instances.InstanceAttribute.0.AclId": "{acl}",
                "Instances.InstanceAttribute.0.AclType": "white",
                "Instances.InstanceAttribute.0.AclStatus": "on",
            },
        ),
        (CLOUDAPI, "delete_access_control_list", {"acl_id": "{acl}"}, "DependencyViolationAccessControlList"),
        (CLOUDAPI, "disable_instance_access_control", {"instance_id": BOUND, "acl_id": "{acl}"}, {}),
        (
            CLOUDAPI,
            "disable_instance_access_control",
            {"instance_id": BOUND, "acl_id": "{acl}"},
            "NotFoundAccessControlList",
        ),
        (CLOUDAPI, "delete_access_control_list", {"acl_id": "{acl}"}, {}),
        (CLOUDAPI, "describe_access_control_list_attribute", {"acl_id": "{acl}"}, "InvokeSlbApiFail"),
    ],
    "internal names": [
        (CLOUDAPI, "create_private_dns", NAMED, {}),
        (CLOUDAPI, "create_private_dns", NAMED, "RepeatedIntranetDomain"),
        (CLOUDAPI, "create_private_dns", {**NAMED, "type": "A", "records": [{"record": "10.1.8.9"}]}, {}),
        (
            CLOUDAPI,
            "update_private_dns",
            {**NAMED, "type": "A", "records": [{"record": "10.1.8.8", "weight": 2}]},
            {},
        ),
        (
            CLOUDAPI,
            "update_private_dns",
            {**NAMED, "type": "A", "records": [{"record": "x"}]},
            "InvalidRecords",
        ),
        (
            CLOUDAPI,
            "list_private_dns",
            {"type": "A"},
            {
                "TotalCount": 1,
                "PrivateDNSList.0.Records": [{"Record": "10.1.8.8", "Weight": 2}],
                "PrivateDNSList.0.BindInstances": [],
            },
        ),
        (
            CLOUDAPI,
            "associate_instance_with_private_dns",
            {"instance_id": BOUND, "intranet_domains": ["db.corp.example"]},
            {},
        ),
        (CLOUDAPI, "list_private_dns", {"type": "VPC"}, {"PrivateDNSList.0.BindInstances": [BOUND]}),
        (
            CLOUDAPI,
            "describe_instances",
            {"instance_id": BOUND},
            {"Instances.InstanceAttribute.0.PrivateDnsList.PrivateDns": ["db.corp.example"]},
        ),
        (CLOUDAPI, "delete_private_dns", NAMED, "DependencyViolationPrivateDNS"),
        (
            CLOUDAPI,
            "dissociate_instance_with_private_dns",
            {"instance_id": BOUND, "intranet_domains": ["db.corp.example"]},
            {},
        ),
        (
            CLOUDAPI,
            "describe_instances",
            {"instance_id": BOUND},
            {"Instances.InstanceAttribute.0.PrivateDnsList.PrivateDns": []},
        ),
        (CLOUDAPI, "delete_private_dns", NAMED, {}),
        (CLOUDAPI, "delete_private_dns", {**NAMED, "type": "A", "force": True}, {}),
        (CLOUDAPI, "delete_private_dns", NAMED, "NotFoundIntranetDomain"),
    ],
    "groups and the service": [
        (CLOUDAPI, "modify_api_group_vpc_whitelist", {"group_id": GROUP, "vpc_ids": "vpc-a,vpc-b"}, {}),
        (CLOUDAPI, "describe_api_group_vpc_whitelist", {"group_id": GROUP}, {"VpcIds": "vpc-a,vpc-b"}),
        (CLOUDAPI, "modify_api_group_vpc_whitelist", {"group_id": GROUP}, {}),
        (CLOUDAPI, "describe_api_group_vpc_whitelist", {"group_id": GROUP}, {"VpcIds": ""}),
        (
            CLOUDAPI,
            "create_intranet_domain",
            {"group_id": GROUP},
            {"DomainName": f"{GROUP}-{R}-intranet.alicloudapi.com"},
        ),
        (
            CLOUDAPI,
            "describe_api_group",
            {"group_id": GROUP},
            {"VpcSlbIntranetDomain": f"{GROUP}-{R}-intranet.alicloudapi.com"},
        ),
        (CLOUDAPI, "open_api_gateway_service", {}, "ORDER.OPEND"),
        (
            CLOUDAPI,
            "describe_instance_cluster_list",
            {},
            {"TotalCount": 0, "InstanceClusters.InstanceCluster": []},
        ),
        (
            CLOUDAPI,
            "describe_instance_cluster_info",
            {"instance_cluster_name": "x"},
            "NotFoundInstanceCluster",
        ),
    ],
}


class Sdks:
    """The clients of all products, of one server."""

    def __init__(self, server: Server) -> None:
        modules = {version: importlib.import_module(f"{one}.client") for version, one in PACKAGES.items()}
        self.clients = {version: one.Client(config(server)) for version, one in modules.items()}
        self.models = {version: importlib.import_module(f"{one}.models") for version, one in PACKAGES.items()}

    def call(self, version: str, action: str, given: dict[str, Any]) -> dict[str, Any]:
        models = self.models[version]
        name = (
            next(one for one in dir(models) if one.lower() == f"{action.replace('_', '')}request")
            if given
            else ""
        )
        request = [getattr(models, name)(**self._modelled(version, name, given))] if given else []
        if not given and hasattr(models, name := _camel(action)):
            request = [getattr(models, name)()]
        said: dict[str, Any] = getattr(self.clients[version], action)(*request).body.to_map()
        return said

    def _modelled(self, version: str, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """Lists of objects are of the request's own models."""
        inner = {"tag": f"{name}Tag", "records": f"{name}Records"}
        return {
            key: [getattr(self.models[version], inner[key])(**one) for one in value]
            if key in inner
            else value
            for key, value in given.items()
        }


def _camel(action: str) -> str:
    return "".join(map(str.capitalize, action.split("_"))) + "Request"


def at(said: Any, path: str) -> Any:
    """What a response has at a path; None where it has nothing."""
    for part in path.split("."):
        if isinstance(said, list):
            said = said[int(part)] if int(part) < len(said) else None
        else:
            said = None if said is None else said.get(part)
    return said


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with cloud(WORLD, tmp_path_factory.mktemp("state") / "vpcdns.state") as server:
        yield server


@pytest.mark.parametrize("story", STORIES)
def test_what_the_sdks_store_is_what_they_read(served: Server, story: str) -> None:
    sdks, noted = Sdks(served), dict[str, str]()

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return re.sub(r"\{(\w+)\}", lambda match: noted.get(match[1], match[0]), value)
        return value

    for version, action, given, expected in STORIES[story]:
        asked = {name: filled(value) for name, value in given.items()}
        if isinstance(expected, str):
            with pytest.raises(Exception, match=r".") as raised:
                sdks.call(version, action, asked)
            status, code = refusal(raised)
            assert (code, status < 500) == (expected, True)
            continue
        said = sdks.call(version, action, asked)
        assert said["RequestId"]
        for path, value in expected.items():
            if isinstance(value, str) and value.startswith("="):
                noted[value[1:]] = at(said, path)
            else:
                assert at(said, path) == filled(value), (action, path)


def test_every_action_of_these_modules_is_called() -> None:
    called = {
        (version, action.replace("_", "")) for story in STORIES.values() for version, action, _, _ in story
    }
    modules = (
        *((CLOUDAPI, one.ACTIONS) for one in (access_control, apis, domain_settings, gateway_settings)),
        *((CLOUDAPI, one.ACTIONS) for one in (private_dns, vpc_accesses)),
        *((CLOUDAPI, tags.CLOUDAPI_ACTIONS), (CLOUDAPI, regions.CLOUDAPI_ACTIONS)),
        *(
            (VPC, vpc_attributes.ACTIONS),
            (VPC, vpc_blocks.ACTIONS),
            (VPC, tags.VPC_ACTIONS),
            (VPC, regions.VPC_ACTIONS),
        ),
    )
    assert {(version, name.lower()) for version, actions in modules for name in actions} <= called


def test_what_is_stored_is_there_after_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "vpcdns.state"
    asked: list[tuple[str, dict[str, Any]]] = [
        ("describe_vpc_accesses", {"name": "web"}),
        ("describe_apis", {"group_id": GROUP}),
        ("describe_access_control_lists", {"acl_name": "office"}),
        ("list_private_dns", {"type": "VPC"}),
        ("describe_api_group_vpc_whitelist", {"group_id": GROUP}),
    ]
    with cloud(WORLD, state) as server:
        sdks = Sdks(server)
        web = {"name": "web", "vpc_id": "vpc-a", "instance_id": "10.1.8.9", "port": 80}
        sdks.call(CLOUDAPI, "set_vpc_access", web)
        sdks.call(CLOUDAPI, "create_api", API)
        sdks.call(CLOUDAPI, "create_access_control_list", {"acl_name": "office"})
        sdks.call(CLOUDAPI, "create_private_dns", NAMED)
        sdks.call(CLOUDAPI, "modify_api_group_vpc_whitelist", {"group_id": GROUP, "vpc_ids": "vpc-a"})
        before = [sdks.call(CLOUDAPI, *one) | {"RequestId": ""} for one in asked]
        assert all(one.get("TotalCount", 1) == 1 for one in before)
    with cloud(WORLD, state) as server:
        sdks = Sdks(server)
        assert [sdks.call(CLOUDAPI, *one) | {"RequestId": ""} for one in asked] == before


def test_tags_of_zones_by_either_spelling(served: Server) -> None:
    """Terraform writes UnTagResources to PrivateZone, whose SDK writes UntagResources."""
    sdks = Sdks(served)
    zone = {
        "resource_type": "ZONE",
        "resource_id": [sdks.call(PVTZ, "add_zone", {"zone_name": "t.example"})["ZoneId"]],
    }
    sdks.call(PVTZ, "tag_resources", {**zone, "tag": TAG})
    assert sdks.call(PVTZ, "list_tag_resources", zone)["TagResources"][0]["TagKey"] == "team"
    sdks.call(PVTZ, "untag_resources", {**zone, "tag_key": ["team"]})
    assert sdks.call(PVTZ, "list_tag_resources", zone)["TagResources"] == []


def test_clients_in_a_further_block_of_a_vpc_are_inside_it(served: Server) -> None:
    sdks, name, inside = Sdks(served), f"{GROUP}-{R}-vpc.alicloudapi.com", "10.75.0.5"
    sdks.call(CLOUDAPI, "modify_intranet_domain_policy", {"group_id": GROUP, "vpc_intranet_enable": True})
    block = {"vpc_id": "vpc-a", "secondary_cidr_block": "10.75.0.0/16"}
    served.client.assert_denied(name, inside)
    sdks.call(VPC, "associate_vpc_cidr_block", block)
    served.client.assert_resolves(name, inside)
    sdks.call(VPC, "unassociate_vpc_cidr_block", block)
    served.client.assert_denied(name, inside)
    sdks.call(CLOUDAPI, "modify_intranet_domain_policy", {"group_id": GROUP, "vpc_intranet_enable": False})
