"""What every import ends with: what stands in for what is only named, and what the rules refuse."""

from __future__ import annotations

import random
from ipaddress import IPv4Network
from typing import Any

import pytest

from vpcdns.config import loads
from vpcdns.importing.finish import finish, worlds
from vpcdns.importing.inventory import Inventory
from vpcdns.importing.text import configuration_text, left_out

HZ = "cn-hangzhou"


def inventory(**sections: list[dict[str, Any]]) -> Inventory:
    made = Inventory()
    for section, parts in sections.items():
        for place, part in enumerate(parts):
            made.add(section, part, f"{section} {place}")
    return made


def vpc(vpc_id: str = "vpc-a", block: str = "10.1.0.0/16", **more: Any) -> dict[str, Any]:
    return {"vpc_id": vpc_id, "region_id": HZ, "cidr_blocks": [block], **more}


def bound(instance_id: str = "gw", vpc_id: str = "vpc-a", vswitch_id: str = "vsw-a") -> dict[str, Any]:
    binding = {"vpc_id": vpc_id, "vswitch_id": vswitch_id}
    return {"instance_id": instance_id, "type": "dedicated", "region_id": HZ, "binding": binding}


def finished(made: Inventory) -> Inventory:
    """With what is printed read again, which is the same."""
    world = finish(made)
    assert loads("\n".join(configuration_text(made, "a test\x1b[31m"))).world == world
    return made


def notes(made: Inventory) -> str:
    return "\n".join((*made.notes, *(f"{one.origin}: {one.why}" for one in made.omissions)))


def test_what_is_only_named_stands_in() -> None:
    zone = {"zone": "corp.internal", "zone_id": "z", "vpcs": ["vpc-z"]}
    made = finished(inventory(instances=[bound()], private_zones=[zone]))
    vpcs = {item.part["vpc_id"]: item.part for item in made.items("vpcs")}
    assert vpcs["vpc-a"]["vswitches"] == [{"vswitch_id": "vsw-a", "cidr_block": "10.255.255.0/24"}]
    assert vpcs["vpc-a"]["cidr_blocks"] == ["10.255.255.0/24"]
    assert vpcs["vpc-z"]["cidr_blocks"] == ["10.255.254.0/24"]
    assert "missing: the VPC itself; instances 0 names it" in notes(made)


def test_a_vswitch_that_is_only_named_gets_a_block_of_its_vpcs() -> None:
    made = finished(inventory(vpcs=[vpc()], instances=[bound()]))
    assert next(made.items("vpcs")).part["cidr_blocks"] == ["10.1.0.0/16", "10.255.255.0/24"]


def test_a_vswitch_outside_of_its_vpc_adds_a_block() -> None:
    """A secondary block that some other resource gives."""
    switch = {"vswitch_id": "vsw-a", "cidr_block": "172.16.3.0/24"}
    made = finished(inventory(vpcs=[vpc(vswitches=[switch])]))
    assert next(made.items("vpcs")).part["cidr_blocks"] == ["10.1.0.0/16", "172.16.3.0/24"]


def test_equal_blocks_get_source_networks_of_their_own() -> None:
    made = finished(inventory(vpcs=[vpc("vpc-a"), vpc("vpc-b")], networks=[{"network_id": "idc"}]))
    first, second = made.items("vpcs")
    assert "source_networks" not in first.part
    assert second.part["source_networks"] == ["10.255.254.0/24"]
    assert "10.1.0.0/16 is vpc-a's as well" in notes(made)


def test_stand_ins_overlap_nothing() -> None:
    """However full private space is; where it is full, they lie within what is there."""
    chance = random.Random(5)
    for fullness in (10, 200, 2_000):
        blocks = {
            str(IPv4Network((chance.randrange(10 << 24, 11 << 24), length), strict=False))
            for length in (chance.randint(9, 28) for _ in range(fullness))
        }
        vpcs = [vpc(f"vpc-{place}", block) for place, block in enumerate(sorted(blocks))]
        made = finished(inventory(vpcs=vpcs, networks=[{"network_id": f"n{number}"} for number in range(9)]))
        given = [IPv4Network(item.part["cidr_blocks"][0]) for item in made.items("networks")]
        assert len(set(given)) == 9
        assert not [one for one in given for block in blocks if one.overlaps(IPv4Network(block))]
    whole = [vpc(f"vpc-{block}", block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
    crowded = finished(inventory(vpcs=whole, networks=[{"network_id": "idc"}]))
    assert next(crowded.items("networks")).part["cidr_blocks"] == ["10.255.255.0/24"]


def test_instances_that_only_groups_name() -> None:
    groups: list[dict[str, Any]] = [
        {"group_id": "1" * 32, "instance_id": "api-shared-vpc-001", "region_id": HZ, "vpc_domain": True},
        {"group_id": "2" * 32, "instance_id": "api-shared-vpc-001", "region_id": "eu-west-1"},
        {"group_id": "3" * 32, "instance_id": "apigateway-hz-9", "region_id": HZ, "vpc_domain": True},
    ]
    made = finished(inventory(groups=groups))
    known = {(item.part["region_id"], item.part["instance_id"]) for item in made.items("instances")}
    assert known == {(HZ, "api-shared-vpc-001"), ("eu-west-1", "api-shared-vpc-001"), (HZ, "apigateway-hz-9")}
    parts = [item.part for item in made.items("groups")]
    assert [one.get("region_id") for one in parts] == [HZ, "eu-west-1", None], "where the id is ambiguous"
    assert "vpc_domain" not in parts[2], "nothing tells where it is bound"
    assert "not taken over: vpc_domain true" in notes(made)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"vpcs": [vpc(block="10.0.0.0/99")]}, "vpcs 0: `99` is not a prefix length"),
        ({"vpcs": [vpc(block="100.64.0.0/16")]}, "100.64.0.0/16 overlaps 100.64.0.0/10"),
        ({"vpcs": [vpc("no/id")]}, "vpcs 0: `no/id` is not an id"),
        ({"groups": [{"group_id": "x", "instance_id": "api-shared-vpc-001"}]}, "`x` is not a group_id"),
        ({"vpcs": [vpc()], "instances": [bound() | {"name": "n"}]}, "unknown key"),
        (
            {"private_zones": [{"zone": "a.b", "zone_id": "z", "records": [{"name": "x", "type": "A"}]}]},
            "records {",
        ),
        ({"private_zones": [{"zone": None, "zone_id": "z"}]}, "private_zones 0: expected a domain name"),
    ],
)
def test_what_is_refused_goes_with_its_reason(parts: dict[str, Any], said: str) -> None:
    made = inventory(**parts)
    finish(made)
    assert said in notes(made)


