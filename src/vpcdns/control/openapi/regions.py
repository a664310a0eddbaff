"""The regions that are in use, and their zones: actions that CloudAPI and Vpc have in common."""

from collections.abc import Iterator
from typing import Any, Final

from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.errors import Product
from vpcdns.control.openapi.parameters import Action

# What a region has besides the zones that are in use; any other is taken as well.
_ZONES: Final = {Product.CLOUDAPI: ("MAZ1(a,b)", "MAZ2(b,c)"), Product.VPC: ("a", "b", "c")}
_ZONE_TYPE: Final = "AvailabilityZone"


def describe_regions(call: Call) -> dict[str, Any]:
    found = call.world.region_ids()
    if call.region is not None:
        found.add(call.region)
    host = call.product.host
    regions = [
        {"RegionId": name, "LocalName": name, "RegionEndpoint": f"{host}.{name}.aliyuncs.com"}
        for name in sorted(found)
    ]
    return {"Regions": {"Region": regions}}


def describe_zones(call: Call) -> dict[str, Any]:
    """The zones of the region: some for whoever has to choose one, and those that are in use."""
    region_id = call.region_id
    found = {f"{region_id}-{zone}" for zone in _ZONES[call.product]} | set(_zones_in_use(call, region_id))
    kind = {"ZoneType": _ZONE_TYPE} if call.product is Product.VPC else {}
    if call.parameters.get("ZoneType", _ZONE_TYPE) != _ZONE_TYPE:
        found = set()  # those that are in no region
    return {"Zones": {"Zone": [{"ZoneId": zone, "LocalName": zone, **kind} for zone in sorted(found)]}}


def _zones_in_use(call: Call, region_id: str) -> Iterator[str]:
    world = call.world
    if call.product is Product.CLOUDAPI:
        owners: Iterator[Any] = (one for one in world.instances.values() if one.region_id == region_id)
    else:
        vpcs = (vpc for vpc in world.topology.vpcs.values() if vpc.region_id == region_id)
        owners = (vswitch for vpc in vpcs for vswitch in vpc.vswitches)
    for one in owners:
        if zone := call.record(one).get("ZoneId"):
            yield zone


CLOUDAPI_ACTIONS: Final = {
    "DescribeRegions": Action(describe_regions, ""),
    "DescribeZones": Action(describe_zones, ""),
}
VPC_ACTIONS: Final = {
    "DescribeRegions": Action(describe_regions, "", "ProductType"),
    "DescribeZones": Action(describe_zones, "ZoneType"),
}
