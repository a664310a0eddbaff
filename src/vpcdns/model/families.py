"""Families of names: names below one parent that are all forwarded in the same way.

Knows which names are decided one by one. When one name of a family has been forwarded, the others need not be
decided; a test compares that with `resolution`.
"""

from typing import Final

from vpcdns.model.gateway import VPC_LABEL_END
from vpcdns.model.gateway_rules import VPCDNS_INTERNAL
from vpcdns.model.names import Name
from vpcdns.model.special_use import NAMED
from vpcdns.model.world import World

_ABOVE_NAMED: Final = frozenset(
    ancestor for name in (*NAMED, VPCDNS_INTERNAL) for ancestor in (*name.ancestors(), Name(()))
)


def parent_of_family(name: Name, world: World) -> Name | None:
    """The highest ancestor of `name` below which all names are forwarded alike; None if there is none.

    For one client, type and class. Names for which `is_apart` holds do not belong to the family.
    """
    for start in range(len(name), 0, -1):
        parent = Name(name.labels[start:])
        if _is_parent(parent, world):
            return parent
    return None


def is_apart(labels: bytes) -> bool:
    """Whether these labels, in wire format, may make a name below its parent a VPC domain, or one mistyped.

    A label that ends in `-vpc` is enough, wherever it stands in the name (DESIGN §3).
    """
    return VPC_LABEL_END in labels.lower()


def _is_parent(parent: Name, world: World) -> bool:
    """Whether no name below it, however far, is decided by itself."""
    return not (
        parent in _ABOVE_NAMED
        or parent in world.custom_domains.nodes
        or _is_below(world.answers.suffix, parent)
        or parent in world.forwarding.above
        or world.private_zones.are_near(parent)
    )


def _is_below(name: Name, parent: Name) -> bool:
    return len(name) > len(parent) and name.is_at_or_below(parent)
