"""Calls of a running server's admin server: JSON over HTTP, by TCP or a UNIX socket.

Knows a server from outside only. Ignores the environment's HTTP proxy.
"""

import json
import socket
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

TOKEN_VARIABLE: Final = "VPCDNS_ADMIN_TOKEN"  # noqa: S105 - the name of a variable
DEFAULT_PORT: Final = 5380  # that of the examples


class AdminError(Exception):
    """The server refuses, or is not there. `status` is HTTP's, 0 without a response; `code` the server's."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if code else message)
        self.status = status
        self.code = code


class UnixConnection(HTTPConnection):
    """HTTP over a UNIX socket, which the standard library's client cannot do."""

    def __init__(self, path: Path, timeout: float = 10) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def call(
    server: str | Path,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    token: str | None = None,
    timeout: float = 5.0,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What the admin server at a URL, or at a UNIX socket's path, answers. Raises AdminError."""
    sent = {"accept": "application/json", **(headers or {})}
    if token is not None:
        sent["authorization"] = f"Bearer {token}"
    if body is not None:
        sent["content-type"] = "application/json"
    with closing(_connection(server, timeout)) as connection:
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            response = connection.getresponse()
            status, octets = response.status, response.read()
        except (OSError, HTTPException) as error:
            raise AdminError(
                0, "", f"{server} does not answer: {getattr(error, 'strerror', None) or error}"
            ) from error
    try:
        found = json.loads(octets)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise AdminError(status, "", f"HTTP {status} without JSON")
    if status >= 400:
        wrong = found.get("error", {})
        raise AdminError(status, wrong.get("code", ""), wrong.get("message", f"HTTP {status}"))
    return found


def _connection(server: str | Path, timeout: float) -> HTTPConnection:
    if isinstance(server, Path):
        return UnixConnection(server, timeout)
    split = urlsplit(server)
    return HTTPConnection(split.hostname or "127.0.0.1", split.port, timeout=timeout)
