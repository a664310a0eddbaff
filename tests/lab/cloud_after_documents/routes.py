"""Route tables after the cloud's documents: of VPCs, networks, VPN gateways and transit routers.

Plain data in, prefixes and next hops out. Each rule names the page that it is from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Final

Object = dict[str, Any]
Table = dict[IPv4Network, str]  # a next hop: LOCAL, VPN, NOWHERE or an id

LOCAL, VPN, NOWHERE = "local", "vpn gateway", "nowhere"
CLOUD_SERVICES: Final = IPv4Network("100.64.0.0/10")
RESOLVERS: Final = (IPv4Address("100.100.2.136"), IPv4Address("100.100.2.138"))


@dataclass(frozen=True, slots=True)
class Cloud:
    """The objects of a configuration, by id. Connections that were cut are gone, with the routes via them."""

    vpcs: dict[str, Object]
    networks: dict[str, Object]
    tunnels: dict[str, Object]
    routers: dict[str, Object]
    instances: list[Object]
    groups: list[Object]

    @property
    def nodes(self) -> dict[str, Object]:
        return self.vpcs | self.networks


def cloud(document: Object, cut: tuple[str, ...] = ()) -> Cloud:
    def whole(one: Object) -> Object:
        kept = [route for route in one.get("routes", ()) if route["via"] not in cut]
        return {**one, "routes": kept}

    left = [one for one in document.get("connections", ()) if one["connection_id"] not in cut]
    return Cloud(
        {one["vpc_id"]: whole(one) for one in document.get("vpcs", ())},
        {one["network_id"]: whole(one) for one in document.get("networks", ())},
        {one["connection_id"]: one for one in left if one["type"] == "ipsec"},
        {one["connection_id"]: one for one in left if one["type"] == "cen"},
        document.get("instances", []),
        document.get("groups", []),
    )


def blocks_of(node: Object) -> list[IPv4Network]:
    """Where a node's hosts are: in a VPC's vSwitches, in a network's blocks."""
    return _networks([one["cidr_block"] for one in node.get("vswitches", ())] or node["cidr_blocks"])


def vpc_table(sky: Cloud, vpc_id: str) -> Table:
    """The system route table of a VPC; of equal prefixes the first stays."""
    vpc = sky.vpcs[vpc_id]
    table: Table = dict.fromkeys((*blocks_of(vpc), CLOUD_SERVICES), LOCAL)
    for route in vpc["routes"]:  # CreateRouteEntry
        hop = VPN if route["via"] in sky.tunnels else route["via"]
        table.setdefault(IPv4Network(route["destination"]), hop)
    for tunnel in tunnels_of(sky, vpc_id):
        if tunnel.get("publish_vpc", True):  # "Publish to VPC", on by default
            for destination in gateway_destinations(tunnel):
                table.setdefault(destination, VPN)
    for router_id, router in sky.routers.items():
        if vpc_id in attachments(router):
            for destination in _learned(sky, router, vpc_id):
                table.setdefault(destination, router_id)
    # "A VPC does not accept routes that are subsets of its vSwitches": CEN, "Enable overlapping routing".
    vswitches = _networks([one["cidr_block"] for one in vpc.get("vswitches", ())])
    return {
        prefix: hop
        for prefix, hop in table.items()
        if hop == LOCAL or not any(prefix.subnet_of(vswitch) for vswitch in vswitches)
    }


def _learned(sky: Cloud, router: Object, vpc_id: str) -> Iterator[IPv4Network]:
    """What a transit router gives to a VPC: nothing back, and of cloud services only another region's."""
    table = router_table(sky, router, vpc_id)
    for prefix, hop in table.items():
        services = prefix.subnet_of(CLOUD_SERVICES) and hop in sky.vpcs
        # ResolveAndRouteServiceInCen is for on-premises networks; a VPC keeps the services of its region.
        closed = services and (is_basic(router) or region_of(sky, hop) == region_of(sky, vpc_id))
        if hop != vpc_id and not closed:
            yield prefix


def network_table(network: Object) -> Table:
    table: Table = dict.fromkeys(blocks_of(network), LOCAL)
    for route in network["routes"]:
        table.setdefault(IPv4Network(route["destination"]), route["via"])
    return table


def tunnels_of(sky: Cloud, vpc_id: str) -> list[Object]:
    return [one for one in sky.tunnels.values() if one["vpc_id"] == vpc_id]


def gateway_destinations(tunnel: Object) -> list[IPv4Network]:
    """What a VPN gateway has routes to: in destination routing mode they stand apart from the selectors."""
    return _networks(tunnel.get("destination_routes") or tunnel["remote_subnets"])


