"""What answers in a lab: resolvers, each by its way, and gateways by HTTP and HTTPS."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.hybrid_cloud import CONFIGURATION, DEDICATED_NAME, SERVERLESS_NAME, hybrid
from vpcdns.lab import lifecycle
from vpcdns.lab.kernel import inside
from vpcdns.lab.live import LiveLab
from vpcdns.model.names import Name
from vpcdns.model.routing import Source, source_of
from vpcdns.rehearsal.change_text import changed

pytestmark = [pytest.mark.netns]

NETWORK = "resolves_as: vpc-a, routes: [{destination: 10.1.0.0/16, via: vpn-1}]"
SECOND = """
  - {connection_id: vpn-2, type: ipsec, vpc_id: vpc-a, network_id: idc,
     local_subnets: [100.64.0.0/10], remote_subnets: [192.168.0.0/16]}
"""
THROUGH = (
    "resolves_through: {vpc_id: vpc-a, via: vpn-2}, routes: "
    "[{destination: 10.1.0.0/16, via: vpn-1}, {destination: 100.64.0.0/10, via: vpn-2}]"
)
ZONE = """
private_zones:
  - {zone: corp.internal, vpcs: [vpc-a], records: [{name: db, type: A, values: [10.1.8.9]},
     {name: api, type: CNAME, values: [api.example.com.]}]}
"""
WORLD = hybrid(
    CONFIGURATION.replace(NETWORK, THROUGH).replace("connections:", f"connections:{SECOND}") + ZONE
)
FETCH = """
import sys, urllib.error, urllib.request
for url in sys.argv[1:]:
    try:
        answer = urllib.request.urlopen(url, timeout=5)
        print(answer.status, answer.read().decode().split()[0])
    except urllib.error.HTTPError as error:
        print(error.code, error.headers['X-Ca-Error-Code'])
    except urllib.error.URLError as error:
        print(type(error.reason).__name__)
