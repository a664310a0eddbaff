"""The words of ways through a topology: hops, goals, problems and verdicts (DESIGN §1.10). Walks nowhere."""

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network

from vpcdns.model.route_entries import Here
from vpcdns.model.route_tables import RouteTables


class Verdict(Enum):
    """What becomes of a connection attempt; all but the first are also codes of problems."""

    REACHABLE = "reachable"
    NOT_RESOLVED = "not_resolved"
    NO_ROUTE = "no_route"
    SELECTOR_MISMATCH = "selector_mismatch"
    NOT_ATTACHED = "not_attached"
    REGION_MISMATCH = "region_mismatch"
    OVERLAP = "overlap"
    NO_RETURN_ROUTE = "no_return_route"


@dataclass(frozen=True, slots=True)
class PathProblem:
    """Something that stops a packet, and what to do about it."""

    code: Verdict
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Hop:
    """What `at` does with the packet: the entry that it matches, and whom it is handed to.

    `via` is a connection, a VPC or network, or `local` or `cloud services` where the way ends.
    """

    at: str
    destination: IPv4Network
    via: str


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a way should end: at one VPC or network, at the cloud services of a region, or anywhere.

    `services` of a VPC are those that it has itself, such as its resolvers.
    """

    node: str | None = None
    region_id: str | None = None
    services: bool = False

    def leads_through(self, node: str, tables: RouteTables) -> bool:
        """Whether a way to the goal may go to `node`."""
        if self.node is not None or self.region_id is None:
            return node == self.node
        return node in tables.topology.vpcs and tables.region_of(node) == self.region_id

    def is_at(self, end: tuple[str, Here], tables: RouteTables) -> bool:
        node, here = end
        if self.node is not None:
            return here is (Here.CLOUD if self.services else Here.LOCAL) and node == self.node
        return self.region_id is None or (here is Here.CLOUD and self.leads_through(node, tables))

    def __str__(self) -> str:
        return self.node or (f"a VPC of {self.region_id}" if self.region_id else "whoever has it")
