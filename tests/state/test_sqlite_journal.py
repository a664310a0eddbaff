"""The state file: what is acknowledged is there, what is damaged is refused and left alone."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.example_world import BOUND, DEDICATED, HZ, OFF, SERVERLESS, VPC_B, example
from tests.support.repository import ROOT
from vpcdns.errors import StateError
from vpcdns.model.changes import Bind, DisableVpcDomain, RenameGroup
from vpcdns.model.policy import Answers
from vpcdns.model.world import World
from vpcdns.state import Commit, State, journal_rows, sqlite_file, sqlite_journal
from vpcdns.state.journal_rows import Snapshot, snapshot_text
from vpcdns.state.sqlite_journal import SqliteJournal, history, open_state, read


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vpcdns.state"


def begun(path: Path, *names: str) -> None:
    """A state with so many changes in it, closed."""
    state, journal = open_state(path, example())
    for name in names:
        state.commit(Commit((RenameGroup(OFF, name),), {f"group {OFF}": {"Description": name}}, "me"))
    journal.close()


def name_in(path: Path) -> str:
    return read(path).world.groups[OFF].name


def test_changes_are_there_after_a_restart(path: Path) -> None:
    begun(path, "one", "two")
    state, journal = open_state(path, example())
    assert state.world.groups[OFF].name == "two"
    assert state.contents.attributes[f"group {OFF}"] == {"Description": "two"}
    assert state.contents.unfiled == 2
    assert state.world.revision > example().revision + 2
    state.apply(Bind((HZ, BOUND), VPC_B, "vsw-1"))
    journal.close()
    binding = read(path).world.instances[HZ, BOUND].binding
    assert binding is not None
    assert binding.vpc_id == VPC_B


def test_what_a_refused_commit_leaves(path: Path) -> None:
    begun(path, "one")
    state, journal = open_state(path, example())
    state.apply(RenameGroup("9" * 32, "nobody"))
    journal.close()
    assert [entry.kind for entry in history(path)] == ["file", "commit", "file"]


def test_the_history_tells_when_who_and_what(path: Path) -> None:
    begun(path, "one")
    first, second = history(path)
    assert (first.who, first.kind) == ("file", "file")
    assert (second.who, second.kind) == ("me", "commit")
    assert "RenameGroup" in second.text
    assert second.at >= first.at > 1_600_000_000


def test_the_rest_of_the_file_takes_effect_around_the_state(path: Path) -> None:
    begun(path, "one")
    state, journal = open_state(path, example(Answers(ttl=5)))
    journal.close()
    assert state.world.answers.ttl == 5
    assert state.world.groups[OFF].name == "one"


def changed_file() -> World:
    changed = DisableVpcDomain(SERVERLESS).apply(example())
    assert isinstance(changed, World)
    return changed


def test_a_state_without_changes_follows_the_file(path: Path) -> None:
    begun(path)
    state, journal = open_state(path, changed_file())
    journal.close()
    assert not state.world.groups[SERVERLESS].vpc_domain


def test_when_both_have_changed_nobody_guesses(path: Path) -> None:
    begun(path, "one")
    before = path.read_bytes()
    with pytest.raises(StateError, match=r"1 changes .*\n.*\n.*state import") as raised:
        open_state(path, changed_file())
    assert "state export" in str(raised.value)
    assert path.read_bytes() == before
    begun(path, "two")


@pytest.mark.parametrize(("bound", "value"), [("SNAPSHOT_EVERY", 3), ("SNAPSHOT_OCTETS", 300)])
def test_a_snapshot_is_made_after_a_while_and_holds_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    """After so many entries, or so much text: a start replays what comes after it."""
    monkeypatch.setattr(sqlite_journal, bound, value)
    begun(path, *(f"name{number}" for number in range(8)))
    assert name_in(path) == "name7"
    assert read(path).unfiled == 8
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT number FROM snapshot").fetchone()[0] > 1, "the file's own entry"
    state, journal = open_state(path, example())
    journal.close()
    assert state.contents.unfiled == 8


def test_a_snapshot_that_is_overtaken_by_the_file_is_left_out(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made in a thread, and the journal goes on meanwhile."""
    begin = threading.Event()

    def late(snapshot: Snapshot, configuration: str | None = None) -> str:
        if threading.current_thread() is not threading.main_thread():
            assert begin.wait(10)
        return snapshot_text(snapshot, configuration)

    monkeypatch.setattr(sqlite_journal, "SNAPSHOT_EVERY", 1)
    monkeypatch.setattr(journal_rows, "snapshot_text", late)
    state, journal = open_state(path, example())
    for name in ("one", "two"):
        state.apply(RenameGroup(OFF, name))
    assert name_in(path) == "two"
    state.reload(changed_file())
    begin.set()
    journal.close()
    assert read(path).world == state.world
    assert name_in(path) == ""