"""


@pytest.fixture(scope="module")
def one_lab() -> Iterator[LiveLab]:
    with LiveLab(f"services-{os.getpid()}", WORLD) as lab:
        yield lab


@pytest.fixture
def lab(one_lab: LiveLab) -> Iterator[LiveLab]:
    yield one_lab
    if one_lab.world is not WORLD:
        one_lab.change(WORLD)


def run_in(node: str, *command: str) -> str:
    known = lifecycle.find(f"services-{os.getpid()}")
    assert known is not None
    words = lifecycle.command_in(known, node, list(command))
    environment = lifecycle.environment(known)
    return subprocess.run(words, capture_output=True, text=True, check=False, env=environment).stdout


def fetched(node: str, *urls: str) -> list[str]:
    return run_in(node, sys.executable, "-c", FETCH, *urls).splitlines()


def told(lab: LiveLab, node: str, *names: str) -> list[tuple[list[str], bool]]:
    source = source_of(node, lab.world)
    assert source is not None
    asks: list[tuple[Source, Name]] = [(source, Name.from_text(name)) for name in names]
    return [(sorted(one.addresses), one.reached) for one in lab.observe(asks, 2.0)]


def test_https_is_trusted_without_more_ado_from_wherever_it_is_reached(lab: LiveLab) -> None:
    urls = [f"https://{DEDICATED_NAME}/", "https://api.example.com/x", f"https://{SERVERLESS_NAME}/"]
    served = ["200 cn-hangzhou/gw", "200 cn-hangzhou/gw", "200 cn-hangzhou/shared"]
    assert fetched("vpc-a", *urls) == served
    assert fetched("idc", *urls) == served, "by two tunnels, chosen by source and destination"
    assert fetched("vpc-b", *urls) == ["gaierror", "gaierror", served[2]]


def test_a_wrong_host_is_told_and_a_wrong_name_is_not_certified(lab: LiveLab) -> None:
    urls = ["http://10.1.8.20/", "https://10.1.8.20/", "http://100.100.80.10/", "https://api.corp.internal/"]
    mismatch = "SSLCertVerificationError"
    assert fetched("vpc-a", *urls) == ["404 I404DO", mismatch, "404 I404DO", mismatch]


def test_hosts_of_private_zones_are_there(lab: LiveLab) -> None:
    assert told(lab, "vpc-a", "db.corp.internal", "api.corp.internal") == [
        (["10.1.8.9"], True),
        (["10.1.8.20"], True),
    ]
    assert told(lab, "vpc-b", "db.corp.internal") == [([], False)]


def test_a_command_asks_the_nameservers_of_its_network_and_no_proxy(
    lab: LiveLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_in("idc", "cat", "/etc/resolv.conf").splitlines()[:2] == [
        "nameserver 100.100.2.136",
        "nameserver 100.100.2.138",
    ]
    assert run_in("idc", "getent", "ahostsv4", "api.example.com").split()[0] == "10.1.8.20"
    assert "hosts: files dns" in run_in("idc", "cat", "/etc/nsswitch.conf").splitlines()
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert fetched("vpc-a", "https://api.example.com/") == ["200 cn-hangzhou/gw"]


def test_where_the_way_of_queries_is_cut_nothing_resolves(lab: LiveLab) -> None:
    assert told(lab, "idc", "api.example.com") == [(["10.1.8.20"], True)]
    lab.change(changed(WORLD, "cut vpn-2"))
    assert told(lab, "idc", "api.example.com") == [([], False)]
    lab.change(changed(WORLD, "cut vpn-2", "resolve-as idc vpc-a"))
    assert told(lab, "idc", "api.example.com") == [(["10.1.8.20"], True)], "taken for granted"
    lab.change(changed(WORLD, "resolve-through idc vpc-a inbound_endpoint 10.1.8.53"))
    assert told(lab, "idc", "api.example.com") == [(["10.1.8.20"], True)]
    lab.change(changed(WORLD, "resolve-through idc vpc-a inbound_endpoint 10.1.8.53", "cut vpn-1"))
    assert told(lab, "idc", "api.example.com") == [([], False)]
    lab.change(changed(WORLD, "selectors vpn-2 100.100.80.0/24 -"))
    assert told(lab, "idc", "api.example.com") == [([], False)], "the tunnel does not carry queries"


def test_networks_may_resolve_as_the_internet(lab: LiveLab) -> None:
    network = replace(WORLD.topology.networks["idc"], resolves_through=None)
    topology = type(WORLD.topology).of(
        WORLD.topology.vpcs.values(), [network], WORLD.topology.connections.values()
    )
    lab.change(replace(WORLD, topology=topology))
    assert told(lab, "idc", "api.example.com", "db.corp.internal") == [([], False), ([], False)]


def exchange(lab: LiveLab, octets: bytes) -> bytes:
    """All that the gateway says to these octets until it closes, or says nothing for a moment."""
    with inside(lab.kernel.path("vpc-a")):
        sock = socket.create_connection(("10.1.8.20", 80), timeout=5)
    with sock:
        sock.sendall(octets)
        sock.shutdown(socket.SHUT_WR)
        said = b""
        while more := sock.recv(65_536):
            said += more
        return said


def test_http_as_clients_speak_it(lab: LiveLab) -> None:
    get = b"GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
    assert exchange(lab, get * 3).count(b"HTTP/1.1 200 OK\r\n") == 3, "one connection, three requests"
    head = exchange(lab, get.replace(b"GET", b"HEAD"))
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert head.endswith(b"\r\n\r\n")
    post = b"POST / HTTP/1.1\r\nHost: api.example.com\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    assert exchange(lab, post + b"abc").count(b"HTTP/1.1 200 OK\r\n") == 1
    assert b"\r\nX-Ca-Error-Code: I400MH\r\n" in exchange(lab, b"GET / HTTP/1.0\r\n\r\n")
    assert exchange(lab, get.replace(b"api.", b"caf\xe9.")).startswith(b"HTTP/1.1 404 Not Found\r\n")


@pytest.mark.parametrize(
    "octets",
    [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost"],
)
def test_what_is_no_request_is_refused_or_left(lab: LiveLab, octets: bytes) -> None:
    said = exchange(lab, octets)
    assert said == b"" or said.startswith(b"HTTP/1.1 400 Bad Request\r\n")
