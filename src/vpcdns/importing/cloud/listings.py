"""What is asked of an account: one table of listings, read-only all of them.

Knows the API's actions and the fields that are kept of each item: no others, as some are secret (an IPsec
connection's pre-shared key). Not what the fields mean, nor how anything is asked.

Source: the cloud's SDKs for Python, whose packages `Product` names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

GLOBAL: Final = "global"  # the scope of what is in no region
PAGE_SIZE: Final = 50  # what all of the listings allow

# What is kept of items within items.
_INNER: Final = (
    "DomainName",
    "CustomDomainType",
    "DomainBindingStatus",
    "VpcId",
    "RegionId",
    "CustomerGatewayId",
)


class Product(Enum):
    """The APIs: the package of the SDK, the version, and the name in RAM policies."""

    VPC = ("alibabacloud_vpc20160428", "2016-04-28", "vpc")
    GATEWAY = ("alibabacloud_cloudapi20160714", "2016-07-14", "apigateway")
    PRIVATE_ZONE = ("alibabacloud_pvtz20180101", "2018-01-01", "pvtz")
    CEN = ("alibabacloud_cbn20170912", "2017-09-12", "cen")

    def __init__(self, package: str, version: str, ram: str) -> None:
        self.package = package
        self.version = version
        self.ram = ram

    @property
    def is_global(self) -> bool:
        """Whether one endpoint tells of all regions."""
        return self in (Product.PRIVATE_ZONE, Product.CEN)


@dataclass(frozen=True, slots=True)
class Listing:
    """One kind of object: the action that lists it, and where the items are in what it returns.

    `own` are the fields that tell items apart, `keeps` the others that are kept. A listing `of` another kind
    is asked once for each of those, by their fields `given`, which its items then have as well. `detail` is
    the action that tells the rest of each item.
    """

    kind: str
    product: Product
    action: str
    items: str
    own: tuple[str, ...]
    keeps: tuple[str, ...] = ()
    resource: str = ""  # what it is to Terraform's provider; "": something else is made of it
    of: str = ""
    given: tuple[str, ...] = ()
    without: str = ""  # a `Type` of those that it is not asked for
    detail: str = ""
    has_tokens: bool = False  # the next page is asked for by a token, not by its number
    filters: tuple[tuple[str, str], ...] = ()

    def identity(self, item: dict[str, Any]) -> str | None:
        """What tells it apart, or None where that is missing."""
        values = [item.get(name) for name in self.own]
        return None if any(value in (None, "") for value in values) else " ".join(map(str, values))

    def kept(self, item: dict[str, Any], parent: dict[str, Any]) -> dict[str, Any]:
        """The fields that are kept, each under the first name of its path; empty ones count as none."""
        found = {name: parent[name] for name in self.given if name in parent}
        for path in (*self.own, *self.keeps):
            if (value := _whittled(at(item, path))) not in (None, "", [], {}):
                found[path.partition(".")[0]] = value
        return found


def at(value: Any, path: str) -> Any:
    """What is at a path of names, or None."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _whittled(value: Any) -> Any:
    if isinstance(value, list):
        return [_whittled(one) for one in value]
    return {name: value[name] for name in _INNER if name in value} if isinstance(value, dict) else value


def _attachment(kind: str, own: str) -> Listing:
    return Listing(
        kind=f"{kind.upper()} attachment",
        product=Product.CEN,
        action=f"ListTransitRouter{kind}Attachments",
        items="TransitRouterAttachments",
        own=("TransitRouterAttachmentId",),
        keeps=(f"{own}Id", f"{own}RegionId", "TransitRouterAttachmentName"),
        resource=f"alicloud_cen_transit_router_{kind.lower()}_attachment",
        of="transit router",
        given=("CenId", "TransitRouterId", "RegionId"),
        without="Basic",
        has_tokens=True,
    )


