"""What the doctor makes of answers that no test can easily provoke: forwarders in between, lost questions."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from vpcdns.doctor.finding import Severity
from vpcdns.doctor.host import Host, ResolvConf
from vpcdns.doctor.probes import VERSION, WHO, ProbeResults
from vpcdns.doctor.server_checks import check_server
from vpcdns.model.policy import Upstream
from vpcdns.stub import StubAnswer

OURS, GATEWAY, SERVER = "10.1.0.5", "10.1.0.1", "10.1.0.53"
LOST = StubAnswer(WHO)


def who(**told: str) -> StubAnswer:
    client = {"address": OURS, "vpc": "vpc-a", "matched": "source network 10.1.0.0/16 of vpc-a"} | told
    return StubAnswer(
        WHO, "NOERROR", strings=tuple(f"{key}={value}" for key, value in client.items()), size=90
    )


def found(server: str = SERVER, host: Host | None = None, **changed: Any) -> dict[str, Severity]:
    """The findings that are not ok, of a good server but for what changed."""
    good = who()
    version = StubAnswer(VERSION, "NOERROR", strings=("vpcdns 0.1.0",))
    results = ProbeResults(
        Upstream(ip_address(server)), version, good, good, [good] * 2, [good] * 2, good, good
    )
    host = replace(
        host or Host(),
        resolv_conf=ResolvConf(nameservers=[ip_address(server)]),
        addresses=frozenset({ip_address(OURS)}),
        gateways=frozenset({ip_address(GATEWAY)}),
    )
    findings = list(check_server(replace(results, **changed), host))
    assert all(finding.remedy or finding.severity is Severity.OK for finding in findings)
    return {finding.id: finding.severity for finding in findings if finding.severity is not Severity.OK}


def test_all_is_well() -> None:
    assert found() == {}


@pytest.mark.parametrize(
    ("server", "engine", "version", "expected"),
    [
        ("127.0.0.11", "Docker", "", Severity.HINT),
        ("127.0.0.53", "", "", Severity.WARNING),
        (GATEWAY, "Podman", "", Severity.WARNING),
        (SERVER, "", "unbound 1.17.1", Severity.WARNING),
    ],
)
def test_a_forwarder_in_between(server: str, engine: str, version: str, expected: Severity) -> None:
    answer = StubAnswer(VERSION, "NOERROR", strings=(version,) if version else ())
    assert found(server, Host(engine=engine), version=answer) == {"between": expected}


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (who(address=GATEWAY), {"seen-as": Severity.PROBLEM}),
        (who(address=GATEWAY, matched="listener 10.1.0.53:53 of vpc-a"), {}),
        (who(address=GATEWAY, matched="trusted peer"), {"seen-as": Severity.WARNING}),
        (who(address="nobody"), {"seen-as": Severity.PROBLEM}),
        (who(vpc="none: the Internet"), {"vpc": Severity.WARNING}),
    ],
)
def test_how_the_server_sees_us(client: StubAnswer, expected: dict[str, Severity]) -> None:
    assert found(whoami=client) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"whoami": LOST}, "udp"),
        ({"whoami_tcp": LOST}, "tcp"),
        ({"one_segment": [who(), LOST]}, "tcp-segment"),
        ({"one_port": [who(), LOST]}, "one-port"),
        ({"large": LOST}, "size"),
        ({"search": {"corp.example": StubAnswer(WHO, "REFUSED")}}, "search-domain"),
        ({"version": replace(LOST, strangers=("10.9.9.9:53",))}, "reply-address"),
        ({"version": LOST, "whoami": LOST, "whoami_tcp": LOST}, "answers"),
        ({"whoami": StubAnswer(WHO, "REFUSED"), "whoami_tcp": LOST, "version": LOST}, "vpcdns"),
    ],
)
def test_problems(changed: dict[str, Any], expected: str) -> None:
    assert found(**changed)[expected] is Severity.PROBLEM


def test_warnings_and_hints() -> None:
    assert found(large=replace(who(), truncated=True)) == {"size": Severity.HINT}
    assert found(small=replace(who(), size=600)) == {"size": Severity.WARNING}
    assert found(version=replace(who(), strings=("vpcdns 0.1.0",), seconds=2.0)) == {"time": Severity.WARNING}
    assert found(other_nameservers={"10.1.0.99:53": LOST}) == {"other-nameserver": Severity.WARNING}
