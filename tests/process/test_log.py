"""The log of a server: a standard error that nobody reads holds up nothing, and little is lost by it."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.one_group import address, await_address, configuration
from tests.support.repository import ROOT
from tests.support.server_process import COMMAND, LISTENING

MANY_MESSAGES = """
import logging, sys
from vpcdns.process.log import log_to_stderr, write_log_in_thread
log_to_stderr()
logging.info("before there is a thread")
write_log_in_thread()
for number in range(300):
    logging.info("%d %s", number, "x" * 10_000)
print("all logged", flush=True)
sys.stdin.read()
logging.info("the last")
"""


@contextmanager
def logging_to_a_full_pipe(*command: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        fcntl.fcntl(process.stderr, fcntl.F_SETPIPE_SZ, 4096)
        try:
            yield process
        finally:
            process.kill()


def test_messages_that_find_no_room_are_counted_and_that_is_told_later() -> None:
    with logging_to_a_full_pipe(sys.executable, "-c", MANY_MESSAGES) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "all logged\n", "before anybody reads standard error"
        lines = [process.stderr.readline()]
        while lines[-1] and " were lost: " not in lines[-1]:
            lines.append(process.stderr.readline())
        process.stdin.close()
        last = process.stderr.read()
        assert process.wait(10) == 0
    assert lines[0].endswith(" INFO before there is a thread\n")
    numbers = [int(line.split()[3]) for line in lines[1:-1]]
    assert numbers == sorted(set(numbers))
    lost = re.search(r"WARNING (\d+) messages of the log were lost: ", lines[-1])
    assert lost
    assert len(numbers) + int(lost[1]) == 300
    assert last.endswith(" INFO the last\n")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_goes_on_and_ends_when_nobody_reads(tmp_path: Path, workers: str) -> None:
    config = tmp_path / "vpcdns.yaml"
    config.write_text(configuration())
    command = [*COMMAND, "serve", "--config", str(config), "--listen", "127.0.0.1:0", "--workers", workers]
    with logging_to_a_full_pipe(*command) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        while not (listening := re.search(LISTENING, line)):
            assert line, "it ended"
            line = process.stderr.readline()
        port = int(listening[1])
        bad = "".join(f"{'x' * 300}{number}: 1\n" for number in range(100))
        for last in range(21, 24):
            config.write_text(configuration(f"10.1.8.{last}") + bad)
            os.kill(process.pid, signal.SIGHUP)
            assert address(port).startswith("10.1.8.2")
            config.write_text(configuration(f"10.1.8.{last}"))
            await_address(port, f"10.1.8.{last}")
        for _ in range(16):  # both of two processes get some of these
            assert address(port) == "10.1.8.23"
        before = time.monotonic()
        process.terminate()
        assert process.wait(10) == 0
        assert time.monotonic() - before < 4  # 1, and a busy machine
