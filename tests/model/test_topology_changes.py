from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network, ip_address

import pytest

from tests.support.example_world import BOUND, HZ, IN_B, VPC_A, VPC_B, VPC_C, applied, example, refused, vpc
from vpcdns.model.changes import Bind, Change
from vpcdns.model.connections import CenConnection, IpsecConnection
from vpcdns.model.names import Name
from vpcdns.model.policy import Forwarding, ForwardRule
from vpcdns.model.rules import Refusal, Rule
from vpcdns.model.topology import Topology, Vpc, VSwitch
from vpcdns.model.topology_changes import CreateVpc, CreateVSwitch, DeleteVpc, DeleteVSwitch, SetCidrBlocks
from vpcdns.model.world import World


def blocks(vpc_id: str, *texts: str) -> SetCidrBlocks:
    """Blocks that are source networks as well."""
    networks = tuple(map(IPv4Network, texts))
    return SetCidrBlocks(vpc_id, networks, networks)


NEW = vpc("vpc-new", HZ, "10.9.0.0/16")
BARE = Vpc("vpc-new", HZ, (IPv4Network("10.9.0.0/16"),), (IPv4Network("10.9.0.0/16"),))


def place(world: World, address: str) -> str | None:
    found = world.topology.locate(ip_address(address))
    return None if found is None else found.vpc_id


def test_a_vpc_comes_and_goes() -> None:
    world = applied(example(), CreateVpc(BARE))
    assert place(world, "10.9.0.5") == "vpc-new"
    world = applied(world, CreateVSwitch("vpc-new", VSwitch("vsw-n", IPv4Network("10.9.1.0/24"))))
    assert refused(world, DeleteVpc("vpc-new")) is Rule.REFERENCE
    world = applied(world, DeleteVSwitch("vpc-new", "vsw-n"), DeleteVpc("vpc-new"))
    assert place(world, "10.9.0.5") is None
    assert world.topology.vpcs == example().topology.vpcs


def test_whoever_asks_from_another_block_is_in_the_vpc_that_has_it() -> None:
    world = applied(example(), blocks(VPC_B, "10.2.0.0/17", "10.70.0.0/16"))
    assert [place(world, one) for one in ("10.2.0.5", "10.2.200.5", "10.70.0.5")] == [VPC_B, None, VPC_B]
    applied(world, CreateVSwitch(VPC_B, VSwitch("v", IPv4Network("10.70.1.0/24"))))
    assert applied(world, blocks(VPC_B, "10.2.0.0/16")).topology == example().topology


def test_an_instance_is_bound_to_what_was_made() -> None:
    world = applied(example(), CreateVpc(NEW), Bind((HZ, BOUND), "vpc-new", "vsw-2"))
    assert refused(world, DeleteVSwitch("vpc-new", "vsw-2")) is Rule.BINDING
    applied(world, DeleteVSwitch("vpc-new", "vsw-1"))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (CreateVpc(vpc(VPC_A, HZ, "10.9.0.0/16")), Rule.UNIQUE),
        (CreateVpc(vpc("idc", HZ, "10.9.0.0/16")), Rule.UNIQUE),
        (CreateVpc(vpc("vpc-new", HZ, "10.2.0.0/16")), Rule.SOURCE_NETWORK),
        (CreateVpc(vpc("vpc-new", HZ, "10.9.0.0/16", "192.168.77.0/24")), Rule.SOURCE_NETWORK),
        (CreateVpc(vpc("vpc-new", HZ, "100.64.0.0/16")), Rule.ADDRESS_PLAN),
        (blocks("vpc-none", "10.2.0.0/16"), Rule.REFERENCE),
        (blocks(VPC_B), Rule.ADDRESS_PLAN),
        (blocks(VPC_B, "10.9.0.0/16"), Rule.ADDRESS_PLAN),
        (blocks(VPC_B, "10.2.0.0/16", "10.2.128.0/17"), Rule.ADDRESS_PLAN),
        (blocks(VPC_B, "10.2.0.0/16", "10.1.0.0/16"), Rule.SOURCE_NETWORK),
        (DeleteVpc("vpc-none"), Rule.REFERENCE),
        (DeleteVpc(VPC_A), Rule.REFERENCE),
        (CreateVSwitch("vpc-none", VSwitch("v", IPv4Network("10.9.0.0/24"))), Rule.REFERENCE),
        (CreateVSwitch(VPC_B, VSwitch("v", IPv4Network("10.9.0.0/24"))), Rule.ADDRESS_PLAN),
        (CreateVSwitch(VPC_B, VSwitch("v", IPv4Network("10.2.8.0/25"))), Rule.ADDRESS_PLAN),
        (CreateVSwitch(VPC_B, VSwitch("vsw-1", IPv4Network("10.2.32.0/24"))), Rule.UNIQUE),
        (DeleteVSwitch("vpc-none", "vsw-1"), Rule.REFERENCE),
        (DeleteVSwitch(VPC_B, "vsw-9"), Rule.REFERENCE),
        (DeleteVSwitch(VPC_A, "vsw-1"), Rule.BINDING),
    ],
)
def test_what_is_refused(change: Change, rule: Rule) -> None:
    assert refused(example(), change) is rule


def held(world: World, problem: str) -> None:
    """VPC C without vSwitches stays, for that reason."""
    bare = applied(world, DeleteVSwitch(VPC_C, "vsw-1"), DeleteVSwitch(VPC_C, "vsw-2"))
    refusal = DeleteVpc(VPC_C).apply(bare)
    assert isinstance(refusal, Refusal)
    assert problem in refusal.problem


def test_what_names_a_vpc_holds_it() -> None:
    world = example()
    old = world.topology
    block = (IPv4Network("10.3.0.0/16"),)
    vpn = IpsecConnection("vpn", VPC_C, "idc", block, block)
    held(
        replace(world, topology=Topology.of(old.vpcs.values(), old.networks.values(), [vpn])),
        "connection vpn",
    )
    cen = CenConnection("cen", "basic", (VPC_C, "idc"))
    held(
        replace(world, topology=Topology.of(old.vpcs.values(), old.networks.values(), [cen])),
        "connection cen",
    )
    lab = replace(old.networks["lab"], resolves_as=VPC_C)
    held(replace(world, topology=Topology.of(old.vpcs.values(), [lab])), "network lab")
    rule = ForwardRule(Name.from_text("corp.example"), (), frozenset({VPC_C}))
    held(replace(world, forwarding=Forwarding((), (rule,))), "forward rule for corp.example")


def test_an_address_inside() -> None:
    world = example()
    assert world.topology.address_in(VPC_B) == ip_address(IN_B)
    nested = applied(world, CreateVpc(vpc("vpc-n", HZ, "10.9.0.0/16", "10.2.0.4/30")))
    inside = nested.topology.address_in(VPC_B)
    assert inside is not None
    assert place(nested, str(inside)) == VPC_B
    assert nested.topology.address_in("vpc-n") is not None
    hidden = applied(world, CreateVpc(replace(BARE, source_networks=())))
    assert hidden.topology.address_in("vpc-new") is None
