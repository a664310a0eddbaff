"""Servers in processes of their own: ready before they are handed over, stopped by their own pid.

`running` is for any server, `served` for `vpcdns serve` where its output, its signals or its exit code
matter. Where only its answers do, take `vpcdns.testing.Server`.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from tests.support.repository import EXAMPLE, ROOT
from tests.support.waiting import DEADLINE
from vpcdns.testing import Client

COMMAND = (sys.executable, "-m", "vpcdns")
LISTENING = r"Listening on \S+:(\d+)"


class ServerProcess:
    """A process whose stdout and stderr are read as they are written; `port` is known once it is ready."""

    def __init__(self, command: Sequence[str], *, cwd: Path = ROOT) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.has_ended = False
        self.port = 0
        self._stdout: list[str] = []
        self._stderr: list[str] = []
        self._closed = 0  # of the two streams
        self._changed = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=streams, daemon=True)
            for streams in ((self.process.stdout, self._stdout), (self.process.stderr, self._stderr))
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def dns(self) -> tuple[str, int]:
        """Where it answers queries."""
        return "127.0.0.1", self.port

    @property
    def url(self) -> str:
        """Its admin server's."""
        return self.await_output(r"http://127\.0\.0\.1:\d+(?=/)")[0]

    @property
    def client(self) -> Client:
        """For what the admin server does for tests."""
        return Client(self.url, self.dns)

    @property
    def output(self) -> str:
        """What it has written to stdout."""
        with self._changed:
            return "".join(self._stdout)

    @property
    def banner(self) -> str:
        """What `vpcdns serve` writes to stdout when it starts."""
        self.await_output(r"^Try: .*\n")
        return self.output

    @property
    def log(self) -> str:
        """What it has written to stderr."""
        with self._changed:
            return "".join(self._stderr)

    def await_output(self, pattern: str, deadline: float = DEADLINE) -> re.Match[str]:
        """The first match in stdout or stderr; fails when the process ends without one."""

        def found() -> re.Match[str] | None:
            texts = ("".join(self._stdout), "".join(self._stderr))
            return next(filter(None, (re.search(pattern, text, re.MULTILINE) for text in texts)), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self._closed == 2, deadline)
            match = found()
        assert match, f"{pattern!r} was not written:\n{self.output}{self.log}"
        return match

    def await_log(self, text: str, deadline: float = DEADLINE) -> str:
        """The log as far as it was written, once `text` is in it."""
        self.await_output(re.escape(text), deadline)
        return self.log

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code and its log."""
        self.has_ended = True
        self.process.send_signal(number)
        code = self.process.wait(DEADLINE)
        for reader in self._readers:
            reader.join(DEADLINE)
        return code, self.log

    def kill(self) -> None:
        """Ends it at once, as a power cut would."""
        self.has_ended = True
        self.process.kill()
        self.process.wait(DEADLINE)

    def stop(self) -> None:
        """Ends it in one way or the other; may be called twice."""
        with suppress(subprocess.TimeoutExpired):
            self.process.terminate()
            self.process.wait(DEADLINE)
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join(DEADLINE)

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        with stream:
            for line in stream:
                with self._changed:
                    lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._closed += 1
            self._changed.notify_all()


@contextmanager
def running(command: Sequence[str], ready: str, *, cwd: Path = ROOT) -> Iterator[ServerProcess]:
    """Runs `command` while the block does, which begins once the output matches `ready`.

    The group of `ready`, if it has one, is the port. Fails when the process ends in the block by itself.
    """
    server = ServerProcess(command, cwd=cwd)
    try:
        match = server.await_output(ready)
        server.port = int(match[1]) if match.lastindex else 0
        yield server
        ended = server.process.poll() is not None and not server.has_ended
        assert not ended, f"{command[0]} ended by itself:\n{server.output}{server.log}"
    finally:
        server.stop()


@contextmanager
def served(
    config: Path = EXAMPLE, listens: Sequence[str] = ("127.0.0.1:0",), options: Sequence[str] = ()
) -> Iterator[ServerProcess]:
    """`vpcdns serve` of a file, on free ports of loopback unless told otherwise."""
    where = [word for listen in listens for word in ("--listen", listen)]
    command = [*COMMAND, "serve", "--config", os.path.relpath(config, ROOT), *where, *options]
    with running(command, LISTENING) as server:
        yield server


def is_gone(pid: int) -> bool:
    """A zombie is gone: whose child it has become may take its time."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def free_port() -> int:
    """A port of 127.0.0.1 that is free for UDP and TCP, for servers that cannot choose one themselves."""
    for _ in range(50):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            tcp.bind(("127.0.0.1", 0))
            port = int(tcp.getsockname()[1])
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port
    raise OSError("no port is free for both UDP and TCP")
