"""What an importer finds: objects as the configuration has them, where each comes from, and notes.

Knows which field tells the objects of a section apart; not what their fields mean, nor where they come from.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

# The lists of objects in the order of a configuration, and what tells the objects of each apart.
IDENTITIES: Final = {
    "vpcs": ("vpc_id",),
    "networks": ("network_id",),
    "connections": ("connection_id",),
    "instances": ("region_id", "instance_id"),
    "groups": ("group_id",),
    "private_zones": ("zone_id",),
}

# The names of a group, which a record may have as `GROUP_ID.NAME.` until it is known where the group is.
GROUP_DOMAINS: Final = {"vpc_domain": "-vpc", "sub_domain": ""}

Identity = tuple[Any, ...]


@dataclass(slots=True)
class Item:
    """One object. `part` is what the configuration says of it, as plain data; what is not known is left out.

    `origin` is where it comes from: a Terraform address, or an account's region. `notes` say what was guessed
    or is missing; each becomes a comment above it.
    """

    part: dict[str, Any]
    origin: str = ""
    notes: list[str] = field(default_factory=list)
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Omission:
    """Something that was found and is not in the configuration, and why."""

    origin: str
    why: str


@dataclass(slots=True)
class Inventory:
    """The objects of each section by identity, and what was left out.

    `origins` says where every id comes from, `names` where names of zones and records do. `settings` are the
    sections without objects (`server`, `answers`, …), which an overlay gives.
    """

    sections: dict[str, dict[Identity, Item]] = field(
        default_factory=lambda: {section: {} for section in IDENTITIES}
    )
    omissions: list[Omission] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    def add(self, section: str, part: dict[str, Any], origin: str, *notes: str) -> Item:
        """Adds an object. One that is there already keeps what it says, and takes what it lacks."""
        identity = tuple([part.get(key) for key in IDENTITIES[section]])
        item = self.sections[section].setdefault(identity, Item(part, origin))
        if item.part is not part:
            item.part.update({key: value for key, value in part.items() if key not in item.part})
            item.origin = item.origin or origin
        item.notes += notes
        return item

    def get(self, section: str, *identity: str) -> Item | None:
        return self.sections[section].get(identity)

    def items(self, section: str) -> Iterator[Item]:
        return iter(self.sections[section].values())

    def omit(self, origin: str, why: str) -> None:
        self.omissions.append(Omission(origin, why))

    @property
    def notes(self) -> Iterator[str]:
        return (note for section in self.sections for item in self.items(section) for note in item.notes)

    def document(self) -> dict[str, Any]:
        """The configuration as plain data."""
        objects = {name: [item.part for item in items.values()] for name, items in self.sections.items()}
        return {**self.settings, **{name: parts for name, parts in objects.items() if parts}}
