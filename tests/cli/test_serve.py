"""`vpcdns serve` as a process: what it says, where it listens, how it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import dns.message
import dns.query
import pytest

from tests.support.command_line import vpcdns, vpcdns_process
from tests.support.repository import EXAMPLE, ROOT
from tests.support.server_process import COMMAND, running, served

WEATHER = "523e8dc7bbe04613b5b1d726c2a7889d-cn-hangzhou-vpc.alicloudapi.com"


def ask(port: int, source: str = "127.10.0.5", server: str = "127.0.0.1") -> str:
    query = dns.message.make_query(WEATHER, "A")
    udp = dns.query.udp(query, server, port=port, source=source, timeout=5).answer[0]
    tcp = dns.query.tcp(query, server, port=port, source=source, timeout=5).answer[0]
    assert udp == tcp
    return str(udp[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_told_to_stop(number: signal.Signals) -> None:
    with served() as server:
        assert ask(server.port) == "10.1.8.20"
        code, log = server.end(number)
    assert code == 0
    assert "Traceback" not in log


def test_listens_where_the_command_line_says() -> None:
    with served(listens=("127.0.0.1:0", "127.0.0.2:0")) as server:
        ports = re.findall(r"127\.0\.0\.(\d):(\d+)", server.banner.splitlines()[1])
        assert [host for host, _ in ports] == ["1", "2"]
        for host, port in ports:
            assert ask(int(port), server=f"127.0.0.{host}") == "10.1.8.20"


def test_a_pipe_without_a_writer_is_not_waited_for_in_silence(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [*COMMAND, "serve", "--config", str(pipe), "--listen", "127.0.0.1:0"]
    with running(command, rf"Waiting for somebody to write to {pipe}") as server:
        pipe.write_text(EXAMPLE.read_text())
        port = int(server.await_output(r"Listening on \S+:(\d+)")[1])
        assert ask(port) == "10.1.8.20"


def test_busy_port() -> None:
    with served() as first:
        done = vpcdns_process("serve", "--config", str(EXAMPLE), "--listen", f"127.0.0.1:{first.port}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"cannot listen on 127.0.0.1:{first.port}")
    assert "Traceback" not in done.stderr


def test_wrong_configuration(tmp_path: Path) -> None:
    config = tmp_path / "bad.yaml"
    config.write_text("nothing: here\nvpcs: none\n")
    done = vpcdns_process("serve", "--config", str(config))
    assert (done.returncode, done.stdout) == (1, "")
    assert [line.split(":")[1] for line in done.stderr.splitlines()] == ["1", "2"]


@pytest.mark.parametrize("listen", ["1.2.3:53", "localhost:53", "127.0.0.1:65536", "[::1:53", ""])
def test_wrong_listen(listen: str) -> None:
    done = vpcdns_process("serve", "--config", str(EXAMPLE), "--listen", listen)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Invalid value for '--listen'" in done.stderr


def test_a_reader_who_leaves_does_not_stop_it() -> None:
    reader, writer = os.pipe()
    with subprocess.Popen(
        [*COMMAND, "serve", "--config", str(EXAMPLE), "--listen", "127.0.0.1:0"],
        cwd=ROOT,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        os.close(writer)
        os.close(reader)
        assert server.stderr is not None
        port = re.search(r"Listening on 127\.0\.0\.1:(\d+)", server.stderr.readline())
        assert port
        assert ask(int(port[1])) == "10.1.8.20"
        server.send_signal(signal.SIGINT)
        _, log = server.communicate(timeout=10)
    assert server.returncode == 0
    assert "Traceback" not in log


def test_an_admin_region_needs_an_admin_server_and_is_a_region(tmp_path: Path) -> None:
    empty = tmp_path / "vpcdns.yaml"
    empty.write_text("{}")
    serve = ("serve", "--config", str(empty), "--listen", "127.0.0.1:0")
    done = vpcdns(*serve, "--admin-region", "cn-hangzhou")
    assert done.returncode == 1
    assert "there is no admin server" in done.stderr
    assert "--admin ADDR:PORT" in done.stderr
    done = vpcdns(*serve, "--admin-region", "Hang zhou")
    assert done.returncode == 2
    assert "is no region" in done.stderr
