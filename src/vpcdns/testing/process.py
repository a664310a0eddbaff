"""Runs `vpcdns serve` in a process, on free ports of loopback, for as long as a test needs it.

Knows the command line and what the server prints first.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from vpcdns.errors import StartupError
from vpcdns.testing.client import Client

START_WITHIN: Final = 20.0  # seconds
END_WITHIN: Final = 10.0

_LISTENING: Final = re.compile(r"Listening on 127\.0\.0\.1:(\d+)")
_ADMIN: Final = re.compile(r"http://127\.0\.0\.1:(\d+)/")


class Server:
    """A server that runs while the `with` block does.

    `config` is a file, which the server also watches for changes, YAML text, or what YAML text would mean.
    `environment` is added to this process's own, e.g. access keys; `workers` is how many processes answer.
    Starting with a million groups may take more than the default `start_within`, in seconds. `log` is what
    the server has printed so far, stdout and stderr.
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
        self._start_within = start_within
        self._config = config
        self._state = state
        self._workers = workers
        self._environment = dict(environment or {})
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[str] | None = None
        self._changed = threading.Condition()
        self.log = ""

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def client(self) -> Client:
        return Client(self.url, self.dns, token=self._environment.get("VPCDNS_ADMIN_TOKEN"))

    @property
    def url(self) -> str:
        """The admin server's, which is also the endpoint of the cloud's API."""
        return f"http://127.0.0.1:{self._found(_ADMIN)}"

    @property
    def endpoint(self) -> str:
        """As the cloud's SDKs want it: host and port."""
        return self.url.removeprefix("http://")

    @property
    def dns(self) -> tuple[str, int]:
        return "127.0.0.1", self._found(_LISTENING)

    def start(self) -> None:
        """Returns when queries are answered. Raises StartupError with what the server printed."""
        self._folder = tempfile.TemporaryDirectory(prefix="vpcdns-")
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            self._command(Path(self._folder.name)),
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
            self.stop()
            raise StartupError(f"vpcdns does not start:\n{self.log}")

    def wait_for(self, text: str, seconds: float = START_WITHIN) -> bool:
        """Whether the server has printed `text`, or does so within `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: text in self.log, seconds)

    def stop(self) -> None:
        """Lets the server finish, and kills it if it does not. May be called twice."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(END_WITHIN)
            except subprocess.TimeoutExpired:
                self.kill()
        if self._folder is not None:
            self._folder.cleanup()
        self._process = self._folder = None

    def kill(self) -> None:
        """Ends the server at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """The main process's."""
        if self._process is None:
            raise StartupError("the server does not run")
        return self._process.pid

    def _command(self, folder: Path) -> list[str]:
        file = self._config
        if not isinstance(file, Path):
            text = file if isinstance(file, str) else json.dumps(file)
            file = folder / "vpcdns.yaml"
            file.write_text(text, encoding="utf-8")
        ports = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
        state = [] if self._state is None else ["--state", str(self._state)]
        serve = [sys.executable, "-m", "vpcdns", "serve", "--config", str(file)]
        return [*serve, *ports, "--workers", str(self._workers), *state]

    def _read(self, process: subprocess.Popen[str]) -> None:
        with process:
            for line in process.stdout or ():
                with self._changed:
                    self.log += line
                    self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _is_ready(self) -> bool:
        return bool(_LISTENING.search(self.log) and _ADMIN.search(self.log))

    def _found(self, pattern: re.Pattern[str]) -> int:
        match = pattern.search(self.log)
        if match is None:
            raise StartupError("the server does not run")
        return int(match[1])
