"""A server of one's own: `vpcdns serve` in a process, on free ports of loopback, ready before it is used.

Knows the command line and what it prints first.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from vpcdns.errors import StartupError
from vpcdns.testing.client import Client

START_WITHIN: Final = 20.0  # seconds
END_WITHIN: Final = 10.0

_LISTENING: Final = re.compile(r"Listening on 127\.0\.0\.1:(\d+)")
_ADMIN: Final = re.compile(r"http://127\.0\.0\.1:(\d+)/")


class Server:
    """Serves `config`, a file or what would stand in one, while it is entered.

    `environment` is added to the process's own, e.g. access keys; `workers` is how many processes answer.
    """

    def __init__(
        self,
        config: Path | str | Mapping[str, Any],
        *,
        state: Path | None = None,
        environment: Mapping[str, str] | None = None,
        workers: int = 1,
        start_within: float = START_WITHIN,
    ) -> None:
        """A string is YAML; a Path is a file, which is served as it is and looked at for changes.

        A file of a million groups may want more seconds to `start_within`.
        """
        self._start_within = start_within
        self._config = config
        self._state = state
        self._workers = workers
        self._environment = dict(environment or {})
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[str] | None = None
        self._lines: list[str] = []
        self._changed = threading.Condition()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def client(self) -> Client:
        return Client(self.url, self.dns, token=self._environment.get("VPCDNS_ADMIN_TOKEN"))

    @property
    def url(self) -> str:
        """Of the admin server, which is also the endpoint of the cloud's API."""
        return f"http://127.0.0.1:{self._found(_ADMIN)}"

    @property
    def endpoint(self) -> str:
        """As the cloud's SDKs want it: host and port."""
        return self.url.removeprefix("http://")

    @property
    def dns(self) -> tuple[str, int]:
        return "127.0.0.1", self._found(_LISTENING)

    @property
    def log(self) -> str:
        """What it has printed so far, stdout and stderr."""
        with self._changed:
            return "".join(self._lines)

    def start(self) -> None:
        """Returns when queries are answered. Raises StartupError with the server's own words."""
        self._folder = tempfile.TemporaryDirectory(prefix="vpcdns-")
        command = [*self._command(Path(self._folder.name))]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self._environment},
        )
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        with self._changed:
            self._changed.wait_for(lambda: self._is_ready() or self._ended(), self._start_within)
            if not self._is_ready():
                told = "".join(self._lines)
                self.stop()
                raise StartupError(f"vpcdns does not start:\n{told}")

    def wait_for(self, text: str, seconds: float = START_WITHIN) -> bool:
        """Whether it has printed `text`, or does so soon."""
        with self._changed:
            return self._changed.wait_for(lambda: text in "".join(self._lines), seconds)

    def stop(self) -> None:
        """Lets it finish, kills it if it does not. May be called twice."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(END_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._folder is not None:
            self._folder.cleanup()
        self._process = self._folder = None

    def kill(self) -> None:
        """Ends it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """Of its main process."""
        if self._process is None:
            raise StartupError("the server does not run")
        return self._process.pid

    def _command(self, folder: Path) -> Sequence[str]:
        file = self._config
        if not isinstance(file, Path):
            text = file if isinstance(file, str) else json.dumps(file)
            file = folder / "vpcdns.yaml"
            file.write_text(text, encoding="utf-8")
        free = "127.0.0.1:0"
        state = [] if self._state is None else ["--state", str(self._state)]
        serve = [sys.executable, "-m", "vpcdns", "serve", "--config", str(file)]
        return [*serve, "--listen", free, "--admin", free, "--workers", str(self._workers), *state]

    def _read(self, process: subprocess.Popen[str]) -> None:
        if process.stdout is None:
            return
        with process.stdout as lines:
            for line in lines:
                with self._changed:
                    self._lines.append(line)
                    self._changed.notify_all()
        process.wait()
        with self._changed:
            self._changed.notify_all()

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _is_ready(self) -> bool:
        text = "".join(self._lines)
        return _LISTENING.search(text) is not None and _ADMIN.search(text) is not None

    def _found(self, pattern: re.Pattern[str]) -> int:
        match = pattern.search(self.log)
        if match is None:
            raise StartupError("the server does not run")
        return int(match[1])
