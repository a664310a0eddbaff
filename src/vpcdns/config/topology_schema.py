"""VPCs, on-premises networks and connections as the configuration has them; see `schema`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from vpcdns.config.values import BlockText, Id, PrefixText, RegionId


class Part(BaseModel):
    """A section of the configuration: strict, with nothing unknown in it."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True, use_attribute_docstrings=True
    )


class VSwitchPart(Part):
    """A vSwitch of a VPC."""

    vswitch_id: Id
    """the vSwitch's id"""
    cidr_block: BlockText
    """its block, inside one of the VPC's"""


class VpcPart(Part):
    """A VPC, and the networks whose clients count as inside it."""

    vpc_id: Id
    """the VPC's id"""
    region_id: RegionId
    """the region that it is in"""
    cidr_blocks: list[BlockText] = Field(min_length=1)
    """its address blocks"""
    source_networks: list[PrefixText] | None = None
    """networks whose clients count as inside it, e.g. test networks; default: cidr_blocks"""
    vswitches: list[VSwitchPart] = []
    """its vSwitches"""


class RoutePart(Part):
    """A route of an on-premises network."""

    destination: BlockText
    """the block that it leads to"""
    via: Id
    """the connection_id of the connection that it takes"""


class NetworkPart(Part):
    """An on-premises network."""

    network_id: Id
    """the network's id, your own choice"""
    cidr_blocks: list[BlockText] = Field(min_length=1)
    """its address blocks"""
    source_networks: list[PrefixText] | None = None
    """networks whose clients count as inside it; default: cidr_blocks"""
    resolves_as: Id | None = None
    """the VPC that it resolves through; default: none, it asks as the Internet"""
    routes: list[RoutePart] = []
    """its routes to the cloud"""


class IpsecPart(Part):
    """An IPsec VPN between a VPC and an on-premises network."""

    connection_id: Id
    """the connection's id"""
    type: Literal["ipsec"]
    """ipsec: a VPN; cen: a Cloud Enterprise Network"""
    vpc_id: Id
    """the VPC at its one end"""
    network_id: Id
    """the on-premises network at its other end"""
    local_subnets: list[BlockText] = Field(min_length=1)
    """the VPC's side of its selectors"""
    remote_subnets: list[BlockText] = Field(min_length=1)
    """the on-premises side of its selectors"""


class ServiceRoutePart(Part):
    """A CEN's route to a cloud service in 100.64.0.0/10."""

    host: BlockText
    """the service's block"""
    host_vpc_id: Id
    """the attached VPC through which it is reached"""
    access: list[Id] = Field(min_length=1)
    """the attachments that may use it"""


class CenPart(Part):
    """A Cloud Enterprise Network."""

    connection_id: Id
    """the connection's id"""
    type: Literal["cen"]
    """ipsec: a VPN; cen: a Cloud Enterprise Network"""
    edition: Literal["basic", "enterprise"] = "enterprise"
    """its edition: they route cloud services differently"""
    attachments: list[Id] = Field(min_length=1)
    """the VPCs and on-premises networks that it joins"""
    service_routes: list[ServiceRoutePart] = []
    """routes to cloud services, for attachments that have none of their own"""
