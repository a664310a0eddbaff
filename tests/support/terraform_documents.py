"""Documents of Terraform's: those that the real provider wrote, and small ones made of resources.

What is made here follows the provider's documentation (website/docs/r and /d of
aliyun/terraform-provider-alicloud, 2026-08-21) and the format of `terraform show -json` (format_version 1.x);
no provider wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from tests.support.repository import ROOT

WRITTEN: Final = ROOT / "tests" / "importing" / "terraform" / "documents"
PROVIDER: Final = "registry.terraform.io/aliyun/alicloud"
HZ: Final = "cn-hangzhou"


def resource(address: str, **values: Any) -> dict[str, Any]:
    """A resource as `show -json` has it; a module, a data source and an index are read off its address."""
    local = address.rpartition("module.")[2].partition(".")[2] if "module." in address else address
    is_data = local.startswith("data.")
    kind, _, name = local.removeprefix("data.").partition(".")
    name, bracket, index = name.partition("[")
    made = {
        "address": address,
        "mode": "data" if is_data else "managed",
        "type": kind,
        "name": name,
        "provider_name": PROVIDER,
        "schema_version": 0,
        "values": values,
        "sensitive_values": {},
    }
    return made | ({"index": json.loads(index.removesuffix("]"))} if bracket else {})


def module_of(address: str) -> str:
    """The module that a resource is in: `module.net` of `module.net.alicloud_vpc.this`."""
    steps = address.split(".")
    last = max((place for place, step in enumerate(steps) if step == "module"), default=-2)
    return ".".join(steps[: last + 2])


def values_of(resources: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A tree of modules, one deep, as `show -json` has it."""
    modules: dict[str, list[Mapping[str, Any]]] = {}
    for one in resources:
        modules.setdefault(module_of(one["address"]), []).append(one)
    root = {"resources": modules.pop("", [])}
    children = [{"address": name, "resources": found} for name, found in modules.items()]
    return {"root_module": {**root, **({"child_modules": children} if children else {})}}


def state(*resources: Mapping[str, Any]) -> dict[str, Any]:
    """What `terraform show -json` prints of a state."""
    return {"format_version": "1.0", "terraform_version": "1.11.4", "values": values_of(resources)}


def change(
    address: str,
    actions: Iterable[str],
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    unknown: Iterable[str] = (),
    **more: Any,
) -> dict[str, Any]:
    """One of a plan's `resource_changes`."""
    whole = resource(address)
    given = {key: whole[key] for key in ("address", "mode", "type", "name", "provider_name")}
    if "index" in whole:
        given["index"] = whole["index"]
    said = {"actions": list(actions), "before": before, "after": after}
    return {**given, "change": {**said, "after_unknown": dict.fromkeys(unknown, True), **more}}


def plan(
    before: Iterable[Mapping[str, Any]],
    after: Iterable[Mapping[str, Any]],
    changes: Iterable[Mapping[str, Any]] = (),
    configuration: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """What `terraform show -json` prints of a saved plan."""
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": values_of(after),
        "resource_changes": list(changes),
        "prior_state": state(*before),
        "configuration": configuration or {"root_module": {}},
        **more,
    }


