"""`vpcdns plan --terraform`: what Terraform hides, whom a plan affects, and which resource does it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Ran, vpcdns
from tests.support.server_process import COMMAND
from tests.support.terraform_documents import (
    WRITTEN,
    change,
    hybrid,
    large_rebind,
    octets,
    plan,
    resource,
    risky_plan,
    state,
    written,
)
from vpcdns.importing.overlay import Overlay
from vpcdns.importing.terraform.documents import read
from vpcdns.importing.terraform.reading import Terraform
from vpcdns.rehearsal.plan_text import markdown
from vpcdns.rehearsal.terraform_plan import (
    TerraformPlan,
    terraform_data,
    terraform_markdown,
    terraform_plan,
    terraform_text,
)

ORDERS = "4fe3d18607eba35112ec3982cab60e44-cn-hangzhou-vpc.alicloudapi.com"
OVERLAY = Overlay(
    "own.yaml", b"groups: [{group_id: alicloud_api_gateway_group.orders, custom_domains: [api.example.com]}]"
)
REPLACED = ["delete", "create"]


def found(document: dict[str, Any], overlay: Overlay | None = None) -> TerraformPlan:
    return terraform_plan(Terraform([read("plan.json", octets(document))]), overlay)


def edited(before: list[dict[str, Any]], address: str, actions: list[str], **values: Any) -> dict[str, Any]:
    """A plan that does one thing to one resource; an empty after is its deletion."""
    was = next(one for one in before if one["address"] == address)
    now = {**was["values"], **values}
    unknown = [name for name, value in values.items() if value is ...]
    now = {name: value for name, value in now.items() if value is not ...}
    gone = actions == ["delete"]
    after = [{**one, "values": now} if one is was else one for one in before if not (gone and one is was)]
    return plan(before, after, [change(address, actions, was["values"], None if gone else now, unknown)])


def hazards(document: dict[str, Any]) -> dict[str, str]:
    return {one.address: f"{one.what}; {one.way_out}" for one in found(document).hazards}


def ran(folder: Path, document: dict[str, Any], *words: str) -> Ran:
    return vpcdns("plan", "--terraform", str(written(folder, document)), *words)


def test_a_rebind_as_the_provider_plans_it() -> None:
    ran = vpcdns("plan", "--terraform", str(WRITTEN / "plan-rebind.json"))
    assert ran.returncode == 3
    assert "4 (source, name) pairs change: 2 lost, 2 gained." in ran.stdout
    assert "instance apigateway-hz-452285060152 [alicloud_api_gateway_instance.orders]" in ran.stdout
    assert "vpc-raqp2t1iahj425d5yx712: 10.255.255.1 reachable -> NXDOMAIN  (LOST)" in ran.stdout
    assert "What Terraform does not show" not in ran.stdout
    assert "Addresses that Terraform does not tell are made up" in ran.stdout


def test_a_plan_that_makes_everything_shows_names_as_not_known() -> None:
    ran = vpcdns("plan", "--terraform", str(WRITTEN / "plan-new.json"))
    assert ran.returncode == 3
    assert "0 lost, 2 gained" in ran.stdout
    assert (
        "(known after apply)-cn-hangzhou-vpc.alicloudapi.com [alicloud_api_gateway_group.pay[0]]"
        in ran.stdout
    )
    assert "alicloud_api_gateway_instance.pay (known after apply)" in ran.stdout
    assert "00000000" not in ran.stdout, "no made-up name is shown"


def test_nothing_to_do(tmp_path: Path) -> None:
    same = plan(hybrid(), hybrid(), [change("alicloud_vpc.core", ["no-op"], {}, {})])
    done = ran(tmp_path, same)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "Nothing changes for anybody.")


def test_a_group_that_is_replaced_loses_its_name() -> None:
    """With everybody who uses it, every CNAME to it and its custom domains."""
    one = found(risky_plan(), OVERLAY).hazards[0]
    assert one.address == "alicloud_api_gateway_group.orders"
    assert "it is replaced (instance_id changes)" in one.what
    assert f"{ORDERS} is gone for good" in one.what
    assert "every CNAME to it (orders.corp.internal)" in one.what
    assert "its custom domains (api.example.com) are unbound" in one.what
    parameters = f"GroupId={ORDERS[:32]}, TargetInstanceId=apigateway-hz-stays"
    assert f"ModifyApiGroupInstance ({parameters}) moves it and keeps its name" in one.way_out


@pytest.mark.parametrize(
    ("more", "way_out"),
    [
        ({"action_reason": "replace_because_tainted"}, "terraform untaint 'alicloud_api"),
        ({"action_reason": "replace_by_request"}, "leave -replace out"),
        ({}, "ModifyApiGroupInstance"),
    ],
)
def test_the_way_out_depends_on_why_it_is_replaced(more: dict[str, str], way_out: str) -> None:
    document = edited(hybrid(), "alicloud_api_gateway_group.orders", REPLACED, id=..., vpc_domain=...)
    document["resource_changes"][0] |= more
    assert way_out in hazards(document)["alicloud_api_gateway_group.orders"]


def test_a_group_whose_instance_is_replaced_is_moved_to_another_first() -> None:
    before = hybrid()
    document = edited(before, "alicloud_api_gateway_group.orders", REPLACED, id=..., instance_id=...)
    gateway = next(one for one in before if one["address"] == "alicloud_api_gateway_instance.orders")
    document["resource_changes"].append(
        change(gateway["address"], REPLACED, gateway["values"], gateway["values"], ["id"])
    )
    said = hazards(document)["alicloud_api_gateway_group.orders"]
    assert "make the new instance as another resource" in said


def test_a_group_whose_instance_another_root_has_loses_its_name_as_well() -> None:
    """Where that instance is bound is not known, and so nothing is said of who loses it."""
    alone = [one for one in hybrid() if one["type"] == "alicloud_api_gateway_group"]
    made = found(edited(alone, "alicloud_api_gateway_group.orders", REPLACED, id=..., vpc_domain=...))
    assert made.plan.pairs == 0
    assert f"{ORDERS} is gone for good" in made.hazards[0].what


def test_a_group_whose_name_is_off_loses_none() -> None:
    document = edited(hybrid(), "alicloud_api_gateway_group.maps", REPLACED, id=...)
    assert hazards(document) == {}


def test_removing_an_ingress_vpc_unbinds_nothing() -> None:
    """The provider sends no call: the names stay where they are."""
    document = edited(
        hybrid(),
        "alicloud_api_gateway_instance.orders",
        ["update"],
        ingress_vpc_id=None,
        ingress_vswitch_id=None,
    )
    made = found(document)
    assert made.plan.pairs == 0
    assert [one.address for one in made.hazards] == ["alicloud_api_gateway_instance.orders"]
    assert "unbinds nothing" in made.hazards[0].what
    assert "DeleteVpcAccess=true" in made.hazards[0].way_out
    assert made.says_something


def test_an_endpoint_s_address_of_an_overlay_ends_with_its_vswitch() -> None:
    """After a rebind another one is made up: the binding counts, not the address."""
    before = [
        *hybrid(),
        resource("alicloud_vswitch.b", id="vsw-b", vpc_id="vpc-shop", cidr_block="10.2.77.0/24"),
    ]
    moved = {"ingress_vpc_id": "vpc-shop", "ingress_vswitch_id": "vsw-b"}
    document = edited(before, "alicloud_api_gateway_instance.orders", ["update"], **moved)
    own = Overlay("own.yaml", b"instances: [{instance_id: apigateway-hz-1, binding: {address: 10.1.8.20}}]")
    made = found(document, own)
    assert (made.plan.lost, made.plan.gained, made.hazards) == (1, 1, ())
    text = "\n".join(terraform_text(made))
    assert "(10.1.8.20) -> apigateway-hz-1 in vpc-shop [alicloud_vpc.shop] (10.2.77.1)" in text


@pytest.mark.parametrize("address", ['alicloud_vswitch.core["i"]', "alicloud_vpc.core"])
def test_what_an_endpoint_lies_in_is_deleted(address: str) -> None:
    said = hazards(edited(hybrid(), address, ["delete"]))[address]
    assert "is deleted under the endpoint of apigateway-hz-1, which stays there" in said
    assert "the apply stops half-way" in said


def test_an_endpoint_that_moves_in_the_same_apply_may_move_too_late() -> None:
    before = [
        *hybrid(),
        resource("alicloud_vswitch.b", id="vsw-b", vpc_id="vpc-core", cidr_block="10.1.77.0/24"),
    ]
    document = json.loads(octets(edited(before, 'alicloud_vswitch.core["i"]', ["delete"])))
    for one in document["planned_values"]["root_module"]["resources"]:
        if one["address"] == "alicloud_api_gateway_instance.orders":
            one["values"] = {**one["values"], "ingress_vswitch_id": "vsw-b"}
    assert "moves in the same apply, perhaps later" in hazards(document)['alicloud_vswitch.core["i"]']


@pytest.mark.parametrize(
    ("address", "values", "name"),
    [
        ("alicloud_pvtz_zone_attachment.corp", {"lang": "zh"}, "db.corp.internal"),
        ("alicloud_pvtz_zone_record.all[0]", {"remark": "x"}, "db.corp.internal"),
        ("alicloud_pvtz_zone.corp", {"resource_group_id": "rg-2"}, "db.corp.internal"),
    ],
)
def test_names_that_are_gone_meanwhile(address: str, values: dict[str, Any], name: str) -> None:
    said = hazards(edited(hybrid(), address, REPLACED, **values))[address]
    assert f"meanwhile {name} cannot be reached from" in said
    assert "10 s longer" in said
    assert hazards(edited(hybrid(), address, ["create", "delete"], **values)) == {}, "made anew first"


def test_ways_that_are_cut_meanwhile() -> None:
    """A tunnel that is made anew takes the office's way with it, though every name resolves."""
    office = {"network_id": "cgw-office", "resolves_as": "vpc-core"}
    overlay = Overlay("own.yaml", json.dumps({"networks": [office]}).encode())
    document = edited(hybrid(), "alicloud_vpn_connection.office", REPLACED, vpn_gateway_id="vpn-core")
    said = [one.what for one in found(document, overlay).hazards]
    assert len(said) == 1
    assert ORDERS in said[0]
    assert "cannot be reached from cgw-office" in said[0]


