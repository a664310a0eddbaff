"""CENs and transit routers of Terraform, or of an account: attachments, static routes, routes to services.

A VBR or CCN is an on-premises network, under the id of that; so is what is behind an IPsec-VPN attachment.
"""

from typing import Any, Final

from vpcdns.importing.inventory import Inventory
from vpcdns.importing.terraform.objects import NEW, Object, Objects
from vpcdns.importing.terraform.vpns import RESOLVES, block_of, network_behind

# What is attached, as the API and as the provider's attributes call it; anything else is a VPC.
_KINDS: Final = {"VBR": "vbr", "CCN": "ccn", "vbr_id": "vbr", "vpn_id": "vpn"}


class Cens:
    def __init__(self, objects: Objects, inventory: Inventory) -> None:
        self._objects, self._inventory = objects, inventory
        self._customers = {one.id: one for one in objects["alicloud_vpn_customer_gateway"]}
        self._vpns = {one.id: one for one in objects["alicloud_vpn_gateway_vpn_attachment"]}
        self._addresses = {one.id: one for one in objects["alicloud_cen_instance"]}
        self._cen_of_router: dict[str, str] = {}
        self._router_regions: dict[str, str | None] = {}
        self._regions: dict[tuple[str, str], str | None] = {}  # of what is attached, by CEN and id
        self.attached_as: dict[str, tuple[str, str]] = {}  # attachment id -> its CEN, and what is attached

    def add(self) -> None:
        for known in self._addresses:
            self._cen(known)
        for one in self._objects["alicloud_cen_transit_router"]:
            cen_id = one.one("cen_id")
            if cen_id is not None:
                part, router = self._cen(cen_id), one.attributes.transit_router_id
                is_basic = one.attributes.type == "Basic" and part.get("edition") != "enterprise"
                part["edition"] = "basic" if is_basic else "enterprise"
                for name in (router, one.id, one.id.rpartition(":")[2], *one.aliases("transit_router_id")):
                    if name:
                        self._cen_of_router[name] = cen_id
                        self._router_regions[name] = one.region
        for one in self._objects["alicloud_cen_instance_attachment"]:
            kind, child = one.attributes.child_instance_type, one.one("child_instance_id")
            region = one.attributes.child_instance_region_id
            self._attach(one, one.one("instance_id"), child, region, kind=_KINDS.get(kind or ""))
        for kind, name in (("vpc", "vpc_id"), ("vbr", "vbr_id"), ("vpn", "vpn_id")):
            for one in self._objects[f"alicloud_cen_transit_router_{kind}_attachment"]:
                self._attach_to_router(one, name)
        for one in self._objects["alicloud_cen_route_service"]:
            self._add_service(one)
        for one in self._objects["alicloud_cen_transit_router_route_entry"]:
            self._add_route(one)
        for one in self._objects["alicloud_cen_private_zone"]:
            self._resolve(one)
        self._finish()

    def _cen(self, cen_id: str) -> dict[str, Any]:
        known = self._addresses.get(cen_id)
        notes = [NEW] if known is not None and known.is_new else []
        item = self._inventory.get("connections", cen_id)
        if item is None:
            part = {"connection_id": cen_id, "type": "cen", "attachments": []}
            item = self._inventory.add("connections", part, known.address if known else "", *notes)
        return item.part

    def _attach_to_router(self, one: Object, name: str) -> None:
        router, child = one.one("transit_router_id"), one.one(name)
        cen_id = self._cen_of_router.get(router or "") or one.one("cen_id")
        if name == "vpn_id" and child is not None:
            vpn = self._vpns.get(child)
            network = None if vpn is None else network_behind(vpn, self._customers, self._inventory)
            if network is None:
                self._inventory.omit(one.address, f"the network behind IPsec connection {child} is not known")
                return
            child = str(network["network_id"])
        region = one.region or self._router_regions.get(router or "")
        self._attach(one, cen_id, child, region, kind=_KINDS.get(name))

    def _attach(
        self, one: Object, cen_id: str | None, child: str | None, region: str | None, *, kind: str | None
    ) -> None:
        """Attaches a network of a kind, or without a kind a VPC."""
        if cen_id is None or child is None:
            what = "its CEN" if cen_id is None else "what is attached"
            self._inventory.omit(one.address, f"an attachment to a CEN: {what} is not known")
            return
        if kind is not None:
            self._inventory.origins.setdefault(child, one.address)
            if self._inventory.get("networks", child) is None:
                note = "missing: its blocks and routes, which BGP or its owner knows"
                self._inventory.add("networks", {"network_id": child}, one.address, note, RESOLVES)
        else:
            known = {} if region is None else {"region_id": region}
            self._inventory.add("vpcs", {"vpc_id": child, **known}, "")
        attachments, notes = self._cen(cen_id)["attachments"], list(one.notes)
        if (cen_id, child) not in self._regions:
            known = {} if region is None else {"region_id": region}
            attachments.append(child if kind is None else {"network_id": child, "kind": kind, **known})
            if kind is not None and region is None:
                notes.append(f"guessed: {child} enters in the region of the VPC that it asks as")
        self._regions[cen_id, child] = self._regions.get((cen_id, child)) or region
        self._inventory.sections["connections"][cen_id,].notes += notes
        names = (
            one.id,
            one.id.rpartition(":")[2],
            getattr(one.attributes, "transit_router_attachment_id", None),
        )
        for name in (*names, *one.aliases("transit_router_attachment_id")):
            if name:
                self.attached_as[name] = cen_id, child

    def _add_service(self, one: Object) -> None:
        cen_id, vpc_id, host = one.one("cen_id"), one.one("host_vpc_id"), one.attributes.host
        if cen_id is None or vpc_id is None or (block := block_of(host)) is None:
            self._inventory.omit(
                one.address, f"service route to {host}: only blocks of addresses are routed here"
            )
            return
        access = self._in_region(cen_id, one.attributes.access_region_id)
        if not access:
            what = f"service route to {host}"
            self._inventory.omit(one.address, f"{what}: no network of its access region is on {cen_id}")
            return
        routes = self._cen(cen_id).setdefault("service_routes", [])
        routes.append({"host": str(block), "host_vpc_id": vpc_id, "access": access})
        self._inventory.sections["connections"][cen_id,].notes += one.notes

    def _in_region(self, cen_id: str, region: str | None) -> list[str]:
        """The networks that enter a CEN in a region, and those of which nothing tells where.

        VPCs are none of them: they have their own region's services anyhow.
        """
        attached = (child for (cen, child) in self._regions if cen == cen_id)
        networks = (child for child in attached if self._inventory.get("networks", child) is not None)
        return [child for child in networks if self._regions[cen_id, child] in (region, None)]

    def _add_route(self, one: Object) -> None:
        route = one.attributes
        block = block_of(route.transit_router_route_entry_destination_cidr_block)
        hop = one.one("transit_router_route_entry_next_hop_id")
        cen_id, child = self.attached_as.get(hop or "", ("", ""))
        routes = self._cen(cen_id).setdefault("routes", []) if cen_id else []
        others = [other["via"] for other in routes if other["destination"] == str(block)]
        if block is None or not cen_id or others:
            via = hop or route.transit_router_route_entry_next_hop_type
            what = f"route {route.transit_router_route_entry_destination_cidr_block} via {via}"
            why = "a configuration has static routes to attachments only"
            if others:
                why = f"another route of {cen_id} leads there via {others[0]}, and a CEN is one router here"
            if others != [child]:
                self._inventory.omit(one.address, f"{what}: {why}")
            return
        routes.append({"destination": str(block), "via": child})
        self._inventory.sections["connections"][cen_id,].notes += one.notes

    def _resolve(self, one: Object) -> None:
        """RoutePrivateZoneInCenToVpc: on-premises networks of the region resolve through the VPC."""
        cen_id, vpc_id, region = one.one("cen_id"), one.one("host_vpc_id"), one.attributes.access_region_id
        for name in self._in_region(cen_id, region) if cen_id is not None and vpc_id is not None else ():
            network = self._inventory.sections["networks"][name,]
            if network.part.setdefault("resolves_as", vpc_id) == vpc_id:
                through = f"{{vpc_id: {vpc_id}, via: {cen_id}}}"
                how = f"with its routes to 100.100.2.136 and .138, say resolves_through: {through} instead"
                network.notes = [note for note in network.notes if note != RESOLVES]
                network.notes.append(f"guessed: that its queries get there; {how}")

    def _finish(self) -> None:
        """Leaves out CENs with nothing in them; without a transit router, the edition is the old one."""
        for identity, item in list(self._inventory.sections["connections"].items()):
            if item.part["type"] != "cen":
                continue
            if not item.part["attachments"]:
                self._inventory.omit(
                    item.origin or str(identity[0]), f"CEN {identity[0]}: nothing is attached"
                )
                del self._inventory.sections["connections"][identity]
                continue
            if not item.part.get("routes", True):
                del item.part["routes"]
            if "edition" not in item.part:
                item.part["edition"] = "basic"
                item.notes.append("guessed: its edition, as no transit router is there")
