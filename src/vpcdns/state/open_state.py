"""A state file and a configuration file at a start: what holds then (docs/decisions/0007).

VPCs, instances and groups are the state's once it has begun; all the rest is the file's. Where both have
changed the former, nobody but the operator can tell whose are meant.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vpcdns.errors import StateError
from vpcdns.model.world import World
from vpcdns.state.api_attributes import of_objects_in
from vpcdns.state.current_world import State
from vpcdns.state.file_with_changes import joined
from vpcdns.state.journal import Contents
from vpcdns.state.journal_rows import Snapshot, objects_digest
from vpcdns.state.sqlite_journal import SqliteJournal


def open_state(path: Path, file: World) -> tuple[State, SqliteJournal]:
    """The State that the file at `path` goes on with, or begins; to be closed by its journal.

    Raises StateError, and ConfigurationError when the configuration does not fit around the state.
    """
    journal = SqliteJournal(path)
    try:
        contents = _contents(journal.held, file, path)
        journal.replace(contents, file)
    except BaseException:
        journal.close()
        raise
    return State(file, journal=journal, contents=contents), journal


def _contents(held: Snapshot | None, file: World, path: Path) -> Contents:
    if held is None:
        return Contents(file)
    there = held.contents
    revision = max(file.revision, there.world.revision + 1)
    if not there.unfiled:
        return Contents(replace(file, revision=revision), of_objects_in(there.attributes, file))
    if held.objects != objects_digest(file):
        raise StateError(
            f"{path}: it has {there.unfiled} changes of VPCs, instances and groups that the configuration"
            " does not know, and the configuration's have changed too\nways out:\n"
            f"  - take the configuration's: vpcdns state import --state {path} FILE\n"
            f"  - take the state's: vpcdns state export --state {path} --config FILE; serve what it prints"
        )
    return replace(there, world=replace(joined(file, there.world), revision=revision))
