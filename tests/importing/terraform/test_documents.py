"""Which of Terraform's files are read, and what is said of others: file, place and way out, no traceback."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.terraform_documents import (
    WRITTEN,
    change,
    hybrid,
    octets,
    plan,
    resource,
    risky_plan,
    state,
)
from vpcdns.errors import ConfigurationError
from vpcdns.importing.finish import finish
from vpcdns.importing.terraform.documents import Document, read
from vpcdns.importing.terraform.reading import Terraform
from vpcdns.rehearsal.terraform_plan import terraform_markdown, terraform_plan, terraform_text

SHOWN = (WRITTEN / "state.json").read_bytes()
VPC = resource("alicloud_vpc.a", id="vpc-a", cidr_block="10.1.0.0/16", region_id="cn-hangzhou")


def addresses(document: Document) -> list[str]:
    return [one.address for one in document.before]


def wrong(content: bytes) -> str:
    with pytest.raises(ConfigurationError) as raised:
        Terraform([read("tf.json", content)]).after()
    return str(raised.value)


@pytest.mark.parametrize(
    "content",
    [
        SHOWN,
        b"\xef\xbb\xbf" + SHOWN,
        SHOWN.decode().encode("utf-16"),
        b"\xfe\xff" + SHOWN.decode().encode("utf-16-be"),
    ],
    ids=["UTF-8", "with a byte order mark", "UTF-16 of PowerShell", "big-endian"],
)
def test_encodings_that_shells_write(content: bytes) -> None:
    assert len(addresses(read("tf.json", content))) == 4


def test_the_forms_are_told_apart() -> None:
    shown, kept = (
        read(name, (WRITTEN / name).read_bytes()) for name in ("state.json", "terraform.tfstate.json")
    )
    assert shown.after is None
    assert kept.after is None
    assert sorted(addresses(shown)) == sorted(addresses(kept))
    planned = read("plan.json", (WRITTEN / "plan-new.json").read_bytes())
    assert planned.before == []
    assert planned.after is not None
    assert 'module.net.alicloud_vswitch.this["8"]' in [one.address for one in planned.after]


def test_a_state_with_nothing_in_it() -> None:
    assert read("tf.json", b'{"format_version": "1.0"}').before == []
    assert read("tf.json", b'{"version": 4, "terraform_version": "1.11.4", "resources": []}').before == []


def test_addresses_of_a_state_file() -> None:
    """As Terraform writes them: modules, data sources, count and for_each; OpenTofu's provider as well."""

    def kept(mode: str, module: str, index: Any) -> dict[str, Any]:
        instance = {"schema_version": 0, "attributes": {"id": f"vpc-{index}"}}
        return {
            **({"module": module} if module else {}),
            "mode": mode,
            "type": "alicloud_vpc" if mode == "managed" else "alicloud_vpcs",
            "name": "all",
            "provider": 'provider["registry.opentofu.org/aliyun/alicloud"]',
            "instances": [instance | ({} if index is None else {"index_key": index})],
        }

    resources = [kept("managed", "", None), kept("managed", 'module.a["x y"].module.b', 3)]
    resources += [kept("data", "module.a", "ü"), kept("managed", "", 0)]
    resources[3]["instances"].append({"deposed": "0badcafe", "attributes": {"id": "vpc-old"}})
    document = read("tf.json", octets({"version": 4, "serial": 1, "resources": resources}))
    assert addresses(document) == [
        "alicloud_vpc.all",
        'module.a["x y"].module.b.alicloud_vpc.all[3]',
        'module.a.data.alicloud_vpcs.all["ü"]',
        "alicloud_vpc.all[0]",
    ]
    assert document.deposed == ["alicloud_vpc.all"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (SHOWN[:-200], "not JSON"),
        (b"resource x y {}", "it is no JSON"),
        (b"null", "the top is nothing, not a mapping"),
        (b"[1]", "the top is a list, not a mapping"),
        (b'{"format_version": "1.0", "valid": true}', "neither a state nor a plan of Terraform's"),
        (b'{"vpcs": []}', "neither a state nor a plan of Terraform's: it has vpcs"),
        (b"PK\x03\x04plan", "it is a plan as `terraform plan -out` saves it"),
        (b'{"@level":"info"}\n{"@level":"info"}', "the log that `terraform plan -json` prints"),
        (b'{"serial": 1, "encrypted_data": "x", "meta": {}}', "it is an encrypted state"),
        (b'{"version": 3, "terraform_version": "0.11.0"}', "found the number 3"),
        (b"\xff\xfe\x00", "is not UTF-16"),
        (b'{"format_version": "\xff"}', "is not UTF-8"),
        (b'{"format_version": "1.0", "values": ' + b"[" * 100_000, "it nests too deep"),
        (b'{"format_version": "1.0", "values": ' + b"9" * 10_000 + b"}", "longer than any that is meant"),
        (b'{"format_version": "1.0", "values": []}', "values: expected a mapping, found a list"),
        (octets(state(VPC | {"values": "x"})), "resources[0].values: expected a mapping, found `x`"),
        (octets(state(VPC | {"type": None})), "resources[0]: a resource without address and type"),
        (octets(state(VPC | {"type": 5})), "resources[0].type: expected text, found the number 5"),
    ],
)
def test_what_is_said_of_other_files(content: bytes, said: str) -> None:
    told = wrong(content)
    assert said in told
    assert told.startswith("tf.json")
    assert "terraform show -json" in told or "tofu show -json" in told


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"cidr_block": ["10.0.0.0/8"]}, "cidr_block: expected text, found a list"),
        (
            {"secondary_cidr_blocks": "10.0.0.0/8"},
            "secondary_cidr_blocks: expected a list, found `10.0.0.0/8`",
        ),
        ({"id": {"a": 1}}, "id: expected text, found a mapping"),
    ],
)
def test_an_attribute_of_another_type_is_named_with_its_resource(values: dict[str, Any], said: str) -> None:
    told = wrong(octets(state(VPC | {"values": VPC["values"] | values})))
    assert f"values.root_module.resources[0].values.{next(iter(values))}: alicloud_vpc.a, {said}" in told
    assert told.startswith("tf.json:1:")


