"""The server of the soak: its process, its workers, and its admin server on a UNIX socket."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

import dns.message
import dns.query

from tests.soak.truth import PORT
from tests.support.server_process import is_gone
from tests.support.waiting import eventually
from vpcdns.admin_client import UnixConnection

WORKERS: Final = 3
_START_WITHIN: Final = 20.0


class AdminError(Exception):
    """It refuses, or does not answer."""


class Server:
    """`vpcdns serve` with several workers and a state, which may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "vpcdns.yaml"
        self.admin = folder / "admin.sock"
        self.log = folder / "log"
        self.starts = 0
        self.up_since = float("inf")
        self._state = folder / "state"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when queries are answered."""
        options = ["--config", str(self.config), "--state", str(self._state), "--workers", str(WORKERS)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vpcdns", "serve", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.starts += 1
        deadline = time.monotonic() + _START_WITHIN
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self.get("/ready")
                self.up_since = time.monotonic()
                return
            except AdminError:
                time.sleep(0.05)
        raise RuntimeError(f"the server does not start:\n{self.log.read_text()[-5_000:]}")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def workers(self) -> list[int]:
        """The processes other than the main one; those that have ended are left out."""
        try:
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        except OSError:
            return []
        return [pid for pid in map(int, children) if not is_gone(pid)]

    def hang_up(self) -> None:
        os.kill(self.pid, signal.SIGHUP)

    def kill(self) -> None:
        """As a power cut would; the workers end by themselves."""
        self.up_since = float("inf")
        workers = self.workers()
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        eventually(lambda: all(map(is_gone, workers)), within=5)

    def stop(self) -> int:
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(20)
        finally:
            self._process.kill()

    # The admin server

    def get(self, path: str) -> bytes:
        return self._request("GET", path)

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def change(self, change: Mapping[str, Any]) -> None:
        """Returns when it is acknowledged."""
        self._request("POST", "/test/changes", json.dumps({"changes": [change]}))

    def serial(self) -> int:
        query = dns.message.make_query("alicloudapi.com", "SOA")
        return int(dns.query.tcp(query, "127.0.0.1", port=PORT, timeout=5).answer[0][0].serial)

    def _request(self, method: str, path: str, body: str | None = None) -> bytes:
        connection = UnixConnection(self.admin)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            octets = response.read()
        except (OSError, HTTPException) as error:
            raise AdminError(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()
        if response.status != 200:
            raise AdminError(f"{method} {path}: {response.status} {octets[:300]!r}")
        return octets
