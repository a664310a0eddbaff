from ipaddress import ip_address

import pytest

from vpcdns.model.dns import RRType
from vpcdns.model.names import Name
from vpcdns.model.special_use import records_at, zone_of


@pytest.mark.parametrize(
    ("name", "apex"),
    [
        ("localhost", "localhost"),
        ("a.LOCALHOST", "localhost"),
        ("invalid", "invalid"),
        ("x.onion", "onion"),
        ("x.alt", "alt"),
        ("host.home.arpa", "home.arpa"),
        ("_dns.resolver.arpa", "resolver.arpa"),
        ("5.0.1.10.in-addr.arpa", "10.in-addr.arpa"),
        ("1.16.172.in-addr.arpa", "16.172.in-addr.arpa"),
        ("1.31.172.in-addr.arpa", "31.172.in-addr.arpa"),
        ("1.168.192.in-addr.arpa", "168.192.in-addr.arpa"),
        ("10.80.100.100.in-addr.arpa", "100.100.in-addr.arpa"),
        ("1.64.100.in-addr.arpa", "64.100.in-addr.arpa"),
        ("1.127.100.in-addr.arpa", "127.100.in-addr.arpa"),
        ("255.255.255.255.in-addr.arpa", "255.255.255.255.in-addr.arpa"),
        ("1.0.d.f.ip6.arpa", "d.f.ip6.arpa"),
        ("0.8.e.f.ip6.arpa", "8.e.f.ip6.arpa"),
    ],
)
def test_names_that_stay_here(name: str, apex: str) -> None:
    zone = zone_of(Name.from_text(name))
    assert zone is not None
    assert str(zone.apex) == apex
    assert zone.source.startswith("RFC ")


@pytest.mark.parametrize(
    "name",
    [
        ".",
        "arpa",
        "in-addr.arpa",
        "172.in-addr.arpa",
        "1.15.172.in-addr.arpa",
        "1.32.172.in-addr.arpa",
        "1.63.100.in-addr.arpa",
        "1.128.100.in-addr.arpa",
        "8.8.8.8.in-addr.arpa",
        "255.255.255.in-addr.arpa",
        "0.c.e.f.ip6.arpa",
        "test",
        "example.com",
        "local",
        "notlocalhost",
        "localhost.example",
    ],
)
def test_names_that_do_not(name: str) -> None:
    assert zone_of(Name.from_text(name)) is None


@pytest.mark.parametrize(
    ("name", "rtype", "text"),
    [
        ("localhost", RRType.A, "127.0.0.1"),
        ("any.localhost", RRType.AAAA, "::1"),
        ("1.0.0.127.in-addr.arpa", RRType.PTR, "localhost"),
        (ip_address("::1").reverse_pointer, RRType.PTR, "localhost"),
        ("home.arpa", RRType.NS, "home.arpa"),
    ],
)
def test_what_exists(name: str, rtype: RRType, text: str) -> None:
    owner = Name.from_text(name)
    zone = zone_of(owner)
    assert zone is not None
    records = records_at(owner, zone)
    assert records is not None
    assert str(records[rtype]) == text


def test_nothing_exists_under_the_others_but_what_has_names_below() -> None:
    """RFC 8020: a name with something below it is NODATA, not NXDOMAIN."""
    for name, exists in [
        ("invalid", False),
        ("a.onion", False),
        ("host.home.arpa", False),
        ("5.1.10.in-addr.arpa", False),
        ("0.0.127.in-addr.arpa", True),
        ("_dns.resolver.arpa", True),
        ("dns.resolver.arpa", False),
    ]:
        owner = Name.from_text(name)
        zone = zone_of(owner)
        assert zone is not None
        assert (records_at(owner, zone) is not None) == exists, name
