"""What a user lays over an import: what is added, what is replaced, and what is refused."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.terraform_documents import change, hybrid, octets, plan, resource, state
from vpcdns.errors import ConfigurationError
from vpcdns.importing.finish import finish, worlds
from vpcdns.importing.inventory import Inventory
from vpcdns.importing.overlay import Overlay
from vpcdns.importing.terraform.documents import read
from vpcdns.importing.terraform.reading import Terraform
from vpcdns.model.names import Name

ORDERS = "4fe3d18607eba35112ec3982cab60e44"


def laid(text: str) -> Inventory:
    """The resources of all types with an overlay over them."""
    inventory = Terraform([read("tf.json", octets(state(*hybrid())))]).after()
    finish(inventory, Overlay("own.yaml", text.encode()))
    return inventory


def part(inventory: Inventory, section: str, *identity: str) -> dict[str, Any]:
    item = inventory.get(section, *identity)
    assert item is not None
    return item.part


def test_an_address_that_two_files_have_is_refused() -> None:
    files = [
        read(f"{name}.json", octets(state(resource("alicloud_vpc.main", id=f"vpc-{name}"))))
        for name in ("a", "b")
    ]
    overlay = Overlay("own.yaml", b"vpcs: [{vpc_id: alicloud_vpc.main, source_networks: [172.30.1.0/24]}]")
    with pytest.raises(
        ConfigurationError, match=r"`alicloud_vpc\.main` is vpc-a in one file and vpc-b in another"
    ):
        finish(Terraform(files).after(), overlay)


@pytest.mark.parametrize("named", [ORDERS, "alicloud_api_gateway_group.orders"])
def test_custom_domains_by_id_or_by_address(named: str) -> None:
    inventory = laid(f"groups: [{{group_id: '{named}', custom_domains: [api.example.com]}}]")
    assert part(inventory, "groups", ORDERS)["custom_domains"] == ["api.example.com"]
    assert len(list(inventory.items("groups"))) == 2


def test_addresses_in_any_place() -> None:
    inventory = laid(
        """
forward: {rules: [{domain: corp.example, vpcs: [vpc-core], upstreams: ["10.1.0.2"]}]}
networks: [{network_id: alicloud_vpn_customer_gateway.office, resolves_as: alicloud_vpc.core}]
"""
    )
    assert part(inventory, "networks", "cgw-office")["resolves_as"] == "vpc-core"
    assert inventory.document()["forward"]["rules"][0]["vpcs"] == ["vpc-core"]


def test_a_guess_is_not_made_where_the_overlay_tells() -> None:
    inventory = laid(
        """
vpcs: [{vpc_id: vpc-core, source_networks: [172.30.1.0/24]}]
networks: [{network_id: vbr-idc, cidr_blocks: [192.168.77.0/24]}]
instances:
  - {instance_id: api-shared-vpc-001, region_id: cn-hangzhou, type: serverless, addresses: [100.64.9.9]}
"""
    )
    assert part(inventory, "vpcs", "vpc-core")["source_networks"] == ["172.30.1.0/24"]
    assert part(inventory, "networks", "vbr-idc")["cidr_blocks"] == ["192.168.77.0/24"]
    assert part(inventory, "instances", "cn-hangzhou", "api-shared-vpc-001")["addresses"] == ["100.64.9.9"]
    network = inventory.get("networks", "vbr-idc")
    assert network is not None
    assert not [note for note in network.notes if "guessed" in note]


def test_lists_of_things_are_added_to() -> None:
    inventory = laid(
        """
vpcs:
  - vpc_id: vpc-core
    vswitches:
      - {vswitch_id: vsw-more, cidr_block: 10.1.99.0/24}
      - {vswitch_id: vsw-core-i, cidr_block: 10.1.8.0/25}
private_zones:
  - zone: corp.internal
    records: [{name: more, type: A, values: [10.1.0.77]}]
