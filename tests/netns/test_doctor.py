"""The doctor, in containers' place: a good one, and the ways in which they break."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.support.namespaces import (
    DEDICATED_NAME,
    IN_A,
    IN_B,
    MANY_NAME,
    SERVER,
    SERVER_A,
    SERVER_A6,
    SERVER_B,
    Namespaces,
    examined,
    in_etc,
)

pytestmark = pytest.mark.netns


def test_a_good_container(namespaces: Namespaces) -> None:
    found = examined(namespaces, IN_A, f"nameserver {SERVER_A}\n", "api.example.com", MANY_NAME)
    assert found.exit_code == 0
    assert set(found.severities.values()) == {"ok"}, found
    assert found.seen["seen-as"] == "vpcdns sees 10.1.0.5, an address of ours."
    assert found.seen["vpc"] == "10.1.0.5 counts as vpc-a: source network 10.1.0.0/16 of vpc-a."
    assert {"udp", "tcp", "one-port", "size", "time", "name", "name-libc"} <= found.severities.keys()


def test_ipv6(namespaces: Namespaces) -> None:
    found = examined(namespaces, IN_A, f"nameserver {SERVER_A6}\n", "api.example.com")
    assert found.exit_code == 0
    assert found.seen["seen-as"] == "vpcdns sees fd00:1::5, an address of ours."
    assert set(found.severities.values()) == {"ok"}, found


def test_a_denial_is_told_with_its_reason(namespaces: Namespaces) -> None:
    found = examined(namespaces, IN_B, f"nameserver {SERVER_B}\n", DEDICATED_NAME)
    assert found.exit_code == 0, "a name that is closed is no fault of the container"
    assert found.severities["name"] == "warning"
    assert "NXDOMAIN: bound to vpc-a, you are in vpc-b (EDE 18)" in found.seen["name"]
    assert found.severities["name-libc"] == "ok"


def test_two_nameservers_and_a_search_list(namespaces: Namespaces) -> None:
    """The second is dead; names under the search domain are refused, as nothing is forwarded."""
    conf = f"nameserver {SERVER_A}\nnameserver 10.1.0.99\nsearch svc.example\noptions ndots:5\n"
    found = examined(namespaces, IN_A, conf)
    assert found.exit_code == 1
    assert found.problems == {"nameservers", "search-domain"}
    assert found.severities["search"] == "warning"
    assert found.severities["other-nameserver"] == "warning"
    assert "svc.example get REFUSED" in found.seen["search-domain"]


def test_the_container_itself(namespaces: Namespaces) -> None:
    found = examined(namespaces, IN_A, "nameserver 127.0.0.1\n")
    assert found.exit_code == 1
    assert "nothing listens there" in found.seen["answers"]


def test_a_silent_server_costs_seconds(namespaces: Namespaces) -> None:
    started = time.monotonic()
    found = examined(namespaces, IN_A, "nameserver 10.1.0.99\n", "api.example.com")
    assert time.monotonic() - started < 10
    assert "answers" in found.problems


def test_hosts_and_nsswitch(namespaces: Namespaces) -> None:
    found = examined(
        namespaces,
        IN_A,
        f"nameserver {SERVER_A}\n",
        "api.example.com",
        hosts="192.0.2.7 API.example.com\n",
        nsswitch="hosts: files resolve [!UNAVAIL=return] dns\n",
    )
    assert found.problems == {"name-hosts", "name-libc"}
    assert found.severities["hosts-order"] == "warning"
    assert "192.0.2.7" in found.seen["name-libc"]


PUBLISHED = "10.2.0.54"


@pytest.fixture
def nat(namespaces: Namespaces) -> Iterator[None]:
    """Whoever asks PUBLISHED looks like 10.2.0.1, as behind a published port of Docker's."""
    if shutil.which("iptables") is None:
        pytest.skip("needs iptables")
    namespaces.run(SERVER, "ip", "address", "add", f"{PUBLISHED}/16", "dev", f"to-{IN_B}")
    try:
        rule = f"INPUT -d {PUBLISHED} -j SNAT --to-source 10.2.0.1"
        namespaces.run(SERVER, "iptables", "-t", "nat", "-A", *rule.split())
    except subprocess.CalledProcessError as error:
        namespaces.run(SERVER, "ip", "address", "del", f"{PUBLISHED}/16", "dev", f"to-{IN_B}")
        pytest.skip(f"no NAT here: {error.stderr}")
    yield
    namespaces.run(SERVER, "iptables", "-t", "nat", "-F", "INPUT")
    namespaces.run(SERVER, "ip", "address", "del", f"{PUBLISHED}/16", "dev", f"to-{IN_B}")


def test_a_masked_address(namespaces: Namespaces, nat: None) -> None:
    found = examined(namespaces, IN_B, f"nameserver {PUBLISHED}\n")
    assert found.problems == {"seen-as"}
    assert "10.2.0.1, which is no address of ours: a bridge's gateway" in found.seen["seen-as"]


@pytest.fixture
def dnsmasq(namespaces: Namespaces) -> Iterator[None]:
    """A forwarder in the container, asking vpcdns on."""
    if shutil.which("dnsmasq") is None:
        pytest.skip("needs dnsmasq")
    options = "--keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file="
    listen = f"--bind-interfaces --listen-address=127.0.0.1 --log-facility=- --server={SERVER_B}"
    process = subprocess.Popen(
        ["ip", "netns", "exec", namespaces.prefix + IN_B, "dnsmasq", *options.split(), *listen.split()],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert any("using nameserver" in line for line in iter(process.stderr.readline, ""))
        yield
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_dnsmasq_in_between(namespaces: Namespaces, dnsmasq: None) -> None:
    found = examined(namespaces, IN_B, "nameserver 127.0.0.1\n")
    assert found.severities["between"] == "warning"
    assert "dnsmasq is in between" in found.seen["between"]
    assert found.seen["vpcdns"] == "127.0.0.1: vpcdns, behind it, answers."
    assert found.severities["seen-as"] == "ok"


def test_without_root(namespaces: Namespaces) -> None:
    command = (sys.executable, "-m", "vpcdns", "doctor", "api.example.com")
    unprivileged = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    conf = f"nameserver {SERVER_A}\n"
    if in_etc(namespaces, IN_A, conf, *unprivileged, sys.executable, "-c", "import vpcdns").returncode != 0:
        pytest.skip("nobody may not read the interpreter or the code here")
    done = in_etc(namespaces, IN_A, conf, *unprivileged, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert done.stdout.splitlines()[-1].startswith("0 problems, 0 warnings, 0 hints, ")
