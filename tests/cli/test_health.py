"""`vpcdns health`: healthy is whoever answers."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.support.command_line import vpcdns
from tests.support.nameserver import Nameserver, answering
from tests.support.server_process import served


def test_healthy() -> None:
    with served() as server:
        done = vpcdns("health", "--server", f"127.0.0.1:{server.port}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"127.0.0.1:{server.port} answers\n"


def test_a_server_that_refuses_is_healthy(tmp_path: Path) -> None:
    config = tmp_path / "vpcdns.yaml"
    config.write_text("server: {clients: [192.0.2.0/24]}\n")
    with served(config) as server:
        assert vpcdns("health", "--server", f"127.0.0.1:{server.port}").returncode == 0


def test_nothing_there() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        silent = vpcdns("health", "--server", f"127.0.0.1:{port}")
    nobody = vpcdns("health", "--server", f"127.0.0.1:{port}")
    assert (silent.returncode, nobody.returncode) == (1, 1)
    assert silent.stderr == f"127.0.0.1:{port}: no answer (UDP, within 2 s)\n"
    assert nobody.stderr == f"127.0.0.1:{port}: nothing listens there (UDP, within 2 s)\n"


def test_failing_server() -> None:
    with Nameserver(answering(rcode=2)) as server:
        done = vpcdns("health", "--server", f"127.0.0.1:{server.upstream.port}")
    assert done.returncode == 1
    assert "SERVFAIL" in done.stderr


def test_without_a_server_it_asks_port_53_here() -> None:
    """As the image's health check does; whether somebody answers there is not ours to say."""
    done = vpcdns("health")
    assert done.returncode in (0, 1)
    assert "127.0.0.1:53" in done.stdout + done.stderr
