"""The gateway's objects: instances, API groups, custom domains.

Knows what they are and where a group's names come from (DESIGN §1). What may be combined is in
`gateway_rules`, what may be done to them in `changes`, what they answer in `vpc_domains`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network
from typing import Final

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
