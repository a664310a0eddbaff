"""Terraform's files as configurations: those that the provider wrote, and resources of every type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import vpcdns
from tests.support.repository import ROOT
from tests.support.terraform_documents import WRITTEN, change, hybrid, plan, resource, state
from vpcdns.config import loads
from vpcdns.importing.finish import finish
from vpcdns.importing.inventory import Inventory
from vpcdns.importing.terraform.documents import read
from vpcdns.importing.terraform.reading import Terraform
from vpcdns.importing.terraform.schema import RESOURCES
from vpcdns.importing.text import configuration_text, left_out

VPC = resource("alicloud_vpc.a", id="vpc-a", cidr_block="10.1.0.0/16", region_id="cn-hangzhou")
SHARED_GROUP = "b28d333f90c49b134d4e8a2fd83194f7"


def imported(*documents: bytes | dict[str, Any]) -> Inventory:
    """What an import makes of files; its text is read again and says the same."""
    octets = (one if isinstance(one, bytes) else json.dumps(one).encode() for one in documents)
    terraform = Terraform([read(f"{number}.json", one) for number, one in enumerate(octets, start=1)])
    inventory = terraform.after()
    world = finish(inventory)
    assert loads("\n".join(configuration_text(inventory, "a test"))).world == world
    return inventory


def part(inventory: Inventory, section: str, own: str) -> dict[str, Any]:
    """What a configuration says of the object of that id."""
    found = [item.part for item in inventory.items(section) if own in item.part.values()]
    assert len(found) == 1
    return found[0]


def told(inventory: Inventory) -> str:
    return "\n".join((*configuration_text(inventory, "a test"), *left_out(inventory)))


@pytest.mark.parametrize("file", sorted(WRITTEN.glob("*.json")), ids=lambda file: str(file.stem))
def test_what_the_provider_wrote_is_read(file: Path, tmp_path: Path) -> None:
    """And `check` accepts what is printed."""
    ran = vpcdns("import", "terraform", str(file))
    assert ran.returncode == 0, ran.stderr
    (tmp_path / "vpcdns.yaml").write_text(ran.stdout)
    checked = vpcdns("check", str(tmp_path / "vpcdns.yaml"))
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_state_and_its_file_say_the_same() -> None:
    shown = imported((WRITTEN / "state.json").read_bytes())
    kept = imported((WRITTEN / "terraform.tfstate.json").read_bytes())
    assert shown.document() == kept.document()
    orders = part(shown, "groups", "4fe3d18607eba35112ec3982cab60e44")
    assert (orders["name"], orders["vpc_domain"]) == ("tforders", True)


def test_every_type_that_is_read_is_among_the_resources_of_these_tests() -> None:
    types = {one["type"] for one in hybrid()}
    assert types | {"alicloud_api_gateway_domain"} == set(RESOURCES)


def test_every_type_that_is_read_is_documented() -> None:
    text = (ROOT / "docs" / "terraform.md").read_text()
    assert [kind for kind in RESOURCES if f"`{kind}`" not in text] == []


def test_vpcs_have_all_of_their_blocks_and_vswitches() -> None:
    shop = part(imported(state(*hybrid())), "vpcs", "vpc-shop")
    assert shop["cidr_blocks"] == ["10.2.0.0/16", "172.20.0.0/16"]
    assert shop["vswitches"] == [{"vswitch_id": "vsw-shop", "cidr_block": "172.20.1.0/24"}]
    assert shop["region_id"] == "cn-hangzhou", "the zone of its vSwitch tells it"


def test_instances_are_bound_by_their_ingress_alone() -> None:
    """`user_vpc_id` and `zone_vswitch_security_group` of a vpc_connect instance are the backends' side."""
    inventory = imported(state(*hybrid()))
    assert part(inventory, "instances", "apigateway-hz-1")["binding"] == {
        "vpc_id": "vpc-core",
        "vswitch_id": "vsw-core-i",
    }
    assert "binding" not in part(inventory, "instances", "apigateway-hz-2")
    assert "# not bound: user_vpc_id" in told(inventory)
    assert "# missing: its endpoint's address" in told(inventory)


def test_an_older_provider_does_not_tell_where_an_instance_is_bound() -> None:
    group = {"id": SHARED_GROUP, "instance_id": "apigateway-hz-9", "vpc_domain": "x-vpc.example"}
    inventory = imported(
        state(
            VPC,
            resource("alicloud_api_gateway_instance.a", id="apigateway-hz-9", zone_id="cn-hangzhou-MAZ6"),
            resource("alicloud_api_gateway_group.a", **group),
        )
    )
    assert "# missing: where it is bound, which the provider tells since 1.246" in told(inventory)
    assert "not taken over: alicloud_api_gateway_group.a: vpc_domain true" in told(inventory)


