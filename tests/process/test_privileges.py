"""Who the process is after it has bound its ports; what it can no longer do, seen from outside."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import pytest

from tests.support.command_line import vpcdns_process
from tests.support.server_process import served
from vpcdns.errors import StartupError
from vpcdns.process.privileges import find_user, require_readable

NOBODY = 65_534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
CONFIG = 'server: {{listen: ["127.0.0.1:{port}"], log: {{queries: full, file: queries.log}}}}\n'


def status(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: values.split() for name, _, values in (line.partition(":") for line in lines)}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("nobody", (NOBODY, NOBODY)),
        (str(NOBODY), (NOBODY, NOBODY)),
        ("65532", (65_532, 65_532)),
        ("65532:4711", (65_532, 4_711)),
        ("nobody:4711", (NOBODY, 4_711)),
    ],
)
def test_find_user(text: str, ids: tuple[int, int]) -> None:
    user = find_user(text)
    assert (user.uid, user.gid) == ids
    assert user.gid in user.groups


@pytest.mark.parametrize(
    "text", ["", "no-such-user", "root", "0", "0:65532", "nobody:no-such-group", "-1", "4294967295"]
)
def test_find_user_refuses(text: str) -> None:
    with pytest.raises(StartupError, match="--user"):
        find_user(text)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"cannot read .*gone\.yaml: No such file"):
        require_readable(tmp_path / "gone.yaml", "it is needed")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may enter: pytest's own are for one user only."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@needs_root
def test_drops_to_the_user_for_good_and_goes_on_reloading(folder: Path) -> None:
    config = folder / "vpcdns.yaml"
    config.write_text(CONFIG.format(port=0))
    config.chmod(0o644)
    logs = folder / "queries.log"
    logs.touch()
    os.chown(logs, NOBODY, NOBODY)
    with served(config, options=("--user", "nobody")) as server:
        found = status(server.pid)
        assert found["Uid"] == [str(NOBODY)] * 4
        assert found["Gid"] == [str(NOBODY)] * 4
        assert found["Groups"] == [str(NOBODY)]
        assert {found[name][0].strip("0") for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {""}
        assert found["NoNewPrivs"] == ["1"]
        for task in Path(f"/proc/{server.pid}/task").iterdir():
            assert status(int(task.name))["NoNewPrivs"] == ["1"], "in every thread"
        server.process.send_signal(signal.SIGHUP)
        server.await_log("Reloaded")
        dns.query.tcp(dns.message.make_query("localhost", "A"), "127.0.0.1", port=server.port, timeout=5)
        code, log = server.end()
    assert (code, log.count("Reloaded")) == (0, 1)
    assert "localhost" in logs.read_text()
    assert "Running as root" not in log


@needs_root
def test_a_file_that_the_user_cannot_read_is_an_error_at_start(folder: Path) -> None:
    config = folder / "vpcdns.yaml"
    config.write_text("{}\n")
    config.chmod(0o600)
    done = vpcdns_process("serve", "--config", str(config), "--listen", "127.0.0.1:0", "--user", "nobody")
    assert done.returncode == 1
    assert f"user {NOBODY} cannot read {config}: Permission denied" in done.stderr
    assert "Traceback" not in done.stderr


@needs_root
def test_zone_files_must_be_readable_for_the_user_too(folder: Path) -> None:
    config, zone = folder / "vpcdns.yaml", folder / "corp.zone"
    config.write_text("private_zones: [{zone: corp.test, file: corp.zone}]\n")
    config.chmod(0o644)
    zone.write_text("$TTL 60\nh A 10.0.0.1\n")
    zone.chmod(0o600)
    done = vpcdns_process("serve", "--config", str(config), "--listen", "127.0.0.1:0", "--user", "nobody")
    assert done.returncode == 1
    assert f"user {NOBODY} cannot read {zone}: Permission denied" in done.stderr


@needs_root
def test_a_privileged_port_is_bound_before_and_a_new_one_is_refused_after(folder: Path) -> None:
    config = folder / "vpcdns.yaml"
    config.write_text('server: {listen: ["127.99.1.1:53"]}\n')
    config.chmod(0o644)
    with served(config, listens=(), options=("--user", "nobody")) as server:
        assert server.port == 53
        config.write_text('server: {listen: ["127.99.1.1:53", "127.99.1.2:53"]}\n')
        server.process.send_signal(signal.SIGHUP)
        dns.query.udp(dns.message.make_query("localhost", "A"), "127.99.1.1", timeout=5)
        told = server.await_log("eloaded")
        if "Not reloaded" in told:  # unless the sysctl lets everybody have port 53
            server.await_log("cannot listen on 127.99.1.2:53")
        dns.query.udp(dns.message.make_query("localhost", "A"), "127.99.1.1", timeout=5)


@needs_root
def test_as_root_it_warns() -> None:
    with served() as server:
        _, log = server.end()
    assert "Running as root" in log


@needs_root
def test_the_admin_socket_is_the_users(folder: Path) -> None:
    config = folder / "vpcdns.yaml"
    path = folder / "admin.sock"
    config.write_text(f"admin: {{listen: {path}}}\n")
    config.chmod(0o644)
    with served(config, options=("--user", "nobody")) as server:
        assert path.stat().st_uid == NOBODY
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
        assert server.end()[0] == 0
