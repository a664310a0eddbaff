"""Floods: what is answered is right, memory stays flat, and others are still served.

Floods of names come at a rate that one core can answer: beyond it the kernel drops datagrams of everybody, as
UDP may. dnsperf, at last, makes more than a server on one core can answer.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.faults.load import Load
from tests.support.messages import ede
from tests.support.nameserver import Nameserver, Transport
from tests.support.one_group import NAME, address, configuration
from tests.support.server_process import ServerProcess, served
from tests.support.waiting import eventually

FLAT = 12 << 20  # octets: the memo and malloc's own, not the names
PER_SECOND = 1_000

pytestmark = pytest.mark.slow


def rss(server: ServerProcess) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{server.pid}/status").read_text())
    assert found
    return int(found[1]) << 10


def random_names(server: ServerProcess, below: str, seconds: float, source: str = "127.20.0.9") -> None:
    """Queries for names that nobody has asked for before."""
    chance = random.Random(below)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.connect(("127.0.0.1", server.port))
        message = dns.message.make_query(f"{'0' * 24}.{below}", "A").to_wire()
        started, sent = time.monotonic(), 0
        while (elapsed := time.monotonic() - started) < seconds:
            for _ in range(int(elapsed * PER_SECOND) - sent):
                name = f"{chance.getrandbits(96):024x}".encode()
                sock.send(message[:13] + name + message[37:])
                sent += 1
            time.sleep(0.002)  # a rate, not a wait


def silence(message: bytes, transport: Transport) -> Iterable[bytes]:
    return ()


@contextmanager
def serving(folder: Path, upstream: str | None = None) -> Iterator[ServerProcess]:
    config = folder / "vpcdns.yaml"
    text = configuration()
    if upstream is not None:
        text = text.replace("upstreams: []", f'upstreams: ["{upstream}"]')
    config.write_text(text)
    with served(config) as server:
        yield server


@pytest.mark.parametrize("below", ["cn-hangzhou-vpc.alicloudapi.com", "x-vpc.alicloudapi.com", "invalid"])
def test_random_names_that_are_answered_here(tmp_path: Path, below: str) -> None:
    with serving(tmp_path) as server, Load(server.port, NAME) as load:
        random_names(server, below, 2)
        before, asked = rss(server), load.count
        random_names(server, below, 5)
        assert rss(server) - before < FLAT
        assert load.count > asked + 20
        assert address(server.port) == "10.1.8.20"
    assert set(load.answers) == {("NOERROR", "10.1.8.20"), ("NXDOMAIN", "")}
    assert load.lost == 0


def test_random_names_that_are_forwarded_to_nobody_who_answers(tmp_path: Path) -> None:
    """1,000 are in flight, and the others are told so; names of ours are answered meanwhile."""
    with ExitStack() as stack:
        nameserver = stack.enter_context(Nameserver(silence))
        server = stack.enter_context(serving(tmp_path, f"127.0.0.1:{nameserver.upstream.port}"))
        random_names(server, "flood.example", 4)
        before = rss(server)
        with Load(server.port, NAME) as load:
            random_names(server, "flood.example", 6)
            query = dns.message.make_query("one-more.flood.example", "A", use_edns=0)
            found = dns.query.udp(query, "127.0.0.1", port=server.port, source="127.20.0.8", timeout=5)
            eventually(lambda: load.count > 100)
        assert found.rcode() == dns.rcode.SERVFAIL
        assert ede(found) in {
            (0, "too many queries are being forwarded"),
            (22, "no upstream answered in time"),
        }
        assert rss(server) - before < FLAT
        assert load.lost == 0
        assert len(os.listdir(f"/proc/{server.pid}/fd")) < 5_000  # noqa: PTH208


def test_twice_the_load_that_it_can_carry(tmp_path: Path) -> None:
    """p99 of TCP clients is below a second, and every answer is right."""
    if shutil.which("dnsperf") is None:
        pytest.skip("there is no dnsperf")
    names = tmp_path / "names"
    names.write_text(f"{NAME} A\n")
    with serving(tmp_path) as server:
        common = ["dnsperf", "-s", "127.0.0.1", "-p", str(server.port), "-d", str(names), "-a", "127.10.0.9"]
        measure = [*common, "-l", "2", "-c", "10", "-q", "100", "-t", "1"]
        done = subprocess.run(measure, capture_output=True, text=True, timeout=30, check=True)
        carried = re.search(r"Queries per second:\s+(\d+)", done.stdout)
        assert carried, done.stdout
        # Twice that, by two that do not wait for answers: 20,000 of each may be outstanding.
        load = [*common, "-l", "6", "-c", "10", "-q", "20000", "-Q", carried[1], "-t", "1"]
        with ExitStack() as stack:
            floods = [
                stack.enter_context(subprocess.Popen(load, stdout=subprocess.PIPE, text=True))
                for _ in range(2)
            ]
            waits: list[float] = []
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                waits.append(_over_tcp(server.port))
            outputs = [flood.communicate(timeout=30)[0] for flood in floods]
    for output in outputs:
        codes = re.search(r"Response codes:\s+(.*)", output)
        assert codes, output
        assert codes[1].startswith("NOERROR")
        assert "," not in codes[1], "nothing but right answers"
    assert len(waits) > 10
    assert sorted(waits)[int(len(waits) * 0.99)] < 1.0


def _over_tcp(port: int) -> float:
    """A client of its own: connects, asks, judges; the seconds that it took."""
    started = time.perf_counter()
    query = dns.message.make_query(NAME, "A")
    found = dns.query.tcp(query, "127.0.0.1", port=port, source="127.10.0.7", timeout=5)
    assert str(found.answer[0][0]) == "10.1.8.20"
    return time.perf_counter() - started
