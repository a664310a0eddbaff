"""Random topologies, changes, worlds and clients, from pools so small that things meet."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_network

from hypothesis import strategies as st

from tests.support.example_world import HZ, SH, names, vpc
from vpcdns.model.changes import (
    AddCustomDomain,
    Bind,
    Change,
    CreateGroup,
    CreateInstance,
    DeleteGroup,
    DeleteInstance,
    DisableVpcDomain,
    EnableVpcDomain,
    MigrateGroup,
    RemoveCustomDomain,
    RenameGroup,
    Unbind,
)
from vpcdns.model.dns import RRType
from vpcdns.model.gateway import Binding, Group, Instance, InstanceType
from vpcdns.model.names import Name
from vpcdns.model.policy import Answers, Denied, Explain, Forwarding, ForwardRule, Upstream
from vpcdns.model.private_zone_changes import (
    AddZone,
    AddZoneRecord,
    BindZone,
    DeleteZone,
    DeleteZoneRecord,
    SetFallThrough,
    UpdateZoneRecord,
)
from vpcdns.model.private_zones import ZoneRecord
from vpcdns.model.topology import Address, Network, Prefix, Topology, Vpc, VSwitch
from vpcdns.model.topology_changes import CreateVpc, CreateVSwitch, DeleteVpc, DeleteVSwitch, SetCidrBlocks
from vpcdns.model.world import World

VPCS = ("vpc-0", "vpc-1", "vpc-2", "vpc-3")
INSTANCES = ("i-0", "i-1", "i-2")
GROUPS = tuple(digit * 32 for digit in "0123")
CUSTOM = names(
    "a.example", "*.example", "b.a.example", "*.b.a.example", "A.Example", "c.example", "x-vpc.example", "*"
)
UPSTREAM = (Upstream(IPv4Address("192.0.2.1")),)

# Addresses that differ in few bits, so that prefixes nest and clients fall on their edges.
IPV4 = st.builds(
    lambda bits, low: IPv4Address(0x0A000000 | bits << 16 | low),
    st.integers(0, 7),
    st.sampled_from([0, 1, 0x0801, 0x0802, 0x0814, 0x0901, 0x7FFF, 0x8000, 0xFFFF]),
)
IPV6 = st.builds(
    lambda net, low: IPv6Address(0xFD00 << 112 | net << 64 | low),
    st.integers(0, 3),
    st.sampled_from([0, 1, 0x0A010814, (1 << 64) - 1]),
)
MAPPED = IPV4.map(lambda address: IPv6Address(f"::ffff:{address}"))
ADDRESSES: st.SearchStrategy[Address] = st.one_of(IPV4, IPV6, MAPPED)


@st.composite
def prefixes(draw: st.DrawFn) -> Prefix:
    address = draw(st.one_of(IPV4, IPV6))
    length = draw(st.integers(0, address.max_prefixlen))
    return ip_network((address, length), strict=False)


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    """VPCs of two regions, whose blocks may be the same, and a network; no source network is there twice."""
    claimed = iter(draw(st.lists(prefixes(), min_size=10, max_size=10, unique=True)))
    vpcs = []
    for vpc_id in VPCS:
        block = draw(st.sampled_from(["10.1.0.0/16", "10.2.0.0/16"]))
        sources = [str(next(claimed)) for _ in range(draw(st.integers(1, 2)))]
        vpcs.append(vpc(vpc_id, draw(st.sampled_from([HZ, SH])), block, *sources))
    lan = (IPv4Network("192.168.0.0/16"),)
    resolves_as = draw(st.sampled_from([None, *VPCS]))
    return Topology.of(vpcs, [Network("idc", lan, (next(claimed),), resolves_as)])


REGIONS = st.sampled_from([HZ, SH])
GROUP_IDS, INSTANCE_IDS, VPC_IDS = st.sampled_from(GROUPS), st.sampled_from(INSTANCES), st.sampled_from(VPCS)
KEYS = st.tuples(REGIONS, INSTANCE_IDS)
VSWITCHES = st.sampled_from(["vsw-1", "vsw-1", "vsw-2", "vsw-3"])
ENDPOINTS = st.builds(
    lambda second, low: IPv4Address(0x0A000000 | second << 16 | low),
    st.integers(1, 2),
    st.sampled_from([0x0800, 0x0801, 0x0802, 0x0814, 0x08FD, 0x0901, 0x090C, 0x090D]),
)
SHARED = st.sampled_from([IPv4Address("100.64.0.7"), IPv4Address("100.100.80.10"), IPv4Address("10.0.0.1")])
DOMAINS = st.sampled_from(CUSTOM)


NEW_VPCS = st.sampled_from([*VPCS, "vpc-4", "vpc-5", "idc"])
BLOCKS = st.sampled_from(["10.1.0.0/16", "10.2.0.0/16", "10.4.0.0/16", "10.4.8.0/24", "100.64.0.0/16"]).map(
    IPv4Network
)
SWITCH_BLOCKS = st.sampled_from(
    ["10.1.16.0/24", "10.1.8.128/25", "10.2.9.16/28", "10.4.8.0/24", "10.4.0.0/15"]
)
VPC_CHANGES = st.one_of(
    st.builds(
        CreateVpc,
        st.builds(
            lambda vpc_id, region_id, block, sources: Vpc(vpc_id, region_id, (block,), tuple(sources)),
            NEW_VPCS,
            REGIONS,
            BLOCKS,
            st.lists(prefixes(), max_size=2, unique=True),
        ),
    ),
    st.builds(DeleteVpc, NEW_VPCS),
    st.builds(
        CreateVSwitch,
        NEW_VPCS,
        st.builds(VSwitch, st.sampled_from(["vsw-1", "vsw-3", "vsw-4"]), SWITCH_BLOCKS.map(IPv4Network)),
    ),
    st.builds(DeleteVSwitch, NEW_VPCS, VSWITCHES),
    st.builds(
        SetCidrBlocks,
        NEW_VPCS,
        st.lists(BLOCKS, max_size=2).map(tuple),
        st.lists(prefixes(), max_size=2, unique=True).map(tuple),
    ),
)


@st.composite
def instances(draw: st.DrawFn) -> Instance:
    region_id, instance_id = draw(KEYS)
    if draw(st.booleans()):
        addresses = tuple(draw(st.lists(SHARED, max_size=2)))
        return Instance(instance_id, region_id, InstanceType.SERVERLESS, addresses)
    binding = draw(st.none() | st.builds(Binding, VPC_IDS, VSWITCHES, ENDPOINTS))
    return Instance(instance_id, region_id, InstanceType.DEDICATED, binding=binding)


CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(CreateInstance, instances()),
    st.builds(Bind, KEYS, VPC_IDS, VSWITCHES, st.none() | ENDPOINTS),
    st.builds(
        CreateGroup,
        st.builds(
            Group,
            GROUP_IDS,
            INSTANCE_IDS,
            REGIONS,
            st.just(""),
            st.booleans(),
            st.lists(DOMAINS, max_size=2).map(tuple),
        ),
    ),
    st.builds(EnableVpcDomain, GROUP_IDS),
    st.builds(DisableVpcDomain, GROUP_IDS),
    st.builds(MigrateGroup, GROUP_IDS, INSTANCE_IDS),
    st.builds(AddCustomDomain, GROUP_IDS, DOMAINS),
    st.builds(RemoveCustomDomain, GROUP_IDS, DOMAINS),
    st.builds(Unbind, KEYS),
    st.builds(DeleteInstance, KEYS),
    st.builds(DeleteGroup, GROUP_IDS),
    st.builds(RenameGroup, GROUP_IDS, st.just("named")),
)
ZONES = names("example", "a.example", "alicloudapi.com", "corp.test", "x.corp.test")
ZONE_NAMES = (*ZONES, *CUSTOM[:4], *names("*.corp.test", "y.x.corp.test", "nobody-vpc.alicloudapi.com"))
ZONE_IDS = st.sampled_from(["z-0", "z-1", "z-2"])
ZONE_RECORDS = st.one_of(
    st.builds(ZoneRecord, st.sampled_from(ZONE_NAMES), st.just(int(RRType.A)), ENDPOINTS),
    st.builds(
        ZoneRecord, st.sampled_from(ZONE_NAMES), st.just(int(RRType.TXT)), st.sampled_from([(b"x",), (b"y",)])
    ),
    st.builds(
        ZoneRecord,
        st.sampled_from(ZONE_NAMES),
        st.just(int(RRType.CNAME)),
        st.sampled_from([*ZONE_NAMES, *(Name((f"{GROUPS[0]}-{HZ}-vpc".encode(), *ZONES[2].labels)),)]),
    ),
)
ZONE_CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(AddZone, ZONE_IDS, st.sampled_from(ZONES), st.booleans()),
    st.builds(BindZone, ZONE_IDS, st.lists(st.sampled_from(VPCS), max_size=2, unique=True).map(tuple)),
    st.builds(SetFallThrough, ZONE_IDS, st.booleans()),
    st.builds(AddZoneRecord, ZONE_IDS, st.integers(1, 4), ZONE_RECORDS),
    st.builds(UpdateZoneRecord, ZONE_IDS, st.integers(1, 4), ZONE_RECORDS),
    st.builds(DeleteZoneRecord, ZONE_IDS, st.integers(1, 4)),
    st.builds(DeleteZone, ZONE_IDS),
)
ALL_CHANGES: st.SearchStrategy[Change] = st.one_of(CHANGES, VPC_CHANGES)
RULED = names(
    ".", "com", "alicloudapi.com", "vpcdns.internal", "example", "d.example", "0-vpc.alicloudapi.com"
)
RULES = st.builds(
    ForwardRule, st.sampled_from(RULED), st.sampled_from([UPSTREAM, ()]), st.frozensets(VPC_IDS, max_size=2)
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A world that random changes made: many instances, bound and not, and groups on most of them."""
    world = World(
        answers=Answers(denied=draw(st.sampled_from(Denied)), explain=draw(st.sampled_from(Explain))),
        forwarding=Forwarding(UPSTREAM, tuple(draw(st.lists(RULES, max_size=3)))),
        topology=draw(topologies()),
    )
    networks = world.topology
    for vpc_id in VPCS:
        # Every VPC has a dedicated instance, of its own or, by a rebind, of another VPC before.
        region_id, block = networks.vpcs[vpc_id].region_id, networks.vpcs[vpc_id].cidr_blocks[0]
        address = block[draw(st.sampled_from([0x801, 0x802, 0x814]))]
        instance = Instance(f"i-{vpc_id}", region_id, InstanceType.DEDICATED)
        world = tried(world, CreateInstance(instance))
        world = tried(world, Bind(instance.key, vpc_id, "vsw-1", address))
    for change in draw(st.lists(st.builds(CreateInstance, instances()), max_size=4)):
        world = tried(world, change)
    for group_id in GROUPS:
        key = draw(st.sampled_from(sorted(world.instances)))
        world = tried(world, CreateGroup(Group(group_id, key[1], key[0])))
        if draw(st.integers(0, 3)):
            world = tried(world, EnableVpcDomain(group_id))
        if draw(st.booleans()):
            world = tried(world, AddCustomDomain(group_id, draw(DOMAINS)))
    for key in draw(st.lists(st.sampled_from(sorted(world.instances)), max_size=2)):
        world = tried(world, Bind(key, draw(VPC_IDS), "vsw-1"))
    for edit in draw(st.lists(CHANGES, max_size=4)):
        world = tried(world, edit)
    return world


