"""What an account said -> an Inventory: each item becomes what Terraform's provider makes of it.

From there on it goes the way of Terraform's resources (`terraform/gateway.py`, `terraform/networks.py`).
Knows how the API's fields are called there. Pure.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from pydantic import ValidationError

from vpcdns.config import described
from vpcdns.importing.cloud.account import Account, Fields
from vpcdns.importing.cloud.listings import GLOBAL, LISTINGS, Listing
from vpcdns.importing.inventory import Inventory
from vpcdns.importing.terraform.gateway import add_gateway, add_zones
from vpcdns.importing.terraform.networks import add_networks
from vpcdns.importing.terraform.objects import Object, Objects, region_of
from vpcdns.importing.terraform.resources import Resource
from vpcdns.importing.terraform.schema import RESOURCES

# Fields whose attributes are called otherwise; else `CidrBlock` is `cidr_block`.
_ATTRIBUTES: Final = {
    "GroupName": "name",
    "DedicatedInstanceType": "instance_type",
    "UserVpcId": "ingress_vpc_id",
    "UserVswitchId": "ingress_vswitch_id",
    "BindVpcs": "vpcs",
    "VpcRegionId": "region_id",
    "VbrRegionId": "region_id",
    "VpnRegionId": "region_id",
}
_NAMES: Final = (
    "VpcName",
    "VSwitchName",
    "InstanceName",
    "GroupName",
    "ZoneName",
    "Name",
    "TransitRouterName",
)
_BY_KIND: Final = {listing.kind: listing for listing in LISTINGS}
_SERVERLESS: Final = "_SHARED"  # how the InstanceType of a serverless instance ends


def inventory_of(account: Account) -> Inventory:
    """The objects as a configuration has them; `finish` makes one of it."""
    inventory = Inventory()
    objects: Objects = defaultdict(list)
    for scope, kind, own, fields in account.objects():
        if (listing := _BY_KIND.get(kind)) is None or not listing.resource:
            continue
        origin = name_of(scope, kind, own, fields)
        if str(fields.get("InstanceType", "")).endswith(_SERVERLESS) and kind == "instance":
            part = {"instance_id": own, "type": "serverless", "region_id": scope}
            inventory.add("instances", part, origin)
            continue
        for resource, values in _resources(listing, own, fields, origin, inventory):
            try:
                attributes = RESOURCES[resource].model_validate(values)
            except ValidationError as error:
                one = error.errors(include_url=False)[0]
                field = ".".join(map(str, one["loc"]))
                inventory.omit(origin, f"its {field} is {described(one['input'])}")
                continue
            made = Object(Resource(origin, resource, own, values, ()), attributes, own)
            made.region = region_of(attributes) or (None if scope == GLOBAL else scope)
            objects[resource].append(made)
    add_networks(objects, inventory)
    add_gateway(objects, inventory)
    add_zones(objects, inventory)
    inventory.origins.clear()  # an overlay names objects by their ids, and origins are not unique
    return inventory


def name_of(scope: str, kind: str, own: str, fields: Fields) -> str:
    """An object as people call it: `VPC orders in cn-hangzhou`."""
    named = next((str(fields[name]) for name in _NAMES if fields.get(name)), own)
    return f"{kind} {named}" + (f" in {scope}" if scope != GLOBAL else "")


def _resources(
    listing: Listing, own: str, fields: Fields, origin: str, inventory: Inventory
) -> Iterator[tuple[str, Fields]]:
    """What an item is to the provider: mostly one resource."""
    values: Fields = {"id": own, **_renamed(fields)}
    match listing.kind:
        case "instance":
            values = {"ingress_vpc_id": None, **values}
        case "CEN attachment":
            values["instance_id"] = values.get("cen_id")
        case "IPsec connection" if "vpn_gateway_id" not in values:
            yield "alicloud_vpn_gateway_vpn_attachment", values
            return
        case "record" if str(values.get("line", "default")) != "default":
            inventory.omit(origin, f"record {values.get('rr')}: it is for the line {values['line']} only")
            return
    yield listing.resource, values
    for name in values.get("custom_domains", ()):
        if (why := _not_here(name)) is None:
            yield "alicloud_api_gateway_domain", {"group_id": own, "domain_name": name.get("domain_name")}
        else:
            inventory.omit(origin, f"custom domain {name.get('domain_name')}: {why}")
    if "vpcs" in values:
        yield "alicloud_pvtz_zone_attachment", {"zone_id": own, "vpcs": values["vpcs"]}


def _not_here(name: Fields) -> str | None:
    """Why a custom domain is none of those that lead to the VPC domain."""
    if name.get("custom_domain_type") != "INTRANET":
        return "it is of type INTERNET, and leads to the group's public name"
    if name.get("domain_binding_status") == "BOUND":  # sic: BINDING is bound
        return "it is not bound (DomainBindingStatus BOUND)"
    return None


def _renamed(value: Any) -> Any:
    if isinstance(value, list):
        return [_renamed(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {_ATTRIBUTES.get(name) or _snake(name): _renamed(one) for name, one in value.items()}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
