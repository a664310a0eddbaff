"""Terraform's files -> inventories: what is, and what a plan makes of it.

Joins the steps of this room; several files make one inventory, as several roots make one environment.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Final

from vpcdns.importing.inventory import Inventory
from vpcdns.importing.terraform.documents import Document
from vpcdns.importing.terraform.gateway import add_gateway, add_zones
from vpcdns.importing.terraform.networks import add_networks
from vpcdns.importing.terraform.objects import Objects, read_objects
from vpcdns.importing.terraform.placeholders import Placeholders
from vpcdns.importing.terraform.resources import Resource
from vpcdns.importing.terraform.schema import DATA_SOURCES, RESOURCES, is_given

_INGRESS: Final = ("ingress_vpc_id", "ingress_vswitch_id")


class Terraform:
    """Files that are read together. `placeholders` has the ids that stand in, with the address of each."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents
        self.placeholders = Placeholders()

    def before(self) -> Inventory:
        """What there is now."""
        return self._inventory([document.before for document in self.documents])

    def after(self) -> Inventory:
        """What there will be. Without ingress_vpc_id an instance stays bound: the provider sends nothing."""
        return self._inventory([_after(document) for document in self.documents])

    def meanwhile(self) -> Inventory | None:
        """What is left when all is deleted that is made anew afterwards; None if that is nothing."""
        gone = [set(map(attrgetter("address"), document.recreated)) for document in self.documents]
        if not any(gone):
            return None
        snapshots = zip(self.documents, gone, strict=True)
        return self._inventory(
            [
                [one for one in document.before if one.address not in addresses]
                for document, addresses in snapshots
            ]
        )

    def _inventory(self, resources: Sequence[list[Resource]]) -> Inventory:
        inventory, objects = Inventory(), Objects()
        for number, (document, own) in enumerate(zip(self.documents, resources, strict=True), start=1):
            for kind, found in read_objects(document, own, self.placeholders.of_file(number)).items():
                objects.setdefault(kind, []).extend(found)
            _omit(document, own, inventory)
        for kind in RESOURCES:
            # Managed resources first, whichever file they are in: data sources tell less.
            objects[kind] = sorted(objects.get(kind, []), key=lambda one: one.resource.is_data)
            for one in objects[kind]:
                inventory.origins.setdefault(one.id, one.address)
        add_networks(objects, inventory)
        add_gateway(objects, inventory)
        add_zones(objects, inventory)
        return inventory

    def unread(self) -> dict[str, list[str]]:
        """The attributes that say something and decide nothing here, by type."""
        found: dict[str, dict[str, None]] = {}
        for document in self.documents:
            for resource in document.before if document.after is None else document.after:
                kind = None if resource.is_data else RESOURCES.get(resource.type)
                if kind is None:
                    continue
                names = found.setdefault(resource.type, {})
                for name, value in resource.values.items():
                    if name not in names and name not in kind.model_fields and is_given(value):
                        names[name] = None
        return {kind: sorted(names) for kind, names in found.items() if names}


def _after(document: Document) -> list[Resource]:
    if document.after is None:
        return document.before
    unbound = {change.address: change.before for change in document.changes if change.unbinds}
    return [
        replace(one, values=one.values | {name: unbound[one.address].get(name) for name in _INGRESS})
        if one.address in unbound
        else one
        for one in document.after
    ]


def _omit(document: Document, resources: list[Resource], inventory: Inventory) -> None:
    """Notes the resources that are of no type that is read."""
    counts = Counter(
        f"{'data.' if one.is_data else ''}{one.type}"
        for one in resources
        if one.type not in (DATA_SOURCES if one.is_data else RESOURCES)
    )
    for kind, count in sorted(counts.items()):
        inventory.omit(kind, f"{count:,} of this type, which decides nothing here")
    for address in document.deposed:
        inventory.omit(address, "a deposed object, which the next apply destroys")
