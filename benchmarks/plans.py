"""`python benchmarks/plans.py [--groups N] [--vpcs N]`: what a plan and a path cost, in CPU time.

Plans over a million groups, a thousand VPCs and a hundred networks; paths among ten thousand VPCs. The world
has tunnels in both routing modes, a transit router and networks whose queries have a way of their own. Prints
JSON: seconds of each plan, milliseconds of the slowest path.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent))

from cpu_time import cpu

from vpcdns.model.connections import CenConnection, IpsecConnection, NetworkAttachment, Route
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Binding, Group, Instance, InstanceType
from vpcdns.model.routing import Source, path, source_of
from vpcdns.model.topology import INBOUND_ENDPOINT, Network, ResolvesThrough, Topology, Vpc, VSwitch
from vpcdns.model.world import World
from vpcdns.rehearsal.change_text import changed
from vpcdns.rehearsal.plan import plan

REGIONS: Final = ("cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-shenzhen")
INSIDE, RESOLVER = IPv4Network("10.0.0.0/8"), IPv4Network("100.100.2.136/32")


def topology(count: int, networks: int) -> Topology:
    """VPCs on one transit router, one network in ten by its VPN, the others by tunnels to the first VPCs."""
    size = 24 - (count - 1).bit_length()  # bits of a VPC's block: all of them lie in 10.0.0.0/8
    vpcs = []
    for number in range(count):
        first = int(INSIDE.network_address) + (number << size)
        block, vswitch = IPv4Network((first, 32 - size)), VSwitch("vsw", IPv4Network((first, 33 - size)))
        vpcs.append(Vpc(f"vpc-{number}", REGIONS[number % 4], (block,), (block,), (vswitch,)))
    made: list[Network] = []
    tunnels: list[IpsecConnection] = []
    attached: list[str | NetworkAttachment] = [vpc.vpc_id for vpc in vpcs]
    for number in range(networks):
        block = IPv4Network((int(IPv4Address("192.168.0.0")) + number * 256, 24))
        name, vpc, vpn = f"net-{number}", vpcs[number % 7], f"vpn-{number}"
        if number % 10 == 9:
            attached.append(NetworkAttachment(name, "vpn", vpc.region_id))
            vpn = "tr-1"
        else:
            selectors = (
                ((*vpc.cidr_blocks, RESOLVER), (block,)) if number % 2 else ((IPv4Network("0.0.0.0/0"),),) * 2
            )
            by_destination = () if number % 2 else (block,)
            tunnels.append(
                IpsecConnection(
                    vpn, vpc.vpc_id, name, *selectors, by_destination, publish_cen=number % 3 == 0
                )
            )
        routes = (Route(INSIDE, vpn), Route(RESOLVER, vpn))
        through = ResolvesThrough(vpc.vpc_id, vpn if vpn != "tr-1" else INBOUND_ENDPOINT)
        made.append(Network(name, (block,), (block,), None, routes, through))
    router = CenConnection("tr-1", "enterprise", tuple(attached))
    return Topology.of(vpcs, made, (*tunnels, router))


def instances(networks: Topology, count: int) -> Iterator[Instance]:
    vpcs = list(networks.vpcs.values())
    for number in range(count):
        vpc = vpcs[number % len(vpcs)]
        if number < 40:
            address = IPv4Address(int(IPv4Address("100.100.0.0")) + number)
            yield Instance(f"gw-{number}", vpc.region_id, InstanceType.SERVERLESS, (address,))
        else:
            endpoint = vpc.vswitches[0].cidr_block[5 + number // len(vpcs)]
            binding = Binding(vpc.vpc_id, "vsw", endpoint)
            yield Instance(f"gw-{number}", vpc.region_id, InstanceType.DEDICATED, (), binding)


def world(groups: int, vpcs: int, networks: int) -> World:
    """Two instances a VPC, and the groups shared out among them."""
    joined = topology(vpcs, networks)
    made = list(instances(joined, 2 * vpcs))
    one_each = (
        Group(f"{number:032x}", one.instance_id, one.region_id, vpc_domain=True)
        for number, one in ((number, made[number % len(made)]) for number in range(groups))
    )
    return World(
        topology=joined,
        instances=FrozenMap((one.key, one) for one in made),
        endpoints=FrozenMap(
            {(one.binding.vpc_id, one.binding.address): one.key for one in made if one.binding}
        ),
        groups=FrozenMap((group.group_id, group) for group in one_each),
    )


def plans(groups: int, vpcs: int, networks: int) -> dict[str, float]:
    """Seconds of plans: one thing changes, or nothing is shared between two files."""
    old = world(groups, vpcs, networks)
    other = world(groups - groups // 100, vpcs, networks)
    changes = {
        "rebind": "bind gw-44 vpc-8 vsw",
        "cut a tunnel": "cut vpn-3",
        "cut the transit router": "cut tr-1",
        "another way of queries": "resolve-through net-9 vpc-3 inbound_endpoint",
    }
    taken = {}
    for title, words in changes.items():
        new = changed(old, words)
        assert plan(old, new), title
        taken[title] = round(cpu(partial(plan, old, new)), 2)
    answers = replace(other.answers, ttl=61)
    taken["two files"] = round(cpu(lambda: plan(old, replace(other, answers=answers))), 2)
    return taken


def paths(vpcs: int, networks: int) -> dict[str, float]:
    """Milliseconds of paths from a VPC, and from networks by tunnels and by the transit router."""
    whole = world(2 * vpcs, vpcs, networks)
    name = whole.vpc_domain(whole.groups[f"{44:032x}"])
    taken = {}
    for text in ("vpc-44", "net-2", "net-3", "net-9"):
        seconds = cpu(partial(path, _found(text, whole), name, whole), 100)
        taken[text] = round(seconds * 1000, 3)
    return taken


def _found(text: str, whole: World) -> Source:
    source = source_of(text, whole)
    assert source is not None
    return source


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--groups", type=int, default=1_000_000)
    parser.add_argument("--vpcs", type=int, default=1_000)
    parser.add_argument("--networks", type=int, default=100)
    parser.add_argument("--path-vpcs", type=int, default=10_000)
    arguments = parser.parse_args()
    gc.disable()
    found = {
        "paths, ms": paths(arguments.path_vpcs, arguments.networks),
        "plans, s": plans(arguments.groups, arguments.vpcs, arguments.networks),
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
