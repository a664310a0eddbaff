"""Binding: all or nothing, both transports on one number, and errors that an operator can act on."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from tests.support.event_loop import needs_ipv6
from tests.support.obedient_service import child_environment, listen_on
from vpcdns.errors import StartupError
from vpcdns.model.policy import Listen
from vpcdns.net import bind_errors, binding
from vpcdns.net.bind_errors import Holder, holder_of, startup_error
from vpcdns.net.binding import Bound, bind

HERE = ip_address("127.0.0.1")
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux' /proc")


def open_descriptors() -> int:
    """How many there are, on Linux."""
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0


def close(bound: list[Bound]) -> None:
    for one in bound:
        one.close()


@pytest.fixture
def taken() -> int:
    """A port that is free when the test begins."""
    bound = bind(listen_on(("127.0.0.1", 0)))
    close(bound)
    return bound[0].listen.port


def test_port_0_is_one_number_for_both_transports() -> None:
    bound = bind(listen_on(("127.0.0.1", 0), ("127.0.0.1", 0)))
    try:
        for one in bound:
            assert one.udp.getsockname() == one.tcp.getsockname() == ("127.0.0.1", one.listen.port)
        assert bound[0].listen.port != bound[1].listen.port
    finally:
        close(bound)


def test_port_0_tries_again_when_udp_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    clashes = [True, True, False]

    class Clashing(socket.socket):
        def bind(self, address: Any) -> None:
            if self.type == socket.SOCK_DGRAM and clashes.pop(0):
                raise OSError(errno.EADDRINUSE, "in use")
            super().bind(address)

    monkeypatch.setattr(socket, "socket", Clashing)
    close(bind(listen_on(("127.0.0.1", 0))))
    assert clashes == []
    clashes.extend([True] * 100)
    with pytest.raises(StartupError, match="port is taken"):
        bind(listen_on(("127.0.0.1", 0)))
    assert len(clashes) == 100 - binding.PORT_ATTEMPTS


def test_vpc_id_stays_with_its_listener() -> None:
    bound = bind([Listen(HERE, 0, "vpc-a"), Listen(HERE, 0)])
    close(bound)
    assert [one.listen.vpc_id for one in bound] == ["vpc-a", None]


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_all_or_nothing(taken: int, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.2", taken))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        before = open_descriptors()
        with pytest.raises(StartupError):
            bind(listen_on(("127.0.0.1", taken), ("127.0.0.3", 0), ("127.0.0.2", taken)))
        assert open_descriptors() == before
    close(bind(listen_on(("127.0.0.1", taken), ("127.0.0.2", taken))))


@on_linux
@pytest.mark.parametrize("kind", ["STREAM", "DGRAM"])
def test_a_taken_port_is_told_with_its_holder_and_the_ways_out(taken: int, kind: str) -> None:
    script = (
        f"import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_{kind}); s.bind(('', {taken})); "
        f"'{kind}' == 'STREAM' and s.listen(); print('bound', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "bound\n"
        with pytest.raises(StartupError) as raised:
            bind(listen_on(("127.0.0.1", taken)))
        holder.communicate("")
    text = str(raised.value)
    transport = "TCP" if kind == "STREAM" else "UDP"
    assert f"cannot listen on 127.0.0.1:{taken} ({transport}): the port is taken, by python" in text
    assert f"(pid {holder.pid}, " in text
    assert "listen on another port: 127.0.0.1:5300" in text
    assert "Traceback" not in text


@on_linux
def test_overlapping_entries_are_told_as_such() -> None:
    held = bind(listen_on(("0.0.0.0", 0)))
    try:
        with pytest.raises(StartupError, match=r"this process itself .*two entries of `listen` overlap"):
            bind(listen_on(("127.0.0.1", held[0].listen.port)))
    finally:
        close(held)


def error_text(number: int, address: str = "127.0.0.1", port: int = 53) -> str:
    return str(startup_error(Listen(ip_address(address), port), "udp", OSError(number, os.strerror(number))))


def test_systemd_resolved_is_named_on_port_53(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Holder(ip_address("127.0.0.53"), "systemd-resolve", 612, "systemd-resolve")
    monkeypatch.setattr(bind_errors, "holder_of", lambda *_: stub)
    text = error_text(errno.EADDRINUSE, "0.0.0.0")
    assert "systemd-resolve (pid 612, user systemd-resolve, on 127.0.0.53)" in text
    assert "DNSStubListener=no" in text
    assert "listen on the addresses you need instead of all of them" in text


def test_a_holder_that_cannot_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bind_errors, "holder_of", lambda *_: None)
    text = error_text(errno.EADDRINUSE)
    assert "the port is taken\n" in text
    assert "DNSStubListener=no" in text
    assert "ss -lnptu 'sport = :53'" in text
    monkeypatch.setattr(bind_errors, "holder_of", lambda *_: Holder(HERE, "dnsmasq"))
    text = error_text(errno.EADDRINUSE)
    assert "by a process of user dnsmasq (on 127.0.0.1)" in text
    assert "ss -lnptu" in text


def test_a_privileged_port_is_told_with_the_ways_to_it() -> None:
    text = error_text(errno.EACCES)
    assert "127.0.0.1:53 (UDP): not permitted" in text
    for way in (
        "127.0.0.1:5300",
        "ip_unprivileged_port_start=53",
        "CAP_NET_BIND_SERVICE",
        "setcap",
        "--cap-add",
    ):
        assert way in text


@on_linux
def test_a_privileged_port_without_privilege() -> None:
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 1:
        pytest.skip("every port is unprivileged here")
    script = (
        "import os; from vpcdns.net.binding import bind; from vpcdns.model.policy import Listen\n"
        "from ipaddress import ip_address; from vpcdns.errors import StartupError\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: bind([Listen(ip_address('127.0.0.1'), 1)])\n"
        "except StartupError as error: print(error)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], env=child_environment(), capture_output=True, text=True, check=True
    )
    assert told.stdout.startswith("cannot listen on 127.0.0.1:1 (TCP): not permitted\n")


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(StartupError) as raised:
        bind(listen_on(("198.51.100.53", 0)))
    assert "no interface of this host has that address" in str(raised.value)
    assert "ip address add 198.51.100.53 dev lo" in str(raised.value)
    assert "listen on every address: 0.0.0.0:0" in str(raised.value)
    way_out = 'wait for it, in server.listen: {address: "198.51.100.53:0", wait: true}'
    assert way_out in str(raised.value)
    missing = OSError(errno.EADDRNOTAVAIL, "")
    assert "wait" not in str(
        startup_error(Listen(ip_address("198.51.100.53"), 0), "tcp", missing, can_wait=False)
    )


@on_linux
@pytest.mark.parametrize("address", ["198.51.100.53", pytest.param("2001:db8::53", marks=needs_ipv6)])
def test_an_address_that_is_waited_for_is_bound_before_it_is_there(address: str) -> None:
    bound = bind([Listen(ip_address(address), 0, wait=True)])
    try:
        (one,) = bound
        assert one.udp.getsockname()[:2] == one.tcp.getsockname()[:2] == (address, one.listen.port)
        assert not binding.is_local(one.listen.address)
    finally:
        close(bound)


def test_only_linux_can_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(
        StartupError, match="only Linux can wait for an address\nways out:\n  - remove `wait`"
    ):
        bind([Listen(HERE, 0, wait=True)])


def test_any_other_error_keeps_the_systems_words() -> None:
    assert os.strerror(errno.ENOBUFS) in error_text(errno.ENOBUFS)


@needs_ipv6
def test_ipv6_wildcard_is_dual_unless_ipv4_has_the_port(taken: int) -> None:
    def ipv6_only(sock: socket.socket) -> bool:
        return bool(sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))

    both = bind(listen_on(("::", taken), ("0.0.0.0", taken)))
    assert [ipv6_only(both[0].udp), ipv6_only(both[0].tcp)] == [True, True]
    close(both)
    alone = bind(listen_on(("::", taken), ("::1", 0)))
    assert [ipv6_only(one.tcp) for one in alone] == [False, True]
    close(alone)


def test_where_ipv6_is_off_the_wildcard_is_ipv4s(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, taken: int
) -> None:
    plain = socket.socket

    def without_ipv6(family: int, kind: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return plain(family, kind)

    monkeypatch.setattr(socket, "socket", without_ipv6)
    bound = bind(listen_on(("::", 0)))
    close(bound)
    assert str(bound[0].listen.address) == "0.0.0.0"
    assert "IPv6 is off on this host: listening on 0.0.0.0:0 instead of [::]:0" in caplog.text
    bound = bind(listen_on(("::", taken), ("127.0.0.1", taken)))
    close(bound)
    assert [str(one.listen) for one in bound] == [f"127.0.0.1:{taken}"]
    with pytest.raises(StartupError, match="IPv6 is off on this host"):
        bind(listen_on(("::1", 0)))


@on_linux
def test_holder_of_a_free_port_is_nobody(taken: int) -> None:
    assert holder_of(HERE, taken, "udp") is None
    assert holder_of(HERE, taken, "tcp") is None
