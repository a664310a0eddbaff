"""VPCs, vSwitches, VPNs and CENs of Terraform -> an Inventory.

An on-premises network is what stands behind a customer gateway, a VBR or a CCN, under the id of that. What a
configuration has no word for is listed as not taken over: routes of route tables, and those of transit
routers to private blocks.
"""

from ipaddress import IPv4Network
from typing import Any, Final

from vpcdns.importing.inventory import Inventory
from vpcdns.importing.terraform.objects import NEW, Object, Objects
from vpcdns.model.gateway import SHARED_SPACE

_RESOLVES: Final = "missing: how it resolves; if it asks a VPC's resolver, set resolves_as to that VPC"


def add_networks(objects: Objects, inventory: Inventory) -> None:
    _add_vpcs(objects, inventory)
    _Vpns(objects, inventory).add()
    _Cens(objects, inventory).add()
    for one in objects["alicloud_route_entry"]:
        route = one.attributes
        way = f"{route.destination_cidrblock} via {route.nexthop_type} {route.nexthop_id}"
        inventory.omit(one.address, f"route {way}: a configuration has no routes of VPCs")


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


class _Vpns:
    def __init__(self, objects: Objects, inventory: Inventory) -> None:
        self._objects, self._inventory = objects, inventory
        self._gateways = {one.id: one.one("vpc_id") for one in objects["alicloud_vpn_gateway"]}
        self._customers = {one.id: one for one in objects["alicloud_vpn_customer_gateway"]}

    def add(self) -> None:
        for one in self._objects["alicloud_vpn_connection"]:
            if self._inventory.get("connections", one.id) is None:
                self._add_connection(one)

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
        self._inventory.add("connections", part, one.address, *([NEW] if one.is_new else ()), *one.notes)
        routes = network.setdefault("routes", [])
        routes += [{"destination": block, "via": one.id} for block in dict.fromkeys(local)]


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
        notes = [_RESOLVES, "guessed: its routes are the connections' local subnets"]
        item = inventory.add("networks", {"network_id": named[0]}, known.address if known else "", *notes)
    blocks = item.part.setdefault("cidr_blocks", [])
    blocks += [one for one in one.attributes.remote_subnet if one not in ("0.0.0.0/0", *blocks)]
    if not blocks:
        del item.part["cidr_blocks"]
    return item.part