def test_a_rule_that_the_plan_would_break() -> None:
    """The cloud refuses a VPC domain on an instance that is not bound; the apply fails there."""
    group = resource(
        "alicloud_api_gateway_group.early",
        name="early",
        instance_id="apigateway-hz-2",
        vpc_intranet_enable=True,
    )
    document = plan(
        hybrid(), [*hybrid(), group], [change(group["address"], ["create"], None, group["values"], ["id"])]
    )
    said = hazards(document)[group["address"]]
    assert "dedicated instance apigateway-hz-2 is not bound" in said
    assert "bind apigateway-hz-2 first" in said
    text = "\n".join(terraform_text(found(document)))
    assert "group alicloud_api_gateway_group.early (known after apply): its VPC domain is on" in text


def test_markdown_is_a_comment_for_a_pull_request(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "groups: [{group_id: alicloud_api_gateway_group.orders, custom_domains: [api.example.com]}]"
    )
    done = ran(tmp_path, risky_plan(), "--format", "markdown", "--overlay", str(own))
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[0]) == (3, "### What Terraform does not show")
    assert lines[2].startswith("- **alicloud_api_gateway_group.orders**: it is replaced")
    assert r"### instance apigateway-hz-1 \[alicloud_api_gateway_instance.orders]" in lines
    assert [line for line in lines if r"in vpc-core \[alicloud_vpc.core] (10.1.8.1)" in line]
    assert [line for line in lines if line.startswith("| vpc-core |")]


