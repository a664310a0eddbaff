"""The whole examination, against a real nameserver of vpcdns's core, and against ones that are wrong."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.support.example_world import CUSTOM, DEDICATED_NAME, ENDPOINT, IN_A, IN_B, example
from tests.support.nameserver import Nameserver, Script, Transport, answering
from vpcdns.doctor.examination import examine
from vpcdns.doctor.finding import Finding, Severity
from vpcdns.model.policy import Forwarding, Upstream
from vpcdns.query import Arrival, Response, begin

WORLD = example(forwarding=Forwarding())


def vpcdns(client: str) -> Script:
    """Answers as vpcdns would answer `client`."""

    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        reply = begin(message, Arrival(ip_address(client), transport), WORLD)
        return [reply.octets] if isinstance(reply, Response) else []

    return script


def over_udp_only(script: Script) -> Script:
    return lambda message, transport: script(message, transport) if transport == "udp" else []


def cut_to(size: int, script: Script) -> Script:
    """Loses large datagrams, as some firewalls do."""

    def lossy(message: bytes, transport: Transport) -> Iterable[bytes]:
        return [one for one in script(message, transport) if transport == "tcp" or len(one) <= size]

    return lossy


def examined(script: Script, tmp_path: Path, *names: str) -> list[Finding]:
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    (tmp_path / "nsswitch.conf").write_text("hosts: files dns\n")
    with Nameserver(script) as server:
        return examine(list(names), server.upstream, tmp_path / "resolv.conf")[1]


def bad(findings: list[Finding]) -> dict[str, Severity]:
    aside = {"asked-server", "nameserver-loopback"}  # of this test's making
    return {
        finding.id: finding.severity
        for finding in findings
        if finding.severity is not Severity.OK and finding.id not in aside
    }


def test_masked(tmp_path: Path) -> None:
    """Seen as an address that this host has not; all else is well."""
    found = examined(vpcdns(IN_A), tmp_path, CUSTOM)
    assert bad(found) == {"seen-as": Severity.PROBLEM}
    (name,) = [finding for finding in found if finding.id == "name"]
    assert name.seen == f"{CUSTOM}: {ENDPOINT} (CNAME {DEDICATED_NAME})."


def test_denied(tmp_path: Path) -> None:
    found = examined(vpcdns(IN_B), tmp_path, DEDICATED_NAME)
    assert bad(found)["name"] is Severity.WARNING


@pytest.mark.parametrize(
    ("spoil", "expected"), [(over_udp_only, "tcp"), (lambda script: cut_to(512, script), "size")]
)
def test_what_does_not_get_through(spoil: Callable[[Script], Script], expected: str, tmp_path: Path) -> None:
    assert bad(examined(spoil(vpcdns(IN_A)), tmp_path))[expected] is Severity.PROBLEM


def test_another_server(tmp_path: Path) -> None:
    found = examined(answering("version.bind 0 CH TXT dnsmasq-2.90"), tmp_path)
    (finding,) = [one for one in found if one.id == "vpcdns"]
    assert finding.severity is Severity.PROBLEM
    assert "It calls itself 'dnsmasq-2.90'." in finding.seen


def test_a_silent_server_is_given_up_soon(tmp_path: Path) -> None:
    started = time.monotonic()
    found = examined(lambda message, transport: [], tmp_path, CUSTOM)
    assert time.monotonic() - started < 6
    assert [finding.id for finding in found][-1] == "answers"


def test_nothing_listens(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it
        server = Upstream(ip_address("127.0.0.1"), held.getsockname()[1])
        found = examine([], server, tmp_path / "resolv.conf")[1]
    assert "nothing listens there" in found[-1].seen
    assert bad(found)["nameservers"] is Severity.PROBLEM, "there is no such file"
