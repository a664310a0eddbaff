"""The rules on networks: what VPCs, on-premises networks and connections may be, in themselves and together.

As in `rules`, each function yields a Refusal for every way in which an object breaks one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from vpcdns.model.gateway import SHARED_SPACE
from vpcdns.model.rules import Refusal, Rule, duplicate, missing
from vpcdns.model.topology import (
    CenConnection,
    Connection,
    IpsecConnection,
    Network,
    Prefix,
    Topology,
    Vpc,
)


def vpc_refusals(vpc: Vpc) -> Iterator[Refusal]:
    """What is wrong with a VPC in itself."""
    subject = f"VPC {vpc.vpc_id}"
    for index, block in enumerate(vpc.cidr_blocks):
        if block.overlaps(SHARED_SPACE):
            yield Refusal(
                Rule.ADDRESS_PLAN,
                subject,
                f"{block} overlaps {SHARED_SPACE}, the cloud's own services",
                "take private space, e.g. 10.0.0.0/8",
                ("cidr_blocks", index),
            )
        if clash := next((other for other in vpc.cidr_blocks[:index] if other.overlaps(block)), None):
            yield Refusal(
                Rule.ADDRESS_PLAN,
                subject,
                f"{block} overlaps its own {clash}",
                "make the VPC's blocks disjoint",
                ("cidr_blocks", index),
            )
    yield from _vswitch_refusals(vpc, subject)


def _vswitch_refusals(vpc: Vpc, subject: str) -> Iterator[Refusal]:
    seen: set[str] = set()
    for index, vswitch in enumerate(vpc.vswitches):
        where = ("vswitches", index)
        if not any(vswitch.cidr_block.subnet_of(block) for block in vpc.cidr_blocks):
            blocks = ", ".join(map(str, vpc.cidr_blocks))
            yield Refusal(
                Rule.ADDRESS_PLAN,
                subject,
                f"vSwitch {vswitch.vswitch_id} has {vswitch.cidr_block}, outside the VPC's {blocks}",
                "give it a block inside the VPC's",
                (*where, "cidr_block"),
            )
        if vswitch.vswitch_id in seen:
            yield duplicate(f"vSwitch {vswitch.vswitch_id}", (*where, "vswitch_id"))
        seen.add(vswitch.vswitch_id)
        earlier = (other for other in vpc.vswitches[:index] if other.cidr_block.overlaps(vswitch.cidr_block))
        if clash := next(earlier, None):
            yield Refusal(
                Rule.ADDRESS_PLAN,
                subject,
                f"vSwitch {vswitch.vswitch_id} ({vswitch.cidr_block}) overlaps "
                f"{clash.vswitch_id} ({clash.cidr_block})",
                "make the vSwitches' blocks disjoint",
                (*where, "cidr_block"),
            )


def source_network_refusals(
    subject: str, prefixes: Iterable[Prefix], claimed: Mapping[Prefix, str], field: str
) -> Iterator[Refusal]:
    """Source networks that somebody else has: `claimed` tells who. Nested prefixes are fine."""
    for index, prefix in enumerate(prefixes):
        owner = claimed.get(prefix)
        if owner is not None and owner != subject:
            yield Refusal(
                Rule.SOURCE_NETWORK,
                subject,
                f"{prefix} is already a source network of {owner}",
                "give one of them other `source_networks` to stand in for it, or a listener of its own"
                " (`server.listen: [{address: …, vpc_id: …}]`)",
                (field, index),
            )


def network_refusals(network: Network, topology: Topology) -> Iterator[Refusal]:
    subject = f"network {network.network_id}"
    if network.resolves_as is not None and network.resolves_as not in topology.vpcs:
        yield missing(Rule.HYBRID, subject, f"VPC {network.resolves_as}", "vpcs", ("resolves_as",))
    for index, route in enumerate(network.routes):
        connection = topology.connections.get(route.via)
        where = ("routes", index, "via")
        if connection is None:
            yield missing(Rule.REFERENCE, subject, f"connection {route.via}", "connections", where)
        elif network.network_id not in _ends(connection):
            yield Refusal(
                Rule.REFERENCE,
                subject,
                f"its route to {route.destination} goes via {route.via}, which does not join it",
                f"attach {network.network_id} to {route.via}, or route via another connection",
                where,
            )


def connection_refusals(connection: Connection, topology: Topology) -> Iterator[Refusal]:
    subject = f"connection {connection.connection_id}"
    match connection:
        case IpsecConnection():
            if connection.vpc_id not in topology.vpcs:
                yield missing(Rule.REFERENCE, subject, f"VPC {connection.vpc_id}", "vpcs", ("vpc_id",))
            if connection.network_id not in topology.networks:
                what = f"network {connection.network_id}"
                yield missing(Rule.REFERENCE, subject, what, "networks", ("network_id",))
        case CenConnection():
            yield from _cen_refusals(connection, topology, subject)


def _cen_refusals(cen: CenConnection, topology: Topology, subject: str) -> Iterator[Refusal]:
    for index, attachment in enumerate(cen.attachments):
        if attachment not in topology.vpcs and attachment not in topology.networks:
            yield missing(
                Rule.REFERENCE,
                subject,
                f"VPC or network {attachment}",
                "vpcs or networks",
                ("attachments", index),
            )
        if attachment in cen.attachments[:index]:
            yield duplicate(f"attachment {attachment} of {cen.connection_id}", ("attachments", index))
    for index, route in enumerate(cen.service_routes):
        where = ("service_routes", index)
        if not route.host.subnet_of(SHARED_SPACE):
            yield Refusal(
                Rule.ADDRESS_PLAN,
                subject,
                f"service route to {route.host}, which is outside {SHARED_SPACE}",
                "a service route is for the cloud's services; private blocks are routed by being attached",
                (*where, "host"),
            )
        named: list[tuple[tuple[str | int, ...], str]] = [(("host_vpc_id",), route.host_vpc_id)]
        named += [(("access", position), user) for position, user in enumerate(route.access)]
        for place, attachment in named:
            if attachment not in cen.attachments:
                yield Refusal(
                    Rule.REFERENCE,
                    subject,
                    f"service route to {route.host} names {attachment}, which is not attached",
                    f"add {attachment} to `attachments`",
                    (*where, *place),
                )
        if route.host_vpc_id in cen.attachments and route.host_vpc_id not in topology.vpcs:
            yield missing(
                Rule.REFERENCE, subject, f"VPC {route.host_vpc_id}", "vpcs", (*where, "host_vpc_id")
            )


def _ends(connection: Connection) -> tuple[str, ...]:
    match connection:
        case IpsecConnection():
            return connection.vpc_id, connection.network_id
        case CenConnection():
            return connection.attachments