class _Cens:
    def __init__(self, objects: Objects, inventory: Inventory) -> None:
        self._objects, self._inventory = objects, inventory
        self._customers = {one.id: one for one in objects["alicloud_vpn_customer_gateway"]}
        self._vpns = {one.id: one for one in objects["alicloud_vpn_gateway_vpn_attachment"]}
        self._addresses = {one.id: one for one in objects["alicloud_cen_instance"]}
        self._cen_of_router: dict[str, str] = {}
        self._regions: dict[str, str | None] = {}  # of what is attached
        self._attached_as: dict[str, tuple[str, str]] = {}  # attachment id -> its CEN, and what is attached

    def add(self) -> None:
        for one in self._objects["alicloud_cen_transit_router"]:
            cen_id = one.one("cen_id")
            if cen_id is not None:
                part, router = self._cen(cen_id), one.attributes.transit_router_id
                is_basic = one.attributes.type == "Basic" and part.get("edition") != "enterprise"
                part["edition"] = "basic" if is_basic else "enterprise"
                for name in (router, one.id, one.id.rpartition(":")[2], *one.aliases("transit_router_id")):
                    if name:
                        self._cen_of_router[name] = cen_id
        for one in self._objects["alicloud_cen_instance_attachment"]:
            kind, child = one.attributes.child_instance_type, one.one("child_instance_id")
            region = one.attributes.child_instance_region_id
            self._attach(one, one.one("instance_id"), child, region, is_network=kind in ("VBR", "CCN"))
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
        self._attach(one, cen_id, child, one.region, is_network=name != "vpc_id")

    def _attach(
        self, one: Object, cen_id: str | None, child: str | None, region: str | None, *, is_network: bool
    ) -> None:
        if cen_id is None or child is None:
            what = "its CEN" if cen_id is None else "what is attached"
            self._inventory.omit(one.address, f"an attachment to a CEN: {what} is not known")
            return
        if is_network:
            if self._inventory.get("networks", child) is None:
                note = "missing: its blocks and routes, which BGP or its owner knows"
                self._inventory.add("networks", {"network_id": child}, one.address, note, _RESOLVES)
        else:
            known = {} if region is None else {"region_id": region}
            self._inventory.add("vpcs", {"vpc_id": child, **known}, "")
        attachments = self._cen(cen_id)["attachments"]
        if child not in attachments:
            attachments.append(child)
        self._regions[child] = region
        self._inventory.sections["connections"][cen_id,].notes += one.notes
        names = (
            one.id,
            one.id.rpartition(":")[2],
            getattr(one.attributes, "transit_router_attachment_id", None),
        )
        for name in (*names, *one.aliases("transit_router_attachment_id")):
            if name:
                self._attached_as[name] = cen_id, child

    def _add_service(self, one: Object) -> None:
        cen_id, vpc_id, host = one.one("cen_id"), one.one("host_vpc_id"), one.attributes.host
        if cen_id is None or vpc_id is None or (block := _block(host)) is None:
            self._inventory.omit(
                one.address, f"service route to {host}: only blocks of addresses are routed here"
            )
            return
        region = one.attributes.access_region_id
        attachments = self._cen(cen_id)["attachments"]
        access = [
            name for name in attachments if name != vpc_id and self._regions.get(name) in (region, None)
        ]
        self._add_service_route(one, cen_id, str(block), vpc_id, access)

    def _add_service_route(self, one: Object, cen_id: str, host: str, vpc_id: str, access: list[str]) -> None:
        if not access:
            self._inventory.omit(
                one.address, f"service route to {host}: nothing else is attached to {cen_id}"
            )
            return
        routes = self._cen(cen_id).setdefault("service_routes", [])
        routes.append({"host": host, "host_vpc_id": vpc_id, "access": access})
        self._inventory.sections["connections"][cen_id,].notes += one.notes

    def _add_route(self, one: Object) -> None:
        route = one.attributes
        block = _block(route.transit_router_route_entry_destination_cidr_block)
        hop = one.one("transit_router_route_entry_next_hop_id")
        cen_id, child = self._attached_as.get(hop or "", ("", ""))
        if block is None or not cen_id or not block.subnet_of(SHARED_SPACE):
            via = hop or route.transit_router_route_entry_next_hop_type
            what = f"route {route.transit_router_route_entry_destination_cidr_block} via {via}"
            why = f"a configuration has routes of a transit router to {SHARED_SPACE} only"
            self._inventory.omit(one.address, f"{what}: {why}")
            return
        access = [name for name in self._cen(cen_id)["attachments"] if name != child]
        self._add_service_route(one, cen_id, str(block), child, access)

    def _resolve(self, one: Object) -> None:
        """RoutePrivateZoneInCenToVpc: on-premises networks of the region resolve through the VPC."""
        cen_id, vpc_id, region = one.one("cen_id"), one.one("host_vpc_id"), one.attributes.access_region_id
        attached = self._cen(cen_id)["attachments"] if cen_id is not None else []
        for name in attached:
            network = self._inventory.get("networks", name)
            if network is not None and vpc_id is not None and self._regions.get(name) in (region, None):
                network.part.setdefault("resolves_as", vpc_id)
                network.notes = [note for note in network.notes if note != _RESOLVES]

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
            elif "edition" not in item.part:
                item.part["edition"] = "basic"
                item.notes.append("guessed: its edition, as no transit router is there")


def _block(text: str | None) -> IPv4Network | None:
    try:
        return None if text is None else IPv4Network(text, strict=False)
    except ValueError:
        return None
