"""Regions of what does not tell its own, and the names that regions are part of."""

from typing import Any, Final

from vpcdns.importing.inventory import GROUP_DOMAINS, Inventory
from vpcdns.model.policy import DEFAULT_SUFFIX

_DEFAULT_REGION: Final = "cn-hangzhou"


def settle_regions(inventory: Inventory) -> None:
    """Regions by what is bound to what; where nothing tells one, the only one there is, or a guess."""
    vpcs = {item.part["vpc_id"]: item.part for item in inventory.items("vpcs")}
    instances: dict[str, list[dict[str, Any]]] = {}
    for item in inventory.items("instances"):
        part = item.part
        instances.setdefault(part["instance_id"], []).append(part)
        vpc = vpcs.get((part.get("binding") or {}).get("vpc_id"), {})
        for one, other in ((part, vpc), (vpc, part)):
            if "region_id" not in one and "region_id" in other:
                one["region_id"] = other["region_id"]
    for item in inventory.items("groups"):
        homes = instances.get(item.part["instance_id"], [])
        for one, other in ((item.part, homes[0]), (homes[0], item.part)) if len(homes) == 1 else ():
            if "region_id" not in one and "region_id" in other:
                one["region_id"] = other["region_id"]
    sections = ("vpcs", "instances", "groups")
    everything = [item for section in sections for item in inventory.items(section)]
    known = {item.part["region_id"] for item in everything if "region_id" in item.part}
    only = known.pop() if len(known) == 1 else _DEFAULT_REGION
    for item in everything:
        if "region_id" not in item.part:
            item.part["region_id"] = only
            item.notes.append("guessed: its region, which nothing tells")
    _settle_domains(inventory)


def _settle_domains(inventory: Inventory) -> None:
    """Records with the name of a group that another one refers to."""
    suffix = str(inventory.settings.get("answers", {}).get("suffix", DEFAULT_SUFFIX)).rstrip(".")
    for zone in inventory.items("private_zones"):
        for record in zone.part.get("records", ()):
            match record:
                case {"type": "CNAME", "values": [str(value)]}:
                    group_id, _, kind = value.rstrip(".").partition(".")
                case _:
                    continue
            group = inventory.get("groups", group_id)
            if kind in GROUP_DOMAINS and group is not None:
                label = f"{group_id}-{group.part['region_id']}{GROUP_DOMAINS[kind]}"
                record["values"] = [f"{label}.{suffix}."]
