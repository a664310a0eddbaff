"""What is known after the apply only: ids that stand in, and where references lead."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.terraform_documents import WRITTEN, change, octets, plan, resource
from vpcdns.importing.finish import finish
from vpcdns.importing.inventory import Inventory
from vpcdns.importing.terraform.documents import read
from vpcdns.importing.terraform.reading import Terraform

Expressions = dict[str, list[str]]


def configured(address: str, provider: str = "alicloud", **expressions: Any) -> dict[str, Any]:
    """A resource in a plan's configuration: attributes with what each refers to."""
    said = {name: {"references": one} if isinstance(one, list) else one for name, one in expressions.items()}
    return {"address": address, "provider_config_key": provider, "expressions": said}


def planned(resources: list[dict[str, Any]], root: dict[str, Any], **more: Any) -> Inventory:
    """A plan that makes all of these anew; an attribute of None is known after the apply only."""
    changes = []
    for one in resources:
        unknown = ["id", *(name for name, value in one["values"].items() if value is None)]
        changes.append(change(one["address"], ["create"], None, one["values"], unknown))
    document = plan([], resources, changes, {"root_module": root, **more})
    inventory = Terraform([read("plan.json", octets(document))]).after()
    finish(inventory)
    return inventory


def binding(inventory: Inventory) -> dict[str, Any]:
    item = next(inventory.items("instances"))
    made: dict[str, Any] = item.part["binding"]
    return made


def instance(address: str = "alicloud_api_gateway_instance.a") -> dict[str, Any]:
    return resource(address, ingress_vpc_id=None, ingress_vswitch_id=None, zone_id="cn-hangzhou-MAZ6")


def vpc(address: str, block: int = 1) -> dict[str, Any]:
    return resource(address, cidr_block=f"10.{block}.0.0/16")


def vswitch(address: str, block: str = "10.1.8.0/24") -> dict[str, Any]:
    return resource(address, cidr_block=block, vpc_id=None, zone_id="cn-hangzhou-i")


def test_a_plan_that_makes_everything() -> None:
    """As the provider wrote it: a module with for_each, an output that is a list, groups with count."""
    inventory = Terraform([read("plan.json", (WRITTEN / "plan-new.json").read_bytes())]).after()
    finish(inventory)
    assert binding(inventory) == {
        "vpc_id": "module.net.alicloud_vpc.this",
        "vswitch_id": "module.net.alicloud_vswitch.this.8",
    }
    groups = [item.part for item in inventory.items("groups")]
    assert [one["name"] for one in groups] == ["tfpay0", "tfpay1"]
    assert {one["instance_id"] for one in groups} == {"alicloud_api_gateway_instance.pay"}
    assert all(one["group_id"].startswith("00000000") and len(one["group_id"]) == 32 for one in groups)
    assert groups[0]["group_id"] != groups[1]["group_id"]
    notes = [note for item in inventory.items("groups") for note in item.notes]
    assert all("its VPC domain" in note for note in notes)
    again = Terraform([read("plan.json", (WRITTEN / "plan-new.json").read_bytes())]).after()
    finish(again)
    assert again.document() == inventory.document()


NET = {
    "outputs": {
        "vpc": {"expression": {"references": ["alicloud_vpc.this.id", "alicloud_vpc.this"]}},
        "switches": {"expression": {"references": ["alicloud_vswitch.this"]}},
    },
    "resources": [
        configured("alicloud_vpc.this"),
        configured("alicloud_vswitch.this", vpc_id=["alicloud_vpc.this.id", "alicloud_vpc.this"]),
    ],
}


