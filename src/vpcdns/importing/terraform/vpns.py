"""VPN gateways of Terraform -> IPsec connections and the networks behind them, with the gateways' routes.

An on-premises network is what stands behind a customer gateway, under the id of that. A gateway's routes are
those of its connections' selectors, or destination-based ones where there are such.
"""

from collections import defaultdict
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any, Final

from vpcdns.importing.inventory import Inventory, Item
from vpcdns.importing.terraform.objects import NEW, Object, Objects

RESOLVES: Final = (
    "missing: how it resolves; if it asks a VPC's resolver, set resolves_as or resolves_through to that VPC"
)
_ANYWHERE: Final = "0.0.0.0/0"


class Vpns:
    def __init__(self, objects: Objects, inventory: Inventory) -> None:
        self._objects, self._inventory = objects, inventory
        self._gateways = {one.id: one.one("vpc_id") for one in objects["alicloud_vpn_gateway"]}
        self._customers = {one.id: one for one in objects["alicloud_vpn_customer_gateway"]}

        self._of_gateway: dict[str, list[Item]] = defaultdict(list)
        self._routes: dict[str, list[Object]] = defaultdict(list)  # by the connection that they lead to

    def add(self) -> None:
        for one in (
            *self._objects["alicloud_vpn_route_entry"],
            *self._objects["alicloud_vpn_pbr_route_entry"],
        ):
            self._routes[one.one("next_hop") or "that is not known"].append(one)
        for one in self._objects["alicloud_vpn_connection"]:
            if self._inventory.get("connections", one.id) is None:
                self._add_connection(one)
        for name, routes in self._routes.items():
            item = self._inventory.get("connections", name)
            for one in routes if item is None else ():
                what = f"route {one.attributes.route_dest} via {name}"
                self._inventory.omit(one.address, f"{what}: there is no such IPsec connection")
            if item is not None:
                self._add_routes(item, routes)

    def through(self, gateway: str | None, block: IPv4Network) -> Item | None:
        """The connection by which a VPN gateway takes traffic to a block."""
        items = self._of_gateway.get(gateway or "", [])
        fitting = (item for item in items if any(one.overlaps(block) for one in destinations_of(item)))
        return next(fitting, items[0] if items else None)

    def _add_connection(self, one: Object) -> None:
        gateway = one.one("vpn_gateway_id")
        vpc_id = None if gateway is None else self._gateways.get(gateway)
        network = network_behind(one, self._customers, self._inventory)
        local, remote = one.attributes.local_subnet, one.attributes.remote_subnet
        if vpc_id is None or network is None or not local or not remote:
            lacking = [
                f"the VPC of VPN gateway {gateway}" * (vpc_id is None),
                "its customer gateway" * (network is None),
                "its local_subnet or remote_subnet" * (not local or not remote),
            ]
            why = f"IPsec connection {one.id}: {' and '.join(filter(None, lacking))} is not known"
            self._inventory.omit(one.address, why)
            return
        part = {
            "connection_id": one.id,
            "type": "ipsec",
            "vpc_id": vpc_id,
            "network_id": network["network_id"],
        }
        part |= {"local_subnets": local, "remote_subnets": remote}
        notes = ([NEW] if one.is_new else []) + one.notes
        if one.attributes.auto_config_route is False and one.id not in self._routes:
            notes.append("guessed: that its VPN gateway routes to its remote subnets, which nothing says")
        item = self._inventory.add("connections", part, one.address, *notes)
        self._of_gateway[gateway or ""].append(item)
        routes = network.setdefault("routes", [])
        routes += [{"destination": block, "via": one.id} for block in dict.fromkeys(local)]

    def _add_routes(self, item: Item, routes: list[Object]) -> None:
        """Routes of a gateway to a connection: by destination, or policies, which its selectors should be."""
        part, given = item.part, [one.attributes for one in routes]
        if by_destination := [one.route_dest for one in given if one.route_source is None]:
            part["destination_routes"] = list(dict.fromkeys(by_destination))
            network = self._inventory.get("networks", part["network_id"])
            if network is not None and "cidr_blocks" not in network.part:
                blocks = [one for one in part["destination_routes"] if one != _ANYWHERE]
                network.part |= {"cidr_blocks": blocks} if blocks else {}
                network.notes.append("guessed: its blocks are the destinations of the VPN gateway's routes")
        policies = {(one.route_source, one.route_dest) for one in given if one.route_source is not None}
        selectors = {(local, remote) for local in part["local_subnets"] for remote in part["remote_subnets"]}
        if policies and (by_destination or policies != selectors):
            listed = ", ".join(f"{source} -> {to}" for source, to in sorted(policies, key=str))
            item.notes.append(f"not taken over: policy-based routes {listed}: its selectors count")
        published = {one.publish_vpc is not False for one in given}
        if published == {False}:
            part["publish_vpc"] = False
        elif len(published) > 1:
            item.notes.append("guessed: that the VPC has all of its routes: only some are published")


def destinations_of(item: Item) -> Iterator[IPv4Network]:
    """The blocks that a VPN gateway routes to a connection."""
    given = item.part.get("destination_routes") or item.part.get("remote_subnets", ())
    return (block for block in map(block_of, given) if block is not None)


def block_of(text: str | None) -> IPv4Network | None:
    try:
        return None if text is None else IPv4Network(text, strict=False)
    except ValueError:
        return None


def network_behind(one: Object, customers: dict[str, Object], inventory: Inventory) -> dict[str, Any] | None:
    """The on-premises network behind an IPsec connection: that of its (first) customer gateway."""
    ids = [one.one("customer_gateway_id")]
    ids += [tunnel.customer_gateway_id for tunnel in one.attributes.tunnel_options_specification]
    if not any(ids):
        ids += one.unknown("tunnel_options_specification", many=True)
    named = list(dict.fromkeys(filter(None, ids)))
    if not named:
        return None
    if len(named) > 1:
        one.notes.append(f"its other tunnels, to {', '.join(named[1:])}, are not taken over")
    known = customers.get(named[0])
    item = inventory.get("networks", named[0])
    if item is None:
        notes = [RESOLVES, "guessed: its routes are the connections' local subnets"]
        item = inventory.add("networks", {"network_id": named[0]}, known.address if known else "", *notes)
    blocks = item.part.setdefault("cidr_blocks", [])
    blocks += [one for one in one.attributes.remote_subnet if one not in (_ANYWHERE, *blocks)]
    if not blocks:
        del item.part["cidr_blocks"]
    return item.part
