"""Actions on a group's whitelist and self-calling domain, on the service, and on clusters of instances."""

from typing import Any, Final

from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.domain_items import intranet_domain
from vpcdns.control.openapi.errors import ApiError, not_found
from vpcdns.control.openapi.parameters import Action

_WHITELIST: Final = "VpcWhitelist"


def create_intranet_domain(call: Call) -> dict[str, Any]:
    """Switches a group's self-calling domain on. No document says what it resolves to: here, to nothing."""
    group = call.group()
    call.commit(records=call.edited(group, {"VpcSlbIntranetEnable": "true"}))
    return {"DomainName": intranet_domain(call, group)}


def describe_api_group_vpc_whitelist(call: Call) -> dict[str, Any]:
    return {"VpcIds": call.record(call.group()).get(_WHITELIST, "")}


def modify_api_group_vpc_whitelist(call: Call) -> dict[str, Any]:
    """The VPCs whose requests a gateway serves, with a comma between them; it takes no name from anybody."""
    vpc_ids = call.kept("VpcIds").get("VpcIds") or None
    return call.commit(records=call.edited(call.group(), {_WHITELIST: vpc_ids}))


def open_api_gateway_service(call: Call) -> dict[str, Any]:
    """It is open, from the beginning; the cloud has this error for it."""
    raise ApiError("ORDER.OPEND", "The service is open already; nothing was ordered.")


def describe_instance_cluster_list(call: Call) -> dict[str, Any]:
    """There are no clusters of instances here."""
    return call.page([], "InstanceClusters", "InstanceCluster", lambda one: one)


def describe_instance_cluster_info(call: Call) -> dict[str, Any]:
    name = call.required("InstanceClusterName")
    raise not_found("InstanceCluster", f"cluster {name[:128]}: vpcdns has no clusters of instances.")


ACTIONS: Final = {
    "CreateIntranetDomain": Action(create_intranet_domain, "GroupId"),
    "DescribeApiGroupVpcWhitelist": Action(describe_api_group_vpc_whitelist, "GroupId"),
    "ModifyApiGroupVpcWhitelist": Action(modify_api_group_vpc_whitelist, "GroupId VpcIds"),
    "OpenApiGatewayService": Action(open_api_gateway_service, ""),
    "DescribeInstanceClusterList": Action(
        describe_instance_cluster_list, "InstanceClusterId InstanceClusterName PageNumber:int PageSize:int"
    ),
    "DescribeInstanceClusterInfo": Action(describe_instance_cluster_info, "InstanceClusterName"),
}
