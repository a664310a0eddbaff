"""A real `vpcdns serve` in a process of its own, on a free port of loopback."""

from __future__ import annotations

import io
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from vpcdns.cli import main

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config" / "vpcdns.yaml"
COMMAND = (sys.executable, "-m", "vpcdns")


@dataclass(frozen=True, slots=True)
class Served:
    """A server that listens. `banner` is what it printed before that."""

    process: subprocess.Popen[str]
    banner: str
    port: int
    heard: list[str] = field(default_factory=list)

    def await_log(self, text: str, deadline: float = 10) -> str:
        """Its log as far as it was read, once `text` is in it."""
        assert self.process.stderr is not None
        until = time.monotonic() + deadline
        while text not in "".join(self.heard):
            left = max(0.0, until - time.monotonic())
            assert select.select([self.process.stderr], [], [], left)[0], "".join(self.heard)
            octets = os.read(self.process.stderr.fileno(), 65_536)
            assert octets, "".join(self.heard)
            self.heard.append(octets.decode())
        return "".join(self.heard)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code and its log."""
        self.process.send_signal(number)
        _, log = self.process.communicate(timeout=10)
        return self.process.returncode, "".join(self.heard) + log


@contextmanager
def served(
    config: Path = EXAMPLE, listens: Sequence[str] = ("127.0.0.1:0",), options: Sequence[str] = ()
) -> Iterator[Served]:
    where = [word for listen in listens for word in ("--listen", listen)]
    process = subprocess.Popen(
        [*COMMAND, "serve", "--config", os.path.relpath(config, ROOT), *where, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Listening on"):
                lines.append(process.stdout.readline())  # what to try
                break
        port = re.search(r"Listening on \S+:(\d+)", "".join(lines))
        assert port, process.communicate(timeout=10)
        yield Served(process, "".join(lines), int(port[1]))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


def vpcdns(*arguments: str, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> Ran:
    """One run of the console script's own function in this process, which is quicker; not for `serve`."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, {"COLUMNS": "80", **(environment or {})}),
        patch.object(sys, "argv", ["vpcdns", *arguments]),
        chdir(cwd),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as ended:
            return Ran(int(ended.code or 0), out.getvalue(), err.getvalue())


def process(*arguments: str, cwd: Path = ROOT) -> Ran:
    """One run in a process of its own."""
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, capture_output=True, text=True, timeout=20, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)
