"""dig, from two VPCs, over every transport and to every kind of address of ours."""

from __future__ import annotations

import shutil

import pytest

from tests.support.namespaces import (
    DEDICATED_NAME,
    IN_A,
    IN_B,
    MANY_ADDRESSES,
    MANY_NAME,
    SERVER,
    SERVER_A,
    SERVER_A6,
    SERVER_B,
    SERVERLESS_NAME,
    Namespaces,
)

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(shutil.which("dig") is None, reason="needs dig (bind9-dnsutils)"),
]


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_two_vpcs(namespaces: Namespaces, transport: str) -> None:
    inside = namespaces.dig(IN_A, transport, f"@{SERVER_A}", "api.example.com", "+short")
    assert inside.split() == [f"{DEDICATED_NAME}.", "10.1.8.20"]
    outside = namespaces.dig(IN_B, transport, f"@{SERVER_B}", DEDICATED_NAME)
    assert "status: NXDOMAIN" in outside
    assert "EDE: 18 (Prohibited): (bound to vpc-a, you are in vpc-b)" in outside
    assert "10.1.8.20" not in outside
    shared = namespaces.dig(IN_B, transport, f"@{SERVER_B}", SERVERLESS_NAME, "+short")
    assert shared.split() == ["100.100.80.10"]


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_ipv6(namespaces: Namespaces, transport: str) -> None:
    answer = namespaces.dig(IN_A, transport, f"@{SERVER_A6}", DEDICATED_NAME, "+short")
    assert answer.split() == ["10.1.8.20"]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.0.0.2", "127.8.8.8", "::1", SERVER_A, SERVER_B, SERVER_A6]
)
@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_a_wildcard_listener_answers_from_the_address_asked(
    namespaces: Namespaces, address: str, transport: str
) -> None:
    answer = namespaces.dig(SERVER, transport, f"@{address}", "id.server", "CH", "TXT", "+short")
    assert answer.startswith('"'), "dig takes an answer from the address that it asked, and from no other"


def test_a_client_subnet_is_believed_from_loopback_only(namespaces: Namespaces) -> None:
    subnet = "+subnet=10.1.0.5/32"
    answer = namespaces.dig(SERVER, "@127.0.0.1", subnet, DEDICATED_NAME)
    assert "10.1.8.20" in answer
    assert "CLIENT-SUBNET: 10.1.0.5/32/32" in answer
    assert "status: NXDOMAIN" in namespaces.dig(IN_B, f"@{SERVER_B}", subnet, DEDICATED_NAME)


def test_truncation_leads_to_tcp(namespaces: Namespaces) -> None:
    whole = namespaces.dig(IN_B, f"@{SERVER_B}", MANY_NAME, "+bufsize=512", "+short")
    assert whole.split() == MANY_ADDRESSES
    cut = namespaces.dig(IN_B, f"@{SERVER_B}", MANY_NAME, "+bufsize=512", "+ignore", "+norec", "+dnssec")
    assert " tc" in cut.split("flags: ")[1].split(";")[0]
    assert "OPT PSEUDOSECTION" in cut
    assert "QUESTION SECTION" in cut
