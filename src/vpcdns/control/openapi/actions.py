"""The one table of actions: product and name -> what is done."""

from collections.abc import Callable
from typing import Any, Final

from vpcdns.control.openapi import domains, groups, instances, vpcs
from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.errors import Product

Action = Callable[[Call], dict[str, Any]]


def describe_regions(call: Call) -> dict[str, Any]:
    """The regions that there is anything in."""
    found = call.world.region_ids()
    if call.region is not None:
        found.add(call.region)
    host = call.product.host
    regions = [
        {"RegionId": name, "LocalName": name, "RegionEndpoint": f"{host}.{name}.aliyuncs.com"}
        for name in sorted(found)
    ]
    return {"Regions": {"Region": regions}}


CLOUDAPI: Final[dict[str, Action]] = {
    "CreateInstance": instances.create_instance,
    "DescribeInstances": instances.describe_instances,
    "DeleteInstance": instances.delete_instance,
    "ModifyInstanceAttribute": instances.modify_instance_attribute,
    "ModifyInstanceSpec": instances.modify_instance_spec,
    "ModifyInstanceVpcAttributeForConsole": instances.modify_instance_vpc_attribute,
    "CreateApiGroup": groups.create_api_group,
    "DescribeApiGroup": groups.describe_api_group,
    "DescribeApiGroups": groups.describe_api_groups,
    "ModifyApiGroup": groups.modify_api_group,
    "DeleteApiGroup": groups.delete_api_group,
    "ModifyIntranetDomainPolicy": groups.modify_intranet_domain_policy,
    "ModifyApiGroupNetworkPolicy": groups.modify_api_group_network_policy,
    "ModifyApiGroupInstance": groups.modify_api_group_instance,
    "SetDomain": domains.set_domain,
    "DescribeDomain": domains.describe_domain,
    "DeleteDomain": domains.delete_domain,
    "DescribeRegions": describe_regions,
}
VPC: Final[dict[str, Action]] = {
    "CreateVpc": vpcs.create_vpc,
    "DescribeVpcs": vpcs.describe_vpcs,
    "DescribeVpcAttribute": vpcs.describe_vpc_attribute,
    "DeleteVpc": vpcs.delete_vpc,
    "CreateVSwitch": vpcs.create_vswitch,
    "DescribeVSwitches": vpcs.describe_vswitches,
    "DeleteVSwitch": vpcs.delete_vswitch,
    "DescribeRegions": describe_regions,
}
ACTIONS: Final = {
    **{(Product.CLOUDAPI.version, name): (Product.CLOUDAPI, action) for name, action in CLOUDAPI.items()},
    **{(Product.VPC.version, name): (Product.VPC, action) for name, action in VPC.items()},
}
