"""A state file and a configuration file at a start: what holds then (docs/decisions/0007).

VPCs, instances and groups are the state's once it has begun; all the rest is the file's. Where both have
changed the former, nobody but the operator can tell whose are meant.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vpcdns.errors import StateError
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.world import World
from vpcdns.state.api_attributes import ObjectAttributes, of_objects_in
from vpcdns.state.current_world import State
from vpcdns.state.file_with_changes import joined
from vpcdns.state.journal_rows import Snapshot, objects_digest
from vpcdns.state.sqlite_journal import SqliteJournal


def open_state(path: Path, file: World) -> tuple[State, SqliteJournal]:
    """The State that the file at `path` goes on with, or begins; to be closed by its SqliteJournal.

    Raises StateError, and ConfigurationError when the configuration does not fit around the state.
    """
    journal = SqliteJournal(path)
    try:
        world, attributes, unfiled = _held(journal.kept, file, path)
        journal.replace(world, attributes, file, unfiled)
    except BaseException:
        journal.close()
        raise
    return State(world, attributes=attributes, journal=journal, file=file, unfiled=unfiled), journal


def _held(kept: Snapshot | None, file: World, path: Path) -> tuple[World, ObjectAttributes, int]:
    if kept is None:
        return file, FrozenMap(), 0
    revision = max(file.revision, kept.world.revision + 1)
    if not kept.unfiled:
        return replace(file, revision=revision), of_objects_in(kept.attributes, file), 0
    if kept.objects != objects_digest(file):
        raise StateError(
            f"{path}: it has {kept.unfiled} changes of VPCs, instances and groups that the configuration does"
            " not know, and the configuration's have changed too\nways out:\n"
            f"  - take the configuration's: vpcdns state import --state {path} FILE\n"
            f"  - take the state's: vpcdns state export --state {path} --config FILE; serve what it prints"
        )
    return replace(joined(file, kept.world), revision=revision), kept.attributes, kept.unfiled
