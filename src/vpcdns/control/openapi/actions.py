"""All actions that are served, by version and name. Each module of actions says what its own take."""

from typing import Final

from vpcdns.control.openapi import (
    access_control,
    apis,
    custom_domains,
    domain_settings,
    gateway_settings,
    groups,
    instances,
    private_dns,
    private_zone_records,
    private_zones,
    regions,
    tags,
    vpc_accesses,
    vpc_attributes,
    vpc_blocks,
    vpcs,
)
from vpcdns.control.openapi.errors import Product
from vpcdns.control.openapi.parameters import Action

_OF: Final = {
    Product.CLOUDAPI: (
        *(instances.ACTIONS, groups.ACTIONS, custom_domains.ACTIONS, domain_settings.ACTIONS),
        *(vpc_accesses.ACTIONS, apis.ACTIONS, access_control.ACTIONS, private_dns.ACTIONS),
        *(gateway_settings.ACTIONS, tags.CLOUDAPI_ACTIONS, regions.CLOUDAPI_ACTIONS),
    ),
    Product.VPC: (
        *(vpcs.ACTIONS, vpc_blocks.ACTIONS, vpc_attributes.ACTIONS),
        *(tags.VPC_ACTIONS, regions.VPC_ACTIONS),
    ),
    Product.PVTZ: (private_zones.ACTIONS, tags.PVTZ_ACTIONS, private_zone_records.ACTIONS),
}
ACTIONS: Final[dict[tuple[str, str], tuple[Product, Action]]] = {
    (product.version, name): (product, action)
    for product, modules in _OF.items()
    for module in modules
    for name, action in module.items()
}
_SPELLED: Final = {(version, name.lower()): name for version, name in ACTIONS}


def spelled(version: str, name: str) -> str:
    """An action as it is served; its case does not count: Terraform sends UnTagResources to PrivateZone."""
    return _SPELLED.get((version, name.lower()), name)