@pytest.mark.parametrize(
    ("references", "expected", "guessed"),
    [
        (
            ['alicloud_vswitch.all["b"].id', 'alicloud_vswitch.all["b"]', "alicloud_vswitch.all"],
            "all.b",
            False,
        ),
        (["alicloud_vswitch.all[0].id", "alicloud_vswitch.all"], "all.a", True),
        (["alicloud_vswitch.all", "count.index"], "all.a", True),
        (["alicloud_vswitch.one.id", "alicloud_vswitch.one"], "one", False),
        (["var.nothing", "alicloud_vswitch.one.id", "alicloud_vswitch.one"], "one", False),
        (["alicloud_vpc.core.id", "alicloud_vpc.core", "alicloud_vswitch.one.id"], "one", False),
        (["alicloud_vswitch.one.id", 'alicloud_vswitch.all["b"].id'], "one", True),
    ],
)
def test_instances_of_a_resource(references: list[str], expected: str, guessed: bool) -> None:
    switches = [
        vswitch('alicloud_vswitch.all["a"]'),
        vswitch('alicloud_vswitch.all["b"]', "10.1.9.0/24"),
        vswitch("alicloud_vswitch.one", "10.1.10.0/24"),
    ]
    own: dict[str, Any] = {"vpc_id": ["alicloud_vpc.core.id", "alicloud_vpc.core"]}
    root = {
        "resources": [
            configured("alicloud_vswitch.all", **own),
            configured("alicloud_vswitch.one", **own),
            configured(
                "alicloud_api_gateway_instance.a",
                ingress_vpc_id=["alicloud_vpc.core.id", "alicloud_vpc.core"],
                ingress_vswitch_id=references,
            ),
        ]
    }
    inventory = planned([vpc("alicloud_vpc.core"), *switches, instance()], root)
    assert binding(inventory)["vswitch_id"] == f"alicloud_vswitch.{expected}"
    notes = "\n".join(inventory.notes)
    assert ("guessed: ingress_vswitch_id is known after the apply only" in notes) is guessed


def test_the_instance_of_the_same_index_is_meant() -> None:
    keys = ("a", "b c")
    resources = [vpc(f'alicloud_vpc.all["{key}"]', number) for number, key in enumerate(keys)]
    resources += [
        vswitch(f'alicloud_vswitch.all["{key}"]', f"10.{number}.1.0/24") for number, key in enumerate(keys)
    ]
    root = {"resources": [configured("alicloud_vswitch.all", vpc_id=["alicloud_vpc.all", "each.key"])]}
    vpcs = [item.part for item in planned(resources, root).items("vpcs")]
    assert [one["vswitches"][0]["cidr_block"] for one in vpcs] == ["10.0.1.0/24", "10.1.1.0/24"]
    assert vpcs[0]["vpc_id"] == "alicloud_vpc.all.a"
    assert vpcs[1]["vpc_id"].startswith("alicloud_vpc.all-b-c-"), "no space in an id, and no collision"


def test_modules_within_modules_variables_and_for_each() -> None:
    """module.gateway's variable is an output of module.net, and both are there twice."""
    resources = []
    for number, key in enumerate(("blue", "green")):
        net = f'module.net["{key}"]'
        resources += [vpc(f"{net}.alicloud_vpc.this", number)]
        resources += [vswitch(f"{net}.alicloud_vswitch.this", f"10.{number}.1.0/24")]
        resources += [instance(f'module.gateway["{key}"].alicloud_api_gateway_instance.a')]
    called = {
        "vpc": {"references": ['module.net["green"].vpc', 'module.net["green"]', "module.net"]},
        "switch": {"references": ['module.net["green"].switches[0]', 'module.net["green"].switches']},
    }
    gateway = {
        "resources": [
            configured(
                "alicloud_api_gateway_instance.a",
                ingress_vpc_id=["var.vpc"],
                ingress_vswitch_id=["var.switch"],
            )
        ]
    }
    calls = {"net": {"module": NET}, "gateway": {"module": gateway, "expressions": called}}
    inventory = planned(resources, {"module_calls": calls})
    assert {item.part["binding"]["vpc_id"] for item in inventory.items("instances")} == {
        "module.net.green.alicloud_vpc.this"
    }
    assert {item.part["binding"]["vswitch_id"] for item in inventory.items("instances")} == {
        "module.net.green.alicloud_vswitch.this"
    }


def test_a_list_has_all_that_it_refers_to() -> None:
    resources = [vpc(f"alicloud_vpc.all[{number}]", number) for number in range(3)]
    resources += [
        resource("alicloud_pvtz_zone.corp", zone_name="corp.internal"),
        resource("alicloud_pvtz_zone_attachment.corp", zone_id=None, vpc_ids=None),
    ]
    root = {
        "resources": [
            configured(
                "alicloud_pvtz_zone_attachment.corp",
                zone_id=["alicloud_pvtz_zone.corp.id", "alicloud_pvtz_zone.corp"],
                vpc_ids=["alicloud_vpc.all"],
            )
        ]
    }
    zone = next(planned(resources, root).items("private_zones"))
    assert zone.part["vpcs"] == [f"alicloud_vpc.all.{number}" for number in range(3)]


