"""Actions of the VPC product: those that make, show and delete VPCs and vSwitches, and list regions."""

import secrets
from ipaddress import IPv4Network
from typing import Any, Final

from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.errors import ApiError, missing
from vpcdns.model.topology import Vpc, VSwitch
from vpcdns.model.topology_changes import CreateVpc, CreateVSwitch, DeleteVpc, DeleteVSwitch
from vpcdns.state.api_attributes import Attributes, object_key

DEFAULT_BLOCK: Final = IPv4Network("172.16.0.0/12")  # the cloud's, when CreateVpc names none
_VPC_KEPT: Final = ("VpcName", "Description", "ResourceGroupId", "UserCidr", "EnableIpv6")
_VSWITCH_KEPT: Final = ("VSwitchName", "Description", "ZoneId")


def create_vpc(call: Call) -> dict[str, Any]:
    """A VPC; its block is its source network too, unless another one has that block already."""
    block = call.block("CidrBlock") if call.parameters.get("CidrBlock") else DEFAULT_BLOCK
    vpc_id = _new_id("vpc")
    sources = () if call.world.topology.claimed(block) is not None else (block,)
    vpc = Vpc(vpc_id, call.region_id, (block,), sources)
    record = {**call.kept(*_VPC_KEPT), "CreationTime": call.at}
    call.commit(CreateVpc(vpc), records={object_key(vpc): record})
    return {"VpcId": vpc_id, "VRouterId": _new_id("vrt"), "RouteTableId": _new_id("vtb")}


def describe_vpcs(call: Call) -> dict[str, Any]:
    wanted = set(filter(None, (call.parameters.get("VpcId") or "").split(",")))
    name = call.parameters.get("VpcName")
    found = [
        vpc
        for vpc in call.world.topology.vpcs.values()
        if call.in_region(vpc.region_id)
        and (not wanted or vpc.vpc_id in wanted)
        and (name is None or call.record(vpc).get("VpcName") == name)
    ]
    return call.page(found, "Vpcs", "Vpc", lambda vpc: _vpc(call, vpc))


def describe_vpc_attribute(call: Call) -> dict[str, Any]:
    vpc = call.vpc()
    return {**_vpc(call, vpc), "AssociatedCens": {"AssociatedCen": []}}


def delete_vpc(call: Call) -> dict[str, Any]:
    vpc = call.vpc()
    return call.commit(DeleteVpc(vpc.vpc_id), records={object_key(vpc): None})


def create_vswitch(call: Call) -> dict[str, Any]:
    vpc, block = call.vpc(), call.block("CidrBlock")
    if call.parameters.get("ZoneId") is None:
        raise missing("ZoneId")
    vswitch = VSwitch(_new_id("vsw"), block)
    record = {**call.kept(*_VSWITCH_KEPT), "CreationTime": call.at}
    call.commit(CreateVSwitch(vpc.vpc_id, vswitch), records={object_key(vswitch): record})
    return {"VSwitchId": vswitch.vswitch_id}


def describe_vswitches(call: Call) -> dict[str, Any]:
    vpc_id, vswitch_id = call.parameters.get("VpcId"), call.parameters.get("VSwitchId")
    wanted = set(filter(None, (vswitch_id or "").split(",")))
    found = [
        (vpc, vswitch)
        for vpc in call.world.topology.vpcs.values()
        if call.in_region(vpc.region_id) and vpc_id in (None, vpc.vpc_id)
        for vswitch in vpc.vswitches
        if not wanted or vswitch.vswitch_id in wanted
    ]
    return call.page(found, "VSwitches", "VSwitch", lambda pair: _vswitch(call, *pair))


def delete_vswitch(call: Call) -> dict[str, Any]:
    vswitch_id = call.required("VSwitchId")
    for vpc in call.world.topology.vpcs.values():
        if (vswitch := vpc.vswitch(vswitch_id)) is not None:
            return call.commit(DeleteVSwitch(vpc.vpc_id, vswitch_id), records={object_key(vswitch): None})
    raise ApiError("InvalidVswitchID.NotFound", f"Specified vSwitch does not exist: {vswitch_id}.")


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
        **_described(record, "VpcName"),
    }


def _vswitch(call: Call, vpc: Vpc, vswitch: VSwitch) -> dict[str, Any]:
    record, block = call.record(vswitch), vswitch.cidr_block
    bound = sum(one == vpc.vpc_id and address in block for one, address in call.world.endpoints)
    return {
        "VSwitchId": vswitch.vswitch_id,
        "VpcId": vpc.vpc_id,
        "CidrBlock": str(block),
        # The first address and the last three are the cloud's (DESIGN §2).
        "AvailableIpAddressCount": max(0, block.num_addresses - 4 - bound),
        **_described(record, "VSwitchName", "ZoneId"),
    }


def _described(record: Attributes, *names: str) -> dict[str, Any]:
    """What responses about VPCs and vSwitches have in common."""
    return {
        **{name: record.get(name, "") for name in (*names, "Description", "CreationTime")},
        "Status": "Available",
        "IsDefault": False,
        "Tags": {"Tag": list(record.get("Tags", []))},
    }


def _new_id(prefix: str) -> str:
    """`vpc-`, `vsw-` and the like, and 21 letters and digits."""
    return f"{prefix}-{secrets.token_hex(11)[1:]}"


def describe_regions(call: Call) -> dict[str, Any]:
    """The regions that are in use."""
    found = call.world.region_ids()
    if call.region is not None:
        found.add(call.region)
    host = call.product.host
    regions = [
        {"RegionId": name, "LocalName": name, "RegionEndpoint": f"{host}.{name}.aliyuncs.com"}
        for name in sorted(found)
    ]
    return {"Regions": {"Region": regions}}
