"""A commit, what holds after it, and where both are kept.

Must not know how: `sqlite_journal` keeps them in a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vpcdns.errors import StateError
from vpcdns.model.changes import Change
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.rules import Refusal
from vpcdns.model.world import World
from vpcdns.state.api_attributes import Attributes, ObjectAttributes


@dataclass(frozen=True, slots=True)
class Commit:
    """Changes that take effect together or not at all; `who` asks for them: an access key id, or `file`.

    Attributes that are None are taken away.
    """

    changes: Sequence[Change] = ()
    attributes: Mapping[str, Attributes | None] = field(default_factory=dict)
    who: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a State holds. `unfiled` counts the changes since the file was read, which the file lacks."""

    world: World
    attributes: ObjectAttributes = field(default_factory=FrozenMap)
    unfiled: int = 0

    def after(self, commit: Commit) -> Contents | Refusal:
        """What holds after a commit, or the first rule that it breaks."""
        world = self.world
        for change in commit.changes:
            changed = change.apply(world)
            if isinstance(changed, Refusal):
                return changed
            world = changed
        attributes = self.attributes
        if commit.attributes:
            put = {key: one for key, one in commit.attributes.items() if one is not None}
            gone = [key for key in commit.attributes if key not in put and key in attributes]
            attributes = attributes.edited(put, gone)
        return Contents(world, attributes, self.unfiled + len(commit.changes))


class Journal:
    """Keeps what a State holds; this one in memory alone, so a restart begins with what the file says.

    `append` and `replace` of others return when it is durable, or raise StateError. `problem` says why
    nothing can be kept.
    """

    problem: str | None = None

    def prepare(self, contents: Contents, file: World) -> None:
        """Prepares what takes long when `replace` is called with these. For a thread."""

    def append(self, commit: Commit, contents: Contents) -> None:
        """Keeps a commit, after which `contents` hold."""

    def replace(self, contents: Contents, file: World) -> None:
        """Keeps that `file` was read, after which `contents` hold."""


class UnusableJournal(Journal):
    """In the place of one that could not be opened: no change is acknowledged that a restart would lose."""

    def __init__(self, problem: str) -> None:
        self.problem = problem

    def append(self, commit: Commit, contents: Contents) -> None:
        raise StateError(f"the state could not be used when the server started: {self.problem}")
