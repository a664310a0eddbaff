"""VPCs, on-premises networks and connections as the configuration has them; see `schema`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from vpcdns.config.values import AddressText, BlockText, Id, PrefixText, RegionId


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


class RoutePart(Part):
    """A route of a VPC, a network or a CEN."""

    destination: BlockText
    """the block that it leads to"""
    via: Id
    """the connection that it takes; of a CEN's route, the attachment"""


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
    """its vSwitches, whose blocks it delivers to and advertises; if it has none, its cidr_blocks"""
    routes: list[RoutePart] = []
    """its custom route entries"""


class ResolvesThroughPart(Part):
    """How queries of an on-premises network get into a VPC."""

    vpc_id: Id
    """the VPC that it asks as"""
    via: Id
    """inbound_endpoint; the connection by which it reaches 100.100.2.136 and 100.100.2.138; or cut: no way"""
    address: AddressText | None = None
    """the inbound endpoint's address; default: any in the VPC"""


class NetworkPart(Part):
    """An on-premises network."""

    network_id: Id
    """the network's id, your own choice"""
    cidr_blocks: list[BlockText] = Field(min_length=1)
    """its address blocks"""
    source_networks: list[PrefixText] | None = None
    """networks whose clients count as inside it; default: cidr_blocks"""
    resolves_as: Id | None = None
    """the VPC that it asks as, taking it for granted that queries get there; default: none, the Internet"""
    resolves_through: ResolvesThroughPart | None = None
    """in place of resolves_as: the VPC that it asks as, and the way of its queries"""
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
    destination_routes: list[BlockText] = []
    """destination routing mode: the blocks that the VPN gateway routes to it; default: its remote_subnets"""
    publish_vpc: bool = True
    """whether the VPC has the VPN gateway's routes"""
    publish_cen: bool = False
    """whether the CENs of the VPC have the VPC's routes via this connection"""


class ServiceRoutePart(Part):
    """A CEN's route to a cloud service in 100.64.0.0/10."""

    host: BlockText
    """the service's block"""
    host_vpc_id: Id
    """the attached VPC through which it is reached"""
    access: list[Id] = Field(min_length=1)
    """the attachments that may use it"""


class NetworkAttachmentPart(Part):
    """How an on-premises network is attached to a CEN."""

    network_id: Id
    """the network"""
    kind: Literal["vbr", "ccn", "vpn"] = "vbr"
    """a virtual border router, a Cloud Connect Network, or an IPsec-VPN connection"""
    region_id: RegionId | None = None
    """the region that it enters the cloud in; default: that of the VPC that it asks as"""


class CenPart(Part):
    """A Cloud Enterprise Network."""

    connection_id: Id
    """the connection's id"""
    type: Literal["cen"]
    """ipsec: a VPN; cen: a Cloud Enterprise Network"""
    edition: Literal["basic", "enterprise"] = "enterprise"
    """its edition: they route cloud services differently"""
    attachments: list[
        Annotated[
            Annotated[Id, Tag("text")] | Annotated[NetworkAttachmentPart, Tag("mapping")],
            Discriminator(lambda value: "text" if isinstance(value, str) else "mapping"),
        ]
    ] = []
    """the VPCs and on-premises networks that it joins; an id of a network alone is a VBR"""
    service_routes: list[ServiceRoutePart] = []
    """routes to cloud services, for attachments that have none of their own"""
    routes: list[RoutePart] = []
    """static routes of an Enterprise Edition transit router"""