def test_groups() -> None:
    inventory = imported(state(*hybrid()))
    assert part(inventory, "groups", "4fe3d18607eba35112ec3982cab60e44") == {
        "group_id": "4fe3d18607eba35112ec3982cab60e44",
        "name": "orders",
        "instance_id": "apigateway-hz-1",
        "vpc_domain": True,
    }
    assert part(inventory, "groups", SHARED_GROUP)["vpc_domain"] is False
    assert part(inventory, "instances", "api-shared-vpc-001")["type"] == "serverless"


@pytest.mark.parametrize(
    ("vpc_domain", "enable", "on"),
    [("x-vpc.example", None, True), ("", None, False), ("", True, True), ("x-vpc.example", False, False)],
    ids=["an older provider", "an older provider, off", "being switched on", "being switched off"],
)
def test_whether_a_vpc_domain_is_on(vpc_domain: str, enable: bool | None, on: bool) -> None:
    values = {"id": SHARED_GROUP, "instance_id": "api-shared-vpc-001", "vpc_domain": vpc_domain}
    group = resource("alicloud_api_gateway_group.a", vpc_intranet_enable=enable, **values)
    assert part(imported(state(VPC, group)), "groups", SHARED_GROUP)["vpc_domain"] is on


def test_a_group_that_names_no_instance_lives_on_the_shared_one() -> None:
    group = resource("alicloud_api_gateway_group.a", id=SHARED_GROUP, name="maps")
    assert part(imported(state(VPC, group)), "groups", SHARED_GROUP)["instance_id"] == "api-shared-vpc-001"


def test_custom_domains_as_later_providers_have_them() -> None:
    domains = [
        resource(f"alicloud_api_gateway_domain.{n}", group_id=group_id, domain_name=f"{n}.example.com")
        for n, group_id in (("a", "4fe3d18607eba35112ec3982cab60e44"), ("b", "4" * 32))
    ]
    inventory = imported(state(*hybrid(), *domains))
    assert part(inventory, "groups", "orders")["custom_domains"] == ["a.example.com"]
    assert "alicloud_api_gateway_domain.b: custom domain b.example.com: its group is not there" in told(
        inventory
    )


def test_private_zones_have_their_records_as_zone_files_write_them() -> None:
    inventory = imported(state(*hybrid()))
    zone = part(inventory, "private_zones", "corp.internal")
    assert (zone["vpcs"], zone["fall_through"]) == (["vpc-core", "vpc-shop"], True)
    assert [(one["name"], one["type"], *one["values"]) for one in zone["records"]] == [
        ("db", "A", "10.1.8.9"),
        ("*.apps", "CNAME", "gateway.corp.internal."),
        ("@", "MX", "5 mail.corp.internal."),
        ("@", "TXT", '"v=spf1 -all \\"quoted\\"; x"'),
        ("_ldap._tcp", "SRV", "0 5 389 db.corp.internal."),
    ]
    assert [one["record_ids"] for one in zone["records"]] == [[71000 + number] for number in range(5)]
    assert [one.get("enabled", True) for one in zone["records"]] == [True] * 4 + [False]


def test_ipsec_connections_join_a_vpc_and_the_network_behind_their_customer_gateway() -> None:
    inventory = imported(state(*hybrid()))
    vpn, office = part(inventory, "connections", "vco-office"), part(inventory, "networks", "cgw-office")
    assert (vpn["vpc_id"], vpn["network_id"]) == ("vpc-core", "cgw-office")
    assert vpn["local_subnets"] == ["10.1.0.0/16", "100.64.0.0/10"]
    assert office["cidr_blocks"] == vpn["remote_subnets"] == ["192.168.10.0/24"]
    assert [route["destination"] for route in office["routes"]] == vpn["local_subnets"]
    assert "tf-secret" not in told(inventory)


def test_cens_attach_vpcs_and_networks() -> None:
    inventory = imported(state(*hybrid()))
    new, old = part(inventory, "connections", "cen-new"), part(inventory, "connections", "cen-old")
    assert (new["edition"], old["edition"]) == ("enterprise", "basic")
    assert new["attachments"] == [
        *("vpc-core", "vpc-shop"),
        {"network_id": "vbr-idc", "kind": "vbr", "region_id": "cn-hangzhou"},
        {"network_id": "cgw-plant", "kind": "vpn", "region_id": "cn-hangzhou"},
    ]
    assert old["attachments"] == [
        "vpc-core",
        {"network_id": "vbr-old", "kind": "vbr", "region_id": "cn-hangzhou"},
        {"network_id": "ccn-shops", "kind": "ccn", "region_id": "cn-hangzhou"},
    ]
    assert new["routes"] == [
        {"destination": "100.100.80.0/24", "via": "vpc-core"},
        {"destination": "192.168.20.0/23", "via": "cgw-plant"},
    ]
    assert old["service_routes"] == [
        {"host": "100.118.28.52/32", "host_vpc_id": "vpc-core", "access": ["vbr-old", "ccn-shops"]}
    ]
    plant = part(inventory, "networks", "cgw-plant")
    assert plant["cidr_blocks"] == ["192.168.20.0/24", "192.168.21.0/24"]
    assert part(inventory, "networks", "vbr-old")["resolves_as"] == "vpc-core"
    assert "say resolves_through: {vpc_id: vpc-core, via: cen-old} instead" in told(inventory)