def test_a_snapshot_that_cannot_be_made_is_told_of(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_: Path) -> sqlite3.Connection:
        raise sqlite3.OperationalError("database or disk is full")

    state, journal = open_state(path, example())
    monkeypatch.setattr(sqlite_journal, "SNAPSHOT_EVERY", 1)
    monkeypatch.setattr(sqlite_file, "connected", full)
    state.apply(RenameGroup(OFF, "one"))
    journal.close()
    monkeypatch.undo()
    assert "no new snapshot" in caplog.text
    assert name_in(path) == "one", "the journal has it"


def test_what_is_prepared_is_what_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread, so that queries are answered meanwhile."""
    state, journal = open_state(path, example())
    file = changed_file()
    thread = threading.Thread(target=state.journal.prepare, args=(state.with_file(file), file))
    thread.start()
    thread.join()
    for name in ("objects_digest", "configuration_text"):
        monkeypatch.setattr(journal_rows, name, None)
    state.reload(file)
    journal.close()
    monkeypatch.undo()
    assert read(path).world == state.world
    state, journal = open_state(path, file)
    state.apply(RenameGroup(OFF, "one"))
    journal.close()
    state, journal = open_state(path, file)
    journal.close()
    assert state.contents.unfiled == 1, "the digest is the file's"


@pytest.mark.parametrize("step", ["reload", "reset"])
@pytest.mark.parametrize("changed_since", [False, True])
def test_beside_changes_too_it_is_prepared_what_is_written(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str, changed_since: bool
) -> None:
    """Unless something has changed since: then it is made anew."""
    state, journal = open_state(path, example())
    state.apply(RenameGroup(OFF, "one"))
    file = example(Answers(ttl=5))
    if step == "reload":
        state.journal.prepare(state.with_file(file), file)
    else:
        state.prepare_reset()
    if changed_since and step == "reload":
        state.apply(RenameGroup(OFF, "two"))
    else:
        monkeypatch.setattr(journal_rows, "configuration_text", None)
    world = state.reload(file) if step == "reload" else state.reset()
    monkeypatch.undo()
    journal.close()
    assert read(path).world == world
    expected = {"reload": "two" if changed_since else "one", "reset": ""}
    assert name_in(path) == expected[step]


def test_two_servers_do_not_share_a_state(path: Path) -> None:
    _, journal = open_state(path, example())
    with pytest.raises(StateError, match="another vpcdns has it open"):
        SqliteJournal(path)
    assert name_in(path) == "", "but anybody may read it"
    journal.close()
    SqliteJournal(path).close()


@pytest.mark.parametrize("octets", [b"", b"vpcs: []\n", b"SQLite format 3\0", os.urandom(4096)])
def test_somebody_elses_file_is_refused_and_left_alone(path: Path, octets: bytes) -> None:
    path.write_bytes(octets)
    for opened in (SqliteJournal, read):
        with pytest.raises(StateError, match="left as it is") as raised:
            opened(path)
        assert str(path) in str(raised.value)
    assert path.read_bytes() == octets


def test_another_programs_database(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE theirs (a)")
    db.commit()
    db.close()
    before = path.read_bytes()
    with pytest.raises(StateError, match="another program's"):
        SqliteJournal(path)
    assert path.read_bytes() == before


def test_a_schema_of_another_time(path: Path) -> None:
    begun(path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=2")
    db.close()
    with pytest.raises(StateError, match="schema 2"):
        SqliteJournal(path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be written"):
        SqliteJournal(tmp_path / "none" / "state")
    with pytest.raises(StateError, match="cannot be read"):
        read(tmp_path / "none")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET text = replace(text, 'one', 'two') WHERE number = 2",
        "UPDATE journal SET who = 'you' WHERE number = 2",
        "UPDATE journal SET at = 0 WHERE number = 1",
        "DELETE FROM journal WHERE number = 2",
        "DELETE FROM journal",
        "DELETE FROM snapshot",
        "UPDATE snapshot SET text = replace(text, '10.1.8.20', '10.1.8.21')",
        "UPDATE snapshot SET number = 7",
        "DROP TABLE snapshot",
    ],
)
def test_a_row_that_is_not_what_was_written(path: Path, statement: str) -> None:
    begun(path, "one", "three")
    db = sqlite3.connect(path)
    db.execute(statement)
    db.commit()
    db.close()
    before = path.read_bytes()
    with pytest.raises(StateError):
        open_state(path, example())
    assert path.read_bytes() == before


def test_any_flipped_bit_is_found_or_does_no_harm(path: Path) -> None:
    """Octets that SQLite does not use may change; what is said may not."""
    begun(path, "one", "two")
    good = path.read_bytes()
    found = 0
    for place in range(0, len(good), 97):
        path.write_bytes(good[:place] + bytes((good[place] ^ 0x10,)) + good[place + 1 :])
        for leftover in (f"{path}-wal", f"{path}-shm"):
            Path(leftover).unlink(missing_ok=True)
        try:
            kept = read(path)
        except StateError:
            found += 1
        else:
            assert kept.world.groups[OFF].name == "two"
            assert kept.world.groups[DEDICATED] == example().groups[DEDICATED]
    assert found > 10


def test_a_cut_file_is_refused(path: Path) -> None:
    begun(path, "one")
    good = path.read_bytes()
    for length in (50, 100, 1000, 4096, len(good) - 1):
        path.write_bytes(good[:length])
        with pytest.raises(StateError):
            read(path)


def test_a_full_disk_refuses_the_change_and_the_state_goes_on(path: Path) -> None:
    state, journal = open_state(path, example())
    db = journal._db  # noqa: SLF001 - a fault is injected: max_page_count holds for one connection only
    db.execute(f"PRAGMA max_page_count={db.execute('PRAGMA page_count').fetchone()[0] + 1}")
    names = (f"{number:0200}" for number in range(1000))
    kept = ""
    for name in names:
        try:
            state.apply(RenameGroup(OFF, name))
        except StateError:
            break
        kept = name
    assert next(names, None) is not None, "it was never full"
    assert state.world.groups[OFF].name == kept
    db.execute("PRAGMA max_page_count=1000000")
    assert isinstance(state.apply(RenameGroup(OFF, "after")), World)
    journal.close()
    assert name_in(path) == "after"


WRITER = """
import sys
import threading
from pathlib import Path
from tests.support.example_world import OFF, example
from vpcdns.model.changes import RenameGroup
from vpcdns.state import sqlite_journal
from vpcdns.state.sqlite_journal import open_state
sqlite_journal.SNAPSHOT_EVERY = 7
state, _ = open_state(Path(sys.argv[1]), example())
number = int(state.world.groups[OFF].name or 0)
print(number, flush=True)
while True:
    number += 1
    state.apply(RenameGroup(OFF, str(number)), who="writer")
    print(number, flush=True)
