"""The gateway's objects: instances, API groups, custom domains.

Knows what they are and where a group's names come from (DESIGN §1). What may be combined is in
`gateway_rules`, what may be done to them in `changes`, what they answer in `vpc_domains`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from vpcdns.model.frozen_map import Filling, FrozenMap
from vpcdns.model.names import Name
from vpcdns.model.topology import Vpc

# RFC 6598: the shared space that the cloud's services answer from; in every VPC's system routes.
SHARED_SPACE: Final = IPv4Network("100.64.0.0/10")
GROUP_ID: Final = re.compile(r"[0-9a-f]{32}")  # DESIGN §1.2
VPC_LABEL_END: Final = b"-vpc"

InstanceKey = tuple[str, str]  # region_id, instance_id: an id is unique within its region


class InstanceType(Enum):
    SERVERLESS = "serverless"
    DEDICATED = "dedicated"


@dataclass(frozen=True, slots=True)
class Binding:
    """The one VPC that reaches a dedicated instance, through a private endpoint in a vSwitch."""

    vpc_id: str
    vswitch_id: str
    address: IPv4Address


@dataclass(frozen=True, slots=True)
class Instance:
    """A gateway instance: serverless with shared `addresses`, or dedicated with at most one `binding`."""

    instance_id: str
    region_id: str
    type: InstanceType
    addresses: tuple[IPv4Address, ...] = ()
    binding: Binding | None = None

    @property
    def key(self) -> InstanceKey:
        return self.region_id, self.instance_id

    @property
    def all_addresses(self) -> tuple[IPv4Address, ...]:
        """The addresses that its VPC domains resolve to, wherever they are open."""
        return self.addresses if self.binding is None else (self.binding.address,)

    def addresses_in(self, vpc: Vpc) -> tuple[IPv4Address, ...]:
        """Its addresses that a VPC reaches without any connection."""
        if self.binding is not None:
            return self.all_addresses if self.binding.vpc_id == vpc.vpc_id else ()
        return self.addresses if self.region_id == vpc.region_id else ()


@dataclass(frozen=True, slots=True)
class Group:
    """An API group. `vpc_domain` says whether its VPC second-level domain is enabled."""

    group_id: str
    instance_id: str
    region_id: str
    name: str = ""
    vpc_domain: bool = False
    custom_domains: tuple[Name, ...] = ()

    @property
    def instance_key(self) -> InstanceKey:
        return self.region_id, self.instance_id

    @property
    def vpc_domain_label(self) -> bytes:
        """The first label of its VPC domain; it survives disabling, rebinding, migration (DESIGN §1.2)."""
        return f"{self.group_id}-{self.region_id}-vpc".encode()


def group_of_label(label: bytes) -> tuple[str, str] | None:
    """group_id and region_id out of the folded label `<group_id>-<region_id>-vpc`; None: not of that form."""
    if not label.endswith(VPC_LABEL_END) or len(label) < 38 or label[32:33] != b"-" or not label.isascii():
        return None
    group_id, region_id = label[:32].decode(), label[33:-4].decode()
    return (group_id, region_id) if GROUP_ID.fullmatch(group_id) else None


@dataclass(frozen=True, slots=True)
class CustomDomains:
    """Custom domain -> group_id, with the wildcards of RFC 4592.

    `nodes` counts for every name how many custom domains lie at or below it: a name that exists,
    even without records of its own, stops a wildcard above it.
    """

    owners: FrozenMap[Name, str] = field(default_factory=FrozenMap)
    nodes: FrozenMap[Name, int] = field(default_factory=FrozenMap)

    @staticmethod
    def of(owners: FrozenMap[Name, str] | Iterable[tuple[Name, str]]) -> CustomDomains:
        owned = owners if isinstance(owners, FrozenMap) else FrozenMap(owners)
        nodes: Filling[Name, int] = Filling()
        # Most names have their parents in common with many others: those are counted once, not name by name.
        families: dict[tuple[bytes, ...], list[Name]] = {}
        for name in owned:
            nodes[name] = 1
            families.setdefault(name.folded[1:], []).append(name)
        for siblings in families.values():
            for node in siblings[0].ancestors():
                nodes[node] = nodes.get(node, 0) + len(siblings)
        return CustomDomains(owned, nodes.frozen())

    def add(self, name: Name, group_id: str) -> CustomDomains:
        counts = {node: self.nodes.get(node, 0) + 1 for node in (name, *name.ancestors())}
        return CustomDomains(self.owners.set(name, group_id), self.nodes.edited(counts))

    def remove(self, name: Name) -> CustomDomains:
        """Without `name`; raises KeyError when it is not there."""
        counts = {node: self.nodes[node] - 1 for node in (name, *name.ancestors())}
        left = {node: count for node, count in counts.items() if count}
        return CustomDomains(self.owners.delete(name), self.nodes.edited(left, counts.keys() - left.keys()))

    def match(self, name: Name) -> tuple[Name, str] | None:
        """The custom domain that answers for `name` (itself, or a wildcard), and its group_id."""
        if (group_id := self.owners.get(name)) is not None:
            return name, group_id
        if name in self.nodes:
            return None  # RFC 4592 §2.2.2: an empty non-terminal exists, so no wildcard applies
        for encloser in name.ancestors():
            if encloser in self.nodes:  # RFC 4592 §3.3.1: only the closest encloser counts
                wildcard = Name((b"*", *encloser.labels))  # no longer than `name` itself
                owner = self.owners.get(wildcard)
                return None if owner is None else (wildcard, owner)
        return None
