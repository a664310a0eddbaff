"""VPCs, vSwitches, VPNs and CENs of Terraform -> an Inventory.

The vSwitch is the unit of routing, here as in the cloud. Routes of a VPC's own route table are taken over
where they lead to a VPN gateway or a transit router; other next hops are listed.
"""

from ipaddress import IPv4Network
from typing import Any

from vpcdns.importing.inventory import Inventory
from vpcdns.importing.terraform.cens import Cens
from vpcdns.importing.terraform.objects import NEW, Object, Objects
from vpcdns.importing.terraform.vpns import Vpns, block_of, destinations_of


def add_networks(objects: Objects, inventory: Inventory) -> None:
    _add_vpcs(objects, inventory)
    vpns, cens = Vpns(objects, inventory), Cens(objects, inventory)
    vpns.add()
    cens.add()
    _Routes(objects, inventory, vpns, cens).add()


def _add_vpcs(objects: Objects, inventory: Inventory) -> None:
    for one in objects["alicloud_vpc"]:
        part: dict[str, Any] = {"vpc_id": one.id}
        if one.region is not None:
            part["region_id"] = one.region
        blocks = [one.attributes.cidr_block, *one.attributes.secondary_cidr_blocks]
        if given := list(dict.fromkeys(block for block in blocks if block is not None)):
            part["cidr_blocks"] = given
        inventory.add("vpcs", part, one.address, *([NEW] if one.is_new else ()), *one.notes)
    for one in objects["alicloud_vpc_ipv4_cidr_block"]:
        vpc = _vpc(one, one.one("vpc_id"), inventory)
        block = one.attributes.secondary_cidr_block
        if vpc is not None and block not in (None, *vpc.setdefault("cidr_blocks", [])):
            vpc["cidr_blocks"].append(block)
    seen: set[str] = set()
    for one in objects["alicloud_vswitch"]:
        if one.id in seen:
            continue
        seen.add(one.id)
        vpc = _vpc(one, one.one("vpc_id"), inventory)
        if vpc is None:
            inventory.omit(one.address, f"vSwitch {one.id}: its VPC is not known")
            continue
        part = {"vswitch_id": one.id}
        if one.attributes.cidr_block is not None:
            part["cidr_block"] = one.attributes.cidr_block
        vpc.setdefault("vswitches", []).append(part)
        notes = ([f"{one.id}: {NEW}"] if one.is_new else []) + [f"{one.id}: {note}" for note in one.notes]
        inventory.sections["vpcs"][(vpc["vpc_id"],)].notes += notes


def _vpc(one: Object, vpc_id: str | None, inventory: Inventory) -> dict[str, Any] | None:
    """The VPC of that id; one that is only named is there as well, with what is known of it."""
    if vpc_id is None:
        return None
    region = {} if one.region is None else {"region_id": one.region}
    return inventory.add("vpcs", {"vpc_id": vpc_id, **region}, "").part


class _Routes:
    """Custom routes of VPCs, and those of their routes that CENs have."""

    def __init__(self, objects: Objects, inventory: Inventory, vpns: Vpns, cens: Cens) -> None:
        self._objects, self._inventory, self._vpns, self._cens = objects, inventory, vpns, cens
        self._vpc_of_table: dict[str, str] = {}
        for vpc in objects["alicloud_vpc"]:
            tables = vpc.attributes.route_table_id, vpc.attributes.router_table_id
            for table in (*tables, *vpc.aliases("route_table_id"), *vpc.aliases("router_table_id")):
                if table:
                    self._vpc_of_table[table] = vpc.id

    def add(self) -> None:
        for one in self._objects["alicloud_route_entry"]:
            self._add(one)
        for one in self._objects["alicloud_cen_route_entry"]:
            self._publish(one)

    def _add(self, one: Object) -> None:
        route, hop, table = one.attributes, one.one("nexthop_id"), one.one("route_table_id")
        vpc = self._inventory.get("vpcs", self._vpc_of_table.get(table or "", ""))
        block = block_of(route.destination_cidrblock)
        via = None if block is None else self._via(route.nexthop_type, hop, block)
        if vpc is None or block is None or via is None:
            why = f"a configuration has no next hop {route.nexthop_type}"
            if vpc is None:
                why = f"no VPC is known whose own route table is {table}"
            elif route.nexthop_type in ("VpnGateway", "Attachment"):
                why = "nothing that was taken over stands there"
            way = f"{route.destination_cidrblock} via {route.nexthop_type} {hop}"
            self._inventory.omit(one.address, f"route {way}: {why}")
            return
        routes = vpc.part.setdefault("routes", [])
        if all(other["destination"] != str(block) for other in routes):
            routes.append({"destination": str(block), "via": via})
            vpc.notes += one.notes

    def _via(self, kind: str | None, hop: str | None, block: IPv4Network) -> str | None:
        """The connection that a next hop is."""
        if kind == "Attachment":
            return self._cens.attached_as.get(hop or "", (None, ""))[0]
        item = self._vpns.through(hop, block) if kind == "VpnGateway" else None
        return None if item is None else str(item.part["connection_id"])

    def _publish(self, one: Object) -> None:
        """A route of a VPC that a CEN has (PublishRouteEntries): here, all via the same connection."""
        cen_id, table = one.one("instance_id"), one.one("route_table_id")
        block = block_of(one.attributes.cidr_block)
        vpc_id = self._vpc_of_table.get(table or "")
        vpc = self._inventory.get("vpcs", vpc_id or "")
        own = {route["destination"]: route["via"] for route in (vpc.part.get("routes", ()) if vpc else ())}
        published = False
        for item in self._inventory.items("connections"):
            if block is None or vpc_id is None or item.part.get("vpc_id") != vpc_id:
                continue
            blocks = list(destinations_of(item))
            if block in blocks or own.get(str(block)) == item.part["connection_id"]:
                published = item.part["publish_cen"] = True
                if blocks != [block]:
                    item.notes.append(f"guessed: that {cen_id} has all routes via it, as it has {block}")
        if not published:
            why = "it leads to no IPsec connection that was taken over"
            self._inventory.omit(one.address, f"route {block} of {vpc_id or table} at {cen_id}: {why}")
