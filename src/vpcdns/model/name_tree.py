"""Names with something at them, wildcards, and the names that exist because others lie below (RFC 4592).

Knows names and how the closest encloser is found; not what is at them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from vpcdns.model.frozen_map import Filling, FrozenMap
from vpcdns.model.names import Name

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class NameTree(Generic[V]):
    """Immutable, with changed copies that cost what changed.

    `nodes` counts for every name how many of `values` lie at or below it: a name that exists, even with
    nothing at it, stops a wildcard above it.
    """

    values: FrozenMap[Name, V] = field(default_factory=FrozenMap)
    nodes: FrozenMap[Name, int] = field(default_factory=FrozenMap)

    @staticmethod
    def of(values: FrozenMap[Name, V] | Iterable[tuple[Name, V]]) -> NameTree[V]:
        """A tree of many names, at a cost that is linear in them."""
        owned = values if isinstance(values, FrozenMap) else FrozenMap(values)
        nodes: Filling[Name, int] = Filling()
        # Most names have their parents in common with many others: those are counted once, not name by name.
        families: dict[tuple[bytes, ...], list[Name]] = {}
        for name in owned:
            nodes[name] = 1
            families.setdefault(name.folded[1:], []).append(name)
        for siblings in families.values():
            for node in siblings[0].ancestors():
                nodes[node] = nodes.get(node, 0) + len(siblings)
        return NameTree(owned, nodes.frozen())

    def put(self, name: Name, value: V) -> NameTree[V]:
        """With `value` at `name`, in the place of what is there."""
        values = self.values.set(name, value)
        if name in self.values:
            return NameTree(values, self.nodes)
        counts = {node: self.nodes.get(node, 0) + 1 for node in (name, *name.ancestors())}
        return NameTree(values, self.nodes.edited(counts))

    def remove(self, name: Name) -> NameTree[V]:
        """Without `name`; raises KeyError when there is nothing at it."""
        values = self.values.delete(name)
        counts = {node: self.nodes[node] - 1 for node in (name, *name.ancestors())}
        left = {node: count for node, count in counts.items() if count}
        return NameTree(values, self.nodes.edited(left, counts.keys() - left.keys()))

    def match(self, name: Name) -> tuple[Name, V] | None:
        """What is at `name`, or at the wildcard that stands for it, and at which of them it is."""
        value = self.values.get(name)
        if value is not None:
            return name, value
        if name in self.nodes:
            return None  # RFC 4592 §2.2.2: an empty non-terminal exists, so no wildcard applies
        for encloser in name.ancestors():
            if encloser in self.nodes:  # RFC 4592 §3.3.1: only the closest encloser counts
                wildcard = Name((b"*", *encloser.labels))  # no longer than `name` itself
                value = self.values.get(wildcard)
                return None if value is None else (wildcard, value)
        return None
