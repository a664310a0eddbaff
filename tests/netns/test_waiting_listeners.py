"""Listeners whose address comes later, goes away and comes again, in every process and without root."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.support.namespaces import IN_A, Namespaces
from tests.support.server_process import ServerProcess, running
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(shutil.which("dig") is None, reason="needs dig (bind9-dnsutils)"),
]
V4, V6 = "10.9.0.53", "fd00:9::53"
TEXT = """\
server: {listen: ["127.0.0.9:53", LISTENERS]}
forward: {upstreams: []}
admin: {listen: ADMIN}
vpcs: [{vpc_id: vpc-a, region_id: cn-hangzhou, cidr_blocks: [10.1.0.0/16]}]
"""
WAITING = f'{{address: "{V4}:53", vpc_id: vpc-a, wait: true}}, {{address: "[{V6}]:53", wait: true}}'


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may enter."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@contextmanager
def serving(namespaces: Namespaces, folder: Path, listeners: str, *options: str) -> Iterator[ServerProcess]:
    config = folder / "vpcdns.yaml"
    config.write_text(text(folder, listeners))
    command = ["ip", "netns", "exec", namespaces.prefix + IN_A, sys.executable, "-m", "vpcdns", "serve"]
    with running([*command, "--config", str(config), *options], "Listening on") as server:
        yield server


def text(folder: Path, listeners: str) -> str:
    return TEXT.replace("LISTENERS", listeners).replace("ADMIN", f"{folder}/admin.sock")


@pytest.fixture
def address(namespaces: Namespaces) -> Iterator[Callable[[str, str], None]]:
    """Adds an address to the namespace, or takes it away."""
    there = set[str]()

    def change(what: str, address: str) -> None:
        length, nodad = ("64", ["nodad"]) if ":" in address else ("24", [])
        more = nodad if what == "add" else []
        namespaces.run(IN_A, "ip", "address", what, f"{address}/{length}", "dev", "lo", *more)
        (there.add if what == "add" else there.discard)(address)

    yield change
    for left in tuple(there):
        change("del", left)


def asked(namespaces: Namespaces, address: str, *options: str) -> str:
    """Which VPC clients at many ports count as there: each worker has some of them."""
    found = {
        namespaces.dig(IN_A, *options, f"@{address}", "whoami.vpcdns.internal", "TXT", "+short")
        for _ in range(10)
    }
    assert len({one.split('"vpc=')[1].split('"')[0] for one in found}) == 1, found
    return found.pop().split('"vpc=')[1].split('"')[0]


def ready(folder: Path) -> dict[str, object]:
    from vpcdns.admin_client import call

    return call(folder / "admin.sock", "GET", "/ready")


@pytest.mark.parametrize("options", [(), ("--user", "nobody"), ("--user", "nobody", "--workers", "2")])
def test_it_serves_whenever_the_address_is_there(
    namespaces: Namespaces, folder: Path, address: Callable[[str, str], None], options: tuple[str, ...]
) -> None:
    with serving(namespaces, folder, WAITING, *options) as server:
        server.await_log(f"Waiting for [{V6}]:53: this host does not have the address now")
        assert server.log.count(f"Waiting for {V4}:53") == 1
        assert "Listening on 127.0.0.9:53 (UDP and TCP)" in server.output
        assert asked(namespaces, "127.0.0.9", "+tcp") == "none (the Internet)"
        assert ready(folder)["waiting"] == [f"{V4}:53", f"[{V6}]:53"]
        for number in (1, 2):
            address("add", V4)
            for transport in ("+notcp", "+tcp"):
                assert asked(namespaces, V4, transport) == "vpc-a"
            there = f"Listening on {V4}:53: this host has the address now"
            eventually(partial(is_said, server, there, number))
            assert ready(folder)["waiting"] == [f"[{V6}]:53"]
            address("del", V4)
            gone = f"Waiting for {V4}:53"
            eventually(partial(is_said, server, gone, number + 1))
        address("add", V6)
        for transport in ("+notcp", "+tcp"):
            assert asked(namespaces, V6, transport, "-6") == "none (the Internet)"


def is_said(server: ServerProcess, text: str, times: int) -> bool:
    return server.log.count(text) == times


def test_a_reload_adds_and_removes_them(
    namespaces: Namespaces, folder: Path, address: Callable[[str, str], None]
) -> None:
    with serving(namespaces, folder, '"127.0.0.10:53"', "--workers", "2", "--user", "nobody") as server:
        (folder / "vpcdns.yaml").write_text(text(folder, WAITING))
        server.await_log(f"Waiting for {V4}:53")
        address("add", V4)
        assert asked(namespaces, V4) == "vpc-a"
        (folder / "vpcdns.yaml").write_text(text(folder, '"127.0.0.10:53"'))
        eventually(lambda: server.log.count("Reloaded") == 2)
        assert namespaces.run(IN_A, "sh", "-c", f"dig +tries=1 +time=1 @{V4} a.test || true").count("refused")
        address("del", V4)
        (folder / "vpcdns.yaml").write_text(text(folder, f'"{V4}:53"'))
        server.await_log("wait for it, in server.listen")


def test_without_wait_what_is_bound_must_be_there(namespaces: Namespaces, folder: Path) -> None:
    with serving(namespaces, folder, WAITING) as server:
        (folder / "vpcdns.yaml").write_text(text(folder, WAITING.replace(", wait: true", "")))
        server.await_log("no interface of this host has that address")
        assert ready(folder)["last_reload"] == "failed"


def test_with_nothing_else_it_starts_and_is_not_ready(
    namespaces: Namespaces, folder: Path, address: Callable[[str, str], None]
) -> None:
    (folder / "vpcdns.yaml").touch()
    command = ["ip", "netns", "exec", namespaces.prefix + IN_A, sys.executable, "-m", "vpcdns", "serve"]
    config = folder / "vpcdns.yaml"
    config.write_text(text(folder, WAITING).replace('"127.0.0.9:53", ', ""))
    with running([*command, "--config", str(config)], "Listening on no address yet: see the log") as server:
        server.await_log("Waiting for")
        from vpcdns.admin_client import AdminError

        with pytest.raises(AdminError) as raised:
            ready(folder)
        assert raised.value.status == 503
        address("add", V4)
        assert asked(namespaces, V4) == "vpc-a"
        assert ready(folder)["ready"] is True
