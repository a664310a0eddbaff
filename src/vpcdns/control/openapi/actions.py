"""All actions that are served, by version and name. Each module of actions says what its own take."""

from typing import Final

from vpcdns.control.openapi import (
    custom_domains,
    groups,
    instances,
    private_zone_records,
    private_zone_tags,
    private_zones,
    regions,
    vpcs,
)
from vpcdns.control.openapi.errors import Product
from vpcdns.control.openapi.parameters import Action

_OF: Final = {
    Product.CLOUDAPI: (instances.ACTIONS, groups.ACTIONS, custom_domains.ACTIONS, regions.CLOUDAPI_ACTIONS),
    Product.VPC: (vpcs.ACTIONS, regions.VPC_ACTIONS),
    Product.PVTZ: (private_zones.ACTIONS, private_zone_tags.ACTIONS, private_zone_records.ACTIONS),
}
ACTIONS: Final[dict[tuple[str, str], tuple[Product, Action]]] = {
    (product.version, name): (product, action)
    for product, modules in _OF.items()
    for module in modules
    for name, action in module.items()
}
