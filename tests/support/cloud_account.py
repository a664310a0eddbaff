"""A cloud account without sockets: items by kind, told as the SDK's response models have them, in pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tests.support.sdk_models import response
from vpcdns.importing.cloud.account import Account
from vpcdns.importing.cloud.asking import ask
from vpcdns.importing.cloud.listings import LISTINGS, Listing, Product

Item = dict[str, Any]

HANGZHOU: Final = "cn-hangzhou"
CEN: Final = "cen-7qthudw0ll6jmc"
ROUTER: Final = "tr-bp1su1ytdxtataupl"

# Made after the models of the SDKs (alibabacloud-vpc20160428 7.2, alibabacloud-cbn20170912 1.4): a VPN to an
# office, and a CEN with a transit router, its attachments and a route into the shared space.
HYBRID: Final[dict[str, list[Item]]] = {
    "VPC": [
        {"VpcId": "vpc-core", "VpcName": "core", "RegionId": HANGZHOU, "CidrBlock": "10.1.0.0/16"},
        {"VpcId": "vpc-shop", "VpcName": "", "RegionId": HANGZHOU, "CidrBlock": "172.20.0.0/16"},
    ],
    "VPN gateway": [{"VpnGatewayId": "vpn-1", "VpcId": "vpc-core", "Name": "office"}],
    "customer gateway": [
        {"CustomerGatewayId": "cgw-office", "IpAddress": "203.0.113.7", "AuthKey": "never kept"},
        {"CustomerGatewayId": "cgw-depot", "IpAddress": "203.0.113.8"},
    ],
    "IPsec connection": [
        {
            "VpnConnectionId": "vco-office",
            "VpnGatewayId": "vpn-1",
            "CustomerGatewayId": "cgw-office",
            "LocalSubnet": "10.1.0.0/16,100.64.0.0/10",
            "RemoteSubnet": "192.168.10.0/24",
            "IkeConfig": {"Psk": "very secret"},
        },
        {
            "VpnConnectionId": "vco-depot",
            "AttachType": "CEN",
            "TransitRouterId": ROUTER,
            "LocalSubnet": "0.0.0.0/0",
            "RemoteSubnet": "192.168.20.0/24",
            "TunnelOptionsSpecification": {
                "TunnelOptions": [
                    {"CustomerGatewayId": "cgw-depot", "TunnelIkeConfig": {"Psk": "very secret"}}
                ]
            },
        },
    ],
    "CEN": [{"CenId": CEN, "Name": "all"}, {"CenId": "cen-empty"}],
    "CEN attachment": [
        {"CenId": CEN, "ChildInstanceId": name, "ChildInstanceType": kind, "ChildInstanceRegionId": HANGZHOU}
        for name, kind in (("vpc-core", "VPC"), ("vbr-idc", "VBR"))
    ],
    "transit router": [
        {"CenId": CEN, "TransitRouterId": ROUTER, "RegionId": HANGZHOU, "Type": "Enterprise"},
        {"CenId": CEN, "TransitRouterId": "tr-old", "RegionId": "cn-qingdao", "Type": "Basic"},
    ],
    "VPC attachment": [
        {
            "TransitRouterAttachmentId": "tr-attach-core",
            "CenId": CEN,
            "TransitRouterId": ROUTER,
            "VpcId": "vpc-core",
            "VpcRegionId": HANGZHOU,
        }
    ],
    "VBR attachment": [
        {
            "TransitRouterAttachmentId": "tr-attach-idc",
            "CenId": CEN,
            "TransitRouterId": ROUTER,
            "VbrId": "vbr-idc",
            "VbrRegionId": HANGZHOU,
        }
    ],
    "VPN attachment": [
        {
            "TransitRouterAttachmentId": "tr-attach-depot",
            "CenId": CEN,
            "TransitRouterId": ROUTER,
            "VpnId": "vco-depot",
            "VpnRegionId": HANGZHOU,
        }
    ],
    "route table": [{"TransitRouterRouteTableId": "vtb-1", "TransitRouterId": ROUTER}],
    "transit router route": [
        {
            "TransitRouterRouteEntryId": f"rte-{number}",
            "TransitRouterRouteEntryDestinationCidrBlock": block,
            "TransitRouterRouteEntryNextHopType": "Attachment",
            "TransitRouterRouteEntryNextHopId": "tr-attach-core",
        }
        for number, block in enumerate(("100.100.80.0/24", "10.7.0.0/16"))
    ],
    "CEN route service": [
        {
            "CenId": CEN,
            "Host": "100.100.2.136/32",
            "HostVpcId": "vpc-core",
            "HostRegionId": HANGZHOU,
            "AccessRegionId": HANGZHOU,
        }
    ],
    "CEN private zone access": [
        {"HostVpcId": "vpc-core", "HostRegionId": HANGZHOU, "AccessRegionId": HANGZHOU}
    ],
}


@dataclass
class FakeCloud:
    """Tells `items` by kind, in pages of any size. `failing`: what an action raises."""

    items: dict[str, list[Item]] = field(default_factory=dict)
    failing: dict[str, Exception] = field(default_factory=dict)
    page_size: int = 50
    calls: list[tuple[str | None, str, dict[str, str]]] = field(default_factory=list)

    def call(
        self, product: Product, region_id: str | None, action: str, parameters: dict[str, str]
    ) -> dict[str, Any]:
        self.calls.append((region_id, action, parameters))
        if action in self.failing:
            raise self.failing[action]
        listing = next(one for one in LISTINGS if action in (one.action, one.detail))
        assert product is listing.product
        if action == listing.detail:
            own = listing.own[0]
            body = next(one for one in self.items[listing.kind] if one[own] == parameters[own])
        else:
            body = self._page(listing, parameters)
        return response(product.version, action, body)

    def _page(self, listing: Listing, parameters: dict[str, str]) -> dict[str, Any]:
        wanted = [
            item
            for item in self.items.get(listing.kind, [])
            if all(
                item.get(name, parameters[name]) == parameters[name]
                for name in parameters
                if name != "RegionId"
            )
        ]
        if listing.has_tokens:
            start = int(parameters.get("NextToken", "0"))
            stop = start + self.page_size
            body: dict[str, Any] = {"NextToken": str(stop)} if stop < len(wanted) else {}
        else:
            start = (int(parameters["PageNumber"]) - 1) * int(parameters["PageSize"])
            stop = start + int(parameters["PageSize"])
            body = {"TotalCount": len(wanted)}
        return body | nested(listing.items, wanted[start:stop])


def nested(path: str, value: Any) -> dict[str, Any]:
    """`value` at a path of names."""
    first, _, rest = path.partition(".")
    return {first: nested(rest, value) if rest else value}


def asked(cloud: FakeCloud, *regions: str) -> Account:
    return ask(cloud, regions or (HANGZHOU,), lambda *_: None)


def kinds(account: Account, scope: str) -> Iterator[str]:
    """The kinds that are known of a scope."""
    return iter(account.scopes.get(scope, {}))
