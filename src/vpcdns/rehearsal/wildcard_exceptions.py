"""Names that are taken out of wildcard custom domains, or given back to them, between two Worlds.

Knows forward rules, which are exceptions to a wildcard above them, and closer custom domains, which keep a
wildcard from what lies below them (RFC 4592 §3.3.1). What becomes of the names is for `plan`.
"""

from collections.abc import Iterator
from itertools import chain

from vpcdns.model.names import Name
from vpcdns.model.world import World
from vpcdns.rehearsal.private_names import wildcard


def wildcard_exceptions(old: World, new: World) -> list[Name]:
    """Each once; `*.` stands for names below. Linear in what differs."""
    found = dict.fromkeys(chain(_ruled(old, new), _closer(old, new)))
    return [name for name in found if _is_covered(name, old) or _is_covered(name, new)]


def _is_covered(name: Name, world: World) -> bool:
    owner = world.custom_domains.match(name)
    return owner is not None and owner[0].is_wildcard


def _ruled(old: World, new: World) -> Iterator[Name]:
    rules = frozenset(old.forwarding.rules) ^ frozenset(new.forwarding.rules)
    for name in chain.from_iterable((rule.domain, *wildcard(rule.domain)) for rule in rules):
        if name not in old.custom_domains.values and name not in new.custom_domains.values:
            yield name


def _closer(old: World, new: World) -> Iterator[Name]:
    was, now = old.custom_domains, new.custom_domains
    for owner in now.values.touched(was.values) if was is not now else ():
        if (owner in was.values) == (owner in now.values):
            continue
        for node in (owner, *owner.ancestors()):
            if node in was.nodes and node in now.nodes:
                break  # it existed and exists: what is above it is as it was
            names = () if node.is_wildcard else (node, *wildcard(node))
            yield from (name for name in names if name not in was.values and name not in now.values)
