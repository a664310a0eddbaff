"""The systemd unit: correct, tight, and no tighter than the server can stand."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.one_group import address, configuration
from tests.support.repository import ROOT
from tests.support.server_process import COMMAND, LISTENING, running

UNIT = ROOT / "packaging" / "vpcdns.service"
EXPOSURE_AT_MOST = 2.0  # of 10; most services of a distribution have 9
# PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN (Linux 6.3): systemd sets it for MemoryDenyWriteExecute=.
DENY_WRITE_EXECUTE = """
import ctypes, os, sys
sys.exit(77) if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) else os.execv(sys.argv[1], sys.argv[1:])
"""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze"
)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is there."""
    file = tmp_path / UNIT.name
    file.write_text(UNIT.read_text().replace("/opt/vpcdns/bin/vpcdns", sys.executable))
    return file


@needs_systemd
def test_systemd_understands_all_of_it(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if "vpcdns" in line]
    assert (done.returncode, complaints) == (0, [])


@needs_systemd
def test_exposure(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= EXPOSURE_AT_MOST


def serve_under(prefix: list[str], config: Path) -> tuple[int, str]:
    """Serves, answers and reloads with `prefix` before the command; its exit code and log."""
    command = [*prefix, *COMMAND, "serve", "--config", str(config), "--listen", "127.0.0.1:0"]
    with running(command, LISTENING) as server:
        assert address(server.port) == "10.1.8.20"
        config.write_text(configuration("10.1.8.21"))
        server.await_log("Reloaded")
        assert address(server.port) == "10.1.8.21"
        return server.end()


def test_serves_where_no_memory_is_writable_and_executable(tmp_path: Path) -> None:
    config = tmp_path / "vpcdns.yaml"
    config.write_text(configuration())
    prefix = [sys.executable, "-c", DENY_WRITE_EXECUTE]
    if subprocess.run([*prefix, "/bin/true"], check=False).returncode == 77:
        pytest.skip("the kernel has no PR_SET_MDWE")
    code, log = serve_under(prefix, config)
    assert (code, "Traceback" in log) == (0, False)


@needs_systemd
@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace")
def test_makes_no_system_call_that_the_unit_forbids(tmp_path: Path) -> None:
    config, trace = tmp_path / "vpcdns.yaml", tmp_path / "trace"
    config.write_text(configuration())
    # `-D`: the server is our child, the tracer is not; -c counts calls.
    code, log = serve_under(["strace", "-D", "-f", "-qq", "-o", str(trace)], config)
    assert code == 0, log
    made = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))
    assert {"epoll_wait", "recvmmsg"} <= made
    forbidden = (made - system_calls("@system-service")) | (
        made & (system_calls("@privileged", "@resources"))
    )
    assert forbidden == set()


def system_calls(*groups: str) -> set[str]:
    """The calls of groups, and of the groups in them."""
    found: set[str] = set()
    for group in groups:
        done = subprocess.run(
            ["systemd-analyze", "syscall-filter", group],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        lines = [line.strip() for line in done.stdout.splitlines()[1:]]
        names = {line for line in lines if line and not line.startswith("#")}
        found |= {name for name in names if not name.startswith("@")}
        found |= system_calls(*(name for name in names if name.startswith("@")))
    return found
