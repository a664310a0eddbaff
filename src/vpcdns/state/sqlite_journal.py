"""The state file: SQLite with a journal of commits and a snapshot, durable before anything is acknowledged.

Knows the tables; `journal_rows` knows what their rows mean, `sqlite_file` how the file is opened. Write-ahead
log with `synchronous=FULL`: one fsync a commit, and after `kill -9` or a power cut every commit is there
whole, or not at all (docs/decisions/0007).
"""

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Final

from vpcdns.errors import StateError
from vpcdns.model.world import World
from vpcdns.state import journal_rows as rows
from vpcdns.state import sqlite_file
from vpcdns.state.api_attributes import of_objects_in
from vpcdns.state.current_world import State
from vpcdns.state.file_with_changes import joined
from vpcdns.state.journal import Commit, Contents, Journal
from vpcdns.state.journal_rows import NO_ENTRY, Entry, Snapshot
from vpcdns.state.sqlite_file import in_words

log = logging.getLogger("vpcdns.state")

# Entries, and octets of their text; a start replays little more: the fullest ones take it some 3 s.
SNAPSHOT_EVERY: Final = 1_000
SNAPSHOT_OCTETS: Final = 1 << 20
ENTRIES_KEPT: Final = 10_000  # for `state history`; older ones are deleted with the next snapshot

_DELETED: Final = "deleted"  # the kind of the entry before the oldest one that is kept
_COLUMNS: Final = "number, at, who, kind, revision, text, seal"
_INSERT: Final = f"INSERT INTO journal ({_COLUMNS}) VALUES (?,?,?,?,?,?,?)"  # noqa: S608 - all of it is ours
_SELECT: Final = f"SELECT {_COLUMNS} FROM journal ORDER BY number"  # noqa: S608 - all of it is ours


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What takes long to write: the digest of a file's objects; the configuration of a World, until used."""

    file: World
    objects: str
    world: World | None = None
    configuration: str = ""

    def configuration_of(self, world: World) -> str | None:
        """That of `world`, if it is the one that was prepared, in whatever revision."""
        mine = self.world
        if mine is None or mine.groups is not world.groups:
            return None
        return self.configuration if replace(mine, revision=world.revision) == world else None


class SqliteJournal(Journal):
    """A state file that is open for one server; `held` is what was in it before the first `replace`."""

    def __init__(self, path: Path) -> None:
        """Opens the file, or makes it. Raises StateError for a file that cannot be used."""
        self.path = path
        self._prepared: _Prepared | None = None
        self._snapshotting: threading.Thread | None = None
        with ExitStack() as unless_all_is_well:
            self._lock = sqlite_file.locked(path)
            unless_all_is_well.callback(os.close, self._lock)
            is_new = not path.exists()
            if is_new:
                os.truncate(self._lock, 0)
                sqlite_file.make(path)
            noted = (0, "") if is_new else sqlite_file.noted_last(path)
            self._db = sqlite_file.opened(path)
            unless_all_is_well.callback(self._db.close)
            with in_words(path):
                self.held, self._last, self._snapshot_at = _read(self._db)
            _check_end(path, self._last, noted)
            self._files = sqlite_file.identities(path)
            unless_all_is_well.pop_all()
        self._unconfirmed = False
        self._octets = 0  # since the snapshot
        self._objects = "" if self.held is None else self.held.objects

    def close(self) -> None:
        if self._snapshotting is not None:
            self._snapshotting.join()
        self._db.close()
        os.close(self._lock)

    def append(self, commit: Commit, contents: Contents) -> None:
        """Keeps a commit, after which `contents` hold; durable when it returns."""
        entry = self._entry(commit.who, "commit", contents.world.revision, rows.commit_text(commit))
        self._write(entry)
        self._octets += len(entry.text)
        if entry.number - self._snapshot_at >= SNAPSHOT_EVERY or self._octets >= SNAPSHOT_OCTETS:
            self._begin_snapshot(entry, Snapshot(contents, self._objects))

    def prepare(self, contents: Contents, file: World) -> None:
        """Makes the text that `replace` needs for these. For a thread."""
        world = contents.world
        self._prepared = _Prepared(file, rows.objects_digest(file), world, rows.configuration_text(world))

    def replace(self, contents: Contents, file: World) -> None:
        """Keeps that `file` was read, after which `contents` hold."""
        prepared = self._prepared
        if prepared is None or prepared.file is not file:
            prepared = _Prepared(file, rows.objects_digest(file))
        configuration = prepared.configuration_of(contents.world)
        text = rows.snapshot_text(Snapshot(contents, prepared.objects), configuration)
        entry = self._entry("file", "file", contents.world.revision, "{}")
        self._write(entry, text)
        # The digest is wanted again when the same file is put back; its text would take up memory until then.
        self._prepared = _Prepared(file, prepared.objects)
        self._snapshot_at, self._octets = entry.number, 0
        self._objects, self.held = prepared.objects, None

    def _begin_snapshot(self, entry: Entry, snapshot: Snapshot) -> None:
        """Makes one in a thread, while the journal goes on: of many groups it takes seconds."""
        if self._snapshotting is not None and self._snapshotting.is_alive():
            return
        arguments = entry, snapshot, self._octets
        self._snapshotting = threading.Thread(target=self._snapshot, args=arguments, name="snapshot")
        self._snapshotting.start()

    def _snapshot(self, entry: Entry, snapshot: Snapshot, octets: int) -> None:
        try:
            text = rows.snapshot_text(snapshot)
            with in_words(self.path), closing(sqlite_file.connected(self.path)) as db, db:
                db.execute("BEGIN IMMEDIATE")
                # Unless the file was read again meanwhile: from before that, nothing can be replayed.
                if db.execute("SELECT number FROM snapshot").fetchone()[0] < entry.number:
                    _put_snapshot(db, entry, text)
            self._snapshot_at, self._octets = max(self._snapshot_at, entry.number), self._octets - octets
        except StateError as error:
            # Nothing is lost: the journal has it all, and the next commit tries again.
            log.error("The state has no new snapshot: %s", error)  # noqa: TRY400 - no fault of ours

    def _entry(self, who: str, kind: str, revision: int, text: str) -> Entry:
        last = self._last
        return Entry(last.number + 1, time.time(), who, kind, revision, text, "").sealed(last.seal)

    def _write(self, entry: Entry, snapshot: str | None = None) -> None:
        if self._unconfirmed or sqlite_file.identities(self.path) != self._files:
            raise StateError(f"{self.path}: removed, replaced or not confirmed; restart to go on")
        with in_words(self.path):
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.execute(_INSERT, astuple(entry))
                if snapshot is not None:
                    _put_snapshot(self._db, entry, snapshot)
            self._unconfirmed = True  # from here on the entry is there, and may only be said to be
            sqlite_file.note_last(self._lock, entry.number, entry.seal)
            self._unconfirmed = False
        self._last = entry


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
    """VPCs, instances, groups and private zones are the state's once it has begun, the rest is the file's.

    Where both have changed the former, only the operator can know whose are meant (docs/decisions/0007).
    """
    if held is None:
        return Contents(file)
    there = held.contents
    revision = max(file.revision, there.world.revision + 1)
    if not there.unfiled:
        return Contents(replace(file, revision=revision), of_objects_in(there.attributes, file))
    if held.objects != rows.objects_digest(file):
        raise StateError(
            f"{path}: it has {there.unfiled} changes of VPCs, instances, groups and zones that the"
            " configuration does not know, and the configuration's have changed too\nways out:\n"
            f"  - take the configuration's: vpcdns state import --state {path} FILE\n"
            f"  - take the state's: vpcdns state export --state {path} --config FILE; serve what it prints"
        )
    return replace(there, world=replace(joined(file, there.world), revision=revision))


