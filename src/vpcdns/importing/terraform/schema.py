"""The attributes that are read of each resource, under the names of the provider's documentation.

Source: aliyun/terraform-provider-alicloud, website/docs/r/*.html.markdown, 2026-08-21. Other attributes
decide nothing that vpcdns knows of. An empty text counts as none: the provider writes it for both.
"""

from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


def _none_if_null(value: object) -> object:
    return [] if value is None else value


def _parted(value: object) -> object:
    """`alicloud_vpn_gateway_vpn_attachment` has a text with commas, `alicloud_vpn_connection` a list."""
    return [one.strip() for one in value.split(",") if one.strip()] if isinstance(value, str) else value


Text = Annotated[str | None, BeforeValidator(_none_if_empty)]
Texts = Annotated[list[str], BeforeValidator(_none_if_null)]
Blocks = Annotated[list[str], BeforeValidator(_none_if_null), BeforeValidator(_parted)]


class Attributes(BaseModel):
    """What every resource has. Numbers that a provider writes as text are read as well."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)
    id: Text = None
    region_id: Text = None


class Vpc(Attributes):
    cidr_block: Text = None
    route_table_id: Text = None
    router_table_id: Text = None
    secondary_cidr_blocks: Texts = []


class VpcBlock(Attributes):
    vpc_id: Text = None
    secondary_cidr_block: Text = None


class VSwitch(Attributes):
    vpc_id: Text = None
    cidr_block: Text = None
    zone_id: Text = None
    availability_zone: Text = None


class GatewayInstance(Attributes):
    instance_type: Text = None
    zone_id: Text = None
    ingress_vpc_id: Text = None
    ingress_vswitch_id: Text = None


class GatewayGroup(Attributes):
    name: Text = None
    instance_id: Text = None
    sub_domain: Text = None
    vpc_domain: Text = None
    vpc_intranet_enable: bool | None = None


class GatewayDomain(Attributes):
    group_id: Text = None
    domain_name: Text = None


class Zone(Attributes):
    zone_name: Text = None
    name: Text = None
    proxy_pattern: Text = None


class ZoneVpc(BaseModel):
    vpc_id: Text = None
    region_id: Text = None


class ZoneAttachment(Attributes):
    zone_id: Text = None
    vpc_ids: Texts = []
    vpcs: Annotated[list[ZoneVpc], BeforeValidator(_none_if_null)] = []


class ZoneRecord(Attributes):
    zone_id: Text = None
    record_id: Text = None
    rr: Text = None
    resource_record: Text = None
    type: Text = None
    value: Text = None
    ttl: int | None = None
    priority: int | None = None
    status: Text = None


class Tunnel(BaseModel):
    customer_gateway_id: Text = None


class VpnGateway(Attributes):
    vpc_id: Text = None


class VpnConnection(Attributes):
    vpn_gateway_id: Text = None
    customer_gateway_id: Text = None
    local_subnet: Blocks = []
    remote_subnet: Blocks = []
    auto_config_route: bool | None = None
    tunnel_options_specification: Annotated[list[Tunnel], BeforeValidator(_none_if_null)] = []


class CenAttachment(Attributes):
    instance_id: Text = None
    child_instance_id: Text = None
    child_instance_type: Text = None
    child_instance_region_id: Text = None


class TransitRouter(Attributes):
    cen_id: Text = None
    transit_router_id: Text = None
    type: Text = None


class RouterAttachment(Attributes):
    cen_id: Text = None
    transit_router_id: Text = None
    transit_router_attachment_id: Text = None
    vpc_id: Text = None
    vbr_id: Text = None
    vpn_id: Text = None


class RouterRoute(Attributes):
    transit_router_route_entry_destination_cidr_block: Text = None
    transit_router_route_entry_next_hop_type: Text = None
    transit_router_route_entry_next_hop_id: Text = None


class RouteService(Attributes):
    cen_id: Text = None
    host: Text = None
    host_vpc_id: Text = None
    access_region_id: Text = None


class CenPrivateZone(Attributes):
    cen_id: Text = None
    access_region_id: Text = None
    host_vpc_id: Text = None


class VpnRoute(Attributes):
    """By destination; one with a source is policy-based."""

    vpn_gateway_id: Text = None
    next_hop: Text = None
    route_source: Text = None
    route_dest: Text = None
    publish_vpc: bool | None = None


class CenRoute(Attributes):
    instance_id: Text = None
    route_table_id: Text = None
    cidr_block: Text = None


class VpcRoute(Attributes):
    route_table_id: Text = None
    destination_cidrblock: Text = None
    nexthop_type: Text = None
    nexthop_id: Text = None


# Which attributes are read of a resource of each type.
RESOURCES: Final[dict[str, type[Attributes]]] = {
    "alicloud_vpc": Vpc,
    "alicloud_vpc_ipv4_cidr_block": VpcBlock,
    "alicloud_vswitch": VSwitch,
    "alicloud_api_gateway_instance": GatewayInstance,
    "alicloud_api_gateway_group": GatewayGroup,
    "alicloud_api_gateway_domain": GatewayDomain,
    "alicloud_pvtz_zone": Zone,
    "alicloud_pvtz_zone_attachment": ZoneAttachment,
    "alicloud_pvtz_zone_record": ZoneRecord,
    "alicloud_vpn_gateway": VpnGateway,
    "alicloud_vpn_customer_gateway": Attributes,
    "alicloud_vpn_connection": VpnConnection,
    "alicloud_vpn_gateway_vpn_attachment": VpnConnection,
    "alicloud_vpn_route_entry": VpnRoute,
    "alicloud_vpn_pbr_route_entry": VpnRoute,
    "alicloud_cen_instance": Attributes,
    "alicloud_cen_instance_attachment": CenAttachment,
    "alicloud_cen_transit_router": TransitRouter,
    "alicloud_cen_transit_router_vpc_attachment": RouterAttachment,
    "alicloud_cen_transit_router_vbr_attachment": RouterAttachment,
    "alicloud_cen_transit_router_vpn_attachment": RouterAttachment,
    "alicloud_cen_transit_router_route_entry": RouterRoute,
    "alicloud_cen_route_service": RouteService,
    "alicloud_cen_private_zone": CenPrivateZone,
    "alicloud_route_entry": VpcRoute,
    "alicloud_cen_route_entry": CenRoute,
}
# The list that a data source reads, and the resource that an item of it is like.
DATA_SOURCES: Final = {
    "alicloud_vpcs": ("vpcs", "alicloud_vpc"),
    "alicloud_vswitches": ("vswitches", "alicloud_vswitch"),
    "alicloud_api_gateway_groups": ("groups", "alicloud_api_gateway_group"),
    "alicloud_pvtz_zones": ("zones", "alicloud_pvtz_zone"),
    "alicloud_pvtz_zone_records": ("records", "alicloud_pvtz_zone_record"),
    "alicloud_vpn_gateways": ("gateways", "alicloud_vpn_gateway"),
    "alicloud_vpn_customer_gateways": ("gateways", "alicloud_vpn_customer_gateway"),
    "alicloud_vpn_connections": ("connections", "alicloud_vpn_connection"),
    "alicloud_cen_instances": ("instances", "alicloud_cen_instance"),
    "alicloud_cen_transit_routers": ("transit_routers", "alicloud_cen_transit_router"),
    "alicloud_cen_transit_router_vpc_attachments": (
        "attachments",
        "alicloud_cen_transit_router_vpc_attachment",
    ),
}
# Which resource an attribute names, by the end of its name, or by its resource's type and its whole name.
NAMED_BY: Final = {
    "alicloud_api_gateway_group.instance_id": "alicloud_api_gateway_instance",
    "alicloud_cen_instance_attachment.instance_id": "alicloud_cen_instance",
    "vpc_id": "alicloud_vpc",
    "vpc_ids": "alicloud_vpc",
    "vpcs": "alicloud_vpc",
    "vswitch_id": "alicloud_vswitch",
    "group_id": "alicloud_api_gateway_group",
    "zone_id": "alicloud_pvtz_zone",
    "cen_id": "alicloud_cen_instance",
    "vpn_gateway_id": "alicloud_vpn_gateway",
    "customer_gateway_id": "alicloud_vpn_customer_gateway",
    "transit_router_id": "alicloud_cen_transit_router",
    "vpn_id": "alicloud_vpn_gateway_vpn_attachment",
    "next_hop": "alicloud_vpn_connection",
}


def is_given(value: Any) -> bool:
    """Whether an attribute says anything."""
    return value not in (None, "", [], {}, False)
