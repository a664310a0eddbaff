"""Random configurations, of few nodes and fewer blocks, so that ways meet, overlap and break.

All of it comes from one number: the same number gives the same configuration.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.lab.cloud_after_documents.routes import Object

REGIONS: Final = ("cn-hangzhou", "cn-hangzhou", "cn-shanghai", "cn-hongkong")
_VPC_BLOCKS: Final = {  # with the vSwitches that may be in them, some within others
    "10.1.0.0/16": ("10.1.8.0/24", "10.1.9.0/24", "10.1.0.0/20", "10.1.0.0/16"),
    "10.2.0.0/16": ("10.2.8.0/24", "10.2.0.0/17"),
    "10.3.0.0/16": ("10.3.8.0/24", "10.3.0.0/16"),
    "10.0.0.0/14": ("10.1.8.0/24", "10.1.8.0/25", "10.2.0.0/17", "10.3.0.0/16"),
    "172.16.0.0/16": ("172.16.8.0/24", "172.16.0.0/20"),
}
_NETWORK_BLOCKS: Final = (
    *("192.168.0.0/16", "192.168.0.0/17", "192.168.128.0/17", "192.0.2.0/24") * 3,
    *("172.16.0.0/12", "10.0.0.0/8", "10.1.0.0/16", "10.1.8.0/25", "100.110.0.0/16"),
)
_DESTINATIONS: Final = (
    *("10.0.0.0/8", "10.1.0.0/16", "10.1.8.0/24", "10.2.0.0/16", "10.3.0.0/16", "172.16.0.0/16") * 2,
    *("192.168.0.0/16", "192.168.128.0/17", "192.168.5.0/24", "10.1.8.16/28", "0.0.0.0/0"),
)
_SERVICES: Final = ("100.64.0.0/10", "100.100.80.0/24", "100.100.80.10/32", "100.100.90.0/24")
_RESOLVERS: Final = ("100.100.2.136/32", "100.100.2.138/32", "100.100.2.136/30", "100.64.0.0/10")


@dataclass(slots=True)
class Draw:
    """A configuration in the making."""

    random: Random
    document: Object = field(default_factory=dict)

    def often(self, of_ten: int) -> bool:
        return self.random.randrange(10) < of_ten

    def some(self, items: Any, least: int, most: int) -> list[Any]:
        return self.random.sample(list(items), min(self.random.randint(least, most), len(items)))

    def one(self, items: Any) -> Any:
        return self.random.choice(list(items))


def random_cloud(seed: int) -> tuple[Object, tuple[str, ...]]:
    """A configuration, and the connections that are then cut."""
    draw = Draw(Random(seed))
    draw.document = {"server": {}, "forward": {"upstreams": []}}
    draw.document["vpcs"] = [_vpc(draw, number) for number in range(draw.random.randint(2, 4))]
    draw.document["networks"] = [_network(draw, number) for number in range(draw.random.randint(1, 3))]
    tunnels = [_ipsec(draw, f"vpn-{number}") for number in range(draw.random.randint(0, 4))]
    routers = [_cen(draw, f"cen-{number}", tunnels) for number in range(draw.random.randint(0, 3))]
    connections = [*tunnels, *routers]
    draw.random.shuffle(connections)
    draw.document["connections"] = connections
    for node in (*draw.document["vpcs"], *draw.document["networks"]):
        _route(draw, node)
    _instances(draw)
    cut = draw.some([one["connection_id"] for one in connections], 1, 1) if draw.often(2) else ()
    return draw.document, tuple(cut)


def _vpc(draw: Draw, number: int) -> Object:
    block = draw.one(_VPC_BLOCKS)
    vpc = {"vpc_id": f"vpc-{number}", "region_id": draw.one(REGIONS), "cidr_blocks": [block]}
    vpc["source_networks"] = [f"198.18.{number}.0/24"]
    apart: list[str] = []
    for vswitch in draw.some(_VPC_BLOCKS[block], 0 if draw.often(1) else 1, 2):
        first = vswitch.rsplit(".", 2)[0]
        if not any(other.startswith(first) for other in apart):
            apart.append(vswitch)
    vpc["vswitches"] = [{"vswitch_id": f"vsw-{index}", "cidr_block": one} for index, one in enumerate(apart)]
    return vpc


def _network(draw: Draw, number: int) -> Object:
    blocks = draw.some(dict.fromkeys(draw.some(_NETWORK_BLOCKS, 1, 2)), 1, 2)
    network = {"network_id": f"net-{number}", "cidr_blocks": blocks}
    return network | {"source_networks": [f"198.19.{number}.0/24"]}


def _ipsec(draw: Draw, name: str) -> Object:
    vpc, network = draw.one(draw.document["vpcs"]), draw.one(draw.document["networks"])
    own = vpc["cidr_blocks"]
    services = draw.one(_SERVICES)
    local = draw.one([own, own, [*own, services], [services], ["10.0.0.0/8", "100.64.0.0/10"], ["0.0.0.0/0"]])
    remote = draw.one([network["cidr_blocks"]] * 5 + [["172.16.0.0/12"], ["192.168.0.0/16", "10.1.8.16/28"]])
    made = {"connection_id": name, "type": "ipsec", "vpc_id": vpc["vpc_id"]}
    made |= {"network_id": network["network_id"], "local_subnets": local, "remote_subnets": remote}
    if draw.often(3):  # destination routing mode
        made["destination_routes"] = draw.one([remote, network["cidr_blocks"], ["192.168.0.0/17"]])
        made |= draw.one([{}, {"local_subnets": ["0.0.0.0/0"], "remote_subnets": ["0.0.0.0/0"]}])
    if draw.often(2):
        made["publish_vpc"] = False
    if draw.often(4):
        made["publish_cen"] = True
    return made


def _cen(draw: Draw, name: str, tunnels: list[Object]) -> Object:
    vpcs = [one["vpc_id"] for one in draw.document["vpcs"]]
    networks = [one["network_id"] for one in draw.document["networks"]]
    attached: list[Any] = draw.some([*vpcs, *vpcs, *networks], 2, 6)
    attached = list(dict.fromkeys(attached))
    hosts = [one for one in attached if one in vpcs]
    edition = draw.one(["basic", "basic", "enterprise", None])
    basic = edition == "basic"
    made: Object = {"connection_id": name, "type": "cen"} | ({"edition": edition} if edition else {})
    if hosts and draw.often(8 if basic else 4):
        made["service_routes"] = [
            {"host": draw.one(_SERVICES), "host_vpc_id": draw.one(hosts), "access": draw.some(attached, 2, 6)}
            for _ in range(draw.random.randint(1, 2))
        ]
    static = _static_routes(draw, attached, tunnels) if draw.often(1 if basic else 6) else []
    if static and not (basic and draw.often(5)):
        made["routes"] = static
    kinds = ["vbr", "vbr", "ccn"] if basic and not draw.often(1) else ["vbr", "ccn", "vpn"]
    made["attachments"] = [
        _attachment(draw, one, draw.one(kinds)) if one in networks and draw.often(8) else one
        for one in attached
    ]
    return made


def _static_routes(draw: Draw, attached: list[str], tunnels: list[Object]) -> list[Object]:
    """To anything via anybody, and to networks behind the VPN gateway of an attached VPC."""
    every = set_of((*_DESTINATIONS, *_SERVICES, *_RESOLVERS))
    static = [{"destination": one, "via": draw.one(attached)} for one in draw.some(every, 0, 2)]
    behind = [one for one in tunnels if one["vpc_id"] in attached]
    for tunnel in draw.some(behind, 0, 1):
        destination = draw.one([*tunnel["remote_subnets"], "192.168.0.0/17", "192.168.0.0/24"])
        static.append({"destination": destination, "via": tunnel["vpc_id"]})
    return static


def _attachment(draw: Draw, network_id: str, kind: str) -> Object:
    region = {"region_id": draw.one(REGIONS)} if draw.often(8) else {}
    return {"network_id": network_id, "kind": kind} | region


def set_of(texts: Any) -> list[str]:
    return list(dict.fromkeys(texts))


def _joins(connection: Object, node: str) -> bool:
    if connection["type"] == "ipsec":
        return node in (connection["vpc_id"], connection["network_id"])
    given = [one if isinstance(one, str) else one["network_id"] for one in connection["attachments"]]
    return node in given


def _route(draw: Draw, node: Object) -> None:
    """Routes, and for a network how it resolves."""
    name = node.get("vpc_id") or node["network_id"]
    joined = [one for one in draw.document["connections"] if _joins(one, name)]
    vias = [one["connection_id"] for one in joined]
    routes: list[Object] = []
    if "vpc_id" in node:
        custom = draw.some(set_of(_DESTINATIONS), 1, 2) if vias and draw.often(3) else ()
        routes += [{"destination": destination, "via": draw.one(vias)} for destination in custom]
        if vias and draw.often(1) and draw.often(3):
            routes.append({"destination": draw.one(_SERVICES), "via": draw.one(vias)})
    else:
        blocks = [block for vpc in draw.document["vpcs"] for block in vpc["cidr_blocks"]]
        every = set_of((*blocks, *blocks, *_DESTINATIONS, *_SERVICES, *_RESOLVERS))
        routes = [
            {"destination": one, "via": draw.one(vias)} for one in set_of(blocks) if vias and draw.often(7)
        ]
        routes += [
            {"destination": one, "via": draw.one(vias)} for one in (draw.some(every, 1, 5) if vias else ())
        ]
        if vias and draw.often(6):
            routes.append({"destination": draw.one(_SERVICES), "via": draw.one(vias)})
        routes += _resolving(draw, node, vias)
    if routes:
        seen: dict[tuple[str, str], Object] = {(one["destination"], one["via"]): one for one in routes}
        node["routes"] = list(seen.values())


def _resolving(draw: Draw, network: Object, vias: list[str]) -> list[Object]:
    """How it resolves, and the routes that this may need."""
    vpc = draw.one(draw.document["vpcs"])
    if draw.often(5):
        if draw.often(9):
            network["resolves_as"] = vpc["vpc_id"]
        return []
    through = {"vpc_id": vpc["vpc_id"], "via": draw.one([*vias, *vias, "inbound_endpoint"])}
    network["resolves_through"] = through
    if through["via"] != "inbound_endpoint":
        return [{"destination": draw.one(_RESOLVERS), "via": through["via"]}] if draw.often(8) else []
    if vpc["vswitches"] and draw.often(5):
        through["address"] = vpc["vswitches"][-1]["cidr_block"].rsplit(".", 1)[0] + ".53"
    return []


def _instances(draw: Draw) -> None:
    document = draw.document
    instances: list[Object] = []
    for number, region in enumerate(set_of(one["region_id"] for one in document["vpcs"])):
        shared = draw.one(["100.100.80.10", f"100.100.80.{20 + number}", f"100.100.90.{20 + number}"])
        more = [shared] if draw.often(7) else [shared, f"100.100.80.{30 + number}"]
        instances.append(
            {"instance_id": "shared", "type": "serverless", "region_id": region, "addresses": more}
        )
    taken: set[tuple[str, str]] = set()
    for number in range(draw.random.randint(1, 3)):
        vpc = draw.one(document["vpcs"])
        made = {"instance_id": f"gw-{number}", "type": "dedicated", "region_id": vpc["region_id"]}
        if vpc["vswitches"] and draw.often(9):
            vswitch = draw.one(vpc["vswitches"])
            address = vswitch["cidr_block"].rsplit(".", 1)[0] + f".{draw.one([20, 20, 21, 22])}"
            if (vpc["vpc_id"], address) not in taken:
                taken.add((vpc["vpc_id"], address))
                binding = {"vpc_id": vpc["vpc_id"], "vswitch_id": vswitch["vswitch_id"], "address": address}
                made["binding"] = binding
        instances.append(made)
    document["instances"] = instances
    document["groups"] = [
        {
            "group_id": f"{number:031x}a",
            "instance_id": one["instance_id"],
            "region_id": one["region_id"],
            "vpc_domain": (one["type"] == "serverless" or "binding" in one) and draw.often(9),
        }
        for number, one in enumerate(instances)
    ]
