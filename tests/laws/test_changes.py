"""Sequences of changes, checked against all rules at once by brute force."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from tests.support.world_checks import assert_lookups_hold, assert_rules_hold
from tests.support.world_strategies import ALL_CHANGES, CHANGES, topologies, worlds
from vpcdns.model.changes import Change
from vpcdns.model.rules import Refusal
from vpcdns.model.topology import Topology
from vpcdns.model.vpc_changes import VpcChange
from vpcdns.model.world import World

VPC_CHANGES = get_args(VpcChange)


def objects(world: World) -> tuple[dict[object, object], ...]:
    return (
        dict(world.instances.items()),
        dict(world.endpoints.items()),
        dict(world.groups.items()),
        dict(world.custom_domains.owners.items()),
        dict(world.custom_domains.nodes.items()),
    )


@given(topologies(), st.lists(ALL_CHANGES, max_size=40))
def test_every_change_keeps_the_rules(topology: Topology, changes: list[Change]) -> None:
    """A change gives a world that keeps every rule, or a refusal; the world before stays as it was."""
    world = World(topology=topology)
    for change in changes:
        before, revision = objects(world), world.revision
        after = change.apply(world)
        assert (objects(world), world.revision) == (before, revision)
        if isinstance(after, Refusal):
            assert after.problem
            assert after.way_out
            continue
        assert after.revision == revision + 1
        if isinstance(change, VPC_CHANGES):
            assert_lookups_hold(after)
        else:
            assert after.topology is world.topology
        assert_rules_hold(after)
        world = after


@given(worlds(), st.lists(CHANGES, max_size=10))
def test_a_change_depends_on_nothing_but_the_world(world: World, changes: list[Change]) -> None:
    """The same change of the same world, once more, has the same result."""
    assert_rules_hold(world)
    for change in changes:
        first, second = change.apply(world), change.apply(world)
        assert first == second
        world = first if isinstance(first, World) else world