def test_json_has_everything(tmp_path: Path) -> None:
    done = ran(tmp_path, risky_plan(), "--format", "json")
    told = json.loads(done.stdout)
    assert list(told) == [
        *("hazards", "changes", "lost", "gained", "settings", "cache_window", "sections", "ways"),
        *("addresses", "warnings", "not_known", "known_after_apply"),
    ]
    (unknown,) = told["known_after_apply"]
    assert told["addresses"][unknown] == "alicloud_api_gateway_group.orders"
    assert told["hazards"][0].keys() == {"address", "what", "way_out"}
    assert told["addresses"][ORDERS] == "alicloud_api_gateway_group.orders"
    assert told["addresses"]["vpc-core"] == "alicloud_vpc.core"


def test_addresses_cannot_break_a_table_or_a_terminal() -> None:
    """Keys of for_each are any text."""
    before = [one for one in hybrid() if one["type"] != "alicloud_api_gateway_group"]
    group = next(one for one in hybrid() if one["address"] == "alicloud_api_gateway_group.orders")
    odd = {**group, "address": 'alicloud_api_gateway_group.all["a|b\x1b[31m\n"]', "name": "all"}
    deleted = change("alicloud_api_gateway_group.all", ["delete"], odd["values"], None)
    made = found(plan([*before, odd], before, [deleted | {"address": odd["address"]}]))
    for lines in (terraform_text(made), terraform_markdown(made)):
        text = "\n".join(lines)
        assert text.replace("\n", "").isprintable()
        assert "a|b" not in "".join(line for line in text.splitlines() if line.startswith("| "))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("a.yaml", "b.yaml"), 2, "--terraform stands alone"),
        (("--change", "unbind x"), 2, "--terraform stands alone"),
        (("--overlay", "/nowhere.yaml"), 1, "/nowhere.yaml: there is no such file"),
    ],
)
def test_what_does_not_go_together(words: tuple[str, ...], code: int, said: str) -> None:
    done = vpcdns("plan", "--terraform", str(WRITTEN / "plan-rebind.json"), *words)
    assert done.returncode == code
    assert said in done.stderr