"""


@pytest.mark.slow
def test_every_acknowledged_change_survives_kill_9(path: Path) -> None:
    """The writer acknowledges on a pipe; it is killed after more and more acknowledgements."""
    acknowledged = 0
    for more in (0, 1, 5, 17, 40):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        found = int(writer.stdout.readline())
        assert acknowledged <= found <= acknowledged + 1, "at most one was on its way"
        acknowledged = found
        for _ in range(more):
            acknowledged = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        for line in writer.stdout:  # what it acknowledged before the signal came
            acknowledged = int(line)
        writer.wait(10)
        writer.stdout.close()
        assert acknowledged <= int(name_in(path) or 0) <= acknowledged + 1
    numbers = [entry.number for entry in history(path)]
    assert all(two == one + 1 for one, two in pairwise(numbers))


@pytest.mark.slow
def test_kill_9_while_the_file_is_made(path: Path) -> None:
    for _ in range(5):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE)
        while not path.parent.joinpath(f"{path.name}-lock").exists():
            assert writer.poll() is None
        writer.kill()
        writer.communicate()
        state, journal = open_state(path, example())
        assert state.world.groups[OFF].name == name_in(path)
        journal.close()
        for file in path.parent.iterdir():
            file.unlink()


def test_the_state_of_a_world_with_other_surroundings(path: Path) -> None:
    """The snapshot replays in its own surroundings, whatever the file says now."""
    state, journal = open_state(path, example())
    assert isinstance(state, State)
    state.apply(RenameGroup(OFF, "one"))
    journal.close()
    other = replace(example(), access=replace(example().access, trusted_peers=()))
    state, journal = open_state(path, other)
    journal.close()
    assert state.world.access.trusted_peers == ()