def test_every_attribute_of_another_type_is_said_at_once() -> None:
    broken = [resource(f"alicloud_vpc.all[{n}]", id=f"vpc-{n}", cidr_block=[]) for n in range(3)]
    assert len(wrong(octets(state(*broken))).splitlines()) == 3


def test_an_import_in_a_plan_was_there_before() -> None:
    """Terraform learns of it by the plan; the cloud has had it all the time."""
    imported = change(VPC["address"], ["no-op"], VPC["values"], VPC["values"], importing={"id": "vpc-a"})
    assert addresses(read("tf.json", octets(plan([], [VPC], [imported])))) == [VPC["address"]]


def test_what_is_forgotten_is_still_there_afterwards() -> None:
    """`removed { lifecycle { destroy = false } }`: Terraform lets go of it, the cloud keeps it."""
    document = read(
        "tf.json", octets(plan([VPC], [], [change(VPC["address"], ["forget"], VPC["values"], None)]))
    )
    assert document.after is not None
    assert [one.values["id"] for one in document.after] == ["vpc-a"]


def test_what_data_sources_read_while_planning_is_there_afterwards() -> None:
    known = resource("data.alicloud_vpcs.all", id="1", vpcs=[{"id": "vpc-b", "cidr_block": "10.2.0.0/16"}])
    inventory = Terraform([read("tf.json", octets(plan([known], [VPC])))]).after()
    assert [item.part["vpc_id"] for item in inventory.items("vpcs")] == ["vpc-a", "vpc-b"]


def test_a_plan_that_is_not_whole_is_said_to_be_so() -> None:
    failed, targeted = plan([], [], errored=True), plan([], [], complete=False)
    whole = plan([], [], errored=False, complete=True)
    assert "failed half-way" in " ".join(read("tf.json", octets(failed)).warnings())
    assert "targets" in " ".join(read("tf.json", octets(targeted)).warnings())
    assert list(read("tf.json", octets(whole)).warnings()) == []


DOCUMENTS = [
    state(*hybrid()),
    risky_plan(),
    *(json.loads(file.read_bytes()) for file in sorted(WRITTEN.glob("*.json"))),
]
SCALARS = [
    None,
    True,
    5,
    -1,
    10**30,
    1.5,
    "",
    "x",
    "10.0.0.0/99",
    "a b\x1b[31m",
    [],
    {},
    [None],
    {"id": None},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in plain data."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [path, *(place for key, one in children for place in places(one, (*path, key)))]


PLACES = [places(document) for document in DOCUMENTS]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(DOCUMENTS) - 1), st.integers(0, 2**32), st.integers(1, 4))
def test_whatever_stands_in_a_file_it_is_read_or_refused(which: int, seed: int, edits: int) -> None:
    """And what is read is imported and planned with; there is no third way out."""
    chance = random.Random(seed)
    document = copy.deepcopy(DOCUMENTS[which])
    for _ in range(edits):
        holder: Any = document
        *path, last = chance.choice(PLACES[which][1:])
        try:
            for step in path:
                holder = holder[step]
            if chance.random() < 0.2:
                del holder[last]
            else:
                holder[last] = chance.choice(SCALARS)
        except (KeyError, IndexError, TypeError):
            continue
    said = refusal(octets(document))
    assert said is None or (said.startswith("tf.json") and said.replace("\n", "").isprintable())


def refusal(content: bytes) -> str | None:
    """What is said of a file that is not read; None: it was imported, and planned with."""
    try:
        terraform = Terraform([read("tf.json", content)])
        finish(terraform.after())
        made = terraform_plan(Terraform([read("tf.json", content)]))
        lines = (*terraform_text(made), *terraform_markdown(made))
        assert all(line.replace("\n", "").isprintable() for line in lines)
    except ConfigurationError as error:
        return str(error)
    return None
