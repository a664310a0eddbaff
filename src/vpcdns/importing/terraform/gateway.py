"""Gateway instances, API groups and private zones of Terraform -> an Inventory.

Source: the provider's documentation, and its code where that is silent: a group that names no instance lives
on `api-shared-vpc-001`; `vpc_intranet_enable` is what the next apply makes of `vpc_domain`.
"""

from typing import Any, Final

from vpcdns.config import described, zone_file_text
from vpcdns.importing.inventory import Inventory, Item
from vpcdns.importing.terraform.objects import NEW, Object, Objects

SHARED_INSTANCE: Final = "api-shared-vpc-001"
_TTL: Final = 60  # seconds; what the provider documents for a record without one
_NEW_GROUP: Final = (
    "missing: its id, and so its VPC domain, are known after the apply only; this one stands in"
)


def add_gateway(objects: Objects, inventory: Inventory) -> None:
    for one in objects["alicloud_api_gateway_instance"]:
        _add_instance(one, inventory)
    for one in objects["alicloud_api_gateway_group"]:
        _add_group(one, inventory)
    for one in objects["alicloud_api_gateway_domain"]:
        _add_domain(one, inventory)


def _add_instance(one: Object, inventory: Inventory) -> None:
    part: dict[str, Any] = {"instance_id": one.id, "type": "dedicated"}
    vpc_id, vswitch_id = one.one("ingress_vpc_id"), one.one_at_last("ingress_vswitch_id")
    if vpc_id is None and vswitch_id is not None:
        vpc_id = _vpc_of(vswitch_id, inventory) or one.one_at_last("ingress_vpc_id")
    if vpc_id is not None and vswitch_id is not None:
        part["binding"] = {"vpc_id": vpc_id, "vswitch_id": vswitch_id}
    elif vpc_id is not None:
        one.notes.append(f"missing: it is bound to {vpc_id}, and nothing says in which vSwitch")
    elif "ingress_vpc_id" not in one.resource.values:
        one.notes.append("missing: where it is bound, which the provider tells since 1.246")
    elif one.attributes.instance_type == "vpc_connect":
        one.notes.append("not bound: user_vpc_id and zone_vswitch_security_group are the backends' side")
    _put(inventory, "instances", part, one)


def _vpc_of(vswitch_id: str, inventory: Inventory) -> str | None:
    for vpc in inventory.items("vpcs"):
        if any(one.get("vswitch_id") == vswitch_id for one in vpc.part.get("vswitches", ())):
            return str(vpc.part["vpc_id"])
    return None


def _add_group(one: Object, inventory: Inventory) -> None:
    attributes = one.attributes
    told = one.one("instance_id")
    instance_id = told or one.one_at_last("instance_id")
    if instance_id is None and one.resource.is_data:
        inventory.omit(one.address, f"group {one.id}: the data source does not tell its instance")
        return
    part: dict[str, Any] = {"group_id": one.id}
    if attributes.name is not None:
        part["name"] = attributes.name
    part["instance_id"] = instance_id or SHARED_INSTANCE
    on = attributes.vpc_intranet_enable
    is_on = attributes.vpc_domain is not None if on is None else on
    part["vpc_domain"] = is_on and instance_id == told  # on an instance that nobody knows it leads nowhere
    _put(inventory, "groups", part, one, _NEW_GROUP)


def _add_domain(one: Object, inventory: Inventory) -> None:
    group_id = one.one("group_id")
    group = None if group_id is None else inventory.get("groups", group_id)
    if group is None:
        inventory.omit(one.address, f"custom domain {one.attributes.domain_name}: its group is not there")
        return
    names = group.part.setdefault("custom_domains", [])
    if one.attributes.domain_name not in (None, *names):
        names.append(one.attributes.domain_name)


def add_zones(objects: Objects, inventory: Inventory) -> None:
    for one in objects["alicloud_pvtz_zone"]:
        name = one.attributes.zone_name or one.attributes.name
        part: dict[str, Any] = {"zone": name, "zone_id": one.id}
        if name is not None:
            inventory.names.setdefault(name, one.address)
        if one.attributes.proxy_pattern == "RECORD":
            part["fall_through"] = True
        _put(inventory, "private_zones", part, one)
    for one in objects["alicloud_pvtz_zone_attachment"]:
        if (zone := _zone_of(one, inventory, "the VPCs that it is bound to")) is not None:
            _bind(zone, one, inventory)
    seen: set[tuple[str, str]] = set()
    for one in objects["alicloud_pvtz_zone_record"]:
        if (zone := _zone_of(one, inventory, "its record")) is not None:
            _add_record(zone, one, seen, inventory)


def _zone_of(one: Object, inventory: Inventory, what: str) -> Item | None:
    zone_id = one.one("zone_id")
    zone = None if zone_id is None else inventory.get("private_zones", zone_id)
    if zone is None:
        inventory.omit(one.address, f"private zone {zone_id}, of which this is {what}, is not there")
    return zone


def _bind(zone: Item, one: Object, inventory: Inventory) -> None:
    regions = {vpc.vpc_id: vpc.region_id for vpc in one.attributes.vpcs if vpc.vpc_id is not None}
    named = [*one.many("vpc_ids"), *regions] or one.unknown("vpcs", many=True)
    vpcs = zone.part.setdefault("vpcs", [])
    vpcs += [vpc_id for vpc_id in dict.fromkeys(named) if vpc_id not in vpcs]
    for vpc_id, region_id in regions.items():
        if region_id is not None:
            inventory.add("vpcs", {"vpc_id": vpc_id, "region_id": region_id}, "")
    zone.notes += one.notes


def _add_record(zone: Item, one: Object, seen: set[tuple[str, str]], inventory: Inventory) -> None:
    attributes = one.attributes
    name = attributes.rr or attributes.resource_record
    kind, value = attributes.type, one.one("value")
    record_id = (attributes.record_id or attributes.id or "").partition(":")[0]
    identity = (zone.part["zone_id"], record_id or one.address)
    if identity in seen:  # a data source reads what is managed
        return
    seen.add(identity)
    if name is None or kind is None or value is None:
        zone.notes.append(f"not taken over: {one.address}: a record needs rr, type and value")
        return
    try:
        text = zone_file_text(kind, value, attributes.priority or 1)
    except ValueError as error:
        zone.notes.append(f"not taken over: {one.address}: {name} {kind} {described(value)}: {error}")
        return
    ttl = _TTL if attributes.ttl is None else attributes.ttl
    part: dict[str, Any] = {"name": name, "type": kind, "values": [text], "ttl": ttl}
    if attributes.status == "DISABLE":
        part["enabled"] = False
    if record_id.isascii() and record_id.isdecimal() and len(record_id) < 20:
        part["record_ids"] = [int(record_id)]
    zone.part.setdefault("records", []).append(part)
    owner = zone.part["zone"] if name == "@" else f"{name}.{zone.part['zone']}"
    inventory.names.setdefault(owner, one.address)
    zone.notes += one.notes


def _put(inventory: Inventory, section: str, part: dict[str, Any], one: Object, new: str = NEW) -> None:
    """Adds an object, with its region, and with the notes that were made while it was read."""
    if one.region is not None and section != "private_zones":
        part["region_id"] = one.region
    inventory.add(section, part, one.address, *([new] if one.is_new else ()), *one.notes)