def policies(sky: Cloud, vpc_id: str) -> list[tuple[IPv4Network, IPv4Network, str]]:
    """Policy-based routes: source, destination and tunnel, in the order in which they are tried."""
    every = [
        (local, remote, tunnel["connection_id"])
        for tunnel in tunnels_of(sky, vpc_id)
        if not tunnel.get("destination_routes")
        for remote in _networks(tunnel["remote_subnets"])
        for local in _networks(tunnel["local_subnets"])
    ]
    return sorted(every, key=lambda one: (-one[1].prefixlen, -one[0].prefixlen))


def destination_routes(sky: Cloud, vpc_id: str) -> Table:
    """Destination-based routes, tried after all policy-based ones ("Configure policy-based routes")."""
    table: Table = {}
    for tunnel in tunnels_of(sky, vpc_id):
        for destination in _networks(tunnel.get("destination_routes", ())):
            table.setdefault(destination, tunnel["connection_id"])
    return table


def attachments(router: Object) -> dict[str, Object]:
    """The attachments of a transit router by id, and what is said of networks."""
    given = [{"network_id": one} if isinstance(one, str) else one for one in router["attachments"]]
    return {one["network_id"]: one for one in given}


def is_basic(router: Object) -> bool:
    return bool(router.get("edition", "enterprise") == "basic")


def router_table(sky: Cloud, router: Object, asking: str) -> Table:
    """The one route table of a transit router, as far as it is open to an attachment.

    "Resolve overlapping vSwitch CIDR blocks in CEN": with two owners it cannot tell which is right.
    """
    table: Table = {}
    for route in router.get("routes", ()):
        table.setdefault(IPv4Network(route["destination"]), route["via"])
    every = attachments(router)
    vswitches = [
        IPv4Network(vswitch["cidr_block"])
        for one in every
        for vswitch in sky.vpcs.get(one, {}).get("vswitches", ())
    ]
    for block in vswitches:
        if vswitches.count(block) > 1:
            table.setdefault(block, NOWHERE)
    for one in every:
        # Route policy 5000 rejects routes between VPN, VBR and CCN.
        if one in sky.vpcs or asking in (*sky.vpcs, one):
            for block in (*blocks_of(sky.nodes[one]), *_published(sky, one)):
                table.setdefault(block, one)
    for host, vpc_id in _services(sky, router, asking):
        table.setdefault(host, vpc_id)
    return table


def _published(sky: Cloud, vpc_id: str) -> Iterator[IPv4Network]:
    """PublishRouteEntries: routes of a VPC whose next hop is its VPN gateway; off by default."""
    for tunnel in tunnels_of(sky, vpc_id):
        if tunnel.get("publish_cen"):
            if tunnel.get("publish_vpc", True):
                yield from gateway_destinations(tunnel)
            for route in sky.vpcs[vpc_id]["routes"]:
                if route["via"] == tunnel["connection_id"]:
                    yield IPv4Network(route["destination"])


def _services(sky: Cloud, router: Object, asking: str) -> Iterator[tuple[IPv4Network, str]]:
    for route in router.get("service_routes", ()):
        if asking in route["access"] and _may_use(sky, router, asking, route["host_vpc_id"]):
            yield IPv4Network(route["host"]), route["host_vpc_id"]
    through = sky.networks.get(asking, {}).get("resolves_through", {})
    # RoutePrivateZoneInCenToVpc: the VPC is attached, and in the region of the VBR.
    vpc_id = through.get("vpc_id")
    if through.get("via") == router["connection_id"] and is_basic(router) and vpc_id in attachments(router):
        for resolver in RESOLVERS if _may_use(sky, router, asking, vpc_id) else ():
            yield IPv4Network(resolver), vpc_id


def _may_use(sky: Cloud, router: Object, asking: str, vpc_id: str) -> bool:
    """Basic Edition: a VBR reaches services of its region, a CCN of the Chinese mainland all of that."""
    if not is_basic(router) or asking in sky.vpcs:
        return True
    attachment, there = attachments(router)[asking], region_of(sky, vpc_id)
    here = attachment.get("region_id") or region_of(sky, asks_as(sky.networks[asking]))
    in_china = all(region.startswith("cn-") and region != "cn-hongkong" for region in (here, there))
    return bool(here == there or (attachment.get("kind") == "ccn" and in_china))


def asks_as(network: Object) -> str | None:
    through: str | None = network.get("resolves_through", {}).get("vpc_id", network.get("resolves_as"))
    return through


def region_of(sky: Cloud, vpc_id: str | None) -> str:
    return str(sky.vpcs[vpc_id]["region_id"]) if vpc_id is not None else ""


def _networks(texts: Any) -> list[IPv4Network]:
    return [IPv4Network(text) for text in texts]
