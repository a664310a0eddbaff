"""VPCs, on-premises networks and connections of a configuration -> the model's, under its rules.

Knows ids and prefixes; nothing of gateways. A VPC without source networks has its own blocks as such.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from vpcdns.config import schema, topology_schema
from vpcdns.config.problems import Finding, Path, of_refusal
from vpcdns.model.rules import Refusal
from vpcdns.model.topology import (
    CenConnection,
    Connection,
    IpsecConnection,
    Network,
    Prefix,
    Route,
    ServiceRoute,
    Topology,
    Vpc,
    VSwitch,
)
from vpcdns.model.topology_rules import (
    connection_refusals,
    network_refusals,
    source_network_refusals,
    vpc_refusals,
)


@dataclass(slots=True)
class TopologyBuilder:
    findings: list[Finding]
    claimed: dict[Prefix, str] = field(default_factory=dict)

    def build(self, configuration: schema.Configuration) -> Topology:
        vpcs = [_vpc(part) for part in configuration.vpcs]
        networks = [_network(part) for part in configuration.networks]
        connections = [_connection(part) for part in configuration.connections]
        self._unique((("vpcs", index, "vpc_id"), vpc.vpc_id) for index, vpc in enumerate(vpcs))
        ends = [(("vpcs", index, "vpc_id"), vpc.vpc_id) for index, vpc in enumerate(vpcs)]
        taken = {identity for _, identity in ends}
        self._unique(
            (
                (("networks", index, "network_id"), network.network_id)
                for index, network in enumerate(networks)
            ),
            taken,
        )
        self._unique(
            (("connections", index, "connection_id"), connection.connection_id)
            for index, connection in enumerate(connections)
        )
        topology = Topology.of(vpcs, networks, connections)
        for index, vpc in enumerate(vpcs):
            self._refuse(("vpcs", index), vpc_refusals(vpc))
            given = configuration.vpcs[index].source_networks is not None
            self._claim(("vpcs", index), f"VPC {vpc.vpc_id}", vpc.source_networks, given)
        for index, network in enumerate(networks):
            self._refuse(("networks", index), network_refusals(network, topology))
            given = configuration.networks[index].source_networks is not None
            self._claim(("networks", index), f"network {network.network_id}", network.source_networks, given)
        for index, connection in enumerate(connections):
            self._refuse(("connections", index), connection_refusals(connection, topology))
        return topology

    def _unique(self, ids: Iterable[tuple[Path, str]], taken: Iterable[str] = ()) -> None:
        seen = set(taken)
        for path, identity in ids:
            if identity in seen:
                self.findings.append(
                    Finding(path, f"`{identity}` is there twice", "give each its own id, or remove one")
                )
            seen.add(identity)

    def _claim(self, path: Path, subject: str, prefixes: tuple[Prefix, ...], given: bool) -> None:
        key = "source_networks" if given else "cidr_blocks"
        self._refuse(path, source_network_refusals(subject, prefixes, self.claimed, key))
        for prefix in prefixes:
            self.claimed.setdefault(prefix, subject)

    def _refuse(self, path: Path, refusals: Iterator[Refusal]) -> None:
        self.findings += (of_refusal(path, refusal) for refusal in refusals)


def _vpc(part: topology_schema.VpcPart) -> Vpc:
    return Vpc(
        part.vpc_id,
        part.region_id,
        tuple(part.cidr_blocks),
        tuple(part.cidr_blocks if part.source_networks is None else part.source_networks),
        tuple(VSwitch(vswitch.vswitch_id, vswitch.cidr_block) for vswitch in part.vswitches),
    )


def _network(part: topology_schema.NetworkPart) -> Network:
    return Network(
        part.network_id,
        tuple(part.cidr_blocks),
        tuple(part.cidr_blocks if part.source_networks is None else part.source_networks),
        part.resolves_as,
        tuple(Route(route.destination, route.via) for route in part.routes),
    )


def _connection(part: topology_schema.IpsecPart | topology_schema.CenPart) -> Connection:
    match part:
        case topology_schema.IpsecPart():
            local, remote = tuple(part.local_subnets), tuple(part.remote_subnets)
            return IpsecConnection(part.connection_id, part.vpc_id, part.network_id, local, remote)
        case topology_schema.CenPart():
            routes = tuple(
                ServiceRoute(route.host, route.host_vpc_id, tuple(route.access))
                for route in part.service_routes
            )
            return CenConnection(part.connection_id, part.edition, tuple(part.attachments), routes)
