"""A World written by one process is the same World to another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.example_world import DEDICATED, example
from vpcdns.model.changes import AddCustomDomain
from vpcdns.model.frozen_map import PARTS, FrozenMap
from vpcdns.model.gateway import Group
from vpcdns.model.name_tree import NameTree
from vpcdns.model.names import Name
from vpcdns.model.world import World
from vpcdns.process.world_transfer import WorldTransfer

NAMES = ("api.example.org", "*.Shop.example", r"odd\.label.example")


def large() -> World:
    """More groups than fit into one piece, each with a custom domain."""
    groups = [
        Group(
            f"{number:032x}", "instance", "cn-hangzhou", "", bool(number % 2), (Name((b"%d" % number, b"x")),)
        )
        for number in range(3 * PARTS)
    ]
    owners = FrozenMap((group.custom_domains[0], group.group_id) for group in groups)
    held = FrozenMap((group.group_id, group) for group in groups)
    return replace(example(), groups=held, custom_domains=NameTree.of(owners))


def named() -> World:
    world = example()
    for text in NAMES:
        changed = AddCustomDomain(DEDICATED, Name.from_text(text)).apply(world)
        assert isinstance(changed, World)
        world = changed
    return world


@pytest.mark.parametrize("make", [World, example, named, large])
def test_what_is_read_is_what_was_written(make: Callable[[], World]) -> None:
    transfer, world = WorldTransfer(), make()
    transfer.write(large())
    transfer.write(world)
    for _ in range(2):
        (read,) = transfer.read()
        assert read == world
        assert list(read.groups) == list(world.groups)
        assert all(
            mine.labels == theirs.labels
            for one, other in zip(read.groups.values(), world.groups.values(), strict=True)
            for mine, theirs in zip(one.custom_domains, other.custom_domains, strict=True)
        )
    transfer.clear()


def test_groups_share_what_they_have_in_common() -> None:
    """270 octets a group are counted on it."""
    transfer, world = WorldTransfer(), large()
    transfer.write(world)
    (read,) = transfer.read()
    assert len({id(group.instance_id) for group in read.groups.values()}) == 1
    assert len({id(group.region_id) for group in read.groups.values()}) == 1
    owned = {id(name) for name in read.custom_domains.values}
    assert owned == {id(name) for name in read.custom_domains.nodes if len(name) == 2}
    assert owned == {id(name) for group in read.groups.values() for name in group.custom_domains}