"""
    )
    assert part(inventory, "vpcs", "vpc-core")["vswitches"] == [
        {"vswitch_id": "vsw-core-i", "cidr_block": "10.1.8.0/25"},
        {"vswitch_id": "vsw-more", "cidr_block": "10.1.99.0/24"},
    ]
    records = next(inventory.items("private_zones")).part["records"]
    assert [one["name"] for one in records][-2:] == ["_ldap._tcp", "more"]


def test_an_endpoint_s_address_is_added_to_its_binding() -> None:
    inventory = laid("instances: [{instance_id: apigateway-hz-1, binding: {address: 10.1.8.77}}]")
    assert part(inventory, "instances", "cn-hangzhou", "apigateway-hz-1")["binding"] == {
        "vpc_id": "vpc-core",
        "vswitch_id": "vsw-core-i",
        "address": "10.1.8.77",
    }
    assert not [note for note in inventory.notes if "its endpoint's address" in note]


def test_objects_of_its_own() -> None:
    inventory = laid("vpcs: [{vpc_id: vpc-own, region_id: eu-west-1, cidr_blocks: [10.77.0.0/16]}]")
    assert part(inventory, "vpcs", "vpc-own")["region_id"] == "eu-west-1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"groups: [{{group_id: '{'9' * 32}'}}]", "groups[0]: nothing that was imported is `999"),
        (
            "groups: [{group_id: alicloud_api_gateway_group.nope}]",
            "nothing that was imported has the address `alicloud_api_gateway_group.nope`",
        ),
        ("groups: {}", "own.yaml:1:9: groups: expected a list"),
        ("groups: [5]", "own.yaml:1:10: groups[0]: expected a mapping"),
        (
            "groups: [{custom_domains: [a.example.com]}]",
            "nothing that was imported is `this`, and by itself it lacks group_id",
        ),
        ("answer: {ttl: 5}", "own.yaml:1:1: answer: unknown key"),
        ("vpcs: [{vpc_id: vpc-core, vswitches: 5}]", "vpcs[0].vswitches: expected a list"),
        ("instances: [{instance_id: apigateway-hz-1, binding: [x]}]", "binding: expected a mapping"),
        ("connections: [{connection_id: cen-new, attachments: x}]", "attachments: expected a list"),
        ("answers: {ttl: x}", "answers.ttl: expected a whole number"),
        ("a: [", "not YAML"),
        ("", "the file is empty"),
        ("a: 1\na: 2", "this key is given twice"),
    ],
)
def test_what_is_wrong_with_it_is_an_error(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        laid(text)
    assert str(raised.value).startswith("own.yaml")
    assert said in str(raised.value)


def test_what_a_rule_refuses_of_it_is_said() -> None:
    """Custom domains do not reach groups on serverless instances."""
    inventory = laid(
        "groups: [{group_id: b28d333f90c49b134d4e8a2fd83194f7, custom_domains: [a.example.com]}]"
    )
    notes = [note for note in inventory.notes if note.startswith("not taken over")]
    assert len(notes) == 1
    assert 'custom_domains ["a.example.com"]: group b28d333f90c49b134d4e8a2fd83194f7' in notes[0]


WHOLE: dict[str, Any] = {
    "server": {"listen": [{"address": "127.0.0.1:5301", "vpc_id": "vpc-core"}]},
    "forward": {"rules": [{"domain": "a.example", "vpcs": ["vpc-core"], "upstreams": ["10.1.0.2"]}]},
    "vpcs": [{"vpc_id": "vpc-core", "vswitches": [{"vswitch_id": "vsw-x", "cidr_block": "10.1.77.0/24"}]}],
    "networks": [
        {"network_id": "cgw-office", "routes": [{"destination": "10.9.0.0/16", "via": "vco-office"}]}
    ],
    "connections": [{"connection_id": "cen-new", "attachments": ["vpc-core"], "service_routes": []}],
    "instances": [{"instance_id": "apigateway-hz-1", "binding": {"vpc_id": "a", "vswitch_id": "b"}}],
    "groups": [{"group_id": ORDERS, "custom_domains": ["api.example.com"]}],
    "private_zones": [{"zone": "corp.internal", "vpcs": ["vpc-z"], "records": [{"name": "x", "type": "A"}]}],
}
ODD: list[Any] = [None, True, 5, "", "x", "vpc-core", [], {}, [None], [[]], {"vpc_id": []}, {"type": "cen"}]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children: Any = ()
    if isinstance(value, dict | list):
        children = value.items() if isinstance(value, dict) else enumerate(value)
    return [path, *(place for key, one in children for place in places(one, (*path, key)))]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(places(WHOLE)[1:]), st.sampled_from(ODD)), min_size=1, max_size=3))
def test_whatever_stands_in_it_it_is_laid_over_or_refused(edits: list[tuple[tuple[Any, ...], Any]]) -> None:
    own = copy.deepcopy(WHOLE)
    for (*path, last), odd in edits:
        holder: Any = own
        try:
            for step in path:
                holder = holder[step]
            holder[last] = copy.deepcopy(odd)
        except (KeyError, IndexError, TypeError):
            continue
    with suppress(ConfigurationError):
        laid(json.dumps(own))


def test_of_two_inventories_it_is_laid_over_those_that_have_the_object() -> None:
    """What a plan makes is not there before it, and that is no mistake of the overlay's."""
    group = resource("alicloud_api_gateway_group.late", id="5" * 32, instance_id="apigateway-hz-1")
    document = plan(hybrid(), [*hybrid(), group])
    terraform = Terraform([read("plan.json", octets(document))])
    own = b"groups: [{group_id: alicloud_api_gateway_group.late, custom_domains: [late.example.com]}]"
    before, after = worlds(terraform.before(), terraform.after(), overlay=Overlay("own.yaml", own))
    late = Name.from_text("late.example.com")
    assert late not in before.custom_domains.values
    assert after.custom_domains.values.get(late) == "5" * 32


def test_settings_may_be_about_a_vpc_that_a_plan_makes_or_replaces() -> None:
    """A listener of it, or a forward rule for it; before, it counts as the VPC that is to come."""
    new = resource("alicloud_vpc.new", cidr_block="10.9.0.0/16", region_id="cn-hangzhou")
    made = change("alicloud_vpc.new", ["create"], None, new["values"], ["id"])
    terraform = Terraform([read("plan.json", octets(plan(hybrid(), [*hybrid(), new], [made])))])
    own = b"""
server: {listen: [{address: "127.0.0.1:5301", vpc_id: alicloud_vpc.new}]}
forward: {rules: [{domain: a.example, vpcs: [alicloud_vpc.core, alicloud_vpc.new], upstreams: ["10.1.0.2"]}]}
"""
    before, after = worlds(terraform.before(), terraform.after(), overlay=Overlay("own.yaml", own))
    assert before.forwarding == after.forwarding
    assert before.forwarding.rules[0].vpcs == {"vpc-core", "alicloud_vpc.new"}


def test_an_attachment_s_kind_and_region_are_added_to_it() -> None:
    inventory = laid(
        """
connections:
  - {connection_id: cen-new, attachments: [{network_id: vbr-idc, kind: vbr, region_id: cn-shanghai}]}
"""
    )
    attachments = part(inventory, "connections", "cen-new")["attachments"]
    assert "vpc-core" in attachments
    assert [one for one in attachments if isinstance(one, dict)] == [
        {"network_id": "vbr-idc", "kind": "vbr", "region_id": "cn-shanghai"},
        {"network_id": "cgw-plant", "kind": "vpn", "region_id": "cn-hangzhou"},
    ]
