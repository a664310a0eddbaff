"""The steps that every import ends with: overlay, completion, and taking out what the rules refuse."""

from vpcdns.config import json_text, loads
from vpcdns.importing.completion import StandIns, complete
from vpcdns.importing.inventory import Inventory
from vpcdns.importing.overlay import Overlay
from vpcdns.importing.refused import take_out_refused
from vpcdns.model.world import World


def finish(inventory: Inventory, overlay: Overlay | None = None) -> None:
    """Makes one inventory ready to be written."""
    if overlay is not None:
        overlay.lay_over(inventory)
    _settle(inventory, StandIns(inventory), overlay)


def worlds(before: Inventory, after: Inventory, overlay: Overlay | None = None) -> tuple[World, World]:
    """Two inventories as Worlds; what is guessed is guessed alike in both, so that it is no change."""
    if overlay is not None:
        overlay.lay_over(before, after)
    stand_ins = StandIns(before, after)
    _settle(before, stand_ins, overlay)
    old = _world(before)
    endpoints = {key: one.binding for key, one in old.instances.items() if one.binding is not None}
    for item in after.items("instances"):
        given = item.part.get("binding")
        known = endpoints.get((item.part.get("region_id", ""), item.part["instance_id"]))
        if given and known is not None and given["vswitch_id"] == known.vswitch_id:
            given.setdefault("address", str(known.address))
    _settle(after, stand_ins, overlay)
    return old, _world(after)


def _settle(inventory: Inventory, stand_ins: StandIns, overlay: Overlay | None) -> None:
    complete(inventory, stand_ins)
    take_out_refused(inventory, "the overlay" if overlay is None else overlay.file)


def _world(inventory: Inventory) -> World:
    return loads(json_text(inventory.document())).world