def test_a_vpn_gateway_routes_by_destination_where_there_are_such_routes() -> None:
    inventory = imported(state(*hybrid()))
    branch, office = (
        part(inventory, "connections", "vco-branch"),
        part(inventory, "connections", "vco-office"),
    )
    assert branch["destination_routes"] == ["192.168.30.0/24"]
    assert branch["publish_vpc"] is False
    assert branch["publish_cen"] is True
    assert "destination_routes" not in office, "its policies are its selectors"
    assert "publish_vpc" not in office
    assert part(inventory, "networks", "cgw-branch")["cidr_blocks"] == ["192.168.30.0/24"]
    assert "policy-based routes" not in told(inventory)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"publish_vpc": False}, "guessed: that the VPC has all of its routes: only some are published"),
        ({"route_source": "10.1.8.0/24"}, "not taken over: policy-based routes 10.1.8.0/24 -> "),
        ({"next_hop": "vco-gone"}, "route 192.168.10.0/24 via vco-gone: there is no such IPsec connection"),
    ],
)
def test_routes_of_a_vpn_gateway_that_a_connection_cannot_say(change: dict[str, Any], said: str) -> None:
    resources = hybrid()
    route = next(one for one in resources if one["type"] == "alicloud_vpn_pbr_route_entry")
    route["values"] |= change
    assert said in told(imported(state(*resources)))


def test_routes_of_which_nothing_is_known_are_guessed() -> None:
    resources = [one for one in hybrid() if one["type"] != "alicloud_vpn_pbr_route_entry"]
    office = next(one for one in resources if one["address"] == "alicloud_vpn_connection.office")
    office["values"]["auto_config_route"] = False
    said = "guessed: that its VPN gateway routes to its remote subnets, which nothing says"
    assert said in told(imported(state(*resources)))


def test_vpcs_have_their_custom_routes() -> None:
    assert part(imported(state(*hybrid())), "vpcs", "vpc-core")["routes"] == [
        {"destination": "192.168.30.0/24", "via": "vco-branch"},
        {"destination": "192.168.20.0/23", "via": "cen-new"},
    ]


def test_routes_are_found_by_references_before_they_are_made() -> None:
    """A plan of a new VPC: the ids of its route table, its gateway and its connection are not known yet."""
    made: dict[str, tuple[dict[str, Any], dict[str, str], list[str]]] = {
        "alicloud_vpc.new": (
            {"cidr_block": "10.7.0.0/16", "region_id": "cn-hangzhou"},
            {},
            ["id", "route_table_id"],
        ),
        "alicloud_vpn_gateway.new": ({}, {"vpc_id": "alicloud_vpc.new.id"}, ["id", "vpc_id"]),
        "alicloud_vpn_customer_gateway.new": ({}, {}, ["id"]),
        "alicloud_vpn_connection.new": (
            {"local_subnet": ["10.7.0.0/16"], "remote_subnet": ["192.168.70.0/24"]},
            {
                "vpn_gateway_id": "alicloud_vpn_gateway.new.id",
                "customer_gateway_id": "alicloud_vpn_customer_gateway.new.id",
            },
            ["id", "vpn_gateway_id", "customer_gateway_id"],
        ),
        "alicloud_vpn_route_entry.new": (
            {"route_dest": "192.168.70.0/24", "publish_vpc": False},
            {"next_hop": "alicloud_vpn_connection.new.id"},
            ["id", "next_hop"],
        ),
        "alicloud_route_entry.new": (
            {"destination_cidrblock": "192.168.70.0/24", "nexthop_type": "VpnGateway"},
            {
                "route_table_id": "alicloud_vpc.new.route_table_id",
                "nexthop_id": "alicloud_vpn_gateway.new.id",
            },
            ["id", "route_table_id", "nexthop_id"],
        ),
    }
    after = [resource(address, **values) for address, (values, _, _) in made.items()]
    blocks = [
        {
            "address": address,
            "expressions": {
                name: {"references": [one, one.rpartition(".")[0]]} for name, one in references.items()
            },
        }
        for address, (_, references, _) in made.items()
    ]
    changes = [
        change(address, ["create"], None, values, unknown) for address, (values, _, unknown) in made.items()
    ]
    inventory = imported(plan([], after, changes, {"root_module": {"resources": blocks}}))
    connection = part(inventory, "connections", "alicloud_vpn_connection.new")
    assert (connection["destination_routes"], connection["publish_vpc"]) == (["192.168.70.0/24"], False)
    assert part(inventory, "vpcs", "alicloud_vpc.new")["routes"] == [
        {"destination": "192.168.70.0/24", "via": "alicloud_vpn_connection.new"}
    ]