def test_only_what_is_refused_goes() -> None:
    """A bad record leaves its zone, a bad vSwitch its VPC, though an endpoint that was in it goes as well."""
    switches = [
        {"vswitch_id": "vsw-a", "cidr_block": "10.1.1.0/24"},
        {"vswitch_id": "vsw-b", "cidr_block": "10.1.1.0/25"},
    ]
    values = (["10.1.0.9"], ["not an address"], ["10.1.0.10", "300.1.1.1"])
    records = [{"name": f"h{n}", "type": "A", "values": one} for n, one in enumerate(values)]
    made = finished(
        inventory(
            vpcs=[vpc(vswitches=switches)],
            instances=[bound("gw-a"), bound("gw-b", vswitch_id="vsw-b")],
            groups=[{"group_id": "1" * 32, "instance_id": "gw-b", "vpc_domain": True, "region_id": HZ}],
            private_zones=[{"zone": "corp.internal", "zone_id": "z", "vpcs": ["vpc-a"], "records": records}],
        )
    )
    assert [one["vswitch_id"] for one in next(made.items("vpcs")).part["vswitches"]] == ["vsw-a"]
    assert [("binding" in item.part) for item in made.items("instances")] == [True, False]
    assert [one["values"] for one in next(made.items("private_zones")).part["records"]] == [
        ["10.1.0.9"],
        ["10.1.0.10"],
    ]
    said = "\n".join(left_out(made))
    assert said.count("not taken over: ") == len([one for one in made.notes if one.startswith("not taken")])


def test_a_circle_of_cnames_is_cut() -> None:
    records = [
        {"name": name, "type": "CNAME", "values": [f"{other}.corp.internal."]}
        for name, other in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"))
    ]
    zone = {"zone": "corp.internal", "zone_id": "z", "records": records}
    made = finished(inventory(private_zones=[zone]))
    assert [one["name"] for one in next(made.items("private_zones")).part["records"]] == ["b", "c", "d"]
    assert "CNAME records go round: a.corp.internal" in notes(made)


def test_nothing_at_all_is_a_configuration() -> None:
    assert "vpcs: []" in list(configuration_text(finished(Inventory()), "a test"))


def test_comments_cannot_leave_their_line() -> None:
    made = inventory(vpcs=[vpc()])
    made.add("vpcs", vpc("vpc-b", "10.2.0.0/16"), "x\nserver: {listen: []}", "guessed: a\r\nb\u2028c")
    made.omit("y\n- z", "w\x85")
    lines = "\n".join(configuration_text(finished(made), "a\nb")).splitlines()
    assert [line for line in lines if line.startswith(("server", "- z", "b"))] == []


def test_a_summary_lists_the_first_of_many() -> None:
    made = Inventory()
    for number in range(50):
        made.omit(f"thing {number}", "why")
    lines = list(left_out(made))
    assert len(lines) == 21
    assert lines[-1] == "… and 30 more that are not taken over: the comments of an import say which"


def test_worlds_of_the_same_things_guess_alike() -> None:
    """An endpoint keeps its address, a VPC that is only named stays, whatever else comes or goes."""
    before = inventory(instances=[bound("gw-1"), bound("gw-2"), bound("gw-3", "vpc-b", "vsw-b")])
    after = inventory(
        instances=[bound("gw-2"), bound("gw-3", "vpc-c", "vsw-c")], networks=[{"network_id": "n"}]
    )
    old, new = worlds(before, after)
    assert old.topology.vpcs == new.topology.vpcs
    assert set(new.topology.vpcs) == {"vpc-a", "vpc-b", "vpc-c"}
    kept = (HZ, "gw-2")
    assert old.instances[kept].binding == new.instances[kept].binding
