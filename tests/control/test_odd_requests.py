"""Text that UTF-8 cannot hold, numbers of thousands of digits and the like: no request makes a 500."""

from __future__ import annotations

import http.client
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote

import pytest

from tests.support.repository import EXAMPLE
from vpcdns.testing import Server

LONG = "9" * 5000
ODD = ["\ud800", LONG, "1e400", "NaN", "\x00", "a" * 9_000, "٣", "²", "1_000", "\u202e", "é" * 300]
ODD += ["*.*", "..", "\\300", "\\999", "a." * 200, "fe80::1%1", "1.2.3.4/33", "{}", "\r\nX: y", "%00", "😀"]
PATHS = (
    "/explain?name={}&from=10.1.0.5",
    "/explain?name=a.b&from={}",
    "/explain?name=a.b&from=10.1.0.5&type={}",
    "/path?name={}&from=10.1.0.5",
    "/path?name=a.b&from={}",
    "/decisions?limit={}",
    "/test/queries?name={}",
    "/test/queries?vpc_id={}",
    "/test/faults/{}",
    "/{}",
)
GROUP = "523e8dc7bbe04613b5b1d726c2a7889d"
GOOD = {
    "RegionId": "cn-hangzhou",
    "GroupId": GROUP,
    "InstanceId": "apigateway-hz-ead4f4b0bac8",
    "VpcId": "vpc-bp11w979o2s9rcr962w25",
    "CidrBlock": "10.1.77.0/24",
    "ZoneId": "z",
    "GroupName": "weather",
    "DomainName": "odd.example.com",
    "PageSize": "10",
    "Tag.1.Key": "k",
}
ACTIONS = {
    "2016-07-14": ("DescribeApiGroups", "ModifyApiGroup", "CreateApiGroup", "SetDomain", "DescribeInstances"),
    "2016-04-28": ("DescribeVpcs", "CreateVSwitch", "DescribeVSwitches"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(EXAMPLE) as running:
        yield running


def percent(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


class Asker:
    """Asks for things; `failures` are the requests that were answered with 5xx."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=20)
        self.failures: list[str] = []

    def ask(self, method: str, path: str, body: str | None = None) -> None:
        headers = {} if body is None else {"content-type": "application/json"}
        with closing(self._connection):
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            response.read()
        if response.status >= 500:
            self.failures.append(f"{response.status} {method} {path[:80]} {(body or '')[:80]}")


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: ascii(odd[:8]))
def test_no_odd_request_is_a_bug(server: Server, odd: str) -> None:
    asker = Asker(server)
    for path in PATHS:
        asker.ask("GET", path.format(percent(odd)))
    asker.ask("DELETE", f"/test/faults/{percent(odd)}")
    for version, actions in ACTIONS.items():
        for action in actions:
            for name in GOOD:
                said = {"Action": action, "Version": version, **GOOD, name: odd}
                asker.ask("POST", "/?" + "&".join(f"{key}={percent(value)}" for key, value in said.items()))
    for key in ("kind", "name", "vpc_id", "delay_ms", "times", "seconds"):
        asker.ask("POST", "/test/faults", json.dumps({"kind": "servfail", key: odd}))
    for change in (
        {"change": "RenameGroup", "group_id": GROUP, "name": odd},
        {"change": "AddCustomDomain", "group_id": GROUP, "name": odd},
        {"change": odd},
    ):
        asker.ask("POST", "/test/changes", json.dumps({"changes": [change]}))
    asker.ask("POST", "/plan", json.dumps({"changes": [odd]}))
    for path in ("/test/faults", "/test/world", "/metrics", "/decisions", "/world"):
        asker.ask("GET", path)
    assert asker.failures == []


@pytest.mark.parametrize("number", [LONG, "1e400", "NaN", "-0", "1e-320", "Infinity", "true"])
def test_no_odd_number_is_a_bug(server: Server, number: str) -> None:
    asker = Asker(server)
    for key in ("delay_ms", "times", "seconds"):
        kind = "delay" if key == "delay_ms" else "servfail"
        asker.ask("POST", "/test/faults", f'{{"kind": "{kind}", "{key}": {number}}}')
    asker.ask("GET", "/test/faults")
    assert asker.failures == []
    server.client.clear_faults()


def test_a_client_that_hangs_up_in_its_request_fills_no_log(server: Server) -> None:
    host, port = server.endpoint.rsplit(":", 1)
    for path in ("/plan", "/test/changes", "/test/faults", "/?Action=DescribeVpcs"):
        with socket.create_connection((host, int(port)), 20) as sock:
            head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            sock.sendall(f"{head}Content-Length: 100\r\n\r\n{{}}".encode())
    Asker(server).ask("GET", "/health")
    assert "Traceback" not in server.log


@pytest.mark.parametrize("limit", ["000000001" + "9" * 5000, "0000000019999999", "0", "1001"])
def test_a_limit_that_is_none(server: Server, limit: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{server.url}/decisions?limit={limit}", timeout=20)  # noqa: S310 - ours
    raised.value.close()
    assert raised.value.code == 400