def test_what_a_configuration_has_no_words_for_is_listed() -> None:
    text = told(imported(state(*hybrid(), resource("alicloud_instance.web", id="i-1"))))
    for said in (
        "alicloud_route_entry.nat: route 0.0.0.0/0 via NatGateway ngw-1: a configuration has no next hop",
        "alicloud_route_entry.other: route 192.168.98.0/24 via VpnGateway vpn-core: no VPC is known",
        "alicloud_route_entry.gone: route 192.168.97.0/24 via Attachment tr-attach-gone: nothing that was",
        "alicloud_cen_transit_router_route_entry.private: route 192.168.99.0/24 via BlackHole",
        "alicloud_instance: 1 of this type, which decides nothing here",
    ):
        assert f"# not taken over: {said}" in text


@pytest.mark.parametrize(
    ("address", "values", "why"),
    [
        ("alicloud_vpn_connection.x", {"id": "vco"}, "the VPC of VPN gateway None and its customer gateway"),
        ("alicloud_vswitch.x", {"id": "vsw"}, "its VPC is not known"),
        ("alicloud_cen_instance_attachment.x", {"instance_id": "cen"}, "what is attached is not known"),
        ("alicloud_cen_route_service.x", {"cen_id": "c", "host": "a.example"}, "only blocks of addresses"),
        ("alicloud_pvtz_zone_record.x", {"zone_id": "z"}, "private zone z, of which this is its record"),
        ("data.alicloud_api_gateway_groups.x", {"groups": [{"id": "0" * 32}]}, "does not tell its instance"),
        ("alicloud_cen_instance.x", {"id": "cen"}, ""),
        ("alicloud_cen_transit_router_vpn_attachment.x", {"vpn_id": "v"}, "behind IPsec connection v"),
    ],
)
def test_what_lacks_something_is_listed_with_it(address: str, values: dict[str, Any], why: str) -> None:
    text = told(imported(state(VPC, resource(address, **values))))
    assert not why or f"{address}: " in text
    assert why in text


def test_data_sources_tell_of_what_another_root_made() -> None:
    """What is managed is told by its resource: data sources know less."""
    vpcs = [{"id": "vpc-a", "cidr_block": "10.9.0.0/16"}, {"id": "vpc-b", "cidr_block": "10.2.0.0/16"}]
    switches = [{"id": "vsw-b", "vpc_id": "vpc-b", "cidr_block": "10.2.1.0/24", "zone_id": "cn-beijing-a"}]
    inventory = imported(
        state(
            resource("data.alicloud_vpcs.all", id="1", vpcs=vpcs),
            resource("data.alicloud_vswitches.all", id="2", vswitches=switches),
            VPC,
        )
    )
    assert part(inventory, "vpcs", "vpc-a")["cidr_blocks"] == ["10.1.0.0/16"]
    assert part(inventory, "vpcs", "vpc-b") == {
        "vpc_id": "vpc-b",
        "region_id": "cn-beijing",
        "cidr_blocks": ["10.2.0.0/16"],
        "vswitches": [{"vswitch_id": "vsw-b", "cidr_block": "10.2.1.0/24"}],
    }


def test_several_files_are_one_environment() -> None:
    """Whichever comes first; an object that two of them have is one."""
    group = resource("alicloud_api_gateway_group.a", id=SHARED_GROUP, instance_id="apigateway-hz-9")
    binding = {"ingress_vpc_id": "vpc-a", "ingress_vswitch_id": "vsw-a", "zone_id": "cn-hangzhou-MAZ6"}
    gateway = resource("alicloud_api_gateway_instance.a", id="apigateway-hz-9", **binding)
    switch = resource("alicloud_vswitch.a", id="vsw-a", vpc_id="vpc-a", cidr_block="10.1.3.0/24")
    one, other = state(group, gateway, VPC), state(VPC, switch)
    assert imported(one, other).document() == imported(other, one).document()
    assert len(list(imported(one, other).items("vpcs"))) == 1


def test_unread_attributes_are_listed_by_type() -> None:
    terraform = Terraform([read("tf.json", json.dumps(state(*hybrid())).encode())])
    unread = terraform.unread()
    assert unread["alicloud_vpn_connection"] == ["ike_config"]
    assert "vpc_name" not in unread.get("alicloud_vpc", []), "nothing is listed that says nothing"