def tried(world: World, change: Change) -> World:
    """The world after a change, or as it was when a rule refuses it."""
    after = change.apply(world)
    return after if isinstance(after, World) else world


LABELS = st.binary(min_size=1, max_size=12)
TYPES = st.one_of(st.sampled_from([1, 5, 6, 15, 16, 28, 64, 65, 255, 0, 43, 249]), st.integers(0, 65535))


@st.composite
def cased(draw: st.DrawFn, labels: tuple[bytes, ...]) -> Name:
    """A name in any case."""
    swaps = draw(st.integers(0, 255))
    return Name(
        tuple(
            bytes(
                octet ^ 0x20 if swaps >> index % 8 & 1 and chr(octet).isalpha() and octet < 128 else octet
                for index, octet in enumerate(label)
            )
            for label in labels
        )
    )


@st.composite
def private_names(draw: st.DrawFn, world: World) -> Name:
    """A name that is nobody's but ours: of VPC-domain form, below it, search-expanded, or vpcdns.internal."""
    suffix = world.answers.suffix
    known = [world.vpc_domain(group).labels[0] for group in world.groups.values()]
    label = draw(st.sampled_from([*known, draw(LABELS) + b"-vpc"]))
    below = tuple(draw(st.lists(LABELS, max_size=2)))
    search = tuple(draw(st.lists(LABELS, max_size=3)))
    internal = (b"vpcdns", b"internal")
    kind = draw(st.integers(0, 4))
    labels = {
        0: (label, *suffix.labels),
        1: (*below, label, *suffix.labels),
        2: (*below, label, *suffix.labels, *search),
        3: (*below, *internal),
        4: (label, *suffix.labels, *search, b"explain", *internal),
    }[kind]
    return draw(cased(labels))


@st.composite
def with_zones(draw: st.DrawFn, world: World) -> World:
    """The world with two or three private zones that somebody sees, and records in them."""
    for number, zone in enumerate(draw(st.lists(st.sampled_from(ZONES), min_size=2, max_size=3))):
        zone_id = f"z-{number}"
        world = tried(world, AddZone(zone_id, zone, draw(st.booleans())))
        for vpc_id in draw(st.lists(st.sampled_from(VPCS), min_size=1, max_size=2, unique=True)):
            world = tried(world, BindZone(zone_id, (vpc_id,)))
        for record_id, record in enumerate(draw(st.lists(ZONE_RECORDS, max_size=3)), 1):
            # Within the zone, whatever was drawn.
            name = record.name if record.name.is_at_or_below(zone) else Name((b"w", *zone.labels))
            world = tried(world, AddZoneRecord(zone_id, record_id, replace(record, name=name)))
    return world
