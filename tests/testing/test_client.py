"""The interface for test authors, through its own client, on a real server."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cloud_api import KEY_ID, SECRET
from tests.support.repository import EXAMPLE
from vpcdns.errors import StartupError
from vpcdns.testing import AdminError, Client, Server

VPC_1, VPC_2, VPC_SH = "vpc-bp11w979o2s9rcr962w25", "vpc-bp1xk2f7q0hd8s3m5tzc4", "vpc-uf6h4q9e1n7r3w5y8b2jd"
SERVERLESS = "8f0c2b6a4d9e47f1a3c5e7b9d1f30a2c-cn-hangzhou-vpc.alicloudapi.com"
DEDICATED = "523e8dc7bbe04613b5b1d726c2a7889d-cn-hangzhou-vpc.alicloudapi.com"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(EXAMPLE) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Client:
    server.client.reset()
    return server.client


def test_who_resolves_what(client: Client) -> None:
    assert client.assert_resolves(SERVERLESS, VPC_1).addresses == ("100.100.80.10",)
    client.assert_resolves(DEDICATED, VPC_1, to="10.1.8.20")
    client.assert_resolves(DEDICATED, "10.1.77.7")
    client.assert_denied(DEDICATED, VPC_2)
    client.assert_denied(SERVERLESS, VPC_SH)
    client.assert_denied(SERVERLESS)
    answer = client.resolve("api.example.com", VPC_1)
    assert answer.records == (f"CNAME {DEDICATED}", "A 10.1.8.20")


def test_a_failed_assertion_tells_why(client: Client) -> None:
    with pytest.raises(AssertionError) as raised:
        client.assert_resolves(DEDICATED, VPC_2)
    assert f"from {VPC_2}: got NXDOMAIN" in str(raised.value)
    assert f"access: bound to {VPC_1}, you are in {VPC_2}" in str(raised.value)
    with pytest.raises(AssertionError, match=r"does not resolve to 10\.9\.9\.9"):
        client.assert_resolves(DEDICATED, VPC_1, to="10.9.9.9")
    with pytest.raises(AssertionError, match="is not denied"):
        client.assert_denied(DEDICATED, VPC_1)


def test_the_history_of_queries(client: Client) -> None:
    client.resolve(DEDICATED, VPC_2)
    client.resolve(SERVERLESS, VPC_1)
    newest, oldest = client.queries()
    assert (newest["qname"], newest["vpc_id"], newest["reason"]) == (
        SERVERLESS,
        VPC_1,
        "serverless-same-region",
    )
    assert oldest["reason"] == "other-vpc"
    assert oldest["steps"]
    assert [query["vpc_id"] for query in client.queries(name=DEDICATED.upper())] == [VPC_2]
    assert client.queries(vpc_id=VPC_SH) == []
    client.clear_queries()
    assert client.queries() == []


def test_faults_over_dns(client: Client) -> None:
    client.add_fault("drop", name=DEDICATED, vpc_id=VPC_1, times=1)
    quick = Client(client.url, client.dns, timeout=0.3)
    assert quick.resolve(DEDICATED, VPC_1).rcode is None
    client.assert_resolves(DEDICATED, VPC_1)
    client.add_fault("truncate")
    client.assert_resolves(DEDICATED, VPC_1)
    assert [(one["kind"], one["happened"]) for one in client.faults()] == [("truncate", 1)]
    client.clear_faults()
    number = client.add_fault("servfail", seconds=60)
    assert client.resolve(DEDICATED, VPC_1).rcode == "SERVFAIL"
    with pytest.raises(AssertionError):
        client.assert_denied(DEDICATED, VPC_2)
    client.remove_fault(number)
    with pytest.raises(AdminError) as raised:
        client.remove_fault(number)
    assert raised.value.status == 404
    client.add_fault("delay", delay_ms=20)
    assert client.resolve(DEDICATED, VPC_1).rcode == "NOERROR"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "explode"},
        {"kind": "drop", "delay_ms": 5},
        {"kind": "delay"},
        {"kind": "delay", "delay_ms": -1},
        {"kind": "drop", "times": 0},
        {"kind": "drop", "times": 0.5},
        {"kind": "drop", "times": 2.5},
        {"kind": "drop", "times": True},
        {"kind": "drop", "seconds": "5"},
        {"kind": "drop", "name": "a..b"},
        {"kind": "drop", "name": 5},
        {"kind": "drop", "vpc": VPC_1},
    ],
)
def test_faults_that_are_none(server: Server, client: Client, wrong: dict[str, Any]) -> None:
    body = json.dumps(wrong).encode()
    assert raw(server, "POST", "/test/faults", body, content_type="application/json") == 400
    assert client.faults() == []


def test_the_world_and_changes_of_it(client: Client) -> None:
    world, revision = client.world(), client.revision()
    assert {one["vpc_id"] for one in world["vpcs"]} == {VPC_1, VPC_2, VPC_SH}
    group_id = DEDICATED[:32]
    done = client.change({"change": "DisableVpcDomain", "group_id": group_id}, revision=revision)
    assert done == revision + 1
    client.assert_denied(DEDICATED, VPC_1)
    with pytest.raises(AdminError) as raised:
        client.change({"change": "EnableVpcDomain", "group_id": group_id}, revision=revision)
    assert (raised.value.status, raised.value.code) == (412, "revision")
    with pytest.raises(AdminError, match="rule 9") as raised:
        client.change({"change": "AddCustomDomain", "group_id": SERVERLESS[:32], "name": "x.example"})
    assert (raised.value.status, raised.value.code) == (409, "refused")
    client.reset()
    assert client.world() == world


@pytest.mark.parametrize(
    "change",
    [
        {"change": "Explode"},
        {"change": "RenameGroup", "group_id": DEDICATED[:32], "name": "a\nb"},
        {"change": "AddCustomDomain", "group_id": DEDICATED[:32], "name": "a b.example"},
        {
            "change": "CreateInstance",
            "instance": {"instance_id": "a b", "region_id": "cn-hangzhou", "type": "dedicated"},
        },
        {"change": "AddZone", "zone_id": "a b", "zone": "a.example"},
        {"change": "AddZone", "zone_id": "a", "zone": "a b.example"},
        {
            "change": "AddZoneRecord",
            "zone_id": "a",
            "record_id": -1,
            "record": {"name": "a.example.", "type": "A", "value": "10.0.0.1"},
        },
        {
            "change": "CreateVpc",
            "vpc": {"vpc_id": "v", "region_id": "No", "cidr_blocks": ["10.9.0.0/16"], "source_networks": []},
        },
        {
            "change": "CreateVSwitch",
            "vpc_id": VPC_2,
            "vswitch": {"vswitch_id": "", "cidr_block": "10.2.8.0/24"},
        },
        {
            "change": "CreateGroup",
            "group": {"group_id": "short", "instance_id": "api-shared-vpc-001", "region_id": "cn-hangzhou"},
        },
    ],
)
def test_what_no_configuration_could_describe_is_no_change(client: Client, change: dict[str, Any]) -> None:
    before = client.world()
    with pytest.raises(AdminError) as raised:
        client.change(change)
    assert raised.value.status == 400
    assert client.world() == before


@pytest.mark.parametrize("name", ["cidr_blocks", "source_networks"])
def test_a_change_that_brings_too_much_at_once_is_none(client: Client, name: str) -> None:
    """Its rules would be checked while nobody gets an answer."""
    many = [f"10.{number // 256}.{number % 256}.0/24" for number in range(151)]
    vpc = {
        "vpc_id": "vpc-x",
        "region_id": "cn-hangzhou",
        "cidr_blocks": ["10.0.0.0/8"],
        "source_networks": [],
    }
    with pytest.raises(AdminError, match=rf"{name}: at most 150"):
        client.change({"change": "CreateVpc", "vpc": {**vpc, name: many}})


def test_a_call_that_costs_too_much_is_refused(client: Client) -> None:
    """A thousand changes are fine, unless each of them is large: nobody gets an answer meanwhile."""
    long = ".".join(["a"] * 100)
    changes = [
        {"change": "AddCustomDomain", "group_id": "0" * 32, "name": f"{long}.n{number}.example.com"}
        for number in range(1_000)
    ]
    with pytest.raises(AdminError, match="at most 10000 in one call"):
        client.change(*changes)


def raw(server: Server, method: str, path: str, body: bytes = b"", **headers: str) -> int:
    connection = http.client.HTTPConnection(server.endpoint)
    try:
        connection.request(
            method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def test_writes_are_json_or_nothing(server: Server) -> None:
    """A form of a foreign page can be sent without asking, JSON cannot."""
    for path in ("/test/faults", "/test/changes", "/test/reset"):
        assert raw(server, "POST", path, b"{}", content_type="text/plain") == 415
        assert raw(server, "POST", path, b"a=b", content_type="application/x-www-form-urlencoded") == 415
    json = "application/json"
    assert raw(server, "POST", "/test/changes", b"{", content_type=json) == 400
    assert raw(server, "POST", "/test/changes", b"[]", content_type=json) == 400
    assert raw(server, "POST", "/test/changes", b'{"changes": []}', content_type=json) == 400
    good = b'{"changes": [{"change": "DeleteGroup", "group_id": "x"}]}'
    assert raw(server, "POST", "/test/changes", good, content_type=json, if_match="x") == 400
    assert raw(server, "POST", "/test/changes", good, content_type=json, if_match="*") == 409
    assert raw(server, "GET", "/test/changes") == 405


READ = "/?Action=DescribeRegions&Version=2016-07-14"


def test_without_keys_the_api_is_called_under_our_own_names_only(server: Server) -> None:
    """A name that a stranger can give our address to is how a browser's page would come (DNS rebinding)."""
    assert raw(server, "POST", READ, host="127.0.0.1:1") == 200
    assert raw(server, "POST", READ, host="apigateway.cn-hangzhou.localhost:5380") == 200
    assert raw(server, "POST", READ, host="apigateway.cn-hangzhou.aliyuncs.com") == 421
    assert raw(server, "POST", READ, origin="http://127.0.0.1:5380") == 403


