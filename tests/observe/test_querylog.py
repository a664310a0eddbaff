"""The query log: whole lines or none, never waited for, every loss counted."""

from __future__ import annotations

import json
import logging
import os
import resource
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support import example_world
from tests.support.decided_queries import HOSTILE, decided, state, tell
from tests.support.waiting import eventually
from vpcdns.errors import StartupError
from vpcdns.model.policy import QueryLogging, QueryLogMode
from vpcdns.observe.querylog import QueryLog


def full(path: Path | str) -> QueryLogging:
    return QueryLogging(QueryLogMode.FULL, file=str(path))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]]


def test_every_query_is_a_line(tmp_path: Path) -> None:
    holder, path = state(), tmp_path / "queries.log"
    log = QueryLog(holder, full(path))
    log.start()
    for client in (example_world.IN_A, example_world.IN_B, example_world.STRANGER):
        tell(log, decided(holder, client=client))
    log.stop()
    assert [line["rcode"] for line in lines(path)] == ["NOERROR", "NXDOMAIN", "REFUSED"]
    assert (log.written, log.lost) == (3, 0)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_hostile_name_breaks_no_line(tmp_path: Path) -> None:
    holder, path = state(), tmp_path / "queries.log"
    log = QueryLog(holder, full(path))
    log.start()
    tell(log, decided(holder, HOSTILE))
    log.stop()
    written = path.read_bytes()
    assert written.count(b"\n") == 1
    assert all(0x20 <= octet < 0x7F for octet in written[:-1])
    assert lines(path)[0]["qname"].startswith("<img\\032src=x")


def test_sampled_is_every_nth(tmp_path: Path) -> None:
    holder, path = state(), tmp_path / "queries.log"
    log = QueryLog(holder, QueryLogging(QueryLogMode.SAMPLED, 3, str(path)))
    log.start()
    for number in range(10):
        tell(log, decided(holder, f"n{number}.localhost"))
    log.stop()
    assert [line["qname"] for line in lines(path)] == [
        "n0.localhost",
        "n3.localhost",
        "n6.localhost",
        "n9.localhost",
    ]


def test_off_opens_nothing(tmp_path: Path) -> None:
    holder = state()
    log = QueryLog(holder, QueryLogging(file=str(tmp_path / "queries.log")))
    log.start()
    tell(log, decided(holder))
    log.stop()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_loses_lines_and_counts_them(caplog: pytest.LogCaptureFixture) -> None:
    holder = state()
    log = QueryLog(holder, full("/dev/full"))
    with caplog.at_level(logging.ERROR):
        log.start()
        for _ in range(50):
            tell(log, decided(holder))
        log.stop()
    assert (log.written, log.lost) == (0, 50)
    assert caplog.messages == ["The query log cannot be written, lines are lost: No space left on device"]


def test_half_a_line_does_not_spoil_the_next(tmp_path: Path) -> None:
    """As on a disk that is full for a while: the kernel takes a part of what is written, then nothing."""
    holder, path = state(), tmp_path / "queries.log"
    log = QueryLog(holder, full(path))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for _ in range(10):  # lines have some 300 octets: three are whole, the fourth is cut
        tell(log, decided(holder))
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
        log.start()
        eventually(lambda: log.written + log.lost == 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.stat().st_size == 1_000
    for _ in range(2):
        tell(log, decided(holder))
    log.stop()
    whole = 0
    for text in path.read_text().splitlines():
        try:
            json.loads(text)
        except json.JSONDecodeError:
            continue
        whole += 1
    assert whole == log.written
    assert log.written + log.lost == 12
    assert log.lost > 0


def test_a_reader_that_does_not_read_delays_nobody(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    holder = state()
    log = QueryLog(holder, full(path), capacity=100_000)
    log.start()
    told = decided(holder)
    for _ in range(2_000):
        tell(log, told)
    assert log.lost > 0
    log.stop(grace=0.05)
    os.close(reader)


def test_a_closed_standard_output_is_a_loss(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    holder = state()
    log = QueryLog(holder, full(path))
    log.start()
    os.close(reader)
    tell(log, decided(holder))
    log.stop()
    assert (log.written, log.lost) == (0, 1)


def test_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    holder = state()
    log = QueryLog(holder, full("-"))
    log.start()
    tell(log, decided(holder))
    log.stop()
    assert json.loads(capfd.readouterr().out)["qname"] == example_world.DEDICATED_NAME


def test_rotation(tmp_path: Path) -> None:
    holder, path = state(), tmp_path / "queries.log"
    log = QueryLog(holder, full(path))
    log.start()
    path.rename(tmp_path / "queries.log.1")
    log.reopen()
    tell(log, decided(holder))
    log.stop()
    assert path.exists()
    assert len(lines(path)) + len(lines(tmp_path / "queries.log.1")) == 1


def test_a_file_that_cannot_be_opened_stops_the_start(tmp_path: Path) -> None:
    log = QueryLog(state(), full(tmp_path / "no" / "folder.log"))
    with pytest.raises(StartupError, match="ways out"):
        log.start()


def test_a_fifo_that_nobody_reads_stops_the_start(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(StartupError, match="nobody reads this FIFO"):
        QueryLog(state(), full(tmp_path / "fifo")).start()


def test_several_processes_write_whole_lines_to_a_pipe(tmp_path: Path) -> None:
    """POSIX keeps together what is written at once, up to PIPE_BUF octets."""
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    holder = state()
    logs = [QueryLog(holder, full(tmp_path / "fifo"), shared=True) for _ in range(3)]
    octets = bytearray()

    def read() -> None:
        while piece := os.read(reader, 1_000):
            octets.extend(piece)

    reading = threading.Thread(target=read)
    for log in logs:
        log.start()
    reading.start()
    query = decided(holder)
    for _ in range(1_000):
        for log in logs:
            tell(log, query)
    for log in logs:
        log.stop()
    reading.join(10)
    os.close(reader)
    lines = [json.loads(line) for line in octets.splitlines()]
    assert len(lines) == sum(log.written for log in logs) == 3_000
