"""The state file: SQLite with a journal of commits and a snapshot, durable before anything is acknowledged.

Knows the tables; what their rows mean is `rows`', how the file is opened `file`'s. Write-ahead log with
`synchronous=FULL`: one fsync a commit, and after `kill -9` or a power cut every commit is there whole, or not
at all (docs/decisions/0007).
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vpcdns.errors import StateError
from vpcdns.model.world import World
from vpcdns.state.api_attributes import ObjectAttributes
from vpcdns.state.current_world import FILE, Commit
from vpcdns.state.journal_rows import (
    NO_SEAL,
    Entry,
    Snapshot,
    commit_text,
    configuration_text,
    objects_digest,
    replayed,
    snapshot,
    snapshot_text,
)
from vpcdns.state.sqlite_file import connected, in_words, locked, make, opened

log = logging.getLogger("vpcdns.state")

SNAPSHOT_EVERY: Final = 1_000  # entries; so many are replayed at a start

_COLUMNS: Final = "number, at, who, kind, revision, text, seal"
_INSERT: Final = f"INSERT INTO journal ({_COLUMNS}) VALUES (?,?,?,?,?,?,?)"  # noqa: S608 - all of it is ours
_SELECT: Final = f"SELECT {_COLUMNS} FROM journal ORDER BY number"  # noqa: S608 - all of it is ours


@dataclass(frozen=True, slots=True)
class _Written:
    """What takes long to tell of a file's World: its configuration, unless that was used, and its digest."""

    file: World
    objects: str
    configuration: str | None = None


class SqliteJournal:
    """A state file that is open for one server; `kept` is what it held when it was opened, if anything."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Opens the file, or makes it. Raises StateError for a file that cannot be used."""
        self.path = path
        self._clock = clock
        self._written: _Written | None = None
        self._snapshotting: threading.Thread | None = None
        with ExitStack() as unless_all_is_well:
            self._lock = locked(path)
            unless_all_is_well.callback(os.close, self._lock)
            if not path.exists():
                make(path)
            self._db = opened(path)
            unless_all_is_well.callback(self._db.close)
            with in_words(path):
                self.kept, self._last, self._snapshot_at = _read(self._db)
            unless_all_is_well.pop_all()

    def close(self) -> None:
        if self._snapshotting is not None:
            self._snapshotting.join()
        self._db.close()
        os.close(self._lock)

    def append(self, commit: Commit, world: World, attributes: ObjectAttributes) -> None:
        """Keeps a commit, after which `world` and `attributes` hold; durable when it returns."""
        assert self.kept is not None, "a state begins with a file"  # noqa: S101
        entry = self._entry(commit.who, "commit", world.revision, commit_text(commit))
        with self._transaction():
            self._insert(entry)
        self._last = entry
        self.kept = Snapshot(world, attributes, self.kept.unfiled + len(commit.changes), self.kept.objects)
        if entry.number - self._snapshot_at >= SNAPSHOT_EVERY:
            self._begin_snapshot(entry, self.kept)

    def prepare(self, file: World) -> None:
        """Writes down what `replace` will want when this file comes. For a thread."""
        self._written = _Written(file, objects_digest(file), configuration_text(file))

    def replace(self, world: World, attributes: ObjectAttributes, file: World, unfiled: int) -> None:
        """Keeps that `file` was read, after which `world` holds with so many changes that it misses."""
        written = self._written
        if written is None or written.file is not file:
            written = _Written(file, objects_digest(file))
        kept = Snapshot(world, attributes, unfiled, written.objects)
        text = snapshot_text(kept, None if unfiled else written.configuration)
        entry = self._entry(FILE, "file", world.revision, "{}")
        with self._transaction():
            self._insert(entry)
            _put_snapshot(self._db, entry, text)
        # The digest is wanted again when the same file is put back; its text would take up memory until then.
        self._written = _Written(file, written.objects)
        self._last, self._snapshot_at, self.kept = entry, entry.number, kept

    def _begin_snapshot(self, entry: Entry, kept: Snapshot) -> None:
        """Makes one in a thread, while the journal goes on: of many groups it takes seconds."""
        if self._snapshotting is not None and self._snapshotting.is_alive():
            return
        self._snapshotting = threading.Thread(target=self._snapshot, args=(entry, kept), name="snapshot")
        self._snapshotting.start()

    def _snapshot(self, entry: Entry, kept: Snapshot) -> None:
        try:
            text = snapshot_text(kept)
            with in_words(self.path), closing(connected(self.path)) as db, db:
                db.execute("BEGIN IMMEDIATE")
                # Unless the file was read again meanwhile: from before that, nothing can be replayed.
                if db.execute("SELECT number FROM snapshot").fetchone()[0] < entry.number:
                    _put_snapshot(db, entry, text)
            self._snapshot_at = max(self._snapshot_at, entry.number)
        except StateError as error:
            # Nothing is lost: the journal has it all, and the next commit tries again.
            log.error("The state has no new snapshot: %s", error)  # noqa: TRY400 - no fault of ours

    def _entry(self, who: str, kind: str, revision: int, text: str) -> Entry:
        number, seal = (0, NO_SEAL) if self._last is None else (self._last.number, self._last.seal)
        return Entry(number + 1, self._clock(), who, kind, revision, text, NO_SEAL).sealed(seal)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with in_words(self.path), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def _insert(self, entry: Entry) -> None:
        self._db.execute(_INSERT, _row(entry))


