"""Names that share a parent, and when all of them share one fate: to be forwarded.

Knows which names are decided one by one. Lets whoever has seen one name forwarded know that the one beside it
is, without deciding it; a test holds that against `resolution`.
"""

from __future__ import annotations

from typing import Final

from vpcdns.model.names import Name
from vpcdns.model.rules import VPCDNS_INTERNAL
from vpcdns.model.special_use import NAMED
from vpcdns.model.world import World

# What stands below one of these, in the same label as its siblings, may be decided otherwise than they.
_ABOVE_NAMED: Final = frozenset(
    ancestor for name in (*NAMED, VPCDNS_INTERNAL) for ancestor in (*name.ancestors(), Name(()))
)


def are_alike(parent: Name, world: World) -> bool:
    """Whether every name one label below `parent` is forwarded, to the same upstreams, if one of them is.

    For one client, type and class. False when it is not known.
    """
    suffix = world.answers.suffix
    return not (
        parent in _ABOVE_NAMED
        # A `-vpc` label before the suffix makes a VPC domain, wherever that is (DESIGN §3).
        or parent.folded[: len(suffix)] == suffix.folded
        or suffix.is_at_or_below(parent)
        or parent in world.custom_domains.nodes
        or any(
            rule.domain.is_at_or_below(parent) and rule.domain != parent for rule in world.forwarding.rules
        )
    )
