"""The process killed, its descriptors used up, its disk full, its clock moved, its output closed."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dns.message
import dns.query
import pytest

from tests.faults.load import Load
from tests.support.one_group import NAME, address, configuration, serial
from tests.support.repository import ROOT
from tests.support.server_process import COMMAND, LISTENING, running, served
from tests.support.waiting import eventually


@pytest.mark.slow
def test_killed_under_load_and_started_again_on_the_same_port(config: Path) -> None:
    """Nothing of the dead process stands in the way, and the serial has not gone backwards."""
    with served(config) as first:
        before, port = serial(first.port), first.port
        with Load(port, NAME), socket.create_connection(("127.0.0.1", port), 5) as idle:
            first.kill()
            with served(config, (f"127.0.0.1:{port}",)) as second:
                assert address(second.port) == "10.1.8.20"
                assert serial(second.port) >= before
                with Load(port, NAME) as load:
                    eventually(lambda: load.count > 100)
                assert load.lost == 0
                with suppress(ConnectionResetError):
                    assert idle.recv(1) == b""
                assert second.end()[0] == 0


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
def test_descriptors_used_up_do_not_spin_and_udp_goes_on(config: Path) -> None:
    """Clients hold more connections open than it may have descriptors: CPU time of a second, measured."""
    with served(config) as server:
        pid = server.pid
        resource.prlimit(
            pid, resource.RLIMIT_NOFILE, (40, 40)
        )  # after the limits were computed from a larger one
        clients = []
        try:
            for last in range(1, 101):
                client = socket.socket()
                client.settimeout(5)
                client.bind((f"127.10.0.{last}", 0))
                client.connect(("127.0.0.1", server.port))
                clients.append(client)
            server.await_log("Cannot accept TCP connections")
            before, started = cpu_seconds(pid), time.monotonic()
            asked = 0
            while time.monotonic() - started < 2.0:
                assert address(server.port) == "10.1.8.20"
                asked += 1
                time.sleep(0.05)  # the load of the clients must not hide a loop that spins
            assert cpu_seconds(pid) - before < 0.5, f"in 2 s, with {asked} queries"
            query = dns.message.make_query(NAME, "A")
            found = dns.query.tcp(query, "127.0.0.1", port=server.port, source="127.10.0.5", timeout=5)
            assert str(found.answer[0][0]) == "10.1.8.20"
        finally:
            for client in clients:
                client.close()
        assert server.end()[0] == 0


FULL = """
set -e
mount -t tmpfs -o size=16k none "$1"
exec "$2" -m vpcdns serve --config "$3" --listen 127.0.0.1:0
"""


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare")
def test_a_full_disk_under_the_query_log(config: Path, tmp_path: Path) -> None:
    """Lines are lost, and said to be; queries are not."""
    folder = tmp_path / "logs"
    folder.mkdir()
    config.write_text(
        configuration().replace(
            "server: {", f"server: {{log: {{queries: full, file: {folder}/queries.log}}, "
        )
    )
    command = ["unshare", "--mount", "sh", "-c", FULL, "sh", str(folder), sys.executable, str(config)]
    with running(command, LISTENING) as server:
        for _ in range(300):
            assert address(server.port) == "10.1.8.20"
        server.await_log("The query log cannot be written, lines are lost: No space left on device")
        assert address(server.port) == "10.1.8.20"
        code, log = server.end()
    assert (code, log.count("cannot be written")) == (0, 1)


def test_closed_outputs(config: Path) -> None:
    """None of stdin, stdout and stderr is there: it serves, reloads, and gives none of them to a socket."""
    with closed_outputs(config) as (process, port):
        assert {str(Path(f"/proc/{process.pid}/fd/{number}").readlink()) for number in range(3)} == {
            os.devnull
        }
        config.write_text(configuration("10.1.8.55"))
        eventually(lambda: address(port) == "10.1.8.55")
        process.terminate()
        assert process.wait(10) == 0


@contextmanager
def closed_outputs(config: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server that cannot say its port: it is given one, and another where that was taken meanwhile."""
    for _ in range(5):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [*COMMAND, "serve", "--config", str(config), "--listen", f"127.0.0.1:{port}"]
        with subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command], cwd=ROOT) as process:
            try:
                while process.poll() is None:
                    with suppress(dns.exception.Timeout):
                        assert address(port, timeout=0.5) == "10.1.8.20"
                        yield process, port
                        return
            finally:
                process.kill()
    pytest.fail("it does not serve")
