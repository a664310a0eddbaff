"""Journals for tests."""

from __future__ import annotations

from vpcdns.errors import StateError
from vpcdns.model.world import World
from vpcdns.state import Commit, Contents, Journal


class FullJournal(Journal):
    """A journal on a full disk."""

    def append(self, commit: Commit, contents: Contents) -> None:
        raise StateError("no room")

    def replace(self, contents: Contents, file: World) -> None:
        raise StateError("no room")