def test_attributes_of_others_are_followed_further() -> None:
    """The VPC of a vSwitch is what that refers to itself; transit routers have an id beside their own."""
    router = resource("alicloud_cen_transit_router.r", cen_id=None, transit_router_id=None, type="Enterprise")
    attachment = resource(
        "alicloud_cen_transit_router_vpc_attachment.a", vpc_id=None, transit_router_id=None, cen_id=None
    )
    resources = [vpc("alicloud_vpc.core"), vswitch("alicloud_vswitch.one"), router, attachment]
    resources.append(resource("alicloud_cen_instance.c"))
    root = {
        "resources": [
            configured("alicloud_vswitch.one", vpc_id=["alicloud_vpc.core.id", "alicloud_vpc.core"]),
            configured("alicloud_cen_transit_router.r", cen_id=["alicloud_cen_instance.c.id"]),
            configured(
                "alicloud_cen_transit_router_vpc_attachment.a",
                vpc_id=["alicloud_vswitch.one.vpc_id", "alicloud_vswitch.one"],
                transit_router_id=["alicloud_cen_transit_router.r.transit_router_id"],
            ),
        ]
    }
    cen = next(planned(resources, root).items("connections"))
    assert cen.part["attachments"] == ["alicloud_vpc.core"]
    assert cen.part["edition"] == "enterprise"


def test_a_reference_that_leads_nowhere_is_said() -> None:
    root = {"resources": [configured("alicloud_api_gateway_instance.a", ingress_vpc_id=["local.vpc"])]}
    inventory = planned([instance()], root)
    assert (
        "missing: ingress_vpc_id is known after the apply only, and nothing says what it is"
        in inventory.notes
    )


def test_references_in_a_circle_end() -> None:
    """No Terraform writes them; a file edited by hand may have them."""
    own = configured("alicloud_api_gateway_instance.a", ingress_vpc_id=["alicloud_vswitch.one.vpc_id"])
    switch = configured("alicloud_vswitch.one", vpc_id=["alicloud_vswitch.one.vpc_id"])
    inventory = planned([instance(), vswitch("alicloud_vswitch.one")], {"resources": [own, switch]})
    assert "alicloud_vswitch.one" in [one.origin for one in inventory.omissions]


@pytest.mark.parametrize(
    ("region", "variables"),
    [({"constant_value": "eu-west-1"}, {}), ({"references": ["var.r"]}, {"r": {"value": "eu-west-1"}})],
)
def test_the_region_of_a_provider(region: dict[str, Any], variables: dict[str, Any]) -> None:
    """That of the resource's own provider, by its alias."""
    providers = {
        "alicloud": {"name": "alicloud", "expressions": {"region": {"constant_value": "cn-beijing"}}},
        "alicloud.eu": {"name": "alicloud", "alias": "eu", "expressions": {"region": region}},
    }
    root = {"resources": [configured("alicloud_vpc.a"), configured("alicloud_vpc.b", "alicloud.eu")]}
    resources = [vpc("alicloud_vpc.a"), vpc("alicloud_vpc.b", 2)]
    changes = [change(one["address"], ["create"], None, one["values"], ["id"]) for one in resources]
    configuration = {"root_module": root, "provider_config": providers}
    document = plan([], resources, changes, configuration, variables=variables)
    inventory = Terraform([read("plan.json", octets(document))]).after()
    finish(inventory)
    assert [item.part["region_id"] for item in inventory.items("vpcs")] == ["cn-beijing", "eu-west-1"]


def test_equal_addresses_in_two_files_are_two_things() -> None:
    changes = [change("alicloud_vpc.a", ["create"], None, {}, ["id"])]
    documents = [plan([], [vpc("alicloud_vpc.a", number)], changes) for number in (1, 2)]
    files = [read(f"{number}.json", octets(one)) for number, one in enumerate(documents)]
    inventory = Terraform(files).after()
    finish(inventory)
    assert [item.part["cidr_blocks"] for item in inventory.items("vpcs")] == [
        ["10.1.0.0/16"],
        ["10.2.0.0/16"],
    ]
