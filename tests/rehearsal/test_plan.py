"""Plans: against asking both Worlds for every source and every name, and as pages for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hybrid_cloud import CONFIGURATION, hybrid
from tests.support.world_strategies import (
    CHANGES,
    CUSTOM,
    VPC_CHANGES,
    ZONE_CHANGES,
    ZONE_NAMES,
    tried,
    with_zones,
    worlds,
)
from vpcdns.model.dns import RRType
from vpcdns.model.names import Name
from vpcdns.model.routing import source_of
from vpcdns.model.world import World
from vpcdns.rehearsal.change_text import changed
from vpcdns.rehearsal.fates import NOBODY, Fate, changed_fates
from vpcdns.rehearsal.plan import plan
from vpcdns.rehearsal.plan_text import SECTIONS, plan_data, plan_markdown, plan_text

Line = tuple[str, Name, Fate, Fate]  # a source, a name, and what becomes of it before and after


def gateway_names(world: World) -> set[Name]:
    return {world.vpc_domain(group) for group in world.groups.values()} | set(world.custom_domains.values)


def starred(name: Name) -> Name:
    """What stands for the names below."""
    return Name((b"*", *name.labels))


def zone_names(world: World) -> set[Name]:
    """What exists in private zones, and the rest of each."""
    found: set[Name] = set()
    for zone in world.private_zones.zones.values():
        found |= {zone.zone, starred(zone.zone)}
        found |= {name for name in zone.served.nodes if name.is_at_or_below(zone.zone)}
    return found


def seeing(source: str, name: Name, world: World, *others: World) -> bool:
    """Whether the source sees a private zone around the name.

    With `others`: as what it resolves as in any of them, also around where a custom domain leads there.
    """
    sources = [found for one in others or (world,) if (found := source_of(source, one)) is not None]
    custom = [(one, match[1]) for one in others if (match := one.custom_domains.match(name)) is not None]
    names = [name, *(one.vpc_domain(one.groups[group_id]) for one, group_id in custom)]
    pairs = product(names, {found.client.vpc_id for found in sources})
    return any(True for one, vpc_id in pairs for _ in world.private_zones.enclosing(one, vpc_id))


def asked(source: str, name: Name, old: World, new: World) -> tuple[Fate, Fate] | None:
    """What changes for a source, also for other types than A that zones have there, or where it leads."""
    private = any(seeing(source, name, world, old, new) for world in (old, new))

    def types_at(names: Iterable[Name]) -> set[int]:
        return {
            record.rtype
            for world in (old, new)
            for zone in world.private_zones.zones.values()
            for one in names
            if private and zone.vpcs and one.is_at_or_below(zone.zone)
            for record in zone.at(one) or ()
        } - {RRType.A}

    return changed_fates(name, (source_of(source, old), old), (source_of(source, new), new), types_at)


def sources_of(old: World, new: World) -> dict[str, None]:
    topologies = old.topology, new.topology
    return dict.fromkeys(name for one in topologies for name in (*one.vpcs, *one.networks))


def brute_force(old: World, new: World) -> set[Line]:
    """(source, name, before, after), one by one.

    Names that only private zones have are for those to ask who see such a zone.
    """
    found = set()
    gateways = gateway_names(old) | gateway_names(new)
    for name in gateways | zone_names(old) | zone_names(new):
        for source in sources_of(old, new):
            if name not in gateways and not (seeing(source, name, old) or seeing(source, name, new)):
                continue
            if (fates := asked(source, name, old, new)) is not None:
                found.add((source, name, *fates))
    return found


def planned(old: World, new: World) -> set[Line]:
    """The same from the plan, whose flows have all of their names as samples here."""
    found: list[Line] = []
    for section in plan(old, new).sections:
        assert section.flow.count == len(section.flow.samples)
        for row in section.rows:
            found += [
                (source, name, row.before, row.after)
                for name in section.flow.samples
                for source in row.sources
            ]
    assert len(found) == len(set(found)), "nothing is said twice"
    return set(found)


@pytest.fixture(autouse=True, scope="module")
def all_samples() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vpcdns.rehearsal.plan.SAMPLES", 1_000)
        patch.setattr("vpcdns.rehearsal.flows.SAMPLES", 1_000)
        yield


def says_what_is_true(old: World, new: World) -> None:
    said, true = planned(old, new), brute_force(old, new)
    for line in true - said:
        assert line[1].is_wildcard
        assert is_said(line, said), line
    for source, name, *fates in said - true:  # names below others, and exceptions to wildcards
        assert asked(source, name, old, new) == tuple(fates)


def is_said(line: Line, said: set[Line]) -> bool:
    """Of the name, or of those below a name above it."""
    source, name, *fates = line
    listed = (name, *map(starred, (*name.ancestors(), Name(()))))
    return any((source, one, *fates) in said for one in listed)


@st.composite
def pairs_of_worlds(draw: st.DrawFn) -> tuple[World, World]:
    old = draw(worlds())
    new = old
    if draw(st.booleans()):
        old = new = draw(with_zones(old))
    for change in draw(st.lists(CHANGES | VPC_CHANGES | ZONE_CHANGES, min_size=1, max_size=4)):
        new = tried(new, change)
    for vpc_id in draw(st.lists(st.sampled_from([*old.topology.vpcs, None]), max_size=1)):
        new = changed(new, f"resolve-as idc {vpc_id or '-'}")
    return (new, old) if draw(st.booleans()) else (old, new)


@given(pairs_of_worlds())
def test_a_plan_tells_what_asking_everybody_tells(both: tuple[World, World]) -> None:
    says_what_is_true(*both)


@given(worlds(), worlds())
def test_a_plan_between_strangers_tells_what_asking_everybody_tells(old: World, new: World) -> None:
    says_what_is_true(old, new)


@given(
    pairs_of_worlds(), st.sampled_from((*ZONE_NAMES, *CUSTOM)), st.lists(st.sampled_from("dqw"), max_size=2)
)
def test_no_name_changes_without_a_word(both: tuple[World, World], near: Name, labels: list[str]) -> None:
    """A name that nothing knows by itself fares as the `*.` above it that the plan lists."""
    old, new = both
    name = Name((*(label.encode() for label in labels), *near.labels))
    found, said = plan(old, new), planned(old, new)
    for source in sources_of(old, new):
        fates = asked(source, name, old, new)
        if fates is not None and NOBODY not in fates:
            assert is_said((source, name, *fates), said) or found.settings, (source, name, fates)


def test_the_same_world_is_no_change() -> None:
    world = hybrid()
    assert plan(world, world).sections == ()
    assert plan(world, replace(world, revision=7)).sections == ()
    assert list(plan_text(plan(world, world))) == ["Nothing changes for anybody."]


def test_rebinding_says_who_loses_and_who_gains() -> None:
    world = hybrid()
    found = plan(world, changed(world, "bind gw vpc-b vsw-b"))
    assert found.pairs == 6, "two names of one instance, for vpc-a, vpc-b and idc"
    assert (found.lost, found.gained) == (4, 2)
    text = "\n".join(plan_text(found))
    assert "vpc-a, idc: 10.1.8.20 reachable -> NXDOMAIN  (LOST)" in text
    assert "vpc-b: NXDOMAIN -> 10.2.8.1 reachable  (gained)" in text
    assert "bound to vpc-b, you are in vpc-a" in text
    assert json.loads(json.dumps(plan_data(found)))["lost"] == 4
    assert "| vpc-b | NXDOMAIN | 10.2.8.1 reachable  (gained) |" in "\n".join(plan_markdown(found))


def test_migrating_leaves_the_bound_vpc_only() -> None:
    world = hybrid()
    found = plan(world, changed(world, f"migrate {'a' * 32} gw"))
    told = {row.sources[0]: (str(row.before), str(row.after)) for row in found.sections[0].rows}
    assert told == {
        "vpc-a": ("100.100.80.10 reachable", "10.1.8.20 reachable"),
        "vpc-b": ("100.100.80.10 reachable", "NXDOMAIN"),
        "idc": ("100.100.80.10 no_route", "10.1.8.20 reachable"),
    }


def test_routes_and_connections_change_reachability_only() -> None:
    world = hybrid()
    cut = changed(world, "cut vpn-1")
    assert [
        (row.sources, str(row.after)) for section in plan(world, cut).sections for row in section.rows
    ] == [(["idc"], "10.1.8.20 no_route"), (["idc"], "10.1.8.20 no_route")]
    routed = changed(cut, "route idc 10.0.0.0/8 cen-1")
    assert plan(world, routed).sections == ()


def test_a_page_however_many_sections() -> None:
    world = hybrid()
    found = plan(world, changed(world, "bind gw vpc-b vsw-b"))
    many = replace(found, sections=found.sections * 1000)
    assert len(list(plan_text(many))) < 12 * SECTIONS
    assert len(plan_data(many)["sections"]) == 1000 * len(found.sections)


ZONE = "private_zones: [{zone: %s, vpcs: [vpc-a], fall_through: %s, records: [%s]}]\n"
WILDCARD = CONFIGURATION.replace("[api.example.com]", '[api.example.com, "*.example.net"]')
DB = "{name: db, type: A, values: [10.1.8.9]}"


def in_lines(old: World, new: World) -> str:
    """What a plan says of vpc-a, in one line for each section."""
    lines = []
    for section in plan(old, new).sections:
        names, title = ", ".join(map(str, section.flow.samples)), section.flow.after.zone or section.instance
        changes = [f"{row.before} -> {row.after}" for row in section.rows if "vpc-a" in row.sources]
        lines.append(f"{title}: {names}: {'; '.join(changes)}")
    return "\n".join(sorted(lines))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (  # names of a wildcard custom domain that a zone takes
            "",
            ZONE % ("foo.example.net", "false", ""),
            """foo.example.net: *.foo.example.net: 10.1.8.20 reachable -> NXDOMAIN
