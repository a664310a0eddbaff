"""What the rules refuse is taken out of an inventory, with the reason, so that the rest can be used.

The cloud allows what a configuration does not, files are edited by hand, and what is named may be missing.
Knows how a mistake's path leads to the smallest part that can go; the rules are the model's.
"""

from typing import Any, Final

from vpcdns.config import Mistake, built, json_text
from vpcdns.errors import ConfigurationError, Problem
from vpcdns.importing.inventory import Identity, Inventory, Item
from vpcdns.model.world import World

# What an object can be without; anything else that is refused takes the object with it.
_OPTIONAL: Final = frozenset(
    (
        *("binding", "vpc_domain", "name", "custom_domains", "source_networks", "routes"),
        *("resolves_as", "resolves_through"),
        *("vswitches", "service_routes", "vpcs", "fall_through", "rrset_order", "records"),
    )
)
_SHOWN: Final = 100  # characters of what is taken out


def take_out_refused(inventory: Inventory, overlay: str = "the overlay") -> World:
    """Takes out what makes no configuration, and gives the World that the rest makes.

    What refers to something taken out goes in the next round. Raises ConfigurationError for what is a user's
    own, in the file `overlay`.
    """
    first: dict[tuple[str, Identity], str] = {}  # why something was taken out of an object
    while True:
        loaded, mistakes = built(inventory.document())
        if not mistakes:
            return loaded.world
        items = {section: list(objects.items()) for section, objects in inventory.sections.items()}
        for mistake in mistakes:
            if mistake.path[0] not in items or len(mistake.path) < 2:
                raise _error(overlay, ".".join(map(str, mistake.path)), mistake)
        wrong: dict[tuple[str | int, ...], Mistake] = {}
        for mistake in mistakes:
            wrong.setdefault(_smallest(mistake.path), mistake)
        # Places in a list stay what they are if later ones go first.
        for path in sorted(wrong, key=_place, reverse=True):
            section = str(path[0])
            identity, item = items[section][int(path[1])]
            if item.is_own:
                raise _error(overlay, item.origin, wrong[path])
            why = first.setdefault((section, identity), f"{wrong[path].what}; {wrong[path].way_out}")
            if len(path) > 2:
                _take_from(item, path[2:], wrong[path])
            else:
                del inventory.sections[section][identity]
                name = " ".join(str(part) for part in identity if part is not None)
                inventory.omit(item.origin or name, why)


def _error(file: str, where: str, mistake: Mistake) -> ConfigurationError:
    return ConfigurationError([Problem(file, 0, 0, where, mistake.what, mistake.way_out)])


def _place(path: tuple[str | int, ...]) -> tuple[tuple[int, str, int], ...]:
    return tuple((0, "", part) if isinstance(part, int) else (1, part, 0) for part in path)


def _smallest(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The path of what goes: the innermost item of a list, or a field that its object can be without."""
    for length in range(len(path), 2, -1):
        if isinstance(path[length - 1], int):
            return path[:length]
    if path[2:4] == ("binding", "address"):  # an overlay's, and the instance is elsewhere by now
        return path[:4]
    return path[:3] if len(path) > 2 and path[2] in _OPTIONAL else path[:2]


def _take_from(item: Item, path: tuple[str | int, ...], mistake: Mistake) -> None:
    holder: Any = item.part
    for part in path[:-1]:
        holder = holder[part]
    taken = json_text(holder[path[-1]])
    del holder[path[-1]]
    field = ".".join(part for part in path if isinstance(part, str))
    shown = taken if len(taken) <= _SHOWN else f"{taken[:_SHOWN]}…"
    item.notes.append(f"not taken over: {field} {shown}: {mistake.what}; {mistake.way_out}")
