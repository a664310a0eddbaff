"""What a plan costs over a million groups, a thousand VPCs and a hundred networks: seconds, not minutes."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from vpcdns.model.changes import Bind
from vpcdns.model.connections import CenConnection, IpsecConnection, Route
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Binding, Group, Instance, InstanceType
from vpcdns.model.routing import path, source_of
from vpcdns.model.topology import Network, Topology, Vpc, VSwitch
from vpcdns.model.world import World
from vpcdns.rehearsal.change_text import changed
from vpcdns.rehearsal.plan import plan

AT_MOST = 30.0  # seconds of CPU time; a quiet machine takes a quarter of it
GROUPS, VPCS, NETWORKS, INSTANCES = 1_000_000, 1_000, 100, 2_000
REGIONS = ("cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-shenzhen")


def topology() -> Topology:
    vpcs = []
    for number in range(VPCS):
        first = int(IPv4Address("10.0.0.0")) + number * 16384
        block, vswitch = IPv4Network((first, 18)), VSwitch("vsw", IPv4Network((first, 24)))
        vpcs.append(Vpc(f"vpc-{number}", REGIONS[number % 4], (block,), (block,), (vswitch,)))
    networks, vpns = [], []
    for number in range(NETWORKS):
        block = IPv4Network((int(IPv4Address("192.168.0.0")) + number * 256, 24))
        vpc, vpn = vpcs[number % 7], f"vpn-{number}"
        routes = (Route(IPv4Network("10.0.0.0/8"), vpn),)
        networks.append(Network(f"net-{number}", (block,), (block,), vpc.vpc_id, routes))
        vpns.append(IpsecConnection(vpn, vpc.vpc_id, f"net-{number}", vpc.cidr_blocks, (block,)))
    cen = CenConnection("cen-1", "enterprise", tuple(vpc.vpc_id for vpc in vpcs))
    return Topology.of(vpcs, networks, (*vpns, cen))


def instances(networks: Topology) -> Iterator[Instance]:
    vpcs = list(networks.vpcs.values())
    for number in range(INSTANCES):
        region_id, vpc = REGIONS[number % 4], vpcs[number % VPCS]
        if number < 40:
            address = IPv4Address(int(IPv4Address("100.100.0.0")) + number)
            yield Instance(f"gw-{number}", region_id, InstanceType.SERVERLESS, (address,))
        else:
            endpoint = vpc.vswitches[0].cidr_block[5 + number // VPCS]
            binding = Binding(vpc.vpc_id, "vsw", endpoint)
            yield Instance(f"gw-{number}", region_id, InstanceType.DEDICATED, (), binding)


def groups() -> FrozenMap[str, Group]:
    made = (
        Group(f"{number:032x}", f"gw-{number % INSTANCES}", REGIONS[number % 4], vpc_domain=True)
        for number in range(GROUPS)
    )
    return FrozenMap((group.group_id, group) for group in made)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    networks = topology()
    made = list(instances(networks))
    endpoints = {(one.binding.vpc_id, one.binding.address): one.key for one in made if one.binding}
    gc.disable()
    yield World(
        topology=networks,
        instances=FrozenMap((one.key, one) for one in made),
        endpoints=FrozenMap(endpoints),
        groups=groups(),
    )
    gc.enable()


def seconds(old: World, new: object) -> float:
    assert isinstance(new, World), new
    started = time.process_time()
    found = plan(old, new)
    taken = time.process_time() - started
    assert found.sections
    return taken


@pytest.mark.slow
def test_rebinding_one_instance(world: World) -> None:
    assert seconds(world, Bind((REGIONS[0], "gw-44"), "vpc-8", "vsw").apply(world)) < AT_MOST


@pytest.mark.slow
def test_cutting_a_connection(world: World) -> None:
    assert seconds(world, changed(world, "cut vpn-3")) < AT_MOST


@pytest.mark.slow
def test_two_files_that_share_nothing(world: World) -> None:
    networks = topology()
    without = Topology.of(
        list(networks.vpcs.values())[:-1], networks.networks.values(), networks.connections.values()
    )
    moved = {
        one.key: one
        for one in world.instances.values()
        if one.binding is None or one.binding.vpc_id != "vpc-999"
    }
    kept = FrozenMap((key, one) for key, one in groups().scan() if one.instance_key in moved)
    assert seconds(world, replace(world, groups=kept, topology=without, instances=FrozenMap(moved))) < AT_MOST


@pytest.mark.slow
def test_a_path_takes_less_than_a_millisecond_in_a_large_world(world: World) -> None:
    name = world.vpc_domain(world.groups[f"{44:032x}"])
    for text in ("vpc-44", "net-44", "net-2"):
        best = 1.0
        for _ in range(100):
            started = time.perf_counter()
            source = source_of(text, world)
            assert source is not None
            path(source, name, world)
            best = min(best, time.perf_counter() - started)
        assert best < 0.001