foo.example.net: foo.example.net: 10.1.8.20 reachable -> NODATA""",
        ),
        (
            "",
            ZONE % ("foo.example.net", "true", ""),
            "foo.example.net: foo.example.net: 10.1.8.20 reachable -> NODATA",
        ),
        (  # and a forward rule
            "",
            ", rules: [{domain: foo.example.net, upstreams: [192.0.2.2]}]",
            """gw: *.foo.example.net: 10.1.8.20 reachable -> forwarded
gw: foo.example.net: 10.1.8.20 reachable -> forwarded""",
        ),
        (
            ZONE % ("corp.test", "true", DB),
            ZONE % ("corp.test", "false", DB),
            "corp.test: *.corp.test: forwarded -> NXDOMAIN",
        ),
        ("", ZONE % ("org", "false", ""), "org: *.org: forwarded -> NXDOMAIN\norg: org: forwarded -> NODATA"),
        (
            ZONE % ("ext.test", "true", DB),
            ZONE % ("ext.test", "true", DB + ", {name: a, type: CNAME, values: [www.example.org.]}"),
            "ext.test: a.ext.test: forwarded -> forwarded as www.example.org; CNAME www.example.org.",
        ),
        (
            ZONE % ("corp.test", "false", DB + ", {name: db, type: TXT, values: [x]}"),
            ZONE % ("corp.test", "false", DB + ", {name: db, type: TXT, values: [two, three]}"),
            'corp.test: db.corp.test: 10.1.8.9 reachable; TXT "x" -> 10.1.8.9 reachable; TXT "three", "two"',
        ),
        (
            ZONE % ("corp.test", "false", DB),
            ZONE % ("corp.test", "false", DB + ", {name: '@', type: MX, values: [10 db]}"),
            "corp.test: corp.test: NODATA -> NODATA; MX 10 db.corp.test.",
        ),
        (  # an alias of a name whose AAAA record changes
            ZONE % ("corp.test", "false", "{name: a, type: CNAME, values: [b]}"),
            ZONE
            % (
                "corp.test",
                "false",
                '{name: a, type: CNAME, values: [b]}, {name: b, type: AAAA, values: ["fd00::1"]}',
            ),
            "corp.test: a.corp.test, b.corp.test: NXDOMAIN -> NODATA; AAAA fd00::1",
        ),
        (  # an empty non-terminal, and a name that keeps a wildcard from those below it
            ZONE % ("corp.test", "false", '{name: "*", type: A, values: [10.1.8.9]}'),
            ZONE
            % (
                "corp.test",
                "false",
                '{name: "*", type: A, values: [10.1.8.9]}, {name: a.b, type: A, values: [10.1.8.9]}',
            ),
            """corp.test: *.b.corp.test: 10.1.8.9 reachable -> NXDOMAIN
