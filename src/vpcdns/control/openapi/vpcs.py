"""Actions of the VPC product: those that make, show and delete VPCs and vSwitches."""

import hashlib
from collections.abc import Iterable
from ipaddress import IPv4Network
from typing import Any, Final

from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.errors import ApiError, bad_format, missing
from vpcdns.control.openapi.kept_objects import all_kept, without
from vpcdns.control.openapi.parameters import Action
from vpcdns.model.topology import Vpc, VSwitch
from vpcdns.model.topology_changes import CreateVpc, CreateVSwitch, DeleteVpc, DeleteVSwitch
from vpcdns.state.api_attributes import Attributes, Kind, object_key

DEFAULT_BLOCK: Final = IPv4Network("172.16.0.0/12")  # the cloud's, when CreateVpc names none
VPC_MASKS: Final = range(16, 29)
VSWITCH_MASKS: Final = range(16, 30)
# Each of them is a VPC's block in the cloud's own examples, although its mask is shorter than 16.
_PRIVATE: Final = (IPv4Network("10.0.0.0/8"), DEFAULT_BLOCK)
# What no VPC may have: the cloud's list, and what is no host's address anywhere (RFC 6890).
_RESERVED: Final = tuple(
    IPv4Network(block)
    for block in ("100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "0.0.0.0/8", "240.0.0.0/4")
)
MAX_IDS: Final = 20  # that one request names
_VPC_KEPT: Final = (
    *("VpcName", "Description", "ResourceGroupId", "UserCidr", "EnableIpv6", "EnableDnsHostname"),
)
_VSWITCH_KEPT: Final = ("VSwitchName", "Description", "ZoneId")


def create_vpc(call: Call) -> dict[str, Any]:
    """A VPC; its block is its source network too, unless another one has that block already."""
    block = cidr_block(call, VPC_MASKS) if "CidrBlock" in call.parameters else DEFAULT_BLOCK
    sources = () if call.world.topology.claimed(block) is not None else (block,)
    vpc = Vpc(_id("vpc", call.new_id()), call.region_id, (block,), sources)
    if not call.is_repeated(call.world.topology.vpcs.get(vpc.vpc_id)):
        record = {**call.kept(*_VPC_KEPT), **call.request_mark(), "CreationTime": call.at}
        call.commit(CreateVpc(vpc), records={object_key(vpc): record})
    group_id = call.record(vpc).get("ResourceGroupId", "")
    made = {"VRouterId": router_id(vpc), "RouteTableId": route_table_id(vpc), "ResourceGroupId": group_id}
    return {"VpcId": vpc.vpc_id, **made}


def describe_vpcs(call: Call) -> dict[str, Any]:
    """Those for which all that is asked for holds. None is the default VPC of its region."""
    name, group_id = call.parameters.get("VpcName"), call.parameters.get("ResourceGroupId")
    wanted, tags, ipv6 = _ids(call, "VpcId"), call.tags(), call.flag("EnableIpv6")
    found: Iterable[Vpc] = (one for one in call.world.topology.vpcs.values() if call.in_region(one.region_id))
    if wanted:
        found = (one for one in found if one.vpc_id in wanted)
    if name is not None:
        found = (one for one in found if call.record(one).get("VpcName", "") == name)
    if group_id is not None:
        found = (one for one in found if call.record(one).get("ResourceGroupId", "") == group_id)
    if ipv6 is not None:
        found = (one for one in found if _has_ipv6(call.record(one)) is ipv6)
    if tags:
        found = (one for one in found if call.has_tags(one, tags))
    if call.flag("IsDefault") or "DhcpOptionsSetId" in call.parameters:
        found = ()
    return call.page(list(found), "Vpcs", "Vpc", lambda vpc: _vpc(call, vpc))


def describe_vpc_attribute(call: Call) -> dict[str, Any]:
    vpc = call.vpc()
    more = {"ClassicLinkEnabled": False, "AssociatedCens": {"AssociatedCen": []}}
    return {**_vpc(call, vpc), **more}


def delete_vpc(call: Call) -> dict[str, Any]:
    vpc = call.vpc()
    gone = without(*all_kept(call, Kind.VPC_ACCESS, vpc.vpc_id))
    return call.commit(DeleteVpc(vpc.vpc_id), records={object_key(vpc): None, **gone})


def create_vswitch(call: Call) -> dict[str, Any]:
    vpc, block = call.vpc(), cidr_block(call, VSWITCH_MASKS)
    if call.parameters.get("ZoneId") is None:
        raise missing("ZoneId")
    vswitch = VSwitch(_id("vsw", call.new_id()), block)
    if not call.is_repeated(vpc.vswitch(vswitch.vswitch_id)):
        record = {**call.kept(*_VSWITCH_KEPT), **call.request_mark(), "CreationTime": call.at}
        call.commit(CreateVSwitch(vpc.vpc_id, vswitch), records={object_key(vswitch): record})
    return {"VSwitchId": vswitch.vswitch_id}


def describe_vswitches(call: Call) -> dict[str, Any]:
    """Those for which all that is asked for holds. A vSwitch is in its VPC's resource group."""
    wanted, vpc_id, table_id = _ids(call, "VSwitchId"), *map(call.parameters.get, ("VpcId", "RouteTableId"))
    vpcs: Iterable[Vpc] = call.world.topology.vpcs.values()
    if vpc_id is not None:
        vpcs = filter(None, [call.world.topology.vpcs.get(vpc_id)])
    if (group_id := call.parameters.get("ResourceGroupId")) is not None:
        vpcs = (one for one in vpcs if call.record(one).get("ResourceGroupId", "") == group_id)
    if table_id is not None:
        vpcs = (one for one in vpcs if route_table_id(one) == table_id)
    found: Iterable[tuple[Vpc, VSwitch]]
    found = ((one, vswitch) for one in vpcs if call.in_region(one.region_id) for vswitch in one.vswitches)
    if wanted:
        found = ((one, vswitch) for one, vswitch in found if vswitch.vswitch_id in wanted)
    said = {name: call.parameters.get(name) for name in ("VSwitchName", "ZoneId")}
    said = {name: value for name, value in said.items() if value is not None}
    if said:
        found = ((one, vswitch) for one, vswitch in found if said.items() <= call.record(vswitch).items())
    if tags := call.tags():
        found = ((one, vswitch) for one, vswitch in found if call.has_tags(vswitch, tags))
    if call.flag("IsDefault") or call.flag("EnableIpv6"):
        found = ()
    return call.page(list(found), "VSwitches", "VSwitch", lambda pair: vswitch_item(call, *pair))


def delete_vswitch(call: Call) -> dict[str, Any]:
    vpc, vswitch = call.vswitch(call.required("VSwitchId"))
    change = DeleteVSwitch(vpc.vpc_id, vswitch.vswitch_id)
    return call.commit(change, records={object_key(vswitch): None})


def router_id(vpc: Vpc) -> str:
    """The id of a VPC's router, which is all that vpcdns has of it."""
    return _id("vrt", hashlib.sha256(f"vrt {vpc.vpc_id}".encode()).hexdigest())


def route_table_id(vpc: Vpc) -> str:
    """The id of a VPC's system route table, which all of its vSwitches have."""
    return _id("vtb", hashlib.sha256(f"vtb {vpc.vpc_id}".encode()).hexdigest())


def _vpc(call: Call, vpc: Vpc) -> dict[str, Any]:
    record = call.record(vpc)
    blocks = [str(block) for block in vpc.cidr_blocks]
    return {
        "VpcId": vpc.vpc_id,
        "RegionId": vpc.region_id,
        "CidrBlock": blocks[0],
        "SecondaryCidrBlocks": {"SecondaryCidrBlock": blocks[1:]},
        "UserCidrs": {"UserCidr": list(filter(None, record.get("UserCidr", "").split(",")))},
        "VSwitchIds": {"VSwitchId": [vswitch.vswitch_id for vswitch in vpc.vswitches]},
        "VRouterId": router_id(vpc),
        "RouterTableIds": {"RouterTableIds": [route_table_id(vpc)]},
        "EnabledIpv6": _has_ipv6(record),
        "DnsHostnameStatus": "ENABLED"
        if record.get("EnableDnsHostname", "").lower() == "true"
        else "DISABLED",
        **_described(record, "VpcName"),
        "ResourceGroupId": record.get("ResourceGroupId", ""),
    }


def vswitch_item(call: Call, vpc: Vpc, vswitch: VSwitch) -> dict[str, Any]:
    """What all responses about a vSwitch have."""
    record, block = call.record(vswitch), vswitch.cidr_block
    bound = sum(one == vpc.vpc_id and address in block for one, address in call.world.endpoints)
    return {
        "VSwitchId": vswitch.vswitch_id,
        "VpcId": vpc.vpc_id,
        "CidrBlock": str(block),
        # The first address and the last three are the cloud's (DESIGN §2).
        "AvailableIpAddressCount": max(0, block.num_addresses - 4 - bound),
        "RouteTable": {"RouteTableId": route_table_id(vpc), "RouteTableType": "System"},
        "EnabledIpv6": False,
        "NetworkAclId": "",
        "ShareType": "",
        **_described(record, "VSwitchName", "ZoneId"),
        "ResourceGroupId": call.record(vpc).get("ResourceGroupId", ""),
    }


def _described(record: Attributes, *names: str) -> dict[str, Any]:
    """What responses about VPCs and vSwitches have in common."""
    return {
        **{name: record.get(name, "") for name in (*names, "Description", "CreationTime")},
        "Status": "Available",
        "Ipv6CidrBlock": "",  # where it is absent, Terraform believes that IPv6 is on
        "IsDefault": False,
        "Tags": {"Tag": list(record.get("Tags", []))},
    }


def cidr_block(call: Call, masks: range, name: str = "CidrBlock") -> IPv4Network:
    """A block that a parameter gives, if the cloud would take it."""
    text = call.required(name)
    try:
        block = IPv4Network(text)
    except ValueError as error:
        raise bad_format(name, f"{error}.") from None
    if text != str(block):
        raise bad_format(name, f"Write {block}.")
    if block.prefixlen not in masks and not (masks is VPC_MASKS and block in _PRIVATE):
        why = f"Its mask is /{block.prefixlen}; the cloud takes /{masks.start} to /{masks.stop - 1}."
        raise ApiError("InvalidCidrBlock", f"The specified CidrBlock {block} is not valid. {why}")
    for reserved in _RESERVED:
        if block.overlaps(reserved):
            text = f"The specified CidrBlock {block} is not valid. {reserved} is not for VPCs."
            raise ApiError("InvalidCidrBlock", text)
    return block


def _ids(call: Call, name: str) -> set[str]:
    """Ids with a comma between them."""
    ids = set(filter(None, (one.strip() for one in call.parameters.get(name, "").split(","))))
    if len(ids) > MAX_IDS:
        raise call.invalid(name, f"At most {MAX_IDS} ids.")
    return ids


def _has_ipv6(record: Attributes) -> bool:
    return str(record.get("EnableIpv6", "")).lower() == "true"


def _id(prefix: str, digits: str) -> str:
    """`vpc-`, `vsw-` and the like, and 21 letters and digits."""
    return f"{prefix}-{digits[:21]}"


_TAGS: Final = "Tag.N.Key Tag.N.Value"
_PAGE: Final = "PageNumber:int PageSize:int"
ACTIONS: Final = {
    "CreateVpc": Action(
        create_vpc,
        "CidrBlock VpcName Description ResourceGroupId UserCidr EnableIpv6:bool EnableDnsHostname:bool"
        f" ClientToken DryRun:bool {_TAGS}",
        refused="Ipv4CidrMask:int Ipv4IpamPoolId Ipv6CidrBlock Ipv6CidrMask:int Ipv6IpamPoolId Ipv6Isp",
    ),
    "DescribeVpcs": Action(
        describe_vpcs,
        "VpcId VpcName ResourceGroupId IsDefault:bool EnableIpv6:bool DhcpOptionsSetId DryRun:bool"
        f" {_TAGS} {_PAGE}",
        refused="VpcOwnerId:int",
    ),
    "DescribeVpcAttribute": Action(describe_vpc_attribute, "VpcId DryRun:bool", "IsDefault:bool"),
    "DeleteVpc": Action(delete_vpc, "VpcId DryRun:bool", "ForceDelete:bool"),
    "CreateVSwitch": Action(
        create_vswitch,
        f"VpcId CidrBlock ZoneId VSwitchName Description ClientToken {_TAGS}",
        refused="CidrMask:int Ipv6CidrBlock:int Ipv6CidrMask:int VpcIpv6CidrBlock",
    ),
    "DescribeVSwitches": Action(
        describe_vswitches,
        "VpcId VSwitchId VSwitchName ZoneId ResourceGroupId RouteTableId IsDefault:bool EnableIpv6:bool"
        f" DryRun:bool {_TAGS} {_PAGE}",
        refused="VSwitchOwnerId:int",
    ),
    "DeleteVSwitch": Action(delete_vswitch, "VSwitchId DryRun:bool"),
}
