"""The state file as a file: made, locked, opened, and what is wrong with it in words.

Knows SQLite and file systems; `journal_rows` knows what is in the tables.

The lock file beside it holds the number and the seal of the last entry as well, written with each commit: a
write-ahead log that was cut or damaged ends early without a word (SQLite's file format §4.4), and every entry
before the end is intact.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from vpcdns.errors import StateError

APPLICATION_ID: Final = 0x76706364  # "vpcd", in the file's header
SCHEMA_VERSION: Final = 1
# Seconds for another connection to be done writing (SQLite: 5): a snapshot of a million groups has 160 MB.
_WAIT: Final = 10.0

_SCHEMA: Final = (
    """CREATE TABLE journal (
        number INTEGER PRIMARY KEY, at REAL NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL,
        revision INTEGER NOT NULL, text TEXT NOT NULL, seal TEXT NOT NULL) STRICT""",
    # One row; `number` is the last entry that it holds. Its seal is that of an entry with its text.
    "CREATE TABLE snapshot (number INTEGER PRIMARY KEY, text TEXT NOT NULL, seal TEXT NOT NULL) STRICT",
)


def lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-lock")


def locked(path: Path) -> int:
    """A lock beside the file, as a descriptor to be closed: a state file is for one server.

    Raises StateError.
    """
    lock = lock_of(path)
    _require_regular_files(path)
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateError(f"{path}: {lock.name} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StateError(f"{path}: another vpcdns has it open; give each its own") from None
    return descriptor


def note_last(lock: int, number: int, seal: str) -> None:
    """Writes down durably which entry is the last. In place: that needs no room on the disk."""
    os.pwrite(lock, f"{number:020} {seal}\n".encode(), 0)
    os.fdatasync(lock)


def noted_last(path: Path) -> tuple[int, str] | None:
    """The entry that was noted as the last; None if none was. To be read before the journal is.

    Raises StateError.
    """
    _require_regular_files(path)
    try:
        noted = lock_of(path).read_text("ascii").split()
        return (int(noted[0]), noted[1]) if noted else None
    except FileNotFoundError:
        return None
    except (ValueError, IndexError, OSError) as error:
        raise StateError(
            f"{path}: {lock_of(path).name} cannot be read: {error}{lost_ways_out(path)}"
        ) from error


def lost_ways_out(path: Path) -> str:
    return f"""
ways out:
  - put backups of {path.name} and {path.name}-wal in their places
  - accept that later changes are lost, or that this is another file: remove {lock_of(path)}"""


def _require_regular_files(path: Path) -> None:
    """Raises StateError for a FIFO and the like, which would be waited for: the file, and those beside it."""
    for end in ("", "-lock", "-journal", "-wal", "-shm", "-new"):
        file = path.with_name(path.name + end)
        if file.exists() and not file.is_file():
            raise StateError(f"{file}: it is no regular file; name one, or one that is not there yet")


def opened(path: Path) -> sqlite3.Connection:
    """The file open, its header checked before anything could write to it. Raises StateError."""
    _require_regular_files(path)
    _check_header(path)
    with in_words(path):
        return connected(path, check=True)


def connected(path: Path, *, check: bool = False) -> sqlite3.Connection:
    """The file open once more. Raises sqlite3's errors, and StateError if a `check` finds it damaged."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_WAIT)
    try:
        db.execute("PRAGMA synchronous=FULL")
        if check and (found := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise StateError(f"{path}: it is damaged ({found}); it was left as it is{_WAYS_OUT}")
    except BaseException:
        db.close()
        raise
    return db


def make(path: Path) -> None:
    """A new file, made elsewhere and put in place when it is whole; what is there is never replaced.

    Raises StateError.
    """
    draft = path.with_name(f"{path.name}-new")
    with in_words(path):
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        db = sqlite3.connect(draft, isolation_level=None)
        with db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute(f"PRAGMA application_id={APPLICATION_ID}")
            db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            for statement in _SCHEMA:
                db.execute(statement)
        db.close()
        os.link(draft, path)
        draft.unlink()
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def identities(path: Path) -> list[tuple[int, int] | None]:
    """Which files have the names of the state file and of those beside it; all are there while it is open.

    SQLite goes on with files that were removed, and whoever opens the state next does not see those.
    """
    return [_identity(path.with_name(path.name + end)) for end in ("", "-lock", "-wal", "-shm")]


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _check_header(path: Path) -> None:
    """Whose file it is (SQLite's file format §1.3): octets 60 to 63 and 68 to 71 are for applications."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise StateError(f"{path}: it cannot be read: {error.strerror}") from error
    if not header.startswith(b"SQLite format 3\0") or len(header) < 100:
        raise StateError(f"{path}: it is no state file of vpcdns; it was left as it is{_WAYS_OUT}")
    version, application = int.from_bytes(header[60:64], "big"), int.from_bytes(header[68:72], "big")
    if application != APPLICATION_ID:
        raise StateError(f"{path}: it is another program's SQLite file; it was left as it is")
    if version != SCHEMA_VERSION:
        raise StateError(f"{path}: it has schema {version}, and this vpcdns knows schema {SCHEMA_VERSION}")


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """SQLite's errors and ours as StateErrors that name the file."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StateError(f"{path}: it cannot be used: {error}{_DISK}") from error
    except (sqlite3.DatabaseError, OverflowError, UnicodeDecodeError) as error:
        raise StateError(f"{path}: it is damaged ({error}); it was left as it is{_WAYS_OUT}") from error
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}{_DISK}") from error
    except StateError as error:
        if str(error).startswith(str(path)):
            raise
        raise StateError(f"{path}: it is damaged: {error}; it was left as it is{_WAYS_OUT}") from error


_WAYS_OUT: Final = """
ways out:
  - put a backup of it in its place
  - name another file, which begins with what the configuration says"""
_DISK: Final = """
ways out:
  - make room on its disk
  - let the user that serves write the file and its folder"""
