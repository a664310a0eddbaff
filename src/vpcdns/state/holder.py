"""Holds the current World: one reference, replaced whole.

Everything runs in one event loop, so whoever reads `world` once per query sees one World throughout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from vpcdns.model.changes import Change
from vpcdns.model.rules import Refusal
from vpcdns.model.world import World

Subscriber = Callable[[World, World], None]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A change was meant for another revision than the one that is current."""

    expected: int
    current: int

    def __str__(self) -> str:
        return f"revision {self.expected} is not current: {self.current} is; read it again and repeat"


class State:
    """The current World, and who wants to hear of the next."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._subscribers: list[Subscriber] = []

    @property
    def world(self) -> World:
        return self._world

    def subscribe(self, subscriber: Subscriber) -> None:
        """Calls `subscriber(old, new)` after every replacement, in the order of subscription."""
        self._subscribers.append(subscriber)

    def apply(self, change: Change, expected_revision: int | None = None) -> World | Refusal | Conflict:
        """Applies one change; the World that holds afterwards, or why nothing changed."""
        if expected_revision is not None and expected_revision != self._world.revision:
            return Conflict(expected_revision, self._world.revision)
        changed = change.apply(self._world)
        if isinstance(changed, World):
            self._replace(changed)
        return changed

    def reload(self, world: World) -> World:
        """Puts a World from elsewhere in place; its revision is moved up so that it never goes backwards."""
        self._replace(replace(world, revision=max(world.revision, self._world.revision + 1)))
        return self._world

    def _replace(self, world: World) -> None:
        old, self._world = self._world, world
        for subscriber in self._subscribers:
            subscriber(old, world)
