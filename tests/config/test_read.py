"""Files that are none, and the example."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from tests.support.repository import EXAMPLE
from vpcdns.config import load, loads, read
from vpcdns.errors import MAX_PROBLEMS, ConfigurationError

START = "write a configuration; config/vpcdns.yaml is one to start from"
SECTIONS = (
    "begin with a section: server, answers, forward, admin, vpcs, networks, connections, instances, groups,"
    " private_zones"
)


def problem_of(path: Path) -> str:
    with pytest.raises(ConfigurationError) as raised:
        load(path)
    return str(raised.value).removeprefix(f"{path}:")


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"", f"1:1: the file is empty; {START}"),
        (b"# only this\n", f"1:1: the file says nothing; {START}"),
        (b"- a\n", f"1:1: the top is a list, not a mapping; {SECTIONS}"),
        (b"hello", f"1:1: the top is a single value, not a mapping; {SECTIONS}"),
        (b"\xff\xfea\0", "1:1: it is UTF-16; save it as UTF-8"),
        (
            b"a: 1\n  \x80",
            "2:3: octet 0x80 is not UTF-8; save it as UTF-8, or check that it is the right file",
        ),
        (
            b"\x7fELF\0",
            (
                "1:1: the character U+007F has no place in a text file;"
                " remove it, or check that it is the right file"
            ),
        ),
    ],
)
def test_broken_files(tmp_path: Path, octets: bytes, expected: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(octets)
    assert problem_of(path) == expected


def test_no_file(tmp_path: Path) -> None:
    missing = "there is no such file; check the path, or start from config/vpcdns.yaml"
    assert problem_of(tmp_path / "none") == f" {missing}"
    assert problem_of(tmp_path) == " it is a directory; name the file in it"
    assert "cannot be read" in problem_of(Path("a\0b"))
    assert "cannot be read" in problem_of(tmp_path / ("a" * 300))


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_as_nobody(*_: object) -> None:  # root, whom tests may run as, may read anything
        raise PermissionError

    monkeypatch.setattr(os, "open", open_as_nobody)
    path = tmp_path / "f.yaml"
    assert problem_of(path) == " it may not be read; check the permissions of it and its folders"


def test_a_pipe_that_nobody_writes_to_is_waited_for_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "PATIENCE", 0.01)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    said = threading.Event()
    monkeypatch.setattr(read.log, "warning", lambda text, name: said.set() if name == str(pipe) else None)

    def write() -> None:
        said.wait(10)
        pipe.write_text("answers: {ttl: 5}")

    writer = threading.Thread(target=write)
    writer.start()
    assert load(pipe).world.answers.ttl == 5
    writer.join()
    assert said.is_set()


def test_a_pipe_of_the_shells_is_read_to_its_end(caplog: pytest.LogCaptureFixture) -> None:
    """`-c <(...)`: a writer that has not finished yet, and more than fits into a pipe."""
    reading, writing = os.pipe()
    text = b"answers: {ttl: 5}\n" + b"#" * 200_000

    def write() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(text)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(reading):
        assert load(Path(f"/dev/fd/{reading}")).source_hash == hashlib.sha256(text).hexdigest()
    writer.join()
    assert not caplog.records


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfanswers: {ttl: 5}")
    assert load(path).world.answers.ttl == 5


def test_control_characters_are_escaped_and_long_values_cut() -> None:
    with pytest.raises(ConfigurationError) as raised:
        loads('"a\\e[31m": 1\nanswers: {denied: ' + "x" * 1000 + "}", "f\n")
    text = str(raised.value)
    assert "\x1b" not in text
    assert "a\\x1b[31m: unknown key" in text
    assert max(map(len, text.splitlines())) < 200


def test_the_first_problems_are_named_and_the_others_counted() -> None:
    with pytest.raises(ConfigurationError) as raised:
        loads("groups: [" + "5, " * (MAX_PROBLEMS + 20) + "]")
    assert (len(raised.value.problems), raised.value.more) == (MAX_PROBLEMS, 20)
    lines = str(raised.value).splitlines()
    assert len(lines) == MAX_PROBLEMS + 1
    assert lines[-1] == "and 20 more"


def test_listeners_are_bounded() -> None:
    """Each is compared with the others, and has sockets and buffers."""
    listens = ", ".join(f'"127.1.{number // 200}.{number % 200 + 1}:53"' for number in range(257))
    with pytest.raises(ConfigurationError, match="257 listeners, and at most 256 are allowed"):
        loads(f"server: {{listen: [{listens}]}}")


def test_the_example() -> None:
    loaded = load(EXAMPLE, revision=7)
    assert loaded.source_hash == hashlib.sha256(EXAMPLE.read_bytes()).hexdigest()
    world = loaded.world
    assert world.revision == 7
    assert (len(world.topology.vpcs), len(world.instances), len(world.groups)) == (3, 2, 3)
    assert world.custom_domains.match(next(iter(world.custom_domains.values))) is not None


def test_loading_is_linear() -> None:
    """Ten times the groups may cost some twenty times the work at most, not a hundred times."""
    import time

    def cost(count: int) -> float:
        shared = "{instance_id: s, type: serverless, region_id: r, addresses: [100.64.0.1]}"
        head = f"instances: [{shared}]\ngroups:\n"
        text = head + "".join(f"  - {{group_id: {i:031x}a, instance_id: s}}\n" for i in range(count))
        started = time.process_time()
        loads(text)
        return time.process_time() - started

    assert cost(10_000) < 30 * max(cost(1_000), 0.01)
