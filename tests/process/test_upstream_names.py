"""Upstreams by host name on a real server, with an /etc/hosts and a resolv.conf of the test's own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.support.nameserver import Nameserver
from tests.support.resolver_and_upstreams import saying
from tests.support.server_process import ServerProcess, running
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare"),
]
NAME = "db.corp.example"
SILENT = "127.0.99.1"  # a resolver that never answers
CLIENTS = 16


@contextmanager
def serving(
    folder: Path, text: str, nameserver: str = SILENT, workers: int = 2, listen: str = "127.0.0.1:0"
) -> Iterator[ServerProcess]:
    """A server that sees `hosts` of that folder as its /etc/hosts."""
    config = folder / "vpcdns.yaml"
    config.write_text(text)
    (folder / "hosts").touch()
    (folder / "resolv.conf").write_text(f"nameserver {nameserver}\n")
    (folder / "nsswitch.conf").write_text("hosts: files dns\n")
    mounts = [
        f"mount --bind {folder}/{name} /etc/{name}" for name in ("hosts", "resolv.conf", "nsswitch.conf")
    ]
    serve = (
        f"exec {sys.executable} -m vpcdns serve --config {config} --listen {listen}"
        f" --admin 127.0.0.1:0 --workers {workers}"
    )
    command = ["unshare", "-m", "sh", "-c", " && ".join([*mounts, serve])]
    with running(command, r"Listening on \S+:(\d+)") as server:
        yield server


@pytest.fixture(autouse=True)
def silent_resolver() -> Iterator[None]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((SILENT, 53))
        yield


def ready(server: ServerProcess) -> dict[str, object]:
    with urllib.request.urlopen(f"{server.url}/ready", timeout=10) as response:  # noqa: S310 - ours
        found: dict[str, object] = json.load(response)
    return found


def answered(server: ServerProcess) -> set[str]:
    """What clients at many ports get: each worker has some of them."""
    query = dns.message.make_query(NAME, "A")
    found = [dns.query.udp(query, "127.0.0.1", port=server.port, timeout=10) for _ in range(CLIENTS)]
    return {str(one.answer[0][0]) if one.answer else dns.rcode.to_text(one.rcode()) for one in found}


def test_a_name_that_resolves_later_serves_without_a_reload(tmp_path: Path) -> None:
    with (
        Nameserver(saying(f"{NAME} 0 IN A 10.1.0.1")) as first,
        serving(tmp_path, f"forward: {{upstreams: ['unbound:{first.upstream.port}']}}\n") as server,
    ):
        log = server.await_log("Upstream unbound does not resolve: no answer within 2 s; it is tried again")
        assert log.count("Upstream unbound") == 1
        assert answered(server) == {"SERVFAIL"}
        assert ready(server)["unresolved"] == {"unbound": "no answer within 2 s"}
        assert ready(server)["upstreams"] == 0
        (tmp_path / "hosts").write_text("127.0.0.1 unbound\n")
        server.await_log("Upstream unbound is 127.0.0.1")
        eventually(lambda: ready(server)["upstreams"] == 1)
        assert answered(server) == {"10.1.0.1"}
        assert ready(server)["unresolved"] == {}
        assert "Reloaded" not in server.log


def test_an_upstream_that_moves_is_followed(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("127.0.0.1 unbound\n")
    with ExitStack() as there:
        nameserver = there.enter_context(Nameserver(saying(f"{NAME} 0 IN A 10.1.0.1")))
        rule = f"{{domain: corp.example, upstreams: ['unbound:{nameserver.upstream.port}']}}"
        with serving(tmp_path, f"forward: {{upstreams: [], rules: [{rule}]}}\n") as server:
            assert answered(server) == {"10.1.0.1"}
            there.close()
            (tmp_path / "hosts").write_text("127.0.0.5 unbound\n")
            assert answered(server) == {"SERVFAIL"}  # whichever worker was asked last, one has noticed it
            server.await_log("Upstream unbound is 127.0.0.5")


def test_a_reload_looks_new_names_up(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("127.0.0.1 unbound\n")
    with (
        Nameserver(saying(f"{NAME} 0 IN A 10.1.0.1")) as nameserver,
        serving(tmp_path, "forward: {upstreams: []}\n") as server,
    ):
        assert answered(server) == {"REFUSED"}
        text = f"forward: {{upstreams: ['unbound:{nameserver.upstream.port}']}}\n"
        (tmp_path / "vpcdns.yaml").write_text(text)
        server.await_log("Reloaded")
        assert answered(server) == {"10.1.0.1"}


def test_a_silent_resolver_does_not_hold_up_the_start(tmp_path: Path) -> None:
    before = time.monotonic()
    with serving(tmp_path, "forward: {upstreams: [dns.corp, unbound]}\n", workers=1) as server:
        assert time.monotonic() - before < 8  # seconds; to start takes two of them on a busy machine
        server.await_log("Upstream dns.corp does not resolve")
        assert server.end()[0] == 0


def test_a_resolv_conf_that_names_us_neither_hangs_nor_loops(tmp_path: Path) -> None:
    text = "forward: {upstreams: [dns.corp]}\n"
    before = time.monotonic()
    with serving(tmp_path, text, nameserver="127.0.98.1", workers=1, listen="127.0.98.1:53") as server:
        assert time.monotonic() - before < 8
        server.await_log("does not resolve: /etc/resolv.conf names this server")
        query = dns.message.make_query("dns.corp", "A")
        assert dns.query.udp(query, "127.0.98.1", timeout=5).rcode() == dns.rcode.SERVFAIL
