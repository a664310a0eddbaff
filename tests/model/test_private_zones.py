"""Private zones: who sees them, what is in them, and what comes before what (DESIGN §1.11, §3)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.example_world import CUSTOM, DEDICATED_NAME, IN_A, IN_B, ON_INTERNET, VPC_A, VPC_B, example
from vpcdns.model.clients import identify
from vpcdns.model.decision import Outcome, Reason
from vpcdns.model.dns import Question, Rcode, Rdata, RRType, Soa
from vpcdns.model.names import Name
from vpcdns.model.policy import Forwarding, ForwardRule, Upstream
from vpcdns.model.private_zones import PrivateZone, PrivateZones, ZoneRecord
from vpcdns.model.resolution import Resolution, resolve
from vpcdns.model.world import World

UPSTREAMS = (Upstream(ip_address("192.0.2.53")),)


def name(text: str) -> Name:
    return Name.from_text(text)


def record(owner: str, rtype: RRType, data: str, ttl: int | None = None) -> ZoneRecord:
    rdata: Rdata = ip_address(data) if rtype in (RRType.A, RRType.AAAA) else name(data)
    return ZoneRecord(name(owner), rtype, rdata, ttl)


def zone(
    apex: str, *records: ZoneRecord, vpcs: tuple[str, ...] = (VPC_A,), fall_through: bool = False
) -> PrivateZone:
    made = PrivateZone(f"id-{apex}", name(apex), frozenset(vpcs), fall_through)
    return made.with_records(enumerate(records))


CORP = zone(
    "corp.test",
    record("db.corp.test", RRType.A, "10.1.0.9", 30),
    record("db.corp.test", RRType.A, "10.1.0.10", 20),
    record("*.apps.corp.test", RRType.CNAME, "db.corp.test"),
    record("exact.apps.corp.test", RRType.A, "10.1.0.11"),
    record("a.b.c.corp.test", RRType.A, "10.1.0.12"),
    record("out.corp.test", RRType.CNAME, "www.example.org"),
    record("api.corp.test", RRType.CNAME, str(DEDICATED_NAME)),
)


def world(*zones: PrivateZone, rules: tuple[ForwardRule, ...] = ()) -> World:
    return replace(example(), private_zones=PrivateZones.of(zones), forwarding=Forwarding(UPSTREAMS, rules))


def asked(where: World, text: str, rtype: int = RRType.A, peer: str = IN_A) -> Resolution:
    return resolve(Question(name(text), rtype), identify(ip_address(peer), where), where)


def data(resolution: Resolution) -> list[str]:
    return [record.rdata_text() for record in resolution.answers]


def test_only_its_vpcs_see_it() -> None:
    where = world(CORP)
    inside = asked(where, "DB.corp.test")
    assert (inside.reason, inside.rcode, inside.authoritative) == (Reason.PRIVATE_ZONE, Rcode.NOERROR, True)
    assert data(inside) == ["10.1.0.9", "10.1.0.10"]
    assert {one.ttl for one in inside.answers} == {20}, "RFC 2181 §5.2: one TTL for an RRset"
    assert inside.cyclic
    for peer in (IN_B, ON_INTERNET):
        outside = asked(where, "db.corp.test", peer=peer)
        assert outside.outcome is Outcome.FORWARD
        assert "not bound to where" in " ".join(step.detail for step in outside.steps)


@pytest.mark.parametrize(
    ("text", "rtype", "rcode", "answers"),
    [
        ("none.corp.test", RRType.A, Rcode.NXDOMAIN, []),
        ("db.corp.test", RRType.AAAA, Rcode.NOERROR, []),
        ("c.corp.test", RRType.A, Rcode.NOERROR, []),  # RFC 8020: an empty non-terminal exists
        ("b.c.corp.test", RRType.A, Rcode.NOERROR, []),
        ("x.b.c.corp.test", RRType.A, Rcode.NXDOMAIN, []),
        ("below.db.corp.test", RRType.A, Rcode.NXDOMAIN, []),
        ("new.apps.corp.test", RRType.A, Rcode.NOERROR, ["db.corp.test.", "10.1.0.9", "10.1.0.10"]),
        ("far.new.apps.corp.test", RRType.CNAME, Rcode.NOERROR, ["db.corp.test."]),
        ("exact.apps.corp.test", RRType.A, Rcode.NOERROR, ["10.1.0.11"]),
        ("x.exact.apps.corp.test", RRType.A, Rcode.NXDOMAIN, []),  # RFC 4592 §2.2.1
        ("apps.corp.test", RRType.A, Rcode.NOERROR, []),
        ("corp.test", RRType.NS, Rcode.NOERROR, ["corp.test."]),
        ("db.corp.test", RRType.ANY, Rcode.NOERROR, ["10.1.0.9", "10.1.0.10"]),
    ],
)
def test_what_is_in_it(text: str, rtype: RRType, rcode: Rcode, answers: list[str]) -> None:
    found = asked(world(CORP), text, rtype)
    assert (found.rcode, data(found)) == (rcode, answers)
    assert found.soa is None or found.soa.name == name("corp.test")
    assert (found.soa is None) == bool(answers)


def test_the_apex_has_a_soa_its_own_or_one_that_is_made() -> None:
    made = asked(world(CORP), "corp.test", RRType.SOA).answers[0]
    assert isinstance(made.rdata, Soa)
    assert made.rdata.serial == example().revision & 0xFFFFFFFF
    own = Soa(name("ns.corp.test"), name("root.corp.test"), 7, 1, 2, 3, 40)
    mine = zone("corp.test", ZoneRecord(name("corp.test"), RRType.SOA, own, 90))
    answer = asked(world(mine), "corp.test", RRType.SOA).answers[0]
    assert (answer.rdata, answer.ttl) == (own, 90)
    negative = asked(world(mine), "x.corp.test").soa
    assert negative is not None
    assert (negative.rdata, negative.ttl) == (own, 40)


def test_every_cname_starts_again_from_the_top() -> None:
    out = asked(world(CORP), "out.corp.test")
    assert (out.outcome, out.target, data(out)) == (
        Outcome.FORWARD,
        name("www.example.org"),
        ["www.example.org."],
    )
    where = world(CORP, zone("example.org", record("www.example.org", RRType.A, "10.9.9.9")))
    assert data(asked(where, "out.corp.test")) == ["www.example.org.", "10.9.9.9"]
    denied = asked(world(replace(CORP, vpcs=frozenset({VPC_B}))), "api.corp.test", peer=IN_B)
    assert (denied.reason, denied.rcode) == (Reason.OTHER_VPC, Rcode.NXDOMAIN)


def test_the_most_specific_zone_has_the_say() -> None:
    inner = zone("apps.corp.test", record("one.apps.corp.test", RRType.A, "10.7.7.7"))
    where = world(CORP, inner)
    assert data(asked(where, "one.apps.corp.test")) == ["10.7.7.7"]
    assert asked(where, "exact.apps.corp.test").rcode is Rcode.NXDOMAIN
    soa = asked(where, "apps.corp.test", RRType.DS).soa
    assert soa is not None
    assert soa.name == name("corp.test")
    # A name that the zone above lacks, and at which another begins, exists all the same.
    beside = world(zone("corp.test"), inner)
    assert asked(beside, "apps.corp.test", RRType.DS).rcode is Rcode.NOERROR
    assert asked(where, "corp.test", RRType.DS).outcome is Outcome.FORWARD
    fallen = world(CORP, replace(inner, fall_through=True))
    assert data(asked(fallen, "exact.apps.corp.test")) == ["10.1.0.11"]


@pytest.mark.parametrize(
    ("apex", "outcome"),
    [
        (CUSTOM, Outcome.FORWARD),
        (f"x.{CUSTOM}", Outcome.FORWARD),
        (str(DEDICATED_NAME), Outcome.FORWARD),
        ("wild.example.org", Outcome.FORWARD),
        ("10.in-addr.arpa", Outcome.FORWARD),
        ("1.10.in-addr.arpa", Outcome.RESPOND),
        ("sub.apps.corp.test", Outcome.RESPOND),
    ],
)
def test_ds_of_a_zone_is_the_parents_whatever_lies_there(apex: str, outcome: Outcome) -> None:
    """A CNAME or NXDOMAIN for DS would be cached, and hide the zone behind a resolver in front of us."""
    where = world(CORP, zone(apex, record(f"db.{apex}", RRType.A, "10.9.9.9")))
    found = asked(where, apex, RRType.DS)
    assert (found.outcome, found.rcode, data(found)) == (outcome, Rcode.NOERROR, [])
    assert data(asked(where, f"db.{apex}")) == ["10.9.9.9"]


def test_a_long_chain_of_a_zone() -> None:
    links = [record(f"c{n}.chain.org", RRType.CNAME, f"c{n + 1}.chain.org") for n in range(17)]
    where = world(zone("chain.org", *links, record("c17.chain.org", RRType.A, "10.1.0.9")))
    assert len(data(asked(where, "c1.chain.org"))) == 17
    too_long = asked(where, "c0.chain.org")
    assert (too_long.rcode, data(too_long)) == (Rcode.SERVFAIL, [])


def test_where_zones_and_names_overlap() -> None:
    zones = PrivateZones.of([CORP, zone("apps.plain.test", vpcs=(VPC_B,))])
    said = {
        (text, vpc_id): zones.overlap(name(text), vpc_id)
        for text in ("corp.test", "x.corp.test", "test", "plain.test", "other.test")
        for vpc_id in (VPC_A, VPC_B, None)
    }
    assert {pair for pair, overlap in said.items() if overlap} == {
        ("corp.test", VPC_A),
        ("x.corp.test", VPC_A),
        ("test", VPC_A),
        ("test", VPC_B),
        ("plain.test", VPC_B),
    }


def test_what_it_lets_pass_is_resolved_as_if_it_were_not_there() -> None:
    where = world(replace(CORP, fall_through=True))
    assert asked(where, "none.corp.test").outcome is Outcome.FORWARD
    assert asked(where, "c.corp.test").rcode is Rcode.NOERROR
    assert "falls through" in " ".join(step.detail for step in asked(where, "none.corp.test").steps)


def test_before_what_it_comes() -> None:
    """Custom domains, forward rules, special-use names, VPC domains; not the names of vpcdns itself."""
    rule = ForwardRule(name("corp.test"), UPSTREAMS)
    assert data(asked(world(CORP, rules=(rule,)), "db.corp.test"))[0] == "10.1.0.9"
    custom = zone(str(CUSTOM), record(str(CUSTOM), RRType.A, "10.5.5.5"))
    assert data(asked(world(custom), str(CUSTOM))) == ["10.5.5.5"]
    assert asked(world(custom), str(CUSTOM), peer=IN_B).reason is not Reason.PRIVATE_ZONE
    reverse = zone(
        "1.10.in-addr.arpa", ZoneRecord(name("9.0.1.10.in-addr.arpa"), RRType.PTR, name("db.corp.test"))
    )
    assert data(asked(world(reverse), "9.0.1.10.in-addr.arpa", RRType.PTR)) == ["db.corp.test."]
    internal = zone("internal", record("a.internal", RRType.A, "10.5.5.6"))
    assert data(asked(world(internal), "a.internal")) == ["10.5.5.6"]
    whoami = asked(world(internal, CORP), "whoami.vpcdns.internal", RRType.TXT)
    assert "private_zones=corp.test,internal" in data(whoami)[0]


def test_a_rule_or_a_zone_is_an_exception_to_a_wildcard_custom_domain() -> None:
    below = "mail.wild.example.com"
    rule = ForwardRule(name(below), UPSTREAMS)
    assert asked(world(), below).reason is not Reason.FORWARDED
    assert asked(world(rules=(rule,)), f"a.{below}").outcome is Outcome.FORWARD
    assert (
        asked(world(rules=(ForwardRule(name("wild.example.com"), UPSTREAMS),)), below).outcome
        is Outcome.RESPOND
    )
    assert data(asked(world(zone(below, record(below, RRType.A, "10.4.4.4"))), below)) == ["10.4.4.4"]


def test_records_come_and_go() -> None:
    """A change and its undoing give the zone as it was."""
    more = CORP.with_record(77, record("new.deep.corp.test", RRType.A, "10.1.0.13"))
    assert data(asked(world(more), "new.deep.corp.test")) == ["10.1.0.13"]
    assert asked(world(more), "deep.corp.test").rcode is Rcode.NOERROR
    assert more.with_record(77, None) == CORP
    off = CORP.with_record(0, replace(CORP.records[0], enabled=False))
    assert data(asked(world(off), "db.corp.test")) == ["10.1.0.10"]
    assert PrivateZones.of([CORP]).with_zone(more).with_zone(CORP) == PrivateZones.of([CORP])
    assert not PrivateZones.of([CORP]).without_zone(CORP.zone_id)


@given(st.data())
def test_changed_zones_are_those_made_anew(data: st.DataObject) -> None:
    """Invariant: whatever zones came, went and were bound elsewhere, look-ups find what they should."""
    zones = PrivateZones()
    texts = ["test", "corp.test", "a.b.corp.test", "example.org"]
    for _ in range(data.draw(st.integers(0, 12))):
        number = data.draw(st.integers(0, 5))
        text = data.draw(st.sampled_from(texts))
        free = [
            one for one in (VPC_A, VPC_B) if zones.seen_as.get((one, name(text)), f"{number}") == f"{number}"
        ]
        vpcs = frozenset(data.draw(st.sets(st.sampled_from(free)) if free else st.just(set())))
        if f"{number}" in zones.zones and data.draw(st.booleans()):
            zones = zones.without_zone(f"{number}")
        else:
            zones = zones.with_zone(PrivateZone(f"{number}", name(text), vpcs))
        anew = PrivateZones.of(zones.zones.values())
        assert zones == anew
        for text in (*texts, "x.corp.test", "b.corp.test", "org", ".", "other"):
            assert zones.are_near(name(text)) == anew.are_near(name(text))
            assert bool(zones) == bool(zones.zones)
