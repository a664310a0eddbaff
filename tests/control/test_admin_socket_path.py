"""The admin server on a UNIX socket, as a process serves it (decision 6)."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from tests.support.command_line import vpcdns_process
from tests.support.server_process import served
from vpcdns.admin_client import UnixConnection
from vpcdns.config import loads
from vpcdns.errors import ConfigurationError


def get(path: Path, target: str) -> tuple[int, bytes]:
    connection = UnixConnection(path)
    connection.request("GET", target)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "vpcdns.yaml"
    file.write_text(f"admin: {{listen: {tmp_path / 'admin.sock'}}}\n")
    return file


def test_it_is_served_and_taken_away(config: Path) -> None:
    path = config.parent / "admin.sock"
    with served(config) as server:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert get(path, "/health")[0] == 200
        assert b"revision" in get(path, "/world")[1]
        assert server.end()[0] == 0
    assert not path.exists()


def test_what_a_dead_process_left_is_taken_over(config: Path) -> None:
    path = config.parent / "admin.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with served(config):
        assert get(path, "/ready")[0] == 200


def test_what_another_put_in_its_place_stays(config: Path) -> None:
    path = config.parent / "admin.sock"
    with served(config) as server:
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            assert server.end()[0] == 0
            assert path.exists()


@pytest.mark.parametrize("taken", ["socket", "file"])
def test_what_somebody_else_has_is_left_alone(config: Path, taken: str) -> None:
    path = config.parent / "admin.sock"
    with socket.socket(socket.AF_UNIX) as other:
        if taken == "socket":
            other.bind(str(path))
            other.listen()
        else:
            path.write_text("precious")
        done = vpcdns_process("serve", "--config", str(config), "--listen", "127.0.0.1:0")
        assert done.returncode == 1
        assert f"cannot listen on {path}" in done.stderr
        assert "ways out" in done.stderr
    assert path.exists()


def test_the_command_line_takes_a_path_too(tmp_path: Path) -> None:
    config, path = tmp_path / "vpcdns.yaml", tmp_path / "other.sock"
    config.write_text("answers: {ttl: 1}\n")
    with served(config, options=("--admin", str(path))):
        assert get(path, "/health")[0] == 200


@pytest.mark.parametrize(
    ("path", "problem"), [(f"/{'x' * 107}", "longer than 107 octets"), ("run/admin.sock", "a relative path")]
)
def test_some_paths_are_refused(path: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        loads(f"admin: {{listen: {path}}}\n")
