"""Which configurations the cloud does not let you build, as far as routes go."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from tests.lab.cloud_after_documents.routes import (
    CLOUD_SERVICES,
    Cloud,
    attachments,
    gateway_destinations,
    is_basic,
    tunnels_of,
)


def refusals(sky: Cloud) -> Iterator[str]:
    """Why, each time. Empty: it can be built."""
    for vpc_id, vpc in sky.vpcs.items():
        vswitches = [IPv4Network(one["cidr_block"]) for one in vpc.get("vswitches", ())]
        custom = [IPv4Network(route["destination"]) for route in vpc["routes"]]
        of_gateway = [block for tunnel in tunnels_of(sky, vpc_id) for block in gateway_destinations(tunnel)]
        for block in (*custom, *of_gateway):
            if any(block.subnet_of(vswitch) for vswitch in vswitches):
                yield f"CreateRouteEntry: {block} is a subset of a vSwitch of {vpc_id}"
        for block in custom:
            if block.subnet_of(CLOUD_SERVICES):
                yield f"CreateRouteEntry: {block} of {vpc_id} lies in {CLOUD_SERVICES}"
        for block in of_gateway:
            if block.overlaps(CLOUD_SERVICES):
                yield f"manage-destination-based-routes: {block} of {vpc_id} overlaps {CLOUD_SERVICES}"
    for router_id, router in sky.routers.items():
        if is_basic(router):
            if router.get("routes"):
                yield f"{router_id}: static routes are Enterprise Edition's"
            if any(one.get("kind") == "vpn" for one in attachments(router).values()):
                yield f"{router_id}: IPsec-VPN attachments are Enterprise Edition's"
