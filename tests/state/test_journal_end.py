"""The end of the journal: a write-ahead log that is cut or damaged loses nothing unnoticed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.example_world import OFF, example
from vpcdns.errors import StateError
from vpcdns.model.changes import EnableVpcDomain, RenameGroup
from vpcdns.state import sqlite_journal
from vpcdns.state.sqlite_journal import SqliteJournal, history, open_state, read

PARTS = "", "-wal", "-lock"


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[Path]:
    """A state file as `kill -9` leaves it: what was acknowledged last is in the write-ahead log alone."""
    path, copy = tmp_path / "served", tmp_path / "killed"
    state, journal = open_state(path, example())
    for name in ("one", "two", "three"):
        state.apply(RenameGroup(OFF, name))
    for part in PARTS:
        shutil.copy(f"{path}{part}", f"{copy}{part}")
    yield copy
    journal.close()


def copied(killed: Path, folder: Path) -> Path:
    for part in PARTS:
        shutil.copy(f"{killed}{part}", folder / f"copy{part}")
    (folder / "copy-shm").unlink(missing_ok=True)
    return folder / "copy"


def holds_all_or_is_refused(path: Path) -> bool:
    """Whether it is refused; for the server and for whoever only reads."""
    try:
        journal = SqliteJournal(path)
    except StateError:
        for look in (read, lambda path: list(history(path))):
            with pytest.raises(StateError):
                look(path)
        return True
    assert journal.held is not None
    assert journal.held.contents.world.groups[OFF].name == "three"
    journal.close()
    return False


def test_all_is_there_after_kill_9(killed: Path, tmp_path: Path) -> None:
    assert not holds_all_or_is_refused(copied(killed, tmp_path))


def test_a_flipped_bit_in_the_write_ahead_log(killed: Path, tmp_path: Path) -> None:
    log = Path(f"{killed}-wal").read_bytes()
    found = 0
    for place in range(0, len(log), 331):
        path = copied(killed, tmp_path)
        Path(f"{path}-wal").write_bytes(log[:place] + bytes((log[place] ^ 0x10,)) + log[place + 1 :])
        found += holds_all_or_is_refused(path)
    assert found > 10


def test_a_write_ahead_log_that_was_cut(killed: Path, tmp_path: Path) -> None:
    log = Path(f"{killed}-wal").read_bytes()
    for length in range(0, len(log) - 1, 997):
        path = copied(killed, tmp_path)
        Path(f"{path}-wal").write_bytes(log[:length])
        assert holds_all_or_is_refused(path), length
    path = copied(killed, tmp_path)
    Path(f"{path}-wal").unlink()
    with pytest.raises(StateError, match=r"acknowledged changes are lost[^\n]*\nways out:") as raised:
        SqliteJournal(path)
    assert f"remove {path}-lock" in str(raised.value)


def test_the_ways_out_lead_out(killed: Path, tmp_path: Path) -> None:
    path = copied(killed, tmp_path)
    Path(f"{path}-wal").unlink()
    Path(f"{path}-lock").unlink()
    _, journal = open_state(path, example())
    journal.close()


def test_without_the_note_of_the_end_it_is_said(
    killed: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = copied(killed, tmp_path)
    read(path)
    assert not caplog.messages
    for kept in (1, 2, 0):
        path = copied(killed, tmp_path)
        log = Path(f"{path}-wal").read_bytes()
        Path(f"{path}-wal").write_bytes(log[: len(log) * kept // 2])
        Path(f"{path}-lock").unlink()
        caplog.clear()
        open_state(path, example())[1].close()
        assert "nothing can say whether changes behind entry" in caplog.messages[0], kept


@pytest.mark.parametrize(
    "octets", [b"7", b"seven of them", b"\xff\xfe\x00", b"00000000000000000001 " + b"0" * 64]
)
def test_a_note_of_the_end_that_is_damaged(killed: Path, tmp_path: Path, octets: bytes) -> None:
    path = copied(killed, tmp_path)
    Path(f"{path}-lock").write_bytes(octets)
    if octets.startswith(b"0"):  # of an entry before the last: whoever wrote the last was cut off
        assert not holds_all_or_is_refused(path)
    else:
        assert holds_all_or_is_refused(path)


def test_a_state_file_that_was_removed_begins_anew(killed: Path) -> None:
    for part in ("", "-wal"):
        Path(f"{killed}{part}").unlink()
    state, journal = open_state(killed, example())
    journal.close()
    assert state.contents.unfiled == 0


@pytest.mark.parametrize("end", ["", "-lock", "-wal", "-shm"])
@pytest.mark.parametrize("replaced", [False, True])
def test_no_change_goes_to_a_file_that_is_gone(tmp_path: Path, end: str, replaced: bool) -> None:
    """Nor beside one: with the lock and the log removed, the next start would know nothing of the change."""
    path = tmp_path / "state"
    state, journal = open_state(path, example())
    state.apply(EnableVpcDomain(OFF))
    gone = tmp_path / f"state{end}"
    gone.unlink()
    if replaced:
        gone.write_bytes(b"somebody else's")
    with pytest.raises(StateError, match="restart"):
        state.apply(RenameGroup(OFF, "lost"))
    assert state.world.groups[OFF].name == ""
    journal.close()


def test_an_entry_that_could_not_be_confirmed_ends_the_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its change is in the file and was not acknowledged: another must not be built on either."""
    path = tmp_path / "state"
    state, journal = open_state(path, example())

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", fail)
        with pytest.raises(StateError, match="Input/output error"):
            state.apply(RenameGroup(OFF, "one"))
    with pytest.raises(StateError, match="restart"):
        state.apply(RenameGroup(OFF, "two"))
    journal.close()
    assert read(path).world.groups[OFF].name == "one"


def test_old_entries_are_deleted_with_a_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_journal, "ENTRIES_KEPT", 3)
    path = tmp_path / "state"
    for start in range(4):
        state, journal = open_state(path, example())
        for number in range(4):
            state.apply(RenameGroup(OFF, f"{start}.{number}"))
        journal.close()
    assert [entry.number for entry in history(path)] == list(range(14, 21))
    state, journal = open_state(path, example())
    assert state.world.groups[OFF].name == "3.3"
    assert state.contents.unfiled == 16
    journal.close()


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("end", ["", "-lock", "-journal", "-wal", "-shm", "-new"])
def test_a_fifo_is_no_state_file_and_lies_beside_none(tmp_path: Path, end: str, there: bool) -> None:
    """It would be waited for without a word."""
    path = tmp_path / "state"
    if there and end:
        open_state(path, example())[1].close()
        Path(f"{path}{end}").unlink(missing_ok=True)
    os.mkfifo(f"{path}{end}")
    with pytest.raises(StateError, match=rf"state{end}: it is no regular file"):
        SqliteJournal(path)
    if there and end:
        with pytest.raises(StateError, match="no regular file"):
            read(path)
