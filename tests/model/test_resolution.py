"""Every row of DESIGN §3's table, on the value that everything else renders."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, ip_address

import pytest

from tests.support.example_world import (
    CUSTOM,
    DEDICATED_NAME,
    ENDPOINT,
    IN_A,
    IN_B,
    IN_C,
    IN_LAB,
    OFF_CUSTOM,
    OFF_NAME,
    ON_INTERNET,
    ON_PREMISES,
    SERVERLESS_NAME,
    SHANGHAI_NAME,
    SHARED_ADDRESSES,
    STRANGER,
    UNKNOWN_NAME,
    VPC_A,
    VPC_B,
    example,
)
from vpcdns.model.clients import Client, identify
from vpcdns.model.decision import Outcome, Reason
from vpcdns.model.dns import InfoCode, Question, Rcode, RRClass, RRType, type_number
from vpcdns.model.names import Name
from vpcdns.model.policy import Answers, Denied, Forwarding, ForwardRule, Otherwise, Upstream
from vpcdns.model.resolution import Resolution, resolve
from vpcdns.model.world import World

WORLD = example()
SHARED_TEXT = [str(address) for address in SHARED_ADDRESSES]
ALIASED = [f"{DEDICATED_NAME}.", str(ENDPOINT)]


def ask(
    name: str, client: str = IN_A, rtype: str = "A", world: World = WORLD, rclass: int = RRClass.IN
) -> Resolution:
    question = Question(Name.from_text(name), type_number(rtype), rclass)
    return resolve(question, identify(ip_address(client), world), world)


def data(resolution: Resolution) -> list[str]:
    return [record.rdata_text() for record in resolution.answers]


@pytest.mark.parametrize(
    ("name", "client", "rcode", "reason", "code", "answers"),
    [
        (DEDICATED_NAME, STRANGER, Rcode.REFUSED, Reason.STRANGER, 18, []),
        (SERVERLESS_NAME, IN_A, 0, Reason.SERVERLESS_SAME_REGION, None, SHARED_TEXT),
        (SERVERLESS_NAME, IN_B, 0, Reason.SERVERLESS_SAME_REGION, None, SHARED_TEXT),
        (SERVERLESS_NAME, IN_C, Rcode.NXDOMAIN, Reason.OTHER_REGION, 18, []),
        (SHANGHAI_NAME, IN_C, 0, Reason.SERVERLESS_SAME_REGION, None, ["100.100.90.10"]),
        (SERVERLESS_NAME, ON_PREMISES, 0, Reason.SERVERLESS_SAME_REGION, None, SHARED_TEXT),
        (SERVERLESS_NAME, IN_LAB, Rcode.NXDOMAIN, Reason.INTERNET, 18, []),
        (SERVERLESS_NAME, ON_INTERNET, Rcode.NXDOMAIN, Reason.INTERNET, 18, []),
        (DEDICATED_NAME, IN_A, 0, Reason.DEDICATED_BOUND_VPC, None, [str(ENDPOINT)]),
        (DEDICATED_NAME.upper(), IN_A, 0, Reason.DEDICATED_BOUND_VPC, None, [str(ENDPOINT)]),
        (DEDICATED_NAME, "fd00:1::5", 0, Reason.DEDICATED_BOUND_VPC, None, [str(ENDPOINT)]),
        (DEDICATED_NAME, ON_PREMISES, 0, Reason.DEDICATED_BOUND_VPC, None, [str(ENDPOINT)]),
        (DEDICATED_NAME, IN_B, Rcode.NXDOMAIN, Reason.OTHER_VPC, 18, []),
        (DEDICATED_NAME, IN_C, Rcode.NXDOMAIN, Reason.OTHER_REGION, 18, []),
        (DEDICATED_NAME, ON_INTERNET, Rcode.NXDOMAIN, Reason.INTERNET, 18, []),
        (OFF_NAME, IN_A, Rcode.NXDOMAIN, Reason.VPC_DOMAIN_OFF, 18, []),
        (OFF_NAME, ON_INTERNET, Rcode.NXDOMAIN, Reason.VPC_DOMAIN_OFF, 18, []),
        (UNKNOWN_NAME, IN_A, Rcode.NXDOMAIN, Reason.NO_SUCH_GROUP, 0, []),
        (DEDICATED_NAME.replace("hangzhou", "beijing"), IN_A, Rcode.NXDOMAIN, Reason.NO_SUCH_GROUP, 0, []),
        (DEDICATED_NAME[1:], IN_A, Rcode.NXDOMAIN, Reason.NO_SUCH_GROUP, 0, []),
        ("oops-vpc.alicloudapi.com", ON_INTERNET, Rcode.NXDOMAIN, Reason.NO_SUCH_GROUP, 0, []),
        (f"{DEDICATED_NAME}.corp.example", IN_A, Rcode.NXDOMAIN, Reason.SEARCH_EXPANDED, 0, []),
        (f"a.{DEDICATED_NAME}", IN_A, Rcode.NXDOMAIN, Reason.BELOW_VPC_DOMAIN, 0, []),
        (CUSTOM, IN_A, 0, Reason.DEDICATED_BOUND_VPC, None, ALIASED),
        (
            "x.y.wild.example.com",
            IN_A,
            0,
            Reason.DEDICATED_BOUND_VPC,
            None,
            [f"{DEDICATED_NAME}.", str(ENDPOINT)],
        ),
        (CUSTOM, IN_B, Rcode.NXDOMAIN, Reason.OTHER_VPC, 18, [f"{DEDICATED_NAME}."]),
        (CUSTOM, ON_INTERNET, Rcode.NXDOMAIN, Reason.INTERNET, 18, [f"{DEDICATED_NAME}."]),
        (OFF_CUSTOM, IN_A, Rcode.NXDOMAIN, Reason.VPC_DOMAIN_OFF, 18, [f"{OFF_NAME}."]),
        ("alicloudapi.com", ON_INTERNET, 0, Reason.SUFFIX, None, []),
        ("whoami.vpcdns.internal", IN_A, 0, Reason.WHOAMI, None, [IN_A]),
        ("nothing.vpcdns.internal", IN_A, Rcode.NXDOMAIN, Reason.VPCDNS_INTERNAL, None, []),
        ("vpcdns.internal", IN_A, 0, Reason.VPCDNS_INTERNAL, None, []),
        ("x.localhost", IN_A, 0, Reason.SPECIAL_USE, None, ["127.0.0.1"]),
        ("x.invalid", IN_A, Rcode.NXDOMAIN, Reason.SPECIAL_USE, None, []),
        ("5.0.1.10.in-addr.arpa", IN_A, Rcode.NXDOMAIN, Reason.SPECIAL_USE, None, []),
    ],
)
def test_the_table(
    name: str, client: str, rcode: int, reason: Reason, code: int | None, answers: list[str]
) -> None:
    found = ask(name, client)
    assert (found.outcome, found.rcode, found.reason) == (Outcome.RESPOND, rcode, reason)
    assert (None if found.extended_error is None else found.extended_error.info_code) == code
    assert data(found) == answers
    assert found.authoritative == (rcode != Rcode.REFUSED)
    # RFC 2308 §3: a negative answer, and no other, carries the SOA of a zone that encloses the name.
    assert (found.soa is not None) == (
        (rcode != Rcode.REFUSED and not answers[-1:]) or rcode == Rcode.NXDOMAIN
    )
    if found.soa is not None:
        assert found.target.is_at_or_below(found.soa.name)
        assert found.soa.ttl == 10
    assert found.steps[0].step == "client"


@pytest.mark.parametrize(
    "rtype", ["AAAA", "HTTPS", "SVCB", "MX", "TXT", "TYPE0", "TYPE1000", "TKEY", "NS", "SOA", "DS"]
)
def test_other_types_of_our_names_are_nodata(rtype: str) -> None:
    for name in (DEDICATED_NAME, SERVERLESS_NAME):
        found = ask(name, IN_A, rtype)
        assert (found.rcode, found.answers) == (Rcode.NOERROR, ())
        assert found.soa is not None
        assert str(found.soa.name) == "alicloudapi.com"


def test_any_is_one_rrset() -> None:
    """RFC 8482."""
    assert {record.rtype for record in ask(DEDICATED_NAME, IN_A, "ANY").answers} == {1}
    assert {record.rtype for record in ask(CUSTOM, IN_A, "ANY").answers} == {5}
    assert {record.rtype for record in ask("alicloudapi.com", IN_A, "ANY").answers} == {6}
    assert {record.rtype for record in ask("localhost", IN_A, "ANY").answers} <= {1, 6}
    assert ask(DEDICATED_NAME, IN_B, "ANY").rcode is Rcode.NXDOMAIN


def test_the_alias_itself_is_no_secret() -> None:
    """RFC 1034 §3.6.2: who asks for the CNAME gets it, and nothing is followed."""
    found = ask(CUSTOM, IN_B, "CNAME")
    assert (found.rcode, data(found)) == (Rcode.NOERROR, [f"{DEDICATED_NAME}."])


def test_an_alias_of_another_type_keeps_the_soa_of_the_target() -> None:
    found = ask(CUSTOM, IN_A, "AAAA")
    assert (found.rcode, data(found)) == (Rcode.NOERROR, [f"{DEDICATED_NAME}."])
    assert found.soa is not None
    assert str(found.soa.name) == "alicloudapi.com"


@pytest.mark.parametrize(
    ("denied", "outcome", "rcode", "has_soa"),
    [
        (Denied.NXDOMAIN, Outcome.RESPOND, Rcode.NXDOMAIN, True),
        (Denied.NODATA, Outcome.RESPOND, Rcode.NOERROR, True),
        (Denied.REFUSED, Outcome.RESPOND, Rcode.REFUSED, False),
        (Denied.DROP, Outcome.DROP, Rcode.REFUSED, False),
    ],
)
def test_denials(denied: Denied, outcome: Outcome, rcode: Rcode, has_soa: bool) -> None:
    world = example(Answers(denied=denied))
    for name, aliased in ((DEDICATED_NAME, False), (CUSTOM, True)):
        for rtype in ("A", "AAAA", "TXT", "HTTPS"):
            found = ask(name, IN_B, rtype, world)
            assert (found.outcome, found.reason) == (outcome, Reason.OTHER_VPC)
            assert found.soa is not None if has_soa else found.soa is None
            assert found.rcode is rcode
            assert found.extended_error is not None
            assert found.extended_error.info_code == InfoCode.PROHIBITED
            assert len(found.answers) == (1 if aliased else 0)
    # A name that nobody has is not denied: it does not exist, whatever the policy.
    assert ask(UNKNOWN_NAME, IN_B, "A", world).rcode is Rcode.NXDOMAIN
    assert ask(OFF_NAME, IN_B, "A", world).rcode is Rcode.NXDOMAIN


def test_names_that_do_not_exist_nearby_are_not_ours() -> None:
    for name in (
        "example.com",
        "a.api.example.com",
        "wild.example.com",
        "a.b.wild.example.com",
        "www.alicloudapi.com",
    ):
        assert ask(name).outcome is Outcome.FORWARD, name


def test_what_is_not_ours_is_forwarded_or_refused() -> None:
    found = ask("www.example.org")
    assert (found.outcome, found.reason, found.upstreams) == (
        Outcome.FORWARD,
        Reason.FORWARDED,
        WORLD.forwarding.upstreams,
    )
    assert not found.authoritative
    assert ask("www.test").outcome is Outcome.FORWARD
    alone = ask("www.example.org", world=example(forwarding=Forwarding()))
    assert (alone.outcome, alone.rcode, alone.reason) == (Outcome.RESPOND, Rcode.REFUSED, Reason.NO_UPSTREAMS)
    assert alone.extended_error is not None
    assert alone.extended_error.info_code == InfoCode.NOT_AUTHORITATIVE
    assert not alone.authoritative


def upstream(text: str) -> tuple[Upstream, ...]:
    return (Upstream(IPv4Address(text)),)


def rule(domain: str, address: str, *vpcs: str) -> ForwardRule:
    return ForwardRule(Name.from_text(domain), upstream(address) if address else (), frozenset(vpcs))


def test_the_longest_rule_that_applies_wins() -> None:
    rules = (
        rule("corp.example", "192.0.2.10"),
        rule("corp.example", "192.0.2.11", VPC_A),
        rule("hr.corp.example", "192.0.2.12", VPC_B),
        rule("dead.example", ""),
    )
    world = example(forwarding=Forwarding(upstream("192.0.2.1"), rules))
    for name, client, expected in [
        ("a.corp.example", IN_A, "192.0.2.11"),
        ("CORP.example", IN_A, "192.0.2.11"),
        ("a.corp.example", IN_B, "192.0.2.10"),
        ("a.hr.corp.example", IN_B, "192.0.2.12"),
        ("a.hr.corp.example", IN_A, "192.0.2.11"),
        ("a.hr.corp.example", IN_C, "192.0.2.10"),
        ("a.corp.example", ON_PREMISES, "192.0.2.11"),
        ("a.corp.example", ON_INTERNET, "192.0.2.10"),
        ("acorp.example", IN_A, "192.0.2.1"),
    ]:
        assert ask(name, client, world=world).upstreams == upstream(expected), (name, client)
    dead = ask("x.dead.example", world=world)
    assert (dead.rcode, dead.reason) == (Rcode.REFUSED, Reason.NO_UPSTREAMS)


def test_a_rule_gives_a_special_name_away_only_when_it_means_it() -> None:
    rules = (
        rule(".", "192.0.2.20"),
        rule("arpa", "192.0.2.21"),
        rule("1.10.in-addr.arpa", "192.0.2.22"),
        rule("168.192.in-addr.arpa", "192.0.2.23", VPC_A),
    )
    world = example(forwarding=Forwarding((), rules))
    assert ask("5.0.1.10.in-addr.arpa", world=world).upstreams == upstream("192.0.2.22")
    assert ask("5.0.2.10.in-addr.arpa", world=world).reason is Reason.SPECIAL_USE
    assert ask("1.1.168.192.in-addr.arpa", IN_A, world=world).upstreams == upstream("192.0.2.23")
    assert ask("1.1.168.192.in-addr.arpa", IN_B, world=world).reason is Reason.SPECIAL_USE
    assert ask("8.8.8.8.in-addr.arpa", world=world).upstreams == upstream("192.0.2.21")
    for name in ("localhost", "x.onion", "x.invalid", "x.alt", "home.arpa", "_dns.resolver.arpa"):
        assert ask(name, world=world).reason is Reason.SPECIAL_USE, name
    assert ask(DEDICATED_NAME, IN_B, world=world).reason is Reason.OTHER_VPC


def test_classes_and_transfers() -> None:
    for rclass in (RRClass.HS, RRClass.CH, RRClass.NONE, RRClass.ANY, 0, 65280):
        assert ask(DEDICATED_NAME, rclass=rclass).reason is Reason.CLASS_REFUSED
    for name in ("version.bind", "VERSION.bind", "version.server", "id.server", "hostname.bind"):
        found = ask(name, rtype="TXT", rclass=RRClass.CH)
        assert (found.rcode, data(found)) == (Rcode.NOERROR, ['"vpcdns"'])
        assert ask(name, rtype="A", rclass=RRClass.CH).rcode is Rcode.REFUSED
        assert ask(name, STRANGER, "TXT", rclass=RRClass.CH).reason is Reason.STRANGER
    for rtype in ("AXFR", "IXFR"):
        for name in ("alicloudapi.com", "example.org", DEDICATED_NAME):
            assert ask(name, rtype=rtype).reason is Reason.TRANSFER_REFUSED


def test_the_serial_is_the_revision() -> None:
    later = replace(WORLD, revision=(1 << 32) + 7)
    assert data(ask("ALICLOUDAPI.com", rtype="SOA", world=WORLD))[0].split()[2] == "1700000000"
    assert data(ask("alicloudapi.com", rtype="SOA", world=later))[0].split()[2] == "7"
    assert ask("alicloudapi.com", rtype="NS").soa is not None


def test_whoami() -> None:
    assert data(ask("WhoAmI.vpcdns.internal", ON_PREMISES, "TXT")) == [
        f'"address={ON_PREMISES}" "vpc={VPC_A}" "network=idc" "matched=source network 192.168.0.0/16 of idc"'
    ]
    assert "none (the Internet)" in data(ask("whoami.vpcdns.internal", ON_INTERNET, "TXT"))[0]
    assert data(ask("whoami.vpcdns.internal", "fd00:1::5", "AAAA")) == ["fd00:1::5"]
    assert data(ask("whoami.vpcdns.internal", "fd00:1::5", "A")) == []
    found = ask("whoami.vpcdns.internal", f"::ffff:{IN_A}")
    assert data(found) == [IN_A]
    assert found.personal
    assert found.answers[0].ttl == 0
    assert ask("a.whoami.vpcdns.internal").rcode is Rcode.NXDOMAIN


def test_explain() -> None:
    open_, closed = (
        data(ask(f"{CUSTOM}.explain.vpcdns.internal", client, "TXT"))[0] for client in (IN_A, IN_B)
    )
    assert str(ENDPOINT) in open_
    assert "NOERROR (dedicated-bound-vpc)" in open_
    assert f"bound to {VPC_A}, you are in {VPC_B}" in closed
    assert "NXDOMAIN (other-vpc)" in closed
    assert str(ENDPOINT) not in closed
    assert ask("explain.vpcdns.internal", rtype="TXT").rcode is Rcode.NOERROR  # it has names below it
    assert ask(f"{DEDICATED_NAME}.explain.vpcdns.internal", rtype="A").answers == ()
    nested = ask("a.explain.vpcdns.internal.explain.vpcdns.internal", rtype="TXT")
    assert "(explain)" in data(nested)[0]


def test_a_chain_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """In SERVFAIL, and without the chain, in which a loop would stand several times."""
    monkeypatch.setattr("vpcdns.model.resolution.MAX_CHAIN", 0)
    found = ask(CUSTOM)
    assert (found.rcode, found.reason) == (Rcode.SERVFAIL, Reason.CHAIN_TOO_LONG)
    assert data(found) == []


def test_a_client_of_nowhere_at_all() -> None:
    found = resolve(Question(Name(()), 0, 0), Client(ip_address("::"), allowed=False), WORLD)
    assert found.rcode is Rcode.REFUSED


@pytest.mark.parametrize(
    "name", ["alicloudapi.com", "AliCloudAPI.com", "vpcdns.internal", "10.in-addr.arpa", "home.arpa"]
)
def test_ds_of_a_zone_that_begins_here_is_the_parents(name: str) -> None:
    """RFC 4035 §3.1.4.1: behind a validator, no proof of its absence makes the whole zone bogus."""
    world = example()
    client = identify(ip_address("10.1.0.5"), world)
    found = resolve(Question(Name.from_text(name), RRType.DS), client, world)
    assert (found.outcome, found.upstreams) == (Outcome.FORWARD, world.forwarding.upstreams)
    assert resolve(Question(Name.from_text(name), RRType.SOA), client, world).outcome is Outcome.RESPOND


@pytest.mark.parametrize("name", ["localhost", "onion", "invalid", DEDICATED_NAME])
def test_ds_of_other_names_of_ours_is_answered_here(name: str) -> None:
    world = example()
    client = identify(ip_address("10.1.0.5"), world)
    assert resolve(Question(Name.from_text(name), RRType.DS), client, world).outcome is Outcome.RESPOND


@pytest.mark.parametrize("otherwise", Otherwise)
def test_foreign_names_without_upstreams(otherwise: Otherwise) -> None:
    world = replace(example(), forwarding=Forwarding(otherwise=otherwise))
    client = identify(ip_address(IN_A), world)
    found = resolve(Question(Name.from_text("www.example.org"), RRType.A), client, world)
    assert (found.outcome, found.rcode.name.lower()) == (Outcome.RESPOND, otherwise.value)
    assert found.extended_error is not None
    assert found.extended_error.info_code is InfoCode.NOT_AUTHORITATIVE
    assert not found.authoritative
