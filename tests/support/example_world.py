"""A small world that shows every row of DESIGN §3, built by the changes that the program uses.

Two VPCs in Hangzhou and one in Shanghai, a network on premises, and a laboratory that resolves as
nobody. Group ids are one digit thirty-two times, so that a failing test can be read.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, ip_network

from vpcdns.model.changes import Change, CreateGroup, CreateInstance
from vpcdns.model.gateway import Binding, Group, Instance, InstanceType
from vpcdns.model.names import Name
from vpcdns.model.policy import Answers, Forwarding, Upstream
from vpcdns.model.rules import Refusal, Rule
from vpcdns.model.topology import Network, Topology, Vpc, VSwitch
from vpcdns.model.world import World

HZ, SH = "cn-hangzhou", "cn-shanghai"
VPC_A, VPC_B, VPC_C = "vpc-a", "vpc-b", "vpc-c"  # A and B in Hangzhou, C in Shanghai
IN_A, IN_B, IN_C = "10.1.0.5", "10.2.0.5", "10.3.0.5"
ON_PREMISES, IN_LAB, ON_INTERNET, STRANGER = "192.168.0.5", "192.168.77.5", "10.99.0.5", "203.0.113.5"

SHARED, BOUND, UNBOUND = "api-shared-vpc-001", "apigateway-bound", "apigateway-unbound"
SHARED_ADDRESSES = (IPv4Address("100.100.80.10"), IPv4Address("100.100.80.11"))
ENDPOINT = IPv4Address("10.1.8.20")

SERVERLESS, DEDICATED, OFF, SHANGHAI = "a" * 32, "d" * 32, "0" * 32, "c" * 32
SERVERLESS_NAME = f"{SERVERLESS}-{HZ}-vpc.alicloudapi.com"
DEDICATED_NAME = f"{DEDICATED}-{HZ}-vpc.alicloudapi.com"
OFF_NAME = f"{OFF}-{HZ}-vpc.alicloudapi.com"
SHANGHAI_NAME = f"{SHANGHAI}-{SH}-vpc.alicloudapi.com"
UNKNOWN_NAME = f"{'9' * 32}-{HZ}-vpc.alicloudapi.com"
CUSTOM, OFF_CUSTOM = "api.example.com", "off.example.com"

FORWARDING = Forwarding((Upstream(IPv4Address("192.0.2.1")),))


def vpc(vpc_id: str, region_id: str, block: str, *sources: str) -> Vpc:
    """A VPC with the vSwitches `vsw-1` and `vsw-2`, x.y.8.0/24 and x.y.9.0/28 of a /16."""
    network = IPv4Network(block)
    first = int(network.network_address)
    vswitches = (
        VSwitch("vsw-1", IPv4Network((first + 8 * 256, 24))),
        VSwitch("vsw-2", IPv4Network((first + 9 * 256, 28))),
    )
    source_networks = tuple(ip_network(source) for source in sources) or (network,)
    return Vpc(vpc_id, region_id, (network,), source_networks, vswitches)


def topology() -> Topology:
    idc, lab = IPv4Network("192.168.0.0/16"), IPv4Network("192.168.77.0/24")
    return Topology.of(
        [
            vpc(VPC_A, HZ, "10.1.0.0/16", "10.1.0.0/16", "fd00:1::/48"),
            vpc(VPC_B, HZ, "10.2.0.0/16"),
            vpc(VPC_C, SH, "10.3.0.0/16"),
        ],
        [Network("idc", (idc,), (idc,), VPC_A), Network("lab", (lab,), (lab,))],
    )


def names(*texts: str) -> tuple[Name, ...]:
    return tuple(map(Name.from_text, texts))


def applied(world: World, *changes: Change) -> World:
    """The world after changes that no rule refuses."""
    for change in changes:
        after = change.apply(world)
        assert isinstance(after, World), after
        world = after
    return world


def refused(world: World, change: Change) -> Rule:
    """The rule that refuses a change."""
    refusal = change.apply(world)
    assert isinstance(refusal, Refusal), "the change was accepted"
    assert refusal.subject
    assert refusal.problem
    assert refusal.way_out
    return refusal.rule


def example(answers: Answers | None = None, forwarding: Forwarding = FORWARDING) -> World:
    """The world that the tests ask in."""
    serverless, dedicated = InstanceType.SERVERLESS, InstanceType.DEDICATED
    binding = Binding(VPC_A, "vsw-1", ENDPOINT)
    custom_domains = names(CUSTOM, "*.wild.example.com", "b.wild.example.com")
    shanghai = IPv4Address("100.100.90.10")
    world = World(answers=answers or Answers(), forwarding=forwarding, topology=topology())
    world = applied(
        world,
        CreateInstance(Instance(SHARED, HZ, serverless, SHARED_ADDRESSES)),
        CreateInstance(Instance(SHARED, SH, serverless, (shanghai,))),
        CreateInstance(Instance(BOUND, HZ, dedicated, binding=binding)),
        CreateInstance(Instance(UNBOUND, HZ, dedicated)),
        CreateGroup(Group(SERVERLESS, SHARED, HZ, "weather", vpc_domain=True)),
        CreateGroup(Group(SHANGHAI, SHARED, SH, vpc_domain=True)),
        CreateGroup(Group(DEDICATED, BOUND, HZ, "orders", True, custom_domains)),
        CreateGroup(Group(OFF, BOUND, HZ, custom_domains=names(OFF_CUSTOM))),
    )
    return replace(world, revision=1_700_000_000)
