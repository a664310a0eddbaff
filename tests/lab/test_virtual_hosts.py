"""What gateways of the lab answer by Host, and whose name is in a certificate."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from tests.support.hybrid_cloud import CONFIGURATION, DEDICATED_NAME, SERVERLESS_NAME, hybrid
from vpcdns.lab.parts import Listener
from vpcdns.lab.virtual_hosts import answer, certified_name, speakers

WORLD = hybrid(CONFIGURATION.replace("[api.example.com]", "[api.example.com, '*.wild.example.com']"))
GATEWAY = Listener(IPv4Address("10.1.8.20"), (("cn-hangzhou", "gw"),))


@pytest.mark.parametrize(
    "host",
    [DEDICATED_NAME, DEDICATED_NAME.upper(), f"{DEDICATED_NAME}.", f"{DEDICATED_NAME}:443", "api.example.com",
     "api.example.com:80", "one.wild.example.com"],
)  # fmt: skip
def test_a_group_is_served_by_its_names(host: str) -> None:
    answered = answer("vpc-a", GATEWAY, host, WORLD)
    assert (answered.status, answered.code) == (200, "")
    assert answered.text == f"cn-hangzhou/gw at 10.1.8.20 in vpc-a\ngroup {'d' * 32}, as {host}\n"


@pytest.mark.parametrize(
    ("host", "status", "code", "line"),
    [
        ("", 400, "I400MH", "I400MH: Header `Host` is Required"),
        ("10.1.8.20", 404, "I404DO", "I404DO: Invalid Domain `10.1.8.20`"),
        ("example.com", 404, "I404DO", "I404DO: Invalid Domain `example.com`"),
        ("a..b", 404, "I404DO", "I404DO: Invalid Domain `a..b`"),
        ("[::1]:80", 404, "I404DO", "I404DO: Invalid Domain `[::1]:80`"),
        ("caf\xe9.example.com", 404, "I404DO", "I404DO: Invalid Domain `caf\xe9.example.com`"),
        (DEDICATED_NAME.replace("hangzhou", "shanghai"), 404, "I404DO", "I404DO: Invalid Domain"),
        (SERVERLESS_NAME, 410, "I410GG", f"{SERVERLESS_NAME} is a host of cn-hangzhou/shared"),
    ],
)
def test_a_wrong_host_is_told_which_are_there(host: str, status: int, code: str, line: str) -> None:
    answered = answer("vpc-a", GATEWAY, host, WORLD)
    assert (answered.status, answered.code) == (status, code)
    first, *lines = answered.text.splitlines()
    assert first == "cn-hangzhou/gw at 10.1.8.20 in vpc-a"
    assert any(one.startswith(line) for one in lines)
    assert lines[-1] == f"hosts here: {DEDICATED_NAME}, api.example.com, *.wild.example.com"


def test_a_vpc_domain_that_is_off_is_no_host() -> None:
    world = hybrid(CONFIGURATION.replace("instance_id: shared, vpc_domain: true", "instance_id: shared"))
    shared = Listener(IPv4Address("100.100.80.10"), (("cn-hangzhou", "shared"),))
    answered = answer("vpc-b", shared, SERVERLESS_NAME, world)
    assert answered.code == "I404DO"
    assert answered.text.endswith("hosts here: none\n")


def test_many_hosts_are_not_all_listed() -> None:
    domains = ", ".join(f"d{number}.example.com" for number in range(12))
    world = hybrid(CONFIGURATION.replace("[api.example.com]", f"[{domains}]"))
    listed = answer("vpc-a", GATEWAY, "x.example.com", world).text.splitlines()[-1]
    assert listed.endswith("d8.example.com, …")


def test_a_host_that_a_private_zone_names_serves_any_name() -> None:
    answered = answer("vpc-a", Listener(IPv4Address("10.1.8.9")), "db.corp.internal", WORLD)
    assert answered.text == "host at 10.1.8.9 in vpc-a\n"
    assert speakers(answered.text) == ["host"]


@pytest.mark.parametrize(
    ("host", "certified"),
    [
        (DEDICATED_NAME.upper(), DEDICATED_NAME),
        ("API.example.com", "api.example.com"),
        ("one.wild.example.com", "*.wild.example.com"),
        ("a.b.wild.example.com", "*.wild.example.com"),  # which does not match it: TLS knows one label
        (SERVERLESS_NAME, None),
        ("example.com", None),
        ("", None),
    ],
)
def test_certificates_are_for_names_as_they_are_configured(host: str, certified: str | None) -> None:
    assert certified_name(host, GATEWAY, WORLD) == certified
