"""What must hold in every World, checked from its objects alone."""

from __future__ import annotations

from itertools import combinations

from vpcdns.model.gateway import SHARED_SPACE, InstanceType
from vpcdns.model.name_tree import NameTree
from vpcdns.model.names import Name
from vpcdns.model.topology import Topology
from vpcdns.model.world import World


def assert_same(one: World, other: World) -> None:
    """Two Worlds are the same in every part that a configuration holds."""
    for part in ("answers", "access", "forwarding", "instances", "endpoints", "groups"):
        assert getattr(one, part) == getattr(other, part), part
    for part in ("vpcs", "networks", "connections"):
        assert getattr(one.topology, part) == getattr(other.topology, part), part
    assert one.topology == other.topology
    assert one.custom_domains == other.custom_domains


def assert_rules_hold(world: World) -> None:
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
    assert world.custom_domains == NameTree.of(owners.items())


def assert_lookups_hold(world: World) -> None:
    """What is looked up is what the VPCs and networks say, and nothing names a VPC that is gone."""
    topology = world.topology
    anew = Topology.of(topology.vpcs.values(), topology.networks.values(), topology.connections.values())
    assert topology == anew
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