def test_a_state_is_no_plan() -> None:
    done = vpcdns("plan", "--terraform", str(WRITTEN / "state.json"))
    assert done.returncode == 1
    assert "this is a state, and a plan is needed; write one: terraform plan -out" in done.stderr


def test_an_overlay_without_terraform_is_refused() -> None:
    done = vpcdns("plan", "--overlay", "own.yaml", "a.yaml", "b.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--overlay" in done.stderr


def test_a_state_beside_a_plan_tells_what_that_only_names(tmp_path: Path) -> None:
    networks = [one for one in hybrid() if one["type"] in ("alicloud_vpc", "alicloud_vswitch")]
    others = [one for one in hybrid() if one not in networks]
    document = edited(others, "alicloud_api_gateway_group.orders", ["update"], vpc_intranet_enable=False)
    beside = written(tmp_path, state(*networks), "net.json")
    done = ran(tmp_path, document, "--terraform", str(beside))
    assert "apigateway-hz-1 in vpc-core [alicloud_vpc.core] (10.1.8.1) -> closed" in done.stdout
    assert "vpc-core: 10.1.8.1 reachable -> NXDOMAIN  (LOST)" in done.stdout


def test_the_same_plan_is_told_in_the_same_words(tmp_path: Path) -> None:
    """A comment that changes at every run is no good; Python's hashes do."""
    file = written(tmp_path, large_rebind(3_000))
    command = [*COMMAND, "plan", "--terraform", str(file), "--format", "markdown"]
    told = {
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, timeout=60, check=False
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
    assert b"pairs change" in told.pop()


GROUP = "alicloud_api_gateway_group.orders"


def test_a_record_that_follows_a_replaced_group_has_the_new_name() -> None:
    """Its value is the group's vpc_domain, which is known after the apply only."""
    record = "alicloud_pvtz_zone_record.own"
    was = {"zone_id": "own", "rr": "api", "type": "CNAME", "value": f"{ORDERS}."}
    before = [
        *hybrid(),
        resource("alicloud_pvtz_zone.own", id="own", zone_name="own.internal"),
        resource("alicloud_pvtz_zone_attachment.own", id="own", zone_id="own", vpc_ids=["vpc-core"]),
        resource(record, id="7:own", record_id="7", **was),
    ]
    document = edited(before, GROUP, REPLACED, id=..., vpc_domain=...)
    document["resource_changes"].append(change(record, ["update"], was, was | {"value": None}, ["value"]))
    refers = {"expressions": {"value": {"references": [f"{GROUP}.vpc_domain", GROUP]}}, "address": record}
    document["configuration"] = {"root_module": {"resources": [refers]}}
    planned = document["planned_values"]["root_module"]["resources"]
    planned[-1] = {**planned[-1], "values": {**was, "value": None}}
    text = "\n".join(terraform_text(found(document)))
    assert f"CNAME {ORDERS}" in text
    assert "CNAME (known after apply)-cn-hangzhou-vpc.alicloudapi.com" in text


@pytest.mark.parametrize(
    ("address", "lost", "said"),
    [
        (GROUP, "instance_id", "This plan does not know"),
        ("alicloud_api_gateway_instance.orders", "ingress_vswitch_id", "reachable -> "),
    ],
)
def test_what_cannot_be_followed_is_not_taken_for_something_else(address: str, lost: str, said: str) -> None:
    """Neither the shared instance, nor unbound: a local does not say what it is."""
    document = edited(hybrid(), address, ["update"], **{lost: ...})
    local = {"expressions": {lost: {"references": ["local.it"]}}, "address": address}
    document["configuration"] = {"root_module": {"resources": [local]}}
    made = found(document)
    text = "\n".join(terraform_text(made))
    assert said in text
    assert f"{address}: {lost}" in text
    assert "api-shared-vpc-001" not in text
    assert "(gained)" not in text
    assert not made.hazards


def test_a_local_can_mean_only_what_the_plan_makes() -> None:
    document = edited(hybrid(), GROUP, REPLACED, id=..., vpc_domain=..., instance_id=...)
    gateway = next(one for one in hybrid() if one["address"] == "alicloud_api_gateway_instance.orders")
    new = change(gateway["address"], REPLACED, gateway["values"], gateway["values"], ["id"])
    document["resource_changes"].append(new)
    local = {"expressions": {"instance_id": {"references": ["local.it"]}}, "address": GROUP}
    document["configuration"] = {"root_module": {"resources": [local]}}
    assert "alicloud_api_gateway_instance.orders (known after apply)" in "\n".join(
        terraform_text(found(document))
    )


def test_a_group_under_another_address_loses_its_name() -> None:
    before = hybrid()
    was = next(one for one in before if one["address"] == GROUP)
    new = {**was, "address": "alicloud_api_gateway_group.renamed", "name": "renamed"}
    changes = [
        change(GROUP, ["delete"], was["values"], None),
        change(new["address"], ["create"], None, was["values"], ["id", "vpc_domain"]),
    ]
    after = [new if one is was else one for one in before]
    said = hazards(plan(before, after, changes))[GROUP]
    assert f"it is deleted, and made anew as {new['address']}, which gets another id: {ORDERS}" in said
    assert f"a moved block, or terraform state mv '{GROUP}' '{new['address']}'" in said


def test_a_deposed_group_loses_its_name() -> None:
    group = next(one for one in hybrid() if one["address"] == GROUP)
    others = [one for one in hybrid() if one is not group and one["address"] != GROUP]
    document = plan(others, others, [change(GROUP, ["delete"], group["values"], None) | {"deposed": "07"}])
    assert found(document).plan.lost


def test_a_comment_says_what_is_not_in_it() -> None:
    document = edited(hybrid(), GROUP, REPLACED, id=..., vpc_domain=...) | {"errored": True}
    assert "- plan.json: planning failed half-way, so this is not all of it" in list(
        terraform_markdown(found(document))
    )


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("<img src=x>", r"\<img src=x>"),
        ("a|b", r"a\|b"),
        ("[x](y) `z` *w* _v_ a_b", r"\[x](y) \`z\` \*w\* \_v\_ a_b"),
        ("@all http://evil.example", "\u200b@\u200ball http\u200b://\u200bevil.example"),
    ],
)
def test_text_of_others_is_only_shown(said: str, shown: str) -> None:
    assert markdown(said) == shown


