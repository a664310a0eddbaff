"""Two sources of one World: the operator's file, and the objects that changes made.

The API can change VPCs, instances, groups and private zones; the rest is the file's alone. Knows which
rules join the two sides, and asks those.
"""

from collections.abc import Iterator
from dataclasses import replace

from vpcdns.errors import ConfigurationError, Problem
from vpcdns.model.gateway_rules import custom_domain_refusals, group_refusals
from vpcdns.model.route_rules import connection_refusals, network_refusals
from vpcdns.model.rules import Refusal, Rule, missing
from vpcdns.model.topology import Topology
from vpcdns.model.topology_rules import source_network_refusals
from vpcdns.model.world import World

JOINED = "the file and the changes made since"


def same_objects(one: World, other: World) -> bool:
    """Whether both have the same VPCs, instances, groups and private zones."""
    return (
        one.topology.vpcs == other.topology.vpcs
        and one.instances == other.instances
        and one.groups == other.groups
        and one.private_zones == other.private_zones
    )


def joined(file: World, made: World) -> World:
    """The objects of `made` in the surroundings of `file`; raises ConfigurationError if they do not fit."""
    vpcs, others = made.topology.vpcs.values(), file.topology
    world = replace(
        file,
        revision=max(file.revision, made.revision),
        topology=Topology.of(vpcs, others.networks.values(), others.connections.values()),
        instances=made.instances,
        endpoints=made.endpoints,
        groups=made.groups,
        custom_domains=made.custom_domains,
        private_zones=made.private_zones,
    )
    if refusals := list(_refusals(world, made)):
        raise ConfigurationError(
            Problem(JOINED, 0, 0, "", f"{one.subject}: {one.problem}", one.way_out) for one in refusals
        )
    return world


def _refusals(world: World, made: World) -> Iterator[Refusal]:
    topology = world.topology
    vpcs = topology.vpcs.values()
    claimed = {prefix: f"VPC {vpc.vpc_id}" for vpc in vpcs for prefix in vpc.source_networks}
    for network in topology.networks.values():
        subject = f"network {network.network_id}"
        if network.network_id in topology.vpcs:
            yield Refusal(Rule.UNIQUE, subject, "a VPC has the same id", "give the network another id")
        yield from network_refusals(network, topology)
        yield from source_network_refusals(subject, network.source_networks, claimed, "source_networks")
    for connection in topology.connections.values():
        yield from connection_refusals(connection, topology)
    for rule in world.forwarding.rules:
        for vpc_id in sorted(rule.vpcs - topology.vpcs.keys()):
            yield missing(Rule.REFERENCE, f"the forward rule for {rule.domain}", f"VPC {vpc_id}", "vpcs", ())
    suffix = world.answers.suffix
    for group in () if suffix == made.answers.suffix else world.groups.values():
        yield from group_refusals(group, world.instances, suffix)
        for name in group.custom_domains:
            yield from custom_domain_refusals(name, f"group {group.group_id}", suffix, None)
