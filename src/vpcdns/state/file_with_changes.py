"""Two sources of one World: the operator's file, and the objects that changes made.

The API can change VPCs, instances and groups; the rest is the file's alone. Knows which rules join the
two sides, and asks those.
"""

from collections.abc import Iterator
from dataclasses import replace

from vpcdns.errors import ConfigurationError, Problem
from vpcdns.model.gateway_rules import custom_domain_refusals, group_refusals
from vpcdns.model.rules import Refusal, Rule
from vpcdns.model.topology import Prefix, Topology
from vpcdns.model.topology_rules import connection_refusals, network_refusals, source_network_refusals
from vpcdns.model.world import World

JOINED = "the file and the changes made since"


def same_objects(one: World, other: World) -> bool:
    """Whether both have the same VPCs, instances and groups."""
    return (
        one.topology.vpcs == other.topology.vpcs
        and one.instances == other.instances
        and one.groups == other.groups
    )


def joined(file: World, made: World) -> World:
    """The objects of `made` in the surroundings of `file`; raises ConfigurationError if they do not fit."""
    topology = Topology.of(
        made.topology.vpcs.values(), file.topology.networks.values(), file.topology.connections.values()
    )
    world = replace(
        file,
        revision=max(file.revision, made.revision),
        topology=topology,
        instances=made.instances,
        endpoints=made.endpoints,
        groups=made.groups,
        custom_domains=made.custom_domains,
    )
    refusals = list(_refusals(world, made))
    if refusals:
        raise ConfigurationError(
            Problem(JOINED, 0, 0, "", f"{one.subject}: {one.problem}", one.way_out) for one in refusals
        )
    return world


def _refusals(world: World, made: World) -> Iterator[Refusal]:
    topology = world.topology
    claimed: dict[Prefix, str] = {}
    for vpc in topology.vpcs.values():
        claimed |= dict.fromkeys(vpc.source_networks, f"VPC {vpc.vpc_id}")
    for network in topology.networks.values():
        if network.network_id in topology.vpcs:
            name = f"network {network.network_id}"
            yield Refusal(Rule.UNIQUE, name, "a VPC has the same id", "give the network another id")
        yield from network_refusals(network, topology)
        subject = f"network {network.network_id}"
        yield from source_network_refusals(subject, network.source_networks, claimed, "source_networks")
        for prefix in network.source_networks:
            claimed.setdefault(prefix, subject)
    for connection in topology.connections.values():
        yield from connection_refusals(connection, topology)
    for rule in world.forwarding.rules:
        for vpc_id in sorted(rule.vpcs - topology.vpcs.keys()):
            subject = f"the forward rule for {rule.domain}"
            problem = f"there is no VPC {vpc_id}"
            yield Refusal(Rule.REFERENCE, subject, problem, "add it under `vpcs`, or mend the id")
    if world.answers.suffix != made.answers.suffix:
        yield from _named_anew(world)


def _named_anew(world: World) -> Iterator[Refusal]:
    """What a new suffix may break."""
    suffix = world.answers.suffix
    for group in world.groups.values():
        yield from group_refusals(group, world.instances, suffix)
        for name in group.custom_domains:
            yield from custom_domain_refusals(name, f"group {group.group_id}", suffix, None)