def octets(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode()


def written(folder: Path, document: Mapping[str, Any], name: str = "tf.json") -> Path:
    file = folder / name
    file.write_bytes(octets(document))
    return file


def hybrid() -> list[dict[str, Any]]:
    """Resources of every type that is read: two VPCs, an office over IPsec, a data centre behind a VBR."""
    return [
        resource(
            "alicloud_vpc.core",
            id="vpc-core",
            cidr_block="10.1.0.0/16",
            region_id=HZ,
            route_table_id="vtb-core",
        ),
        resource("alicloud_vpc.shop", id="vpc-shop", cidr_block="10.2.0.0/16", secondary_cidr_blocks=[]),
        resource(
            "alicloud_vpc_ipv4_cidr_block.shop",
            id="vpc-shop:172.20.0.0/16",
            vpc_id="vpc-shop",
            secondary_cidr_block="172.20.0.0/16",
        ),
        resource(
            'alicloud_vswitch.core["i"]',
            id="vsw-core-i",
            vpc_id="vpc-core",
            cidr_block="10.1.8.0/24",
            zone_id="cn-hangzhou-i",
            vswitch_name="core",
        ),
        resource(
            "alicloud_vswitch.shop",
            id="vsw-shop",
            vpc_id="vpc-shop",
            cidr_block="172.20.1.0/24",
            zone_id="cn-hangzhou-i",
        ),
        resource(
            "alicloud_api_gateway_instance.orders",
            id="apigateway-hz-1",
            instance_name="orders",
            instance_type="normal",
            zone_id="cn-hangzhou-MAZ6(i,j,k)",
            ingress_vpc_id="vpc-core",
            ingress_vswitch_id="vsw-core-i",
        ),
        resource(
            "alicloud_api_gateway_instance.integrated",
            id="apigateway-hz-2",
            instance_name="integrated",
            instance_type="vpc_connect",
            user_vpc_id="vpc-shop",
            instance_cidr="172.16.0.0/12",
            zone_id="cn-hangzhou-MAZ6",
            ingress_vpc_id="",
            zone_vswitch_security_group=[
                {
                    "zone_id": "cn-hangzhou-i",
                    "vswitch_id": "vsw-shop",
                    "cidr_block": "172.20.1.0/24",
                    "security_group": "sg-1",
                }
            ],
        ),
        resource(
            "alicloud_api_gateway_group.orders",
            id="4fe3d18607eba35112ec3982cab60e44",
            name="orders",
            instance_id="apigateway-hz-1",
            sub_domain="4fe3d18607eba35112ec3982cab60e44-cn-hangzhou.alicloudapi.com",
            vpc_domain="4fe3d18607eba35112ec3982cab60e44-cn-hangzhou-vpc.alicloudapi.com",
            vpc_intranet_enable=True,
        ),
        resource(
            "alicloud_api_gateway_group.maps",
            id="b28d333f90c49b134d4e8a2fd83194f7",
            name="maps",
            instance_id="api-shared-vpc-001",
            vpc_domain="",
            vpc_intranet_enable=False,
        ),
        *zones(),
        *vpns(),
        *cens(),
    ]


def zones() -> list[dict[str, Any]]:
    """A private zone for two VPCs, with records of each type that the provider documents."""
    zone = "a27f9b8d1c4e4f0e9b1c2d3e4f5a6b7c"
    records: list[tuple[str, str, str, dict[str, Any]]] = [
        ("db", "A", "10.1.8.9", {}),
        ("*.apps", "CNAME", "gateway.corp.internal", {"ttl": 300}),
        ("@", "MX", "mail.corp.internal", {"priority": 5}),
        ("@", "TXT", 'v=spf1 -all "quoted"; x', {}),
        ("_ldap._tcp", "SRV", "0 5 389 db.corp.internal", {"status": "DISABLE"}),
    ]
    made = [
        resource(
            f"alicloud_pvtz_zone_record.all[{number}]",
            id=f"{71000 + number}:{zone}",
            record_id=71000 + number,
            zone_id=zone,
            rr=rr,
            type=kind,
            value=value,
            **{"ttl": 60, "priority": 1, "status": "ENABLE", **more},
        )
        for number, (rr, kind, value, more) in enumerate(records)
    ]
    return [
        resource("alicloud_pvtz_zone.corp", id=zone, zone_name="corp.internal", proxy_pattern="RECORD"),
        resource(
            "alicloud_pvtz_zone_attachment.corp",
            id=zone,
            zone_id=zone,
            vpc_ids=["vpc-core", "vpc-shop"],
            vpcs=[{"vpc_id": "vpc-core", "region_id": HZ}, {"vpc_id": "vpc-shop", "region_id": HZ}],
        ),
        *made,
    ]


def vpns() -> list[dict[str, Any]]:
    """An office behind an IPsec connection in dual-tunnel mode, a branch in destination routing mode."""
    branch = {"vpn_gateway_id": "vpn-core", "next_hop": "vco-branch"}
    office = {"vpn_gateway_id": "vpn-core", "next_hop": "vco-office", "route_dest": "192.168.10.0/24"}
    return [
        resource("alicloud_vpn_gateway.core", id="vpn-core", vpc_id="vpc-core", vswitch_id="vsw-core-i"),
        resource("alicloud_vpn_customer_gateway.office", id="cgw-office", ip_address="192.0.2.10"),
        resource(
            "alicloud_vpn_connection.office",
            id="vco-office",
            vpn_gateway_id="vpn-core",
            customer_gateway_id=None,
            local_subnet=["10.1.0.0/16", "100.64.0.0/10"],
            remote_subnet=["192.168.10.0/24"],
            tunnel_options_specification=[
                {"customer_gateway_id": "cgw-office", "role": "master"},
                {"customer_gateway_id": "cgw-office", "role": "slave"},
            ],
            ike_config=[{"psk": "tf-secret"}],
        ),
        *(
            resource(
                f'alicloud_vpn_pbr_route_entry.office["{source}"]',
                id=f"vpn-core:vco-office:{source}:192.168.10.0/24",
                route_source=source,
                publish_vpc=True,
                **office,
            )
            for source in ("10.1.0.0/16", "100.64.0.0/10")
        ),
        resource("alicloud_vpn_customer_gateway.branch", id="cgw-branch", ip_address="192.0.2.30"),
        resource(
            "alicloud_vpn_connection.branch",
            id="vco-branch",
            vpn_gateway_id="vpn-core",
            customer_gateway_id="cgw-branch",
            local_subnet=["0.0.0.0/0"],
            remote_subnet=["0.0.0.0/0"],
            auto_config_route=False,
        ),
        resource(
            "alicloud_vpn_route_entry.branch",
            id="vpn-core:vco-branch:192.168.30.0/24",
            route_dest="192.168.30.0/24",
            weight=0,
            publish_vpc=False,
            **branch,
        ),
    ]


def cens() -> list[dict[str, Any]]:
    """An Enterprise transit router with attachments of three kinds, and an older CEN without one."""
    router = {"cen_id": "cen-new", "transit_router_id": "tr-1"}
    return [
        resource("alicloud_cen_instance.new", id="cen-new", cen_instance_name="new"),
        resource(
            "alicloud_cen_transit_router.new", id="cen-new:tr-1", type="Enterprise", region_id=HZ, **router
        ),
        resource(
            "alicloud_cen_transit_router_vpc_attachment.core",
            id="tr-attach-core",
            transit_router_attachment_id="tr-attach-core",
            vpc_id="vpc-core",
            **router,
        ),
        resource(
            "alicloud_cen_transit_router_vpc_attachment.shop",
            id="tr-1:tr-attach-shop",
            transit_router_attachment_id="tr-attach-shop",
            vpc_id="vpc-shop",
            **router,
        ),
        resource(
            "alicloud_cen_transit_router_vbr_attachment.idc",
            id="tr-attach-vbr",
            transit_router_attachment_id="tr-attach-vbr",
            vbr_id="vbr-idc",
            region_id=HZ,
            **router,
        ),
        resource("alicloud_vpn_customer_gateway.plant", id="cgw-plant", ip_address="192.0.2.20"),
        resource(
            "alicloud_vpn_gateway_vpn_attachment.plant",
            id="vco-plant",
            local_subnet="0.0.0.0/0",
            remote_subnet="192.168.20.0/24,192.168.21.0/24",
            tunnel_options_specification=[{"customer_gateway_id": "cgw-plant", "tunnel_index": 1}],
        ),
        resource(
            "alicloud_cen_transit_router_vpn_attachment.plant",
            id="tr-attach-vpn",
            vpn_id="vco-plant",
            region_id=HZ,
            **router,
        ),
        resource(
            "alicloud_cen_transit_router_route_entry.services",
            id="vtb-1:rte-1",
            transit_router_route_table_id="vtb-1",
            transit_router_route_entry_destination_cidr_block="100.100.80.0/24",
            transit_router_route_entry_next_hop_type="Attachment",
            transit_router_route_entry_next_hop_id="tr-attach-core",
        ),
        resource(
            "alicloud_cen_transit_router_route_entry.private",
            id="vtb-1:rte-2",
            transit_router_route_table_id="vtb-1",
            transit_router_route_entry_destination_cidr_block="192.168.99.0/24",
            transit_router_route_entry_next_hop_type="BlackHole",
        ),
        resource(
            "alicloud_cen_transit_router_route_entry.plant",
            id="vtb-1:rte-3",
            transit_router_route_table_id="vtb-1",
            transit_router_route_entry_destination_cidr_block="192.168.20.0/23",
            transit_router_route_entry_next_hop_type="Attachment",
            transit_router_route_entry_next_hop_id="tr-attach-vpn",
        ),
        resource("alicloud_cen_instance.old", id="cen-old", cen_instance_name="old"),
        *(
            resource(
                f"alicloud_cen_instance_attachment.{child}",
                id=f"cen-old:{child}:{kind}:{HZ}",
                instance_id="cen-old",
                child_instance_id=child,
                child_instance_type=kind,
                child_instance_region_id=HZ,
            )
            for child, kind in (("vpc-core", "VPC"), ("vbr-old", "VBR"), ("ccn-shops", "CCN"))
        ),
        resource(
            "alicloud_cen_route_service.api",
            id="cen-old:cn-hangzhou:100.118.28.52/32:cn-hangzhou",
            cen_id="cen-old",
            host="100.118.28.52/32",
            host_region_id=HZ,
            host_vpc_id="vpc-core",
            access_region_id=HZ,
        ),
        resource(
            "alicloud_cen_private_zone.old",
            id="cen-old:cn-hangzhou",
            cen_id="cen-old",
            access_region_id=HZ,
            host_region_id=HZ,
            host_vpc_id="vpc-core",
        ),
        *(
            resource(
                f"alicloud_route_entry.{name}",
                id=f"{table}:vrt-core:{block}:{kind}:{hop}",
                route_table_id=table,
                destination_cidrblock=block,
                nexthop_type=kind,
                nexthop_id=hop,
            )
            for name, table, block, kind, hop in (
                ("branch", "vtb-core", "192.168.30.0/24", "VpnGateway", "vpn-core"),
                ("plant", "vtb-core", "192.168.20.0/23", "Attachment", "tr-attach-core"),
                ("nat", "vtb-core", "0.0.0.0/0", "NatGateway", "ngw-1"),
                ("other", "vtb-other", "192.168.98.0/24", "VpnGateway", "vpn-core"),
                ("gone", "vtb-core", "192.168.97.0/24", "Attachment", "tr-attach-gone"),
            )
        ),
        resource(
            "alicloud_cen_route_entry.branch",
            id="cen-old:vtb-core:192.168.30.0/24",
            instance_id="cen-old",
            route_table_id="vtb-core",
            cidr_block="192.168.30.0/24",
        ),
    ]


def risky_plan() -> dict[str, Any]:
    """A plan with everything that Terraform's own output does not warn of."""
    before = [*hybrid(), *_bound("stays", 7), *_bound("under", 9)]
    zone = next(one["values"]["id"] for one in before if one["type"] == "alicloud_pvtz_zone")
    attachment = _values(before, "alicloud_pvtz_zone_attachment.corp")
    group = _values(before, "alicloud_api_gateway_group.orders")
    alias = resource(
        "alicloud_pvtz_zone_record.orders",
        id=f"79000:{zone}",
        record_id=79000,
        zone_id=zone,
        rr="orders",
        type="CNAME",
        value=group["vpc_domain"],
        ttl=60,
    )
    before.append(alias)
    instance = _values(before, "alicloud_api_gateway_instance.stays")
    vswitch = _values(before, "alicloud_vswitch.under")
    new_group = {"name": "orders", "instance_id": "apigateway-hz-stays", "vpc_intranet_enable": True}
    unbound = {**instance, "ingress_vpc_id": "", "ingress_vswitch_id": ""}
    new_attachment = {**attachment, "vpc_ids": ["vpc-core", "vpc-shop"], "vpcs": []}
    changed: dict[str, dict[str, Any] | None] = {
        "alicloud_api_gateway_group.orders": new_group,
        "alicloud_api_gateway_instance.stays": unbound,
        "alicloud_vswitch.under": None,
        "alicloud_pvtz_zone_attachment.corp": new_attachment,
    }
    after = [
        {**one, "values": changed.get(one["address"], one["values"])}
        for one in before
        if changed.get(one["address"], one) is not None
    ]
    replaced = ["delete", "create"]
    return plan(
        before,
        after,
        [
            change(
                "alicloud_api_gateway_group.orders",
                replaced,
                group,
                new_group,
                ("id", "vpc_domain", "sub_domain"),
                replace_paths=[["instance_id"]],
            ),
            change("alicloud_api_gateway_instance.stays", ["update"], instance, unbound),
            change("alicloud_vswitch.under", ["delete"], vswitch, None),
            change(
                "alicloud_pvtz_zone_attachment.corp",
                replaced,
                attachment,
                new_attachment,
                ("id",),
                replace_paths=[["lang"]],
            ),
        ],
    )


def _bound(name: str, third: int) -> list[dict[str, Any]]:
    """A vSwitch, and an instance and a group of its own in it."""
    group_id = f"{third:032x}"
    return [
        resource(
            f"alicloud_vswitch.{name}",
            id=f"vsw-{name}",
            vpc_id="vpc-core",
            cidr_block=f"10.1.{third}.0/24",
            zone_id="cn-hangzhou-i",
        ),
        resource(
            f"alicloud_api_gateway_instance.{name}",
            id=f"apigateway-hz-{name}",
            zone_id="cn-hangzhou-MAZ6",
            instance_type="normal",
            ingress_vpc_id="vpc-core",
            ingress_vswitch_id=f"vsw-{name}",
        ),
        resource(
            f"alicloud_api_gateway_group.{name}",
            id=group_id,
            name=name,
            instance_id=f"apigateway-hz-{name}",
            vpc_domain=f"{group_id}-cn-hangzhou-vpc.alicloudapi.com",
            vpc_intranet_enable=True,
        ),
    ]


def _values(resources: Iterable[Mapping[str, Any]], address: str) -> dict[str, Any]:
    return next(dict(one["values"]) for one in resources if one["address"] == address)


def large(resources: int) -> list[dict[str, Any]]:
    """For each hundred a VPC, a vSwitch, an instance and a zone with 15 records, and 80 groups."""
    made: list[dict[str, Any]] = []
    for number in range(resources // 100):
        vpc, zone, block = f"vpc-{number}", f"zone-{number}", f"10.{number % 200}.{number // 200 * 8}"
        made += [
            resource(f"alicloud_vpc.all[{number}]", id=vpc, cidr_block=f"{block}.0/21", region_id=HZ),
            resource(
                f"alicloud_vswitch.all[{number}]",
                id=f"vsw-{number}",
                vpc_id=vpc,
                cidr_block=f"{block}.0/24",
                zone_id="cn-hangzhou-i",
            ),
            resource(
                f"alicloud_api_gateway_instance.all[{number}]",
                id=f"apigateway-hz-{number}",
                zone_id="cn-hangzhou-MAZ6",
                ingress_vpc_id=vpc,
                ingress_vswitch_id=f"vsw-{number}",
            ),
            resource(f"alicloud_pvtz_zone.all[{number}]", id=zone, zone_name=f"z{number}.internal"),
            resource(f"alicloud_pvtz_zone_attachment.all[{number}]", id=zone, zone_id=zone, vpc_ids=[vpc]),
        ]
        for place in range(number * 95, number * 95 + 15):
            values = {"zone_id": zone, "rr": f"host{place}", "type": "A", "value": "10.1.0.9", "ttl": 60}
            made.append(
                resource(
                    f"alicloud_pvtz_zone_record.all[{place}]", id=f"{place}:{zone}", record_id=place, **values
                )
            )
        for place in range(number * 95, number * 95 + 80):
            made.append(
                resource(
                    f"alicloud_api_gateway_group.all[{place}]",
                    id=f"{place:032x}",
                    name=f"group{place}",
                    instance_id=f"apigateway-hz-{number}",
                    vpc_domain=f"{place:032x}-cn-hangzhou-vpc.alicloudapi.com",
                    vpc_intranet_enable=True,
                )
            )
    return made


def large_rebind(resources: int) -> dict[str, Any]:
    """A plan over so many: every instance moves into the next VPC, and every tenth group is replaced."""
    before = large(resources)
    count, after, changes = resources // 100, [], []
    for one in before:
        values, actions = dict(one["values"]), ["no-op"]
        unknown: list[str] = []
        if one["type"] == "alicloud_api_gateway_instance":
            following = (one["index"] + 1) % count
            values |= {"ingress_vpc_id": f"vpc-{following}", "ingress_vswitch_id": f"vsw-{following}"}
            actions = ["update"]
        elif one["type"] == "alicloud_api_gateway_group" and one["index"] % 10 == 0:
            values = {"name": values["name"], "vpc_intranet_enable": True}
            actions, unknown = ["delete", "create"], ["id", "vpc_domain", "instance_id"]
        after.append({**one, "values": values})
        changes.append(change(one["address"], actions, one["values"], values, unknown))
    block = {
        "address": "alicloud_api_gateway_group.all",
        "expressions": {"instance_id": {"references": ["alicloud_api_gateway_instance.all", "count.index"]}},
    }
    return plan(before, after, changes, {"root_module": {"resources": [block]}})
