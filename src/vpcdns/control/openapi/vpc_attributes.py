"""Actions of the VPC product on what a VPC, its vSwitches and its route table are described with.

No answer depends on them; the model has the blocks alone, and of routes what the configuration says.
"""

from typing import Any, Final

from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.errors import ApiError
from vpcdns.control.openapi.parameters import Action
from vpcdns.control.openapi.vpc_blocks import with_blocks
from vpcdns.control.openapi.vpcs import VPC_MASKS, cidr_block, route_table_id, router_id, vswitch_item
from vpcdns.model.changes import Change
from vpcdns.model.topology import Vpc
from vpcdns.state.api_attributes import Attributes

# In a VPC's record: what is kept of its system route table.
ROUTE_TABLE: Final = "RouteTable"
_TABLE_KEPT: Final = ("RouteTableName", "Description", "RoutePropagationEnable")
_MOVED: Final = ("VPC",)


def describe_vswitch_attributes(call: Call) -> dict[str, Any]:
    return vswitch_item(call, *call.vswitch(call.required("VSwitchId")))


def modify_vpc_attribute(call: Call) -> dict[str, Any]:
    """Name, description, switches and the first block; what is absent stays, what is empty is taken away."""
    vpc, kept, changes = call.vpc(), call.kept("VpcName", "Description", "EnableDnsHostname"), list[Change]()
    if (ipv6 := call.flag("EnableIPv6")) is not None:
        kept["EnableIpv6"] = str(ipv6).lower()
    if "CidrBlock" in call.parameters:
        changes = with_blocks(call, vpc, (cidr_block(call, VPC_MASKS), *vpc.cidr_blocks[1:]))
    return call.commit(*changes, records=call.edited(vpc, kept))


def modify_vswitch_attribute(call: Call) -> dict[str, Any]:
    _, vswitch = call.vswitch(call.required("VSwitchId"))
    if call.flag("EnableIPv6"):
        raise call.invalid("EnableIPv6", "Blocks of vSwitches are of IPv4 here.")
    return call.commit(records=call.edited(vswitch, call.kept("VSwitchName", "Description")))


def move_resource_group(call: Call) -> dict[str, Any]:
    """Puts a VPC into another resource group; its vSwitches and its route table go with it."""
    call.one_of("ResourceType", _MOVED)
    vpc = call.vpc("ResourceId")
    call.required("NewResourceGroupId")
    kept = call.kept("NewResourceGroupId")
    return call.commit(records=call.edited(vpc, {"ResourceGroupId": kept["NewResourceGroupId"]}))


def describe_route_table_list(call: Call) -> dict[str, Any]:
    """Of each VPC the one route table that it has."""
    vpcs = call.world.topology.vpcs
    vpc_id = call.parameters.get("VpcId")
    named = list(vpcs.values()) if vpc_id is None else [vpcs[vpc_id]] if vpc_id in vpcs else []
    tables = [_table(call, vpc) for vpc in named if call.in_region(vpc.region_id)]
    wanted = {
        name: call.parameters[name]
        for name in ("ResourceGroupId", "RouteTableId", "RouteTableName", "RouterId")
        if name in call.parameters
    }
    types = call.one_of("RouteTableType", ("SYSTEM", "CUSTOM"), "SYSTEM"), call.parameters.get("RouterType")
    if types[0] == "CUSTOM" or types[1] not in (None, "VRouter") or call.tags():
        tables = []
    found = [one for one in tables if wanted.items() <= one.items()]
    return call.page(found, "RouterTableList", "RouterTableListType", lambda one: one)


def modify_route_table_attributes(call: Call) -> dict[str, Any]:
    table_id = call.required("RouteTableId")
    for vpc in call.world.topology.vpcs.values():
        if route_table_id(vpc) == table_id:
            call.flag("RoutePropagationEnable")
            table = {**call.record(vpc).get(ROUTE_TABLE, {}), **call.kept(*_TABLE_KEPT)}
            return call.commit(records=call.edited(vpc, {ROUTE_TABLE: table}))
    text = f"Specified route table does not exist: {table_id[:128]}."
    raise ApiError("InvalidRouteTableId.NotFound", text, 404)


def _table(call: Call, vpc: Vpc) -> dict[str, Any]:
    record = call.record(vpc)
    kept: Attributes = record.get(ROUTE_TABLE, {})
    return {
        "RouteTableId": route_table_id(vpc),
        "RouteTableName": kept.get("RouteTableName", ""),
        "Description": kept.get("Description", ""),
        "RoutePropagationEnable": kept.get("RoutePropagationEnable", "true").lower() == "true",
        "RouteTableType": "System",
        "RouterType": "VRouter",
        "RouterId": router_id(vpc),
        "VpcId": vpc.vpc_id,
        "VSwitchIds": {"VSwitchId": [vswitch.vswitch_id for vswitch in vpc.vswitches]},
        "AssociateType": "VSwitch",
        "Status": "Available",
        "CreationTime": record.get("CreationTime", ""),
        "ResourceGroupId": record.get("ResourceGroupId", ""),
        "Tags": {"Tag": []},
    }


_PAGE: Final = "PageNumber:int PageSize:int"
ACTIONS: Final = {
    "DescribeVSwitchAttributes": Action(describe_vswitch_attributes, "VSwitchId DryRun:bool"),
    "ModifyVpcAttribute": Action(
        modify_vpc_attribute,
        "VpcId VpcName Description CidrBlock EnableDnsHostname:bool EnableIPv6:bool",
        refused="Ipv6CidrBlock Ipv6Isp",
        clears="VpcName Description",
    ),
    "ModifyVSwitchAttribute": Action(
        modify_vswitch_attribute,
        "VSwitchId VSwitchName Description EnableIPv6:bool",
        refused="Ipv6CidrBlock:int Ipv6CidrMask:int VpcIpv6CidrBlock",
        clears="VSwitchName Description",
    ),
    "MoveResourceGroup": Action(move_resource_group, "ResourceType ResourceId NewResourceGroupId"),
    "DescribeRouteTableList": Action(
        describe_route_table_list,
        "VpcId RouteTableId RouteTableName RouteTableType RouterId RouterType ResourceGroupId"
        f" Tag.N.Key Tag.N.Value {_PAGE}",
    ),
    "ModifyRouteTableAttributes": Action(
        modify_route_table_attributes,
        "RouteTableId RouteTableName Description RoutePropagationEnable:bool",
        clears="RouteTableName Description",
    ),
}
