"""What joins VPCs and on-premises networks: IPsec connections, Cloud Enterprise Networks, and their routes.

Knows prefixes and ids; not the VPCs and networks themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal


@dataclass(frozen=True, slots=True)
class Route:
    """A route of a network or VPC, where `via` is a connection_id, or of a CEN, where it is an attachment."""

    destination: IPv4Network
    via: str


@dataclass(frozen=True, slots=True)
class IpsecConnection:
    """A tunnel of a VPC's VPN gateway. `local_subnets` are the VPC's side of its selectors, `remote_subnets`
    on-premises.

    The gateway routes to `remote_subnets`, or in destination routing mode to `destination_routes`; the VPC
    has these routes with `publish_vpc`, its CENs with `publish_cen`.
    """

    connection_id: str
    vpc_id: str
    network_id: str
    local_subnets: tuple[IPv4Network, ...]
    remote_subnets: tuple[IPv4Network, ...]
    destination_routes: tuple[IPv4Network, ...] = ()
    publish_vpc: bool = True
    publish_cen: bool = False

    @property
    def destinations(self) -> tuple[IPv4Network, ...]:
        """What the VPN gateway routes to it."""
        return self.destination_routes or self.remote_subnets


@dataclass(frozen=True, slots=True)
class ServiceRoute:
    """A CEN's route to a cloud service in 100.64.0.0/10 (ResolveAndRouteServiceInCen).

    `access` names the attachments that may use it.
    """

    host: IPv4Network
    host_vpc_id: str
    access: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NetworkAttachment:
    """How a network is attached to a CEN; no region is that of the VPC that it asks as."""

    network_id: str
    kind: Literal["vbr", "ccn", "vpn"] = "vbr"
    region_id: str | None = None


@dataclass(frozen=True, slots=True)
class CenConnection:
    """A Cloud Enterprise Network; `attachments` are VPCs and networks. An id of a network alone is a VBR."""

    connection_id: str
    edition: Literal["basic", "enterprise"]
    attachments: tuple[str | NetworkAttachment, ...]
    service_routes: tuple[ServiceRoute, ...] = ()
    routes: tuple[Route, ...] = ()


Connection = IpsecConnection | CenConnection


def ends_of(connection: Connection) -> tuple[str, ...]:
    """The VPCs and networks that a connection joins."""
    if isinstance(connection, IpsecConnection):
        return connection.vpc_id, connection.network_id
    return tuple(map(attached_id, connection.attachments))


def attached_id(attachment: str | NetworkAttachment) -> str:
    return attachment if isinstance(attachment, str) else attachment.network_id
