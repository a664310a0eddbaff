"""Who may ask, sorted into classes that get the same answers, so that a plan asks once for each class.

Knows VPCs, networks and route tables. The VPCs of one region that reach the shared space only by their system
route are one class for a serverless instance; every other source is a class of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from vpcdns.model.address_owners import representative
from vpcdns.model.connections import CenConnection
from vpcdns.model.gateway import SHARED_SPACE, Instance, InstanceType
from vpcdns.model.prefix_table import PrefixTable
from vpcdns.model.route_entries import Here
from vpcdns.model.route_tables import RouteTables, route_tables
from vpcdns.model.routing import Source, source_of
from vpcdns.model.world import World


class Sources:
    """The VPCs and networks of one World."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[str, Source | None] = {}
        self.networks_of: dict[str, list[str]] = defaultdict(list)  # by the VPC that they ask as
        for network in world.topology.networks.values():
            if network.asks_as is not None:
                self.networks_of[network.asks_as].append(network.network_id)
        self.plain: dict[str, list[str]] = defaultdict(list)  # by region
        self.special: dict[str, list[str]] = defaultdict(list)
        tables = route_tables(world.topology)
        crowded = {
            name
            for name, connection in world.topology.connections.items()
            if isinstance(connection, CenConnection) and _touches(tables.cen(connection))
        }
        for vpc in world.topology.vpcs.values():
            plain = self._is_plain(vpc.vpc_id, tables, crowded)
            (self.plain if plain else self.special)[vpc.region_id].append(vpc.vpc_id)

    def get(self, name: str) -> Source | None:
        if name not in self._known:
            self._known[name] = source_of(name, self._world)
        return self._known[name]

    def resolving_as(self, vpc_ids: Iterable[str]) -> Iterator[str]:
        """These VPCs, and the networks that resolve as one of them."""
        for vpc_id in vpc_ids:
            if vpc_id in self._world.topology.vpcs:
                yield vpc_id
            yield from self.networks_of.get(vpc_id, ())

    def audience(self, instance: Instance | None) -> Iterator[str]:
        """Whom an instance's names are open to, plain VPCs of a serverless instance's region excepted."""
        if instance is None:
            return
        if instance.type is InstanceType.DEDICATED:
            vpcs = [] if instance.binding is None else [instance.binding.vpc_id]
            yield from vpcs
        else:
            vpcs = self.plain[instance.region_id] + self.special[instance.region_id]
            yield from self.special[instance.region_id]
        for vpc_id in vpcs:
            yield from self.networks_of.get(vpc_id, ())

    def plain_audience(self, instance: Instance | None) -> list[str]:
        if instance is None or instance.type is InstanceType.DEDICATED:
            return []
        return self.plain[instance.region_id]

    def _is_plain(self, vpc_id: str, tables: RouteTables, crowded: set[str]) -> bool:
        """Nothing but the system route in the shared space, and its own addresses are its own."""
        if _touches(tables.own(vpc_id)) or any(
            one.connection_id in crowded for one in tables.joined.get(vpc_id, ())
        ):
            return False
        for block in self._world.topology.vpcs[vpc_id].routed_blocks:
            host = representative(block, vpc_id, self._world)
            entry = tables.match(vpc_id, host, host)
            if entry is None or entry.target is not Here.LOCAL:
                return False
        return True


def _touches(table: PrefixTable[Any]) -> bool:
    """Whether it has anything in the shared space but the system route, which every VPC has."""
    prefixes = (entry.destination for entry in table.entries() if entry.target is not Here.CLOUD)
    return any(SHARED_SPACE.overlaps(prefix) for prefix in prefixes)
