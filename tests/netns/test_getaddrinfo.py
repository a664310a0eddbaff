"""What getaddrinfo of glibc and musl makes of our answers (facts/containers.md §2); doctor relies on it.

A second server denies in other ways.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.namespaces import (
    CONFIGURATION,
    DEDICATED_NAME,
    IN_A,
    IN_B,
    MANY_ADDRESSES,
    MANY_NAME,
    SERVER_A,
    SERVER_B,
    SERVERLESS_NAME,
    Namespaces,
    examined,
    is_musl,
    serving,
)

pytestmark = pytest.mark.netns

AT_ONCE = 1.0  # seconds, the probe's start included; a second try of any libc comes later
UNKNOWN_NAME = f"{'9' * 32}-cn-hangzhou-vpc.alicloudapi.com"
IN_OWN_VPC = "127.0.0.1"  # the second server's only client, in no VPC


@pytest.mark.parametrize("family", ["", "4"])
@pytest.mark.parametrize(
    ("where", "server", "name", "address"),
    [
        (IN_A, SERVER_A, DEDICATED_NAME, "10.1.8.20"),
        (IN_A, SERVER_A, f"{DEDICATED_NAME}.", "10.1.8.20"),
        (IN_A, SERVER_A, "api.example.com", "10.1.8.20"),
        (IN_B, SERVER_B, SERVERLESS_NAME, "100.100.80.10"),
    ],
)
def test_ipv4_only_names(
    namespaces: Namespaces, getaddrinfo: Path, where: str, server: str, name: str, address: str, family: str
) -> None:
    """AF_UNSPEC, whose AAAA is NODATA, and AF_INET are the same."""
    found, took = namespaces.probe(getaddrinfo, where, server, name, *([family] if family else []))
    assert found == [address]
    assert took < AT_ONCE


@pytest.mark.parametrize("family", ["", "4", "6"])
@pytest.mark.parametrize("name", [DEDICATED_NAME, "api.example.com", UNKNOWN_NAME, f"www.{DEDICATED_NAME}"])
def test_denials(namespaces: Namespaces, getaddrinfo: Path, name: str, family: str) -> None:
    """NXDOMAIN for every type, closed names and unknown ones alike: no such name, at once."""
    found, took = namespaces.probe(getaddrinfo, IN_B, SERVER_B, name, *([family] if family else []))
    assert found == ["EAI_NONAME"]
    assert took < AT_ONCE


def test_no_data(namespaces: Namespaces, getaddrinfo: Path) -> None:
    """Where one family alone is asked for, no libc here tells it from a name that does not exist."""
    for name in (DEDICATED_NAME, "api.example.com"):
        found, took = namespaces.probe(getaddrinfo, IN_A, SERVER_A, name, "6")
        assert found in (["EAI_NONAME"], ["EAI_NODATA"])
        assert took < AT_ONCE


def test_denials_over_tcp(namespaces: Namespaces, getaddrinfo: Path) -> None:
    """A and AAAA in one segment, both denied on one connection."""
    found, took = namespaces.probe(getaddrinfo, IN_B, SERVER_B, DEDICATED_NAME, more="options use-vc")
    assert found == ["EAI_NONAME"]
    assert took < AT_ONCE


def test_a_search_list_as_kubernetes_writes_it(namespaces: Namespaces, getaddrinfo: Path) -> None:
    """The VPC domain with each search domain behind it comes first, and is answered here."""
    more = "search default.svc.example svc.example\noptions ndots:5"
    found, took = namespaces.probe(getaddrinfo, IN_A, SERVER_A, DEDICATED_NAME, more=more)
    assert found == ["10.1.8.20"]
    assert took < AT_ONCE


@pytest.mark.parametrize(
    "options", ["ndots:5", "use-vc", "single-request", "single-request-reopen", "edns0", "trust-ad"]
)
def test_options(namespaces: Namespaces, getaddrinfo: Path, options: str) -> None:
    """`use-vc` sends A and AAAA over TCP in one segment; musl knows only `ndots`."""
    found, took = namespaces.probe(getaddrinfo, IN_A, SERVER_A, "api.example.com", more=f"options {options}")
    assert found == ["10.1.8.20"]
    assert took < AT_ONCE


@pytest.mark.parametrize("name", [DEDICATED_NAME, "api.example.com"])
def test_two_search_domains(namespaces: Namespaces, getaddrinfo: Path, name: str) -> None:
    """Names under home.arpa do not exist (RFC 8375): two NXDOMAINs for each type, then the name itself."""
    more = "search default.svc.home.arpa svc.home.arpa\noptions ndots:5"
    found, took = namespaces.probe(getaddrinfo, IN_A, SERVER_A, name, more=more)
    assert found == ["10.1.8.20"]
    assert took < AT_ONCE


def test_a_search_domain_that_is_refused(namespaces: Namespaces, getaddrinfo: Path) -> None:
    """Why doctor calls it a problem: musl gives up the search, glibc goes on."""
    more = "search svc.example\noptions ndots:5 timeout:1 attempts:2"
    found, _ = namespaces.probe(getaddrinfo, IN_A, SERVER_A, "api.example.com", more=more)
    assert found == (["EAI_AGAIN"] if is_musl(getaddrinfo) else ["10.1.8.20"])


@pytest.mark.skipif(shutil.which("dig") is None, reason="needs dig (bind9-dnsutils)")
def test_512_octets(namespaces: Namespaces) -> None:
    """Without EDNS: the question kept, and not room for one address more (RFC 2181 §9, 16 octets each)."""
    cut = namespaces.dig(IN_B, f"@{SERVER_B}", MANY_NAME, "+noedns", "+ignore", "+notcp")
    size, flags = re.search(r"MSG SIZE  rcvd: (\d+)", cut), re.search(r"flags: ([a-z ]+);", cut)
    assert size
    assert flags
    assert "tc" in flags[1].split()
    assert 512 - 16 < int(size[1]) <= 512
    assert f";{MANY_NAME}." in cut
    assert len(re.findall(r"\sIN\s+A\s+100\.", cut)) == (512 - 12 - len(MANY_NAME) - 2 - 4) // 16


@pytest.mark.parametrize("family", ["", "4"])
def test_as_many_as_fit(namespaces: Namespaces, getaddrinfo: Path, family: str) -> None:
    """Glibc goes on over TCP; musl before 1.2.4 takes all those that came."""
    found, took = namespaces.probe(getaddrinfo, IN_B, SERVER_B, MANY_NAME, *([family] if family else []))
    whole = MANY_ADDRESSES if not is_musl(getaddrinfo) or len(found) == 60 else MANY_ADDRESSES[:26]
    assert set(found) == set(whole)
    assert took < AT_ONCE


@pytest.fixture(scope="module", params=["nodata", "refused", "drop"])
def denied(request: pytest.FixtureRequest, namespaces: Namespaces) -> Iterator[str]:
    """A server that denies so, on IN_B's loopback; whoever asks there is on the Internet."""
    kind = str(request.param)
    text = CONFIGURATION.replace('"0.0.0.0:53", "[::]:53"', '"127.0.0.1:53"')
    with serving(namespaces, IN_B, f"{text}answers: {{denied: {kind}}}\n"):
        yield kind


def test_other_denials(namespaces: Namespaces, getaddrinfo: Path, denied: str) -> None:
    """`refused` looks like an outage, at once to glibc; `drop` costs every try."""
    more = "options timeout:1 attempts:2"
    found, took = namespaces.probe(getaddrinfo, IN_B, IN_OWN_VPC, DEDICATED_NAME, more=more)
    if denied == "nodata":
        assert found == ["EAI_NODATA"] or (is_musl(getaddrinfo) and found == ["EAI_NONAME"])
        assert took < AT_ONCE
    else:
        assert found == ["EAI_AGAIN"]
        assert (took < AT_ONCE) == (denied == "refused" and not is_musl(getaddrinfo))
        assert took < 5


def test_doctor_on_other_denials(namespaces: Namespaces, denied: str) -> None:
    found = examined(namespaces, IN_B, f"nameserver {IN_OWN_VPC}\n", DEDICATED_NAME)
    expected = {"nodata": "warning", "refused": "problem", "drop": "problem"}
    assert found.severities["name"] == expected[denied]
    assert found.severities["vpc"] == "warning"
