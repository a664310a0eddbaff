"""Upstreams given by name: what the host's resolver says, however long it takes, and never ourselves."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from vpcdns.forward.upstream_names import UpstreamNames
from vpcdns.model.policy import Listen, UpstreamName
from vpcdns.model.topology import Address

Said = dict[str, list[str] | OSError | threading.Event]
LISTENS = (Listen(ip_address("127.0.0.1"), 53),)
DNS, OTHER = UpstreamName("dns.corp"), UpstreamName("unbound", 5353)


def addresses(*texts: str) -> tuple[Address, ...]:
    return tuple(map(ip_address, texts))


class HostResolver:
    """What getaddrinfo says; an Event is waited for."""

    def __init__(self) -> None:
        self.said: Said = {}
        self.asked: list[str] = []
        self.at_once = self.most = 0

    def __call__(self, host: bytes, port: object, **_: object) -> list[Any]:
        self.asked.append(host.decode())
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            said = self.said.get(host.decode(), socket.gaierror(-2, "Name or service not known"))
            if isinstance(said, threading.Event):
                assert said.wait(20)
                said = ["192.0.2.77"]
        finally:
            self.at_once -= 1
        if isinstance(said, OSError):
            raise said
        return [(0, 0, 0, "", (text, 0)) for text in said]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[HostResolver]:
    made = HostResolver()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    yield made
    for said in made.said.values():
        if isinstance(said, threading.Event):
            said.set()


@pytest.fixture
def names(tmp_path: Path) -> UpstreamNames:
    (tmp_path / "resolv.conf").write_text("nameserver 192.0.2.53\n")
    return UpstreamNames(tmp_path / "resolv.conf", tmp_path / "hosts")


Look = Callable[..., list[str]]


@pytest.fixture
def look(names: UpstreamNames, caplog: pytest.LogCaptureFixture) -> Look:
    """Looks names up; what the log says of it."""
    caplog.set_level(logging.INFO)

    def look(*wanted: UpstreamName, within: float = 5.0, listens: tuple[Listen, ...] = LISTENS) -> list[str]:
        caplog.clear()
        names.look_up(wanted, listens, within)
        return caplog.messages

    return look


def test_every_address_counts_of_both_families(
    resolver: HostResolver, names: UpstreamNames, look: Look
) -> None:
    resolver.said = {"dns.corp": ["10.0.0.5", "10.0.0.6", "10.0.0.5", "fd00::5", "fe80::1%lo"]}
    assert look(DNS) == ["Upstream dns.corp is 10.0.0.5, 10.0.0.6, fd00::5, fe80::1%lo"]
    assert names.addresses == {"dns.corp": addresses("10.0.0.5", "10.0.0.6", "fd00::5", "fe80::1%lo")}
    assert names.problems == {}


def test_one_that_does_not_resolve_is_said_once_and_keeps_nobody_else(
    resolver: HostResolver, names: UpstreamNames, look: Look
) -> None:
    resolver.said = {"unbound": ["10.0.0.9"]}
    said = look(DNS, OTHER)
    assert sorted(said) == [
        "Upstream dns.corp does not resolve: Name or service not known; it is tried again",
        "Upstream unbound is 10.0.0.9",
    ]
    assert names.problems == {"dns.corp": "Name or service not known"}
    assert look(DNS, OTHER) == []
    resolver.said["dns.corp"] = ["10.0.0.5"]
    assert look(DNS, OTHER) == ["Upstream dns.corp is 10.0.0.5"]
    assert names.problems == {}


def test_the_last_addresses_stay_while_it_does_not_resolve(
    resolver: HostResolver, names: UpstreamNames, look: Look
) -> None:
    resolver.said = {"dns.corp": ["10.0.0.5"]}
    look(DNS)
    resolver.said = {"dns.corp": socket.gaierror(-3, "Temporary failure")}
    assert look(DNS) == [
        "Upstream dns.corp does not resolve: Temporary failure; its last addresses are asked: 10.0.0.5"
    ]
    assert names.addresses == {"dns.corp": addresses("10.0.0.5")}
    resolver.said = {"dns.corp": ["10.0.0.5"]}
    assert look(DNS) == ["Upstream dns.corp is 10.0.0.5"]


def test_addresses_in_another_order_are_no_change(
    resolver: HostResolver, names: UpstreamNames, look: Look
) -> None:
    resolver.said = {"dns.corp": ["10.0.0.5", "10.0.0.6"]}
    look(DNS)
    resolver.said = {"dns.corp": ["10.0.0.6", "10.0.0.5"]}
    assert look(DNS) == []
    assert names.addresses == {"dns.corp": addresses("10.0.0.5", "10.0.0.6")}


def test_a_slow_resolver_holds_up_nobody(resolver: HostResolver, names: UpstreamNames, look: Look) -> None:
    slow = threading.Event()
    resolver.said = {"dns.corp": slow, "unbound": ["10.0.0.9"]}
    before = time.monotonic()
    said = look(DNS, OTHER, within=0.2)
    assert time.monotonic() - before < 2
    assert "Upstream dns.corp does not resolve: no answer within 0.2 s; it is tried again" in said
    assert names.addresses == {"unbound": addresses("10.0.0.9")}
    look(DNS, within=0.01)  # it is still being asked: not once more
    assert resolver.asked.count("dns.corp") == 1
    slow.set()
    look(DNS)
    assert names.addresses["dns.corp"] == addresses("192.0.2.77")
    assert names.problems == {}


def test_many_names_are_looked_up_by_a_few_threads(
    resolver: HostResolver, names: UpstreamNames, look: Look
) -> None:
    resolver.said = {f"dns{number}": [f"10.0.0.{number}"] for number in range(1, 200)}
    look(*(UpstreamName(host) for host in resolver.said), within=20.0)
    assert len(names.addresses) == 199
    assert resolver.most <= 16


def test_we_are_never_our_own_upstream(resolver: HostResolver, names: UpstreamNames, look: Look) -> None:
    resolver.said = {"dns.corp": ["127.0.0.1"]}
    assert look(DNS) == [
        "Upstream dns.corp does not resolve: 127.0.0.1 is this server itself; it is tried again"
    ]
    assert names.addresses == {}
    resolver.said = {"unbound": ["127.0.0.1", "10.0.0.9"]}
    assert look(UpstreamName("unbound")) == ["Upstream unbound is 10.0.0.9"]
    resolver.said = {"dns.corp": ["127.0.0.1"]}
    assert look(UpstreamName("dns.corp", 5353)) == ["Upstream dns.corp is 127.0.0.1"]


def test_a_resolv_conf_that_names_us_is_not_asked(
    tmp_path: Path, resolver: HostResolver, names: UpstreamNames, look: Look
) -> None:
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    (tmp_path / "hosts").write_text("10.0.0.9 unbound # mine\n10.0.0.10 UNBOUND\n")
    why = f"{tmp_path}/resolv.conf names this server, which cannot look up its own upstreams"
    way_out = f"write its address, or put it into {tmp_path}/hosts; it is tried again"
    assert look(DNS, OTHER) == [
        f"Upstream dns.corp does not resolve: {why}; {way_out}",
        "Upstream unbound is 10.0.0.9, 10.0.0.10",
    ]
    assert resolver.asked == []
    resolver.said = {"dns.corp": ["10.0.0.5"]}
    look(DNS, listens=())
    assert names.addresses["dns.corp"] == addresses("10.0.0.5")


def test_without_threads_they_are_looked_up_the_next_time(
    resolver: HostResolver, names: UpstreamNames, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver.said = {"dns.corp": ["10.0.0.5"]}

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        look(DNS)
    assert names.addresses == {}
    look(DNS)
    assert names.addresses == {"dns.corp": addresses("10.0.0.5")}


def test_no_names_ask_nobody(resolver: HostResolver, look: Look) -> None:
    assert look() == []
    assert resolver.asked == []
