"""Who has an address: where a way to it should end (DESIGN §1.10).

Another's address is not reachable, and nobody's is not either: a shared address belongs to the services of
the regions whose instances have it, an endpoint to its VPC. Any other private address may be a host's.
"""

from ipaddress import IPv4Address, IPv4Network
from typing import Final

from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import SHARED_SPACE, Instance, InstanceKey
from vpcdns.model.remembered import Remembered
from vpcdns.model.route_entries import RESOLVERS
from vpcdns.model.topology import within
from vpcdns.model.way import Goal
from vpcdns.model.world import World


def representative(block: IPv4Network, node: str, world: World) -> IPv4Address:
    """A host of the block that is no gateway's endpoint there."""
    first, size = int(block.network_address), block.num_addresses
    for offset in range(min(5, size - 1), size):
        if (node, IPv4Address(first + offset)) not in world.endpoints:
            return IPv4Address(first + offset)
    return IPv4Address(first)


def goals_of(address: IPv4Address, start: str | None, world: World) -> tuple[Goal, ...]:
    """The places that have an address, rather that of `start`; none: it is nobody's."""
    if address in RESOLVERS:
        return (Goal(),)
    found = _GOALS.of(world.instances).get(address, _hosts_of(address, world))
    vpc = world.topology.vpcs.get(start or "")
    own = start, None if vpc is None else vpc.region_id
    return tuple(sorted(found, key=lambda goal: goal.node != own[0] and goal.region_id != own[1]))


def _hosts_of(address: IPv4Address, world: World) -> tuple[Goal, ...]:
    """Whoever has it; in the space of cloud services only networks that have taken a part of it."""
    if address not in SHARED_SPACE:
        return (Goal(),)
    return tuple(
        Goal(name)
        for name, network in world.topology.networks.items()
        if within(address, network.cidr_blocks)
    )


_Goals = dict[IPv4Address, tuple[Goal, ...]]


def _all_goals(instances: FrozenMap[InstanceKey, Instance]) -> _Goals:
    """Whose each address is."""
    made: _Goals = {}
    for instance in instances.values():
        bound = instance.binding
        goal = Goal(region_id=instance.region_id) if bound is None else Goal(bound.vpc_id)
        for address in instance.all_addresses:
            made[address] = (*made.get(address, ()), goal)
    return made


_GOALS: Final = Remembered(_all_goals)