WAYS = Overlay(
    "ways.yaml",
    b"""
networks:
  - {network_id: cgw-branch, resolves_as: vpc-core}
  - network_id: vbr-idc
    resolves_as: vpc-core
    cidr_blocks: [172.31.0.0/16]
    routes: [{destination: 100.64.0.0/10, via: cen-new}, {destination: 10.0.0.0/8, via: cen-new}]
""",
)


@pytest.mark.parametrize(
    ("address", "who", "why"),
    [
        (
            "alicloud_route_entry.branch",
            "cgw-branch [alicloud_vpn_customer_gateway.branch]",
            "no route back to 192.168.30.5",
        ),
        (
            "alicloud_cen_transit_router_vbr_attachment.idc",
            "vbr-idc [alicloud_cen_transit_router_vbr_attachment.idc]",
            "no such source",
        ),
    ],
)
def test_resources_on_the_way_are_named_beside_what_they_change(address: str, who: str, why: str) -> None:
    """A route entry has no id that a plan would say; its address stands for it."""
    made = found(edited(hybrid(), address, ["delete"]), WAYS)
    text = "\n".join(terraform_text(made))
    assert f"{who}: " in text
    assert why in text
    assert f"Changed on the way of packets and queries: {address} (delete)." in text
    assert f"queries: {address} (delete)." in "\n".join(terraform_markdown(made))
    assert terraform_data(made)["ways"] == [{"address": address, "actions": "delete"}]


def test_resources_on_the_way_that_change_nothing_are_not_listed() -> None:
    made = found(edited(hybrid(), "alicloud_vpn_route_entry.branch", ["update"], weight=100), WAYS)
    assert "Changed on the way" not in "\n".join(terraform_text(made))
