"""The regions that are in use: an action that CloudAPI and Vpc have in common."""

from typing import Any, Final

from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.parameters import Action


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


CLOUDAPI_ACTIONS: Final = {"DescribeRegions": Action(describe_regions, "")}
VPC_ACTIONS: Final = {"DescribeRegions": Action(describe_regions, "", "ProductType")}