LISTINGS: Final = (
    Listing(
        "VPC",
        Product.VPC,
        "DescribeVpcs",
        "Vpcs.Vpc",
        ("VpcId",),
        ("VpcName", "RegionId", "CidrBlock", "SecondaryCidrBlocks.SecondaryCidrBlock"),
        "alicloud_vpc",
    ),
    Listing(
        "vSwitch",
        Product.VPC,
        "DescribeVSwitches",
        "VSwitches.VSwitch",
        ("VSwitchId",),
        ("VSwitchName", "VpcId", "CidrBlock", "ZoneId"),
        "alicloud_vswitch",
    ),
    Listing(
        "VPN gateway",
        Product.VPC,
        "DescribeVpnGateways",
        "VpnGateways.VpnGateway",
        ("VpnGatewayId",),
        ("Name", "VpcId"),
        "alicloud_vpn_gateway",
    ),
    Listing(
        "customer gateway",
        Product.VPC,
        "DescribeCustomerGateways",
        "CustomerGateways.CustomerGateway",
        ("CustomerGatewayId",),
        ("Name", "IpAddress"),
        "alicloud_vpn_customer_gateway",
    ),
    Listing(
        "IPsec connection",
        Product.VPC,
        "DescribeVpnConnections",
        "VpnConnections.VpnConnection",
        ("VpnConnectionId",),
        (
            *("Name", "VpnGatewayId", "CustomerGatewayId", "LocalSubnet", "RemoteSubnet"),
            "TunnelOptionsSpecification.TunnelOptions",
        ),
        "alicloud_vpn_connection",
    ),
    Listing(
        "instance",
        Product.GATEWAY,
        "DescribeInstances",
        "Instances.InstanceAttribute",
        ("InstanceId",),
        ("InstanceName", "RegionId", "InstanceType", "DedicatedInstanceType", "UserVpcId", "UserVswitchId"),
        "alicloud_api_gateway_instance",
    ),
    Listing(
        "group",
        Product.GATEWAY,
        "DescribeApiGroups",
        "ApiGroupAttributes.ApiGroupAttribute",
        ("GroupId",),
        ("GroupName", "RegionId", "InstanceId", "SubDomain", "VpcDomain", "CustomDomains.DomainItem"),
        "alicloud_api_gateway_group",
        detail="DescribeApiGroup",
    ),
    Listing(
        "private zone",
        Product.PRIVATE_ZONE,
        "DescribeZones",
        "Zones.Zone",
        ("ZoneId",),
        ("ZoneName", "ProxyPattern", "BindVpcs.Vpc"),
        "alicloud_pvtz_zone",
        detail="DescribeZoneInfo",
    ),
    Listing(
        "record",
        Product.PRIVATE_ZONE,
        "DescribeZoneRecords",
        "Records.Record",
        ("RecordId",),
        ("Rr", "Type", "Value", "Ttl", "Priority", "Status", "Line"),
        "alicloud_pvtz_zone_record",
        of="private zone",
        given=("ZoneId",),
    ),
    Listing("CEN", Product.CEN, "DescribeCens", "Cens.Cen", ("CenId",), ("Name",), "alicloud_cen_instance"),
    Listing(
        "CEN attachment",
        Product.CEN,
        "DescribeCenAttachedChildInstances",
        "ChildInstances.ChildInstance",
        ("CenId", "ChildInstanceId"),
        ("ChildInstanceType", "ChildInstanceRegionId"),
        "alicloud_cen_instance_attachment",
        of="CEN",
        given=("CenId",),
    ),
    Listing(
        "transit router",
        Product.CEN,
        "ListTransitRouters",
        "TransitRouters",
        ("TransitRouterId",),
        ("TransitRouterName", "RegionId", "Type"),
        "alicloud_cen_transit_router",
        of="CEN",
        given=("CenId",),
    ),
    _attachment("Vpc", "Vpc"),
    _attachment("Vbr", "Vbr"),
    _attachment("Vpn", "Vpn"),
    Listing(
        "route table",
        Product.CEN,
        "ListTransitRouterRouteTables",
        "TransitRouterRouteTables",
        ("TransitRouterRouteTableId",),
        of="transit router",
        given=("TransitRouterId",),
        without="Basic",
        has_tokens=True,
    ),
    Listing(
        "transit router route",
        Product.CEN,
        "ListTransitRouterRouteEntries",
        "TransitRouterRouteEntries",
        ("TransitRouterRouteTableId", "TransitRouterRouteEntryDestinationCidrBlock"),
        ("TransitRouterRouteEntryNextHopType", "TransitRouterRouteEntryNextHopId"),
        "alicloud_cen_transit_router_route_entry",
        of="route table",
        given=("TransitRouterRouteTableId",),
        has_tokens=True,
        filters=(("TransitRouterRouteEntryType", "Static"),),
    ),
    Listing(
        "CEN route service",
        Product.CEN,
        "DescribeRouteServicesInCen",
        "RouteServiceEntries.RouteServiceEntry",
        ("CenId", "Host", "AccessRegionId"),
        ("HostVpcId", "HostRegionId"),
        "alicloud_cen_route_service",
        of="CEN",
        given=("CenId",),
    ),
    Listing(
        "CEN private zone access",
        Product.CEN,
        "DescribeCenPrivateZoneRoutes",
        "PrivateZoneInfos.PrivateZoneInfo",
        ("CenId", "HostVpcId", "AccessRegionId"),
        ("HostRegionId",),
        "alicloud_cen_private_zone",
        of="CEN",
        given=("CenId",),
    ),
)


def listings(scope: str) -> Iterator[Listing]:
    """What is asked of a region, or of what is in none."""
    return (one for one in LISTINGS if one.product.is_global == (scope == GLOBAL))
