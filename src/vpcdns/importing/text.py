"""An inventory as a configuration's text, with what was guessed, is missing or was left out as comments."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Final

from vpcdns.config import yaml_text
from vpcdns.errors import printable
from vpcdns.importing.inventory import IDENTITIES, Inventory

_FIRST: Final = ("zone_id", "name", "type", "region_id", "edition")  # behind an object's own id
SHOWN: Final = 20  # things that were left out, in a summary


def configuration_text(inventory: Inventory, made_by: str) -> Iterator[str]:
    """Lines of YAML. Each object has above it where it comes from, and its notes."""
    yield f"# Made by {printable(made_by)}."
    yield "# Comments say what was guessed or is missing; correct it here, or in a file for --overlay."
    for omission in inventory.omissions:
        yield _comment(f"not taken over: {omission.origin}: {omission.why}")
    document = inventory.document() or {"vpcs": []}
    for name, content in document.items():
        yield ""
        if name in inventory.settings or not content:
            yield yaml_text({name: content}).rstrip("\n")
            continue
        yield f"{name}:"
        own = "zone" if name == "private_zones" else IDENTITIES[name][-1]
        for item in inventory.items(name):
            yield from map(_comment, dict.fromkeys((*filter(None, [item.origin]), *item.notes)))
            part = {key: item.part[key] for key in sorted(item.part, key=partial(_rank, own))}
            yield yaml_text([part]).rstrip("\n")


def _rank(own: str, key: str) -> int:
    """What an object is comes first; the rest stays in its order."""
    if key == own:
        return -1
    return _FIRST.index(key) if key in _FIRST else len(_FIRST)


def _comment(text: str) -> str:
    return f"# {printable(text)}"


def summary(inventory: Inventory, attributes: dict[str, list[str]]) -> Iterator[str]:
    """What was guessed or left out, for who has just imported; `attributes` are those not read, by type."""
    kinds = Counter(note.partition(":")[0] for note in inventory.notes)
    for kind in ("guessed", "missing"):
        if kinds[kind]:
            yield f"{kind}: {kinds[kind]:,} (`# {kind}: …` in the text)"
    yield from left_out(inventory)
    for kind, names in attributes.items():
        yield printable(f"not read of {kind}: {', '.join(names)}")


def left_out(*inventories: Inventory) -> Iterator[str]:
    """What is in no configuration, the first of it."""
    said = dict.fromkeys(line for inventory in inventories for line in _left_out(inventory))
    yield from (printable(f"not taken over: {one}") for one in islice(said, SHOWN))
    if len(said) > SHOWN:
        yield f"… and {len(said) - SHOWN:,} more that are not taken over: the comments of an import say which"


def _left_out(inventory: Inventory) -> Iterator[str]:
    yield from (f"{one.origin}: {one.why}" for one in inventory.omissions)
    for section in inventory.sections:
        for item in inventory.items(section):
            for note in item.notes:
                if note.startswith("not taken over: "):
                    yield f"{item.origin}: {note.partition(': ')[2]}".removeprefix(": ")
