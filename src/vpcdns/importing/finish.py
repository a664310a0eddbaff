"""The steps that every import ends with: overlay, completion, and taking out what the rules refuse."""

from vpcdns.importing.completion import complete
from vpcdns.importing.inventory import Inventory
from vpcdns.importing.overlay import Overlay
from vpcdns.importing.refused import take_out_refused
from vpcdns.model.world import World


def finish(inventory: Inventory, overlay: Overlay | None = None) -> World:
    """Makes one inventory ready to be written, and gives the World that it is."""
    if overlay is not None:
        overlay.lay_over(inventory)
    complete(inventory)
    return _settled(inventory, overlay)


def worlds(*inventories: Inventory, overlay: Overlay | None = None) -> list[World]:
    """Inventories of the same things as Worlds; what is guessed is guessed alike, so that it is no change.

    An endpoint keeps the address that it had in the first World, as long as it is in that vSwitch.
    """
    if overlay is not None:
        overlay.lay_over(*inventories)
    complete(*inventories)
    made: list[World] = []
    for inventory in inventories:
        if made:
            _keep_endpoints(inventory, made[0])
        made.append(_settled(inventory, overlay))
    return made


def _keep_endpoints(inventory: Inventory, old: World) -> None:
    endpoints = {one.instance_id: one.binding for one in old.instances.values() if one.binding is not None}
    for item in inventory.items("instances"):
        given, known = item.part.get("binding"), endpoints.get(item.part["instance_id"])
        if given and known is not None and given.get("vswitch_id") == known.vswitch_id:
            given.setdefault("address", str(known.address))


def _settled(inventory: Inventory, overlay: Overlay | None) -> World:
    return take_out_refused(inventory, "the overlay" if overlay is None else overlay.file)