corp.test: b.corp.test: 10.1.8.9 reachable -> NODATA""",
        ),
    ],
)
def test_private_zones_and_forward_rules(old: str, new: str, expected: str) -> None:
    rules, zones = ("", new) if new.startswith("private") else (new, "")
    configuration = WILDCARD.replace("{upstreams: []}", "{upstreams: [192.0.2.1]}")
    after = configuration.replace("{upstreams: [192.0.2.1]}", f"{{upstreams: [192.0.2.1]{rules}}}")
    assert in_lines(hybrid(configuration + old), hybrid(after + zones)) == expected


def test_a_zone_without_records_hides_the_names_of_groups() -> None:
    after = hybrid(CONFIGURATION + ZONE % ("com", "false", ""))
    text = "\n".join(plan_text(plan(hybrid(), after)))
    assert "nobody's" not in text
    assert "private zone com: 1 custom domain (api.example.com)\n  no such zone -> bound to vpc-a" in text
    assert text.count("private zone com: 1 VPC domain (") == 2
    assert "*. stands for all names below that are not listed by themselves." in text
    kinds = {section["kind"]: section["before"] for section in plan_data(plan(hybrid(), after))["sections"]}
    assert kinds["custom domain"] == "on at gw in cn-hangzhou"


def test_settings_that_differ_are_said() -> None:
    rules = "forward: {upstreams: [], rules: [{domain: corp.test, upstreams: [192.0.2.1]}]}"
    found = plan(hybrid(), hybrid(CONFIGURATION.replace("forward: {upstreams: []}", rules)))
    assert found, "this is no plan without changes"
    text = "\n".join(plan_text(found))
    assert text.startswith("Nothing changes for the names known here.")
    assert "- forwarding.rules: [] -> [domain=corp.test upstreams=[192.0.2.1] vpcs=[] cache=None]" in text
    assert text in "\n".join(plan_markdown(found)).replace("**", "").replace("\\[", "[")
    assert not plan(hybrid(), hybrid())


def test_a_closer_custom_domain_keeps_a_wildcard_from_what_is_below_it() -> None:
    world = hybrid(WILDCARD)
    after = changed(world, f"add-domain {'d' * 32} a.b.example.net")
    names = {name for _, name, before, _ in planned(world, after) if before.reachable}
    assert set(map(str, names)) == {"b.example.net", "*.b.example.net", "*.a.b.example.net"}
    assert planned(after, world) == {
        (source, name, after, before) for source, name, before, after in planned(world, after)
    }


def test_a_network_that_hears_other_forward_rules() -> None:
    rules = "{upstreams: [], rules: [{domain: corp.test, upstreams: [192.0.2.1], vpcs: [vpc-a]}]}"
    world = hybrid(CONFIGURATION.replace("{upstreams: []}", rules))
    found = plan(world, changed(world, "resolve-as idc vpc-b"))
    assert found.settings == ("network idc: forward rules of vpc-b, not of vpc-a",)
