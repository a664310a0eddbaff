"""Serves a World of so many VPC domains, or one that forwards everything when there are none.

`serve_world.py ADDRESS PORT UPSTREAM_PORT GROUPS`
"""

from __future__ import annotations

import asyncio
import sys
import time
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from cases import REGION, custom_domain, group_id

from vpcdns import gc_pauses
from vpcdns.listen.service import Service
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Binding, Group, Instance, InstanceType
from vpcdns.model.name_tree import NameTree
from vpcdns.model.names import Name
from vpcdns.model.policy import Forwarding, Listen, Upstream
from vpcdns.model.topology import Topology, Vpc, VSwitch
from vpcdns.model.world import World
from vpcdns.process.signals import serve
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

BLOCK = IPv4Network("10.1.0.0/16")
VSWITCH = VSwitch("vsw-a", IPv4Network("10.1.8.0/24"))


def world(upstream: int, count: int) -> World:
    vpcs = [
        Vpc("vpc-a", REGION, (BLOCK,), (ip_network("127.10.0.0/16"), ip_network("::1/128")), (VSWITCH,)),
        Vpc("vpc-b", REGION, (BLOCK,), (ip_network("127.20.0.0/16"),)),
    ]
    binding = Binding("vpc-a", VSWITCH.vswitch_id, IPv4Address("10.1.8.20"))
    instance = Instance("apigateway-hz-1", REGION, InstanceType.DEDICATED, binding=binding)
    groups = (
        Group(
            group_id(number),
            instance.instance_id,
            REGION,
            vpc_domain=True,
            custom_domains=(Name.from_text(custom_domain(number)),) if number < 10_000 else (),
        )
        for number in range(count)
    )
    held = FrozenMap((group.group_id, group) for group in groups)
    custom = ((name, group.group_id) for group in held.values() for name in group.custom_domains)
    return World(
        int(time.time()),
        forwarding=Forwarding(() if count else (Upstream(ip_address("127.0.0.1"), upstream),)),
        topology=Topology.of(vpcs),
        instances=FrozenMap({instance.key: instance}),
        endpoints=FrozenMap({("vpc-a", binding.address): instance.key}),
        groups=held,
        custom_domains=NameTree.of(custom),
    )


def main() -> int:
    address, port, upstream, count = sys.argv[1], *map(int, sys.argv[2:5])
    resolver = Resolver(State(world(upstream, count)))
    gc_pauses.settle()
    service = Service(resolver, [Listen(ip_address(address), port)])
    return asyncio.run(serve(service.start, service.stop))


if __name__ == "__main__":
    sys.exit(main())
