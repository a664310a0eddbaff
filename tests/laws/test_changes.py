"""Sequences of changes, checked against all rules at once by brute force."""

from __future__ import annotations

from itertools import combinations
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from tests.support.world_strategies import ALL_CHANGES, CHANGES, topologies, worlds
from vpcdns.model.changes import Change
from vpcdns.model.gateway import SHARED_SPACE, CustomDomains, InstanceType
from vpcdns.model.names import Name
from vpcdns.model.rules import Refusal
from vpcdns.model.topology import Topology
from vpcdns.model.vpc_changes import VpcChange
from vpcdns.model.world import World

VPC_CHANGES = get_args(VpcChange)


def check(world: World) -> None:
    """All rules of DESIGN §1 and §2, and the indexes, from the objects alone."""
    endpoints = {}
    for key, instance in world.instances.items():
        assert key == (instance.region_id, instance.instance_id)
        if instance.type is InstanceType.SERVERLESS:
            assert instance.addresses
            assert all(address in SHARED_SPACE for address in instance.addresses)
            assert instance.binding is None
            continue
        assert not instance.addresses
        binding = instance.binding
        if binding is None:
            continue
        vpc = world.topology.vpcs[binding.vpc_id]
        assert vpc.region_id == instance.region_id
        (vswitch,) = (one for one in vpc.vswitches if one.vswitch_id == binding.vswitch_id)
        assert binding.address in list(vswitch.cidr_block)[1:-3]
        assert (binding.vpc_id, binding.address) not in endpoints
        endpoints[binding.vpc_id, binding.address] = key
    owners: dict[Name, str] = {}
    for group_id, group in world.groups.items():
        assert group.group_id == group_id
        assert len(group.group_id) == 32
        instance = world.instances[group.region_id, group.instance_id]
        if instance.type is InstanceType.SERVERLESS:
            assert not group.custom_domains
        elif group.vpc_domain:
            assert instance.binding is not None
        for name in group.custom_domains:
            assert name not in owners
            assert not str(name).lower().endswith(("alicloudapi.com", "vpcdns.internal"))
            assert "*" not in str(name)[1:]
            assert str(name) != "*"
            owners[name] = group_id
    assert world.endpoints == endpoints
    assert world.custom_domains == CustomDomains.of(owners.items())


def check_topology(world: World) -> None:
    """What is looked up is what the VPCs and networks say, and nothing names a VPC that is gone."""
    topology = world.topology
    anew = Topology.of(topology.vpcs.values(), topology.networks.values(), topology.connections.values())
    assert dict(topology._places) == dict(anew._places)
    assert set(topology._lengths) >= set(anew._lengths)
    owned = [prefix for vpc in topology.vpcs.values() for prefix in vpc.source_networks]
    owned += [prefix for network in topology.networks.values() for prefix in network.source_networks]
    assert len(owned) == len(set(owned))
    for vpc in topology.vpcs.values():
        blocks = [vswitch.cidr_block for vswitch in vpc.vswitches]
        assert all(any(block.subnet_of(outer) for outer in vpc.cidr_blocks) for block in blocks)
        assert not any(one.overlaps(two) for one, two in combinations(blocks, 2))
    for network in topology.networks.values():
        assert network.resolves_as is None or network.resolves_as in topology.vpcs
        assert network.network_id not in topology.vpcs


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
            check_topology(after)
        else:
            assert after.topology is world.topology
        check(after)
        world = after


@given(worlds(), st.lists(CHANGES, max_size=10))
def test_a_change_depends_on_nothing_but_the_world(world: World, changes: list[Change]) -> None:
    """The same change of the same world, once more, has the same result."""
    check(world)
    for change in changes:
        first, second = change.apply(world), change.apply(world)
        assert first == second
        world = first if isinstance(first, World) else world
