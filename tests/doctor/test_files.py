"""The files that libc goes by: resolv.conf, nsswitch.conf and hosts, read and judged."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from vpcdns.doctor.file_checks import check_files
from vpcdns.doctor.finding import Severity
from vpcdns.doctor.host import Host, read_hosts_order, read_resolv_conf
from vpcdns.forward.host_resolvers import read_hosts

DOCKER = "nameserver 127.0.0.11\noptions ndots:0\n# ExtServers: [{}]\n"


def judged(text: str, host: Host | None = None, vpcdns: str | None = None) -> dict[str, Severity]:
    """The findings that are not ok."""
    host = replace(host or Host(), resolv_conf=read_resolv_conf(text))
    found = list(check_files(host, None if vpcdns is None else ip_address(vpcdns)))
    assert all(finding.remedy or finding.severity is Severity.OK for finding in found)
    return {finding.id: finding.severity for finding in found if finding.severity is not Severity.OK}


def test_resolv_conf() -> None:
    conf = read_resolv_conf(
        "# nameserver 192.0.2.9\n"
        "nameserver 10.1.0.53 # vpcdns\n"
        " nameserver 192.0.2.1\n"
        "nameserver fd00:1::53\n"
        "nameserver 10.1.0.53:5300\n"
        "nameserver\n"
        "search a.example\n"
        "search svc.example. example\n"
        "options ndots:5 use-vc\n"
        "options ndots:99 timeout:x\n"
    )
    assert conf.nameservers == [ip_address("10.1.0.53"), ip_address("fd00:1::53")]
    assert conf.unreadable == ["10.1.0.53:5300"]
    assert conf.search == ["svc.example", "example"]
    assert conf.options == ["ndots:5", "use-vc", "ndots:99", "timeout:x"]
    assert conf.ndots == 15
    assert read_resolv_conf("options ndots:x\n").ndots == 1
    assert read_resolv_conf(DOCKER.format("172.30.1.53 host(10.0.0.2)")).ext_servers == [
        "172.30.1.53",
        "host(10.0.0.2)",
    ]


def test_other_files() -> None:
    assert read_hosts_order(
        "passwd: files\n# hosts: db\nhosts:files mdns4_minimal [NOTFOUND=return] dns\n"
    ) == ("files", "mdns4_minimal", "[NOTFOUND=return]", "dns")
    assert read_hosts_order("passwd: files\n") == ()
    assert read_hosts(
        "127.0.0.1 localhost # here\n192.0.2.7\tAPI.example.com. api\n::1 localhost\nx y\n\n"
    ) == {
        "localhost": [ip_address("127.0.0.1"), ip_address("::1")],
        "api.example.com": [ip_address("192.0.2.7")],
        "api": [ip_address("192.0.2.7")],
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nameserver 10.1.0.53\n", {}),
        ("nameserver 10.1.0.53\noptions edns0 trust-ad\nsearch corp.example\n", {}),
        ("", {"nameservers": "problem"}),
        ("nameserver 10.1.0.53\nnameserver 10.1.0.54\n", {"nameservers": "problem"}),
        ("nameserver 10.1.0.53#5300\n", {"nameservers": "problem", "nameserver-syntax": "problem"}),
        ("nameserver 10.1.0.53\nsearch a b\noptions ndots:5\n", {"search": "warning"}),
        ("nameserver 10.1.0.53\noptions use-vc timeout:1\n", {"options": "hint"}),
        ("nameserver 10.1.0.53\noptions timeout:1 rotate timeout:3\n", {}),
        ("nameserver 10.1.0.53\nsearch .\noptions ndots:5\n", {}),
        (DOCKER.format("172.30.1.53"), {}),
        (DOCKER.format("host(172.30.1.53)"), {"docker-host-namespace": "problem"}),
        (DOCKER.format("172.30.1.53 8.8.8.8"), {"docker-servers": "warning"}),
    ],
)
def test_judgement(text: str, expected: dict[str, str]) -> None:
    assert judged(text) == {name: Severity(word) for name, word in expected.items()}


@pytest.mark.parametrize(
    ("engine", "vpcdns", "expected"),
    [
        ("", None, {}),
        ("Docker", None, {"nameserver-loopback": Severity.PROBLEM}),
        ("Docker", "127.0.0.1", {}),
        ("Kubernetes", None, {"nameserver-loopback": Severity.HINT}),
    ],
)
def test_loopback(engine: str, vpcdns: str | None, expected: dict[str, Severity]) -> None:
    assert judged("nameserver 127.0.0.1\n", Host(engine=engine), vpcdns) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ((), None),
        (("files", "dns"), None),
        (("dns", "resolve"), None),
        (("files", "myhostname"), "problem"),
        (("files", "resolve", "[!UNAVAIL=return]", "dns"), "warning"),
        (("files", "resolve"), "warning"),
        (("files", "mdns4_minimal", "[NOTFOUND=return]", "dns"), "hint"),
    ],
)
def test_hosts_order(order: tuple[str, ...], expected: str | None) -> None:
    found = judged("nameserver 10.1.0.53\n", Host(hosts_order=order))
    assert found == ({} if expected is None else {"hosts-order": Severity(expected)})
