"""One server and two VPCs, each a network namespace; cables between them. All gone when the tests are."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.namespaces import (
    IN_A,
    IN_B,
    SERVER,
    SERVER_A,
    SERVER_A6,
    SERVER_B,
    Namespaces,
    ip,
    serving,
)

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def namespaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespaces]:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("needs root and iproute2")
    made = Namespaces(f"vpcdns-{os.getpid()}-", tmp_path_factory.mktemp("netns"))
    with ExitStack() as stack:
        for where in (SERVER, IN_A, IN_B):
            ip("netns", "add", made.prefix + where)
            stack.callback(ip, "netns", "del", made.prefix + where)
            made.run(where, "ip", "link", "set", "lo", "up")
        for where, ours, theirs in [(IN_A, SERVER_A, "10.1.0.5"), (IN_B, SERVER_B, "10.2.0.5")]:
            ends = ("name", f"to-{where}", "netns", made.prefix + SERVER)
            ip("link", "add", *ends, "type", "veth", "peer", "name", "eth0", "netns", made.prefix + where)
            made.run(SERVER, "ip", "address", "add", f"{ours}/16", "dev", f"to-{where}")
            made.run(where, "ip", "address", "add", f"{theirs}/16", "dev", "eth0")
            if where == IN_A:
                made.run(SERVER, "ip", "address", "add", f"{SERVER_A6}/64", "dev", f"to-{where}", "nodad")
                made.run(where, "ip", "address", "add", "fd00:1::5/64", "dev", "eth0", "nodad")
            made.run(SERVER, "ip", "link", "set", f"to-{where}", "up")
            made.run(where, "ip", "link", "set", "eth0", "up")
        stack.enter_context(serving(made))
        yield made


@pytest.fixture(scope="session", params=["gcc", "musl-gcc"])
def getaddrinfo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The probe, linked with glibc or, statically, with musl."""
    compiler = shutil.which(request.param)
    if compiler is None:
        pytest.skip(f"there is no {request.param}")
    binary = tmp_path_factory.mktemp(request.param) / "getaddrinfo"
    static = ["-static"] if request.param == "musl-gcc" else []
    command = [compiler, "-D_GNU_SOURCE", *static, "-o", str(binary), str(HERE / "getaddrinfo.c")]
    subprocess.run(command, check=True, timeout=60)
    return binary