def history(path: Path) -> Iterator[Entry]:
    """The entries of a state file, the oldest first; also of one that a server has open."""
    db = opened(path)
    try:
        with in_words(path):
            last = None
            for row in db.execute(_SELECT):
                last = _checked(Entry(*row), last)
                yield last
    finally:
        db.close()


def read(path: Path) -> Snapshot:
    """What a state file holds; also of one that a server has open. Raises StateError."""
    db = opened(path)
    try:
        with in_words(path):
            kept, _, _ = _read(db)
    finally:
        db.close()
    if kept is None:
        raise StateError(f"{path}: there is nothing in it yet")
    return kept


def _put_snapshot(db: sqlite3.Connection, entry: Entry, text: str) -> None:
    db.execute("DELETE FROM snapshot")
    db.execute("INSERT INTO snapshot VALUES (?,?,?)", (entry.number, text, _snapshot_seal(entry, text)))


def _row(entry: Entry) -> tuple[Any, ...]:
    return entry.number, entry.at, entry.who, entry.kind, entry.revision, entry.text, entry.seal


def _read(db: sqlite3.Connection) -> tuple[Snapshot | None, Entry | None, int]:
    """What holds, the last entry, and the number of the one that the snapshot was made at.

    In one transaction: a server that has the file open goes on writing.
    """
    with db:
        db.execute("BEGIN")
        return _read_now(db)


def _read_now(db: sqlite3.Connection) -> tuple[Snapshot | None, Entry | None, int]:
    row = db.execute("SELECT number, text, seal FROM snapshot").fetchone()
    if row is None:
        if db.execute("SELECT count(*) FROM journal").fetchone()[0]:
            raise StateError("the snapshot is missing")
        return None, None, 0
    number, text, seal = row
    kept, last = None, None
    for columns in db.execute(_SELECT):
        last = _checked(Entry(*columns), last)
        if last.number == number:
            if seal != _snapshot_seal(last, text):
                raise StateError("the snapshot is not what was written")
            kept = snapshot(text)
        elif kept is not None:
            kept = replayed(last, kept)
    if kept is None:
        raise StateError("the journal does not reach the snapshot")
    return kept, last, number


def _checked(entry: Entry, before: Entry | None) -> Entry:
    """The entry, when it is the one that was written after `before`."""
    number, seal = (1, NO_SEAL) if before is None else (before.number + 1, before.seal)
    if entry.number != number or entry.seal != entry.expected_seal(seal):
        raise StateError(f"entry {entry.number} of the journal is not what was written")
    return entry


def _snapshot_seal(entry: Entry, text: str) -> str:
    return Entry(entry.number, 0.0, "", "snapshot", entry.revision, text, NO_SEAL).expected_seal(entry.seal)