def history(path: Path) -> Iterator[Entry]:
    """The entries of a state file, the oldest first; also of one that a server has open."""
    noted, last = sqlite_file.noted_last(path), NO_ENTRY
    with closing(sqlite_file.opened(path)) as db, in_words(path):
        for last in _entries(db):
            yield last
    _check_end(path, last, noted)


def read(path: Path) -> Contents:
    """What a state file holds; also of one that a server has open. Raises StateError."""
    noted = sqlite_file.noted_last(path)
    with closing(sqlite_file.opened(path)) as db, in_words(path):
        held, last, _ = _read(db)
    _check_end(path, last, noted)
    if held is None:
        raise StateError(f"{path}: there is nothing in it yet")
    return held.contents


def _check_end(path: Path, last: Entry, noted: tuple[int, str] | None) -> None:
    """Raises StateError where the journal lacks the entry that was noted as its last.

    One more entry than was noted is fine: the power was cut in between, and nobody was told of it.
    """
    number = last.number
    if noted is None:
        log.warning(
            "%s: there is no %s, so nothing can say whether changes behind entry %d are missing;"
            " `vpcdns state history` lists those that are there",
            path,
            sqlite_file.lock_of(path).name,
            number,
        )
    if noted is None or number > noted[0] or (number, last.seal) == noted:
        return
    raise StateError(
        f"{path}: it ends with entry {number}, and entry {noted[0]} was written: acknowledged changes are"
        f" lost, or it is another file; it was left as it is{sqlite_file.lost_ways_out(path)}"
    )


def _put_snapshot(db: sqlite3.Connection, entry: Entry, text: str) -> None:
    """Also deletes old entries. Of the last of them the seal is kept, which the next one's covers."""
    db.execute("DELETE FROM snapshot")
    db.execute("INSERT INTO snapshot VALUES (?,?,?)", (entry.number, text, entry.snapshot_seal(text)))
    last_deleted = entry.number - ENTRIES_KEPT
    db.execute("DELETE FROM journal WHERE number < ?", (last_deleted,))
    deleted = "UPDATE journal SET at=0, who='', kind=?, revision=0, text='' WHERE number=?"
    db.execute(deleted, (_DELETED, last_deleted))


def _read(db: sqlite3.Connection) -> tuple[Snapshot | None, Entry, int]:
    """What holds, the last entry, and the number of the one that the snapshot was made at.

    In one transaction: a server that has the file open goes on writing.
    """
    with db:
        db.execute("BEGIN")
        row = db.execute("SELECT number, text, seal FROM snapshot").fetchone()
        if row is None:
            if db.execute("SELECT count(*) FROM journal").fetchone()[0]:
                raise StateError("the snapshot is missing")
            return None, NO_ENTRY, 0
        number, text, seal = row
        held, last = None, NO_ENTRY
        for last in _entries(db):
            if last.number == number:
                if seal != last.snapshot_seal(text):
                    raise StateError("the snapshot is not what was written")
                held = rows.parse_snapshot(text)
            elif held is not None:
                held = replace(held, contents=rows.replayed(last, held.contents))
        if held is None:
            raise StateError("the journal does not reach the snapshot")
        return held, last, number


def _entries(db: sqlite3.Connection) -> Iterator[Entry]:
    """The entries, each checked to be the one that was written after the one before."""
    before = NO_ENTRY
    for row in db.execute(_SELECT):
        entry = Entry(*row)
        if before is NO_ENTRY and entry.kind == _DELETED:
            before = entry
            continue
        if entry.number != before.number + 1 or entry.seal != entry.expected_seal(before.seal):
            raise StateError(f"entry {entry.number} of the journal is not what was written")
        yield entry
        before = entry