def test_a_token_closes_the_api_that_has_no_keys() -> None:
    with Server(EXAMPLE, environment={"VPCDNS_ADMIN_TOKEN": "t0ken"}) as server:
        assert raw(server, "POST", READ) == 403
        assert raw(server, "POST", READ, authorization="Bearer t0ken") == 403


def test_where_keys_are_configured_writes_need_a_token() -> None:
    keys = {"VPCDNS_ACCESS_KEY_ID": KEY_ID, "VPCDNS_ACCESS_KEY_SECRET": SECRET}
    with Server(EXAMPLE, environment=keys) as server:
        assert server.client.world()
        for write in (server.client.reset, server.client.clear_faults, server.client.clear_queries):
            with pytest.raises(AdminError) as raised:
                write()
            assert raised.value.status == 403
    with Server(EXAMPLE, environment={**keys, "VPCDNS_ADMIN_TOKEN": "t0ken"}) as server:
        server.client.reset()
        with pytest.raises(AdminError) as raised:
            Client(server.url).world()
        assert raised.value.status == 401


def test_a_server_that_does_not_start_tells_why() -> None:
    with (
        pytest.raises(StartupError, match="there is no VPC"),
        Server("server: {listen: [{address: '127.0.0.1:0', vpc_id: vpc-none}]}"),
    ):
        pass


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(AdminError, match="does not answer"):
        Client("http://127.0.0.1:1").world()
    with pytest.raises(ValueError, match="DNS port"):
        Client("http://127.0.0.1:1").resolve("a.example")
