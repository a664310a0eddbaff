"""Random small topologies, of few nodes and fewer blocks, so that ways meet, overlap and break."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

from hypothesis import strategies as st

from tests.support.example_world import HZ, SH
from vpcdns.model.changes import Bind, CreateGroup, CreateInstance
from vpcdns.model.connections import CenConnection, Connection, IpsecConnection, Route, ServiceRoute, ends_of
from vpcdns.model.gateway import Group, Instance, InstanceType
from vpcdns.model.names import Name
from vpcdns.model.topology import Network, Topology, Vpc, VSwitch
from vpcdns.model.world import World

VPCS, NETWORKS = ("vpc-0", "vpc-1", "vpc-2"), ("net-0", "net-1")
REGIONS = {"vpc-0": HZ, "vpc-1": HZ, "vpc-2": SH}


def block(text: str) -> IPv4Network:
    return IPv4Network(text)


VPC_BLOCKS = st.sampled_from([block(f"10.{n}.0.0/16") for n in (1, 2, 3, 4)] + [block("10.0.0.0/14")])
NETWORK_BLOCKS = st.sampled_from(
    [block("192.168.0.0/16")] * 5
    + [block("172.16.0.0/12"), block("10.1.0.0/16"), block("10.1.8.0/24"), block("10.0.0.0/8")]
    + [block("100.64.0.0/10"), block("100.100.0.0/16"), block("192.168.128.0/17")]
)
SERVICES = [block("100.64.0.0/10"), block("100.100.80.0/24"), block("100.100.80.10/32")]
INSIDE = [block("10.0.0.0/8"), block("10.1.0.0/16"), block("10.2.0.0/16"), block("10.1.8.0/24")]
DESTINATIONS = st.sampled_from([*SERVICES, *INSIDE, *INSIDE[:3], block("10.1.8.1/32"), block("0.0.0.0/0")])


@st.composite
def ipsec(draw: st.DrawFn, name: str, blocks: dict[str, tuple[IPv4Network, ...]]) -> IpsecConnection:
    vpc_id, network_id = draw(st.sampled_from(VPCS)), draw(st.sampled_from(NETWORKS))
    everything = (INSIDE[0], SERVICES[0])
    own = blocks[vpc_id]
    local = draw(st.sampled_from([own, (*own, SERVICES[0]), everything, everything, (SERVICES[1],)]))
    remote = draw(st.sampled_from([blocks[network_id]] * 3 + [(block("172.16.0.0/12"),)]))
    return IpsecConnection(name, vpc_id, network_id, local, remote)


@st.composite
def cen(draw: st.DrawFn, name: str) -> CenConnection:
    ends = draw(st.permutations([*VPCS, *NETWORKS]))
    ends = ends[: draw(st.integers(2, 5))]
    hosts = [end for end in ends if end in VPCS]
    services = []
    if hosts:
        users = st.lists(st.sampled_from(ends), min_size=1, max_size=3, unique=True).map(tuple)
        made = st.builds(ServiceRoute, st.sampled_from(SERVICES), st.sampled_from(hosts), users)
        services = draw(st.lists(made, max_size=2))
    edition: Literal["basic", "enterprise"] = draw(st.sampled_from(["basic", "enterprise"]))
    return CenConnection(name, edition, tuple(ends), tuple(services))


@st.composite
def hub(draw: st.DrawFn, blocks: dict[str, tuple[IPv4Network, ...]]) -> list[Connection]:
    """An IPsec connection to a VPC, and a CEN behind it that knows nothing of the network, or all."""
    ends = draw(st.sampled_from([("vpc-0", "vpc-1"), VPCS, (*VPCS, "net-0"), ("vpc-1", "vpc-2", "net-0")]))
    return [
        IpsecConnection("con-0", "vpc-0", "net-0", (INSIDE[0], SERVICES[0]), blocks["net-0"]),
        CenConnection("con-1", "enterprise", ends),
    ]


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    blocks: dict[str, tuple[IPv4Network, ...]] = {vpc_id: (draw(VPC_BLOCKS),) for vpc_id in VPCS}
    blocks |= {
        network_id: tuple(draw(st.lists(NETWORK_BLOCKS, min_size=1, max_size=2, unique=True)))
        for network_id in NETWORKS
    }
    ids = ("con-0", "con-1", "con-2")[: draw(st.integers(1, 3))]
    connections: list[Connection] = [draw(st.one_of(ipsec(name, blocks), cen(name))) for name in ids]
    if hubbed := draw(st.integers(0, 3)) == 0:
        connections = draw(hub(blocks))
    vpcs = []
    for vpc_id in VPCS:
        within = 0x800 if blocks[vpc_id][0].prefixlen == 16 else 0x10800  # x.y.8.0/24, or 10.1.8.0/24
        vswitch = VSwitch("vsw", IPv4Network((int(blocks[vpc_id][0].network_address) + within, 24)))
        vpcs.append(Vpc(vpc_id, REGIONS[vpc_id], blocks[vpc_id], blocks[vpc_id], (vswitch,)))
    networks = []
    for network_id in NETWORKS:
        joined = [one.connection_id for one in connections if network_id in ends_of(one)]
        routes: list[Route] = []
        if joined:
            made = st.builds(Route, DESTINATIONS, st.sampled_from(joined))
            routes = draw(st.lists(made, max_size=4))
        if hubbed and network_id == "net-0":
            routes.insert(0, Route(INSIDE[0], draw(st.sampled_from(["con-0", *joined]))))
        resolves_as = draw(st.sampled_from([*VPCS, "vpc-1", "vpc-1", None]))
        networks.append(
            Network(network_id, blocks[network_id], blocks[network_id], resolves_as, tuple(routes))
        )
    return Topology.of(vpcs, networks, connections)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A topology with a serverless instance in each region and two dedicated ones, a group on each."""
    world = World(topology=draw(topologies()))
    shared = IPv4Address("100.100.80.10")
    elsewhere = draw(st.sampled_from([shared, IPv4Address("100.100.90.10")]))
    for region_id, addresses in ((HZ, (shared,)), (SH, (elsewhere,))):
        world = _applied(world, Instance("shared", region_id, InstanceType.SERVERLESS, addresses))
    bound = draw(st.lists(st.sampled_from([*VPCS, "vpc-1"]), min_size=1, max_size=2))
    for number, vpc_id in enumerate(bound):
        instance = Instance(f"gw-{number}", REGIONS[vpc_id], InstanceType.DEDICATED)
        world = _applied(world, instance)
        after = Bind(instance.key, vpc_id, "vsw").apply(world)
        assert isinstance(after, World), after
        world = after
    for number, key in enumerate(world.instances):
        made = CreateGroup(Group(f"{number:032x}", key[1], key[0], "", True)).apply(world)
        assert isinstance(made, World), made
        world = made
    return replace(world, revision=1)


def _applied(world: World, instance: Instance) -> World:
    after = CreateInstance(instance).apply(world)
    assert isinstance(after, World), after
    return after


def names(world: World) -> list[Name]:
    return [world.vpc_domain(group) for group in world.groups.values()]
