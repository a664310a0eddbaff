"""Plans: against asking both Worlds for every source and every name, and as pages for people."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.support.hybrid_cloud import hybrid
from tests.support.world_strategies import CHANGES, VPC_CHANGES, ZONE_CHANGES, tried, with_zones, worlds
from vpcdns.model.names import Name
from vpcdns.model.routing import source_of
from vpcdns.model.world import World
from vpcdns.rehearsal.change_text import changed
from vpcdns.rehearsal.plan import NOBODY, Fate, fate_of, plan
from vpcdns.rehearsal.plan_text import SECTIONS, plan_data, plan_markdown, plan_text


def names_of(world: World) -> set[Name]:
    return {world.vpc_domain(group) for group in world.groups.values()} | set(world.custom_domains.values)


def asked(source: str, name: Name, world: World) -> Fate:
    found = source_of(source, world)
    return fate_of(found, name, world)


def seeing(source: str, name: Name, world: World) -> bool:
    """Whether the source sees a private zone around the name."""
    found = source_of(source, world)
    vpc_id = None if found is None else found.client.vpc_id
    return any(True for _ in world.private_zones.enclosing(name, vpc_id))


def brute_force(old: World, new: World) -> Counter[tuple[str, str, str, str, str]]:
    """(source, before, after) for every source and name, one by one.

    Names that only private zones have are for those to ask who see such a zone.
    """
    sources = [*old.topology.vpcs, *old.topology.networks, *new.topology.vpcs, *new.topology.networks]
    found: Counter[tuple[str, str, str, str, str]] = Counter()
    gateways = names_of(old) | names_of(new)
    zones = (*old.private_zones.zones.values(), *new.private_zones.zones.values())
    for name in gateways.union(*(zone.served.values for zone in zones)):
        for source in dict.fromkeys(sources):
            if name not in gateways and not (seeing(source, name, old) or seeing(source, name, new)):
                continue
            before, after = asked(source, name, old), asked(source, name, new)
            nothing = NOBODY in (before, after) and before.verdict == after.verdict
            if before != after and not nothing:
                found[source, before.answer, before.verdict, after.answer, after.verdict] += 1
    return found


def planned(old: World, new: World) -> Counter[tuple[str, str, str, str, str]]:
    found: Counter[tuple[str, str, str, str, str]] = Counter()
    for section in plan(old, new).sections:
        for row in section.rows:
            before, after = row.before, row.after
            for source in row.sources:
                found[source, before.answer, before.verdict, after.answer, after.verdict] += (
                    section.flow.count
                )
    return found


@given(st.data())
def test_a_plan_tells_what_asking_everybody_tells(data: st.DataObject) -> None:
    old = data.draw(worlds())
    new = old
    if data.draw(st.booleans()):
        old = new = data.draw(with_zones(old))
    for change in data.draw(st.lists(CHANGES | VPC_CHANGES | ZONE_CHANGES, min_size=1, max_size=4)):
        new = tried(new, change)
    for vpc_id in data.draw(st.lists(st.sampled_from([*old.topology.vpcs, None]), max_size=1)):
        new = changed(new, f"resolve-as idc {vpc_id or '-'}")
    if data.draw(st.booleans()):
        old, new = new, old
    assert planned(old, new) == brute_force(old, new)


@given(worlds(), worlds())
def test_a_plan_between_strangers_tells_what_asking_everybody_tells(old: World, new: World) -> None:
    assert planned(old, new) == brute_force(old, new)


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
