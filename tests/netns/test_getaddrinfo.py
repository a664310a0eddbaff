"""getaddrinfo of glibc and musl, with a resolv.conf of its own: containers.md §2."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.netns.conftest import (
    DEDICATED_NAME,
    IN_A,
    IN_B,
    MANY_ADDRESSES,
    MANY_NAME,
    SERVER_A,
    SERVER_B,
    SERVERLESS_NAME,
    Namespaces,
    is_musl,
)

pytestmark = pytest.mark.netns

AT_ONCE = 2.0  # seconds; a libc that has to ask again takes three to five


@pytest.mark.parametrize("name", [DEDICATED_NAME, "api.example.com", f"{DEDICATED_NAME}."])
def test_a_name_with_ipv4_only(namespaces: Namespaces, getaddrinfo: Path, name: str) -> None:
    """AF_UNSPEC asks for A and AAAA; a custom domain is chased."""
    found, took = namespaces.probe(getaddrinfo, IN_A, SERVER_A, name)
    assert found == ["10.1.8.20"]
    assert took < AT_ONCE


def test_each_vpc_its_own_answer(namespaces: Namespaces, getaddrinfo: Path) -> None:
    assert namespaces.probe(getaddrinfo, IN_B, SERVER_B, SERVERLESS_NAME)[0] == ["100.100.80.10"]
    for name in (DEDICATED_NAME, "api.example.com"):
        found, took = namespaces.probe(getaddrinfo, IN_B, SERVER_B, name)
        assert found == ["EAI_NONAME"], "a denial looks like a name that does not exist"
        assert took < AT_ONCE


def test_ipv6_of_an_ipv4_name_is_no_data(namespaces: Namespaces, getaddrinfo: Path) -> None:
    found, took = namespaces.probe(getaddrinfo, IN_A, SERVER_A, DEDICATED_NAME, "6")
    assert found in (["EAI_NODATA"], ["EAI_NONAME"])
    assert took < AT_ONCE


@pytest.mark.parametrize("name", [DEDICATED_NAME, "api.example.com"])
def test_a_search_list(namespaces: Namespaces, getaddrinfo: Path, name: str) -> None:
    """`ndots:5`, as Kubernetes writes it: the VPC domain with each search domain behind it comes first."""
    more = "search default.svc.example svc.example\noptions ndots:5"
    if name == "api.example.com":
        # Not ours with a search domain behind it, and nobody to ask: REFUSED, which ends musl's search.
        more = "options ndots:5"
    found, took = namespaces.probe(getaddrinfo, IN_A, SERVER_A, name, more=more)
    assert found == ["10.1.8.20"]
    assert took < AT_ONCE


@pytest.mark.parametrize(
    "options", ["use-vc", "single-request", "single-request-reopen", "edns0", "trust-ad"]
)
def test_options(namespaces: Namespaces, getaddrinfo: Path, options: str) -> None:
    """`use-vc` sends A and AAAA over TCP in one segment; musl knows none of these."""
    found, took = namespaces.probe(getaddrinfo, IN_A, SERVER_A, "api.example.com", more=f"options {options}")
    assert found == ["10.1.8.20"]
    assert took < AT_ONCE


def test_truncation(namespaces: Namespaces, getaddrinfo: Path) -> None:
    """60 addresses do not fit: glibc goes on over TCP, musl before 1.2.4 takes the ones that are there."""
    found, took = namespaces.probe(getaddrinfo, IN_B, SERVER_B, MANY_NAME, "4")
    assert took < AT_ONCE
    assert set(found) <= set(MANY_ADDRESSES)
    assert len(found) == 60 or (is_musl(getaddrinfo) and len(found) >= 20)
