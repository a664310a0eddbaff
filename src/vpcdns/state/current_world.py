"""Holds the current World and the attributes beside it: one reference each, replaced whole.

Everything runs in one event loop, so whoever reads `world` once per query sees one World throughout.
Synchronous: when a change returns, it is durable (if there is a journal) and queries are answered by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from vpcdns.model.changes import Change
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.rules import Refusal
from vpcdns.model.world import World
from vpcdns.state.api_attributes import Attributes, ObjectAttributes, of_objects_in, updated
from vpcdns.state.file_with_changes import joined, same_objects

Subscriber = Callable[[World, World], None]
Follower = Callable[["Step"], None]

FILE: Final = "file"  # who changes what a configuration file says


@dataclass(frozen=True, slots=True)
class Conflict:
    """A change was meant for another revision than the one that is current."""

    expected: int
    current: int

    def __str__(self) -> str:
        return f"revision {self.expected} is not current: {self.current} is; read it again and repeat"


@dataclass(frozen=True, slots=True)
class Commit:
    """Changes that take effect together or not at all; `who` asks for them: an access key id, or `file`."""

    changes: Sequence[Change] = ()
    attributes: Mapping[str, Attributes | None] = field(default_factory=dict)
    who: str = ""


@dataclass(frozen=True, slots=True)
class Reread:
    """The file was read anew; None when it is the same one as the last time."""

    file: World | None


Step = Commit | Reread
"""What leads from one World to the next: the same steps lead to the same World everywhere."""


class Journal(Protocol):
    """Where changes are kept. `append` and `replace` return when they are durable, or raise StateError."""

    def prepare(self, file: World) -> None:
        """Does beforehand what takes long when `replace` comes with this file. For a thread."""

    def append(self, commit: Commit, world: World, attributes: ObjectAttributes) -> None:
        """Keeps a commit, after which `world` and `attributes` hold."""

    def replace(self, world: World, attributes: ObjectAttributes, file: World, unfiled: int) -> None:
        """Keeps that `file` was read, after which `world` holds with so many changes that it misses."""


class State:
    """The current World, and who wants to hear of the next.

    `file` is what the configuration file says, where the World differs from it already.
    """

    def __init__(
        self,
        world: World,
        *,
        attributes: ObjectAttributes | None = None,
        journal: Journal | None = None,
        file: World | None = None,
        unfiled: int = 0,
    ) -> None:
        self._world = world
        self._attributes: ObjectAttributes = FrozenMap() if attributes is None else attributes
        self._journal = journal
        self._file = file or world
        self._subscribers: list[Subscriber] = []
        self._followers: list[Follower] = []
        self.unfiled = unfiled
        """Changes since the file was read, which the file does not know."""

    @property
    def world(self) -> World:
        return self._world

    @property
    def attributes(self) -> ObjectAttributes:
        return self._attributes

    def subscribe(self, subscriber: Subscriber) -> None:
        """Calls `subscriber(old, new)` after every replacement, in the order of subscription."""
        self._subscribers.append(subscriber)

    def follow(self, follower: Follower) -> None:
        """Calls `follower` with every step, after the subscribers and before whoever wants it goes on."""
        self._followers.append(follower)

    def become_follower(self) -> None:
        """Here nothing is kept, and nobody told, of steps that are another process's."""
        self._journal = None
        self._followers.clear()

    def take(self, step: Step) -> World | Refusal | Conflict:
        """Takes a step that another State has taken."""
        if isinstance(step, Commit):
            return self.commit(step)
        return self.reset() if step.file is None else self.reload(step.file)

    def apply(
        self, change: Change, expected_revision: int | None = None, who: str = ""
    ) -> World | Refusal | Conflict:
        """Applies one change; the World that holds afterwards, or why nothing changed."""
        return self.commit(Commit((change,), who=who), expected_revision)

    def commit(self, commit: Commit, expected_revision: int | None = None) -> World | Refusal | Conflict:
        """Applies all of it; the World that holds afterwards, or why nothing changed.

        Raises StateError when the journal cannot be written; then too nothing has changed.
        """
        if expected_revision is not None and expected_revision != self._world.revision:
            return Conflict(expected_revision, self._world.revision)
        world = tried(commit, self._world)
        if isinstance(world, Refusal):
            return world
        attributes = updated(self._attributes, commit.attributes)
        if self._journal is not None:
            self._journal.append(commit, world, attributes)
        self.unfiled += len(commit.changes)
        self._replace(world, attributes)
        self._tell(commit)
        return world

    def check(self, file: World) -> None:
        """Raises ConfigurationError when `reload` would, and changes nothing."""
        self._with_changes(file)

    def prepare(self, file: World) -> None:
        """Does beforehand what takes long when `reload` comes with this file. For a thread."""
        if self._journal is not None:
            self._journal.prepare(file)

    def _with_changes(self, file: World) -> tuple[World, int]:
        """What the file says, with the changes since if they stay, and how many those are."""
        if self.unfiled and same_objects(file, self._file):
            return joined(file, self._world), self.unfiled
        return file, 0

    def reload(self, file: World) -> World:
        """Puts what the file says now in place; the revision moves up, so that it never goes backwards.

        Its VPCs, instances and groups replace those that changes made, but when they are the same as
        before: then the changes stay, and the rest of the file takes effect around them. Raises
        ConfigurationError when the two do not fit.
        """
        world = self._reread(file)
        self._tell(Reread(file))
        return world

    def reset(self) -> World:
        """Puts back what the file said when it was read; changes made since are gone."""
        self.unfiled = 0
        world = self._reread(self._file)
        self._tell(Reread(None))
        return world

    def _reread(self, file: World) -> World:
        world, unfiled = self._with_changes(file)
        world = replace(world, revision=max(world.revision, self._world.revision + 1))
        attributes = (
            self._attributes if unfiled or not self._attributes else of_objects_in(self._attributes, world)
        )
        if self._journal is not None:
            self._journal.replace(world, attributes, file, unfiled)
        self._file, self.unfiled = file, unfiled
        self._replace(world, attributes)
        return world

    def _tell(self, step: Step) -> None:
        for follower in self._followers:
            follower(step)

    def _replace(self, world: World, attributes: ObjectAttributes) -> None:
        old, self._world, self._attributes = self._world, world, attributes
        if world is not old:
            for subscriber in self._subscribers:
                subscriber(old, world)


def tried(commit: Commit, world: World) -> World | Refusal:
    """The World after a commit's changes, or the first Refusal."""
    for change in commit.changes:
        after = change.apply(world)
        if isinstance(after, Refusal):
            return after
        world = after
    return world
