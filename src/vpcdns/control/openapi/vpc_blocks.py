"""Actions of the VPC product on a VPC's blocks. What may be in them is the model's to say."""

from ipaddress import IPv4Network
from typing import Any, Final

from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.errors import ApiError
from vpcdns.control.openapi.parameters import Action
from vpcdns.control.openapi.vpcs import VPC_MASKS, cidr_block
from vpcdns.model.changes import Change
from vpcdns.model.topology import Vpc
from vpcdns.model.topology_changes import SetCidrBlocks

_VERSIONS: Final = ("IPV4",)


def associate_vpc_cidr_block(call: Call) -> dict[str, Any]:
    """A further block for a VPC; one that it has already is refused as overlapping."""
    vpc, version = call.vpc(), call.one_of("IpVersion", _VERSIONS, "IPV4")
    block = cidr_block(call, VPC_MASKS, "SecondaryCidrBlock")
    call.commit(*with_blocks(call, vpc, (*vpc.cidr_blocks, block)))
    return {"CidrBlock": str(block), "IpVersion": version}


def unassociate_vpc_cidr_block(call: Call) -> dict[str, Any]:
    """Takes a further block away, if no vSwitch is in it."""
    vpc, text = call.vpc(), call.required("SecondaryCidrBlock")
    left = tuple(block for block in vpc.cidr_blocks[1:] if str(block) != text)
    if len(left) == len(vpc.cidr_blocks) - 1:
        said = f"{vpc.vpc_id} has no further block {text[:64]}."
        raise ApiError("InvalidSecondaryCidrBlock", f"The specified SecondaryCidrBlock is not valid. {said}")
    return call.commit(*with_blocks(call, vpc, (vpc.cidr_blocks[0], *left)))


def with_blocks(call: Call, vpc: Vpc, blocks: tuple[IPv4Network, ...]) -> list[Change]:
    """What gives a VPC these blocks. A new one is its source network too, unless another has that block."""
    if blocks == vpc.cidr_blocks:
        return []
    gone = set(vpc.cidr_blocks) - set(blocks)
    new = [one for one in blocks if one not in vpc.cidr_blocks and call.world.topology.claimed(one) is None]
    sources = (*(one for one in vpc.source_networks if one not in gone), *new)
    return [SetCidrBlocks(vpc.vpc_id, blocks, sources)]


ACTIONS: Final = {
    "AssociateVpcCidrBlock": Action(
        associate_vpc_cidr_block,
        "VpcId SecondaryCidrBlock IpVersion",
        refused="IPv6CidrBlock IpamPoolId Ipv6CidrMask:int Ipv6Isp SecondaryCidrMask:int",
    ),
    "UnassociateVpcCidrBlock": Action(
        unassociate_vpc_cidr_block, "VpcId SecondaryCidrBlock", refused="IPv6CidrBlock"
    ),
}
