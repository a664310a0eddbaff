from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from tests.support.example_world import (
    BOUND,
    CUSTOM,
    DEDICATED,
    ENDPOINT,
    HZ,
    OFF,
    OFF_CUSTOM,
    SERVERLESS,
    SH,
    SHARED,
    SHARED_ADDRESSES,
    UNBOUND,
    VPC_A,
    VPC_B,
    VPC_C,
    applied,
    example,
    names,
    refused,
)
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
from vpcdns.model.gateway import Binding, Group, Instance, InstanceType
from vpcdns.model.names import Name
from vpcdns.model.rules import Rule

WORLD = example()
KEY, FREE = (HZ, BOUND), (HZ, UNBOUND)
NEW = "e" * 32


def test_every_change_is_one_revision() -> None:
    binding = Binding(VPC_B, "vsw-1", IPv4Address("10.2.8.9"))
    changes: tuple[Change, ...] = (
        CreateInstance(Instance("new", HZ, InstanceType.DEDICATED, binding=binding)),
        RenameGroup(SERVERLESS, "climate"),
        Bind(KEY, VPC_B, "vsw-1"),
        Unbind((HZ, "new")),
        DeleteInstance((HZ, "new")),
        DisableVpcDomain(DEDICATED),
        RemoveCustomDomain(OFF, Name.from_text(OFF_CUSTOM.upper())),
        MigrateGroup(OFF, SHARED),
        DeleteGroup(OFF),
    )
    world = WORLD
    for change in changes:
        after = applied(world, change)
        assert after.revision == world.revision + 1
        world = after
    assert world.groups[SERVERLESS].name == "climate"
    assert example() == WORLD


def test_binding() -> None:
    world = applied(WORLD, Bind(FREE, VPC_A, "vsw-1"))
    assert world.instances[FREE].binding == Binding(VPC_A, "vsw-1", IPv4Address("10.1.8.1"))
    assert world.endpoints[VPC_A, IPv4Address("10.1.8.1")] == FREE
    assert refused(WORLD, Bind(FREE, VPC_A, "vsw-1", ENDPOINT)) is Rule.UNIQUE
    assert refused(WORLD, Bind(FREE, VPC_A, "vsw-1", IPv4Address("10.1.8.0"))) is Rule.BINDING
    assert refused(WORLD, Bind(FREE, VPC_C, "vsw-1")) is Rule.BINDING
    assert refused(WORLD, Bind(FREE, VPC_A, "vsw-9")) is Rule.BINDING
    assert refused(WORLD, Bind(FREE, "vpc-gone", "vsw-1")) is Rule.BINDING
    assert refused(WORLD, Bind((HZ, SHARED), VPC_A, "vsw-1")) is Rule.BINDING
    assert refused(WORLD, Bind((SH, BOUND), VPC_A, "vsw-1")) is Rule.ONE_INSTANCE


def test_rebinding_moves_the_endpoint_and_frees_the_old_one() -> None:
    moved = applied(WORLD, Bind(KEY, VPC_B, "vsw-1", IPv4Address("10.2.8.20")))
    assert (VPC_A, ENDPOINT) not in moved.endpoints
    assert applied(moved, Bind(FREE, VPC_A, "vsw-1", ENDPOINT)).endpoints[VPC_A, ENDPOINT] == FREE
    same = applied(WORLD, Bind(KEY, VPC_A, "vsw-1", ENDPOINT))
    assert replace(same, revision=WORLD.revision) == WORLD
    # Nothing but the one instance and its endpoint is touched, however many groups there are.
    assert moved.groups is WORLD.groups
    assert moved.custom_domains is WORLD.custom_domains


def test_a_full_vswitch_is_refused() -> None:
    """vsw-2 is a /28: 16 addresses, 4 of them reserved."""
    world = WORLD
    for number in range(12):
        key = (HZ, f"many-{number}")
        world = applied(world, CreateInstance(Instance(key[1], HZ, InstanceType.DEDICATED)))
        world = applied(world, Bind(key, VPC_A, "vsw-2"))
    assert refused(world, Bind(FREE, VPC_A, "vsw-2")) is Rule.BINDING
    assert (
        applied(world, Unbind((HZ, "many-3")), Bind(FREE, VPC_A, "vsw-2")).endpoints[
            VPC_A, IPv4Address("10.1.9.4")
        ]
        == FREE
    )


def test_unbinding() -> None:
    assert refused(WORLD, Unbind(KEY)) is Rule.BOUND_BEFORE_ENABLED
    assert refused(WORLD, Unbind(FREE)) is Rule.BINDING
    assert refused(WORLD, Unbind((HZ, "gone"))) is Rule.ONE_INSTANCE
    world = applied(WORLD, DisableVpcDomain(DEDICATED), Unbind(KEY))
    assert world.instances[KEY].binding is None
    assert not world.endpoints
    assert refused(world, EnableVpcDomain(DEDICATED)) is Rule.BOUND_BEFORE_ENABLED


def test_instances() -> None:
    taken = Instance(SHARED, HZ, InstanceType.SERVERLESS, SHARED_ADDRESSES)
    assert refused(WORLD, CreateInstance(taken)) is Rule.UNIQUE
    assert (
        refused(WORLD, CreateInstance(replace(taken, instance_id="x", addresses=()))) is Rule.SHARED_ADDRESS
    )
    clash = Instance("x", HZ, InstanceType.DEDICATED, binding=Binding(VPC_A, "vsw-1", ENDPOINT))
    assert refused(WORLD, CreateInstance(clash)) is Rule.UNIQUE
    bound = replace(taken, instance_id="x", binding=clash.binding)
    assert refused(WORLD, CreateInstance(bound)) is Rule.BINDING
    assert refused(WORLD, DeleteInstance(KEY)) is Rule.ONE_INSTANCE
    assert refused(WORLD, DeleteInstance((HZ, "gone"))) is Rule.ONE_INSTANCE
    assert FREE not in applied(WORLD, DeleteInstance(FREE)).instances


def test_groups() -> None:
    assert refused(WORLD, CreateGroup(Group(DEDICATED, BOUND, HZ))) is Rule.UNIQUE
    assert refused(WORLD, CreateGroup(Group(NEW, "gone", HZ))) is Rule.ONE_INSTANCE
    assert refused(WORLD, CreateGroup(Group(NEW, UNBOUND, HZ, vpc_domain=True))) is Rule.BOUND_BEFORE_ENABLED
    for texts, rule in [
        ((CUSTOM,), Rule.UNIQUE),
        (("new.example", "NEW.example"), Rule.UNIQUE),
        (("x.alicloudapi.com",), Rule.CUSTOM_DOMAIN),
    ]:
        assert refused(WORLD, CreateGroup(Group(NEW, BOUND, HZ, custom_domains=names(*texts)))) is rule
    gone = applied(WORLD, DeleteGroup(DEDICATED))
    assert gone.custom_domains.match(Name.from_text(CUSTOM)) is None
    assert gone.custom_domains.match(Name.from_text("x.wild.example.com")) is None
    again = CreateGroup(WORLD.groups[DEDICATED])
    assert applied(gone, again).custom_domains == WORLD.custom_domains
    for change in (
        DeleteGroup(NEW),
        RenameGroup(NEW, "x"),
        EnableVpcDomain(NEW),
        DisableVpcDomain(NEW),
        MigrateGroup(NEW, BOUND),
        AddCustomDomain(NEW, Name.from_text("a.b")),
        RemoveCustomDomain(NEW, Name.from_text("a.b")),
    ):
        assert refused(WORLD, change) is Rule.REFERENCE


def test_the_name_survives() -> None:
    """DESIGN §1.2: disabling, rebinding and migration keep it."""
    name = WORLD.vpc_domain(WORLD.groups[DEDICATED])
    world = applied(
        WORLD,
        DisableVpcDomain(DEDICATED),
        Bind(KEY, VPC_B, "vsw-1"),
        RemoveCustomDomain(DEDICATED, Name.from_text(CUSTOM)),
        RemoveCustomDomain(DEDICATED, Name.from_text("*.wild.example.com")),
        RemoveCustomDomain(DEDICATED, Name.from_text("b.wild.example.com")),
        MigrateGroup(DEDICATED, SHARED),
        EnableVpcDomain(DEDICATED),
        EnableVpcDomain(DEDICATED),
    )
    assert world.vpc_domain(world.groups[DEDICATED]).labels == name.labels


@pytest.mark.parametrize(
    ("group_id", "instance_id", "rule"),
    [
        (SERVERLESS, UNBOUND, Rule.BOUND_BEFORE_MIGRATED),
        (DEDICATED, SHARED, Rule.CUSTOM_DOMAIN),
        (OFF, SHARED, Rule.CUSTOM_DOMAIN),
        (DEDICATED, UNBOUND, Rule.BOUND_BEFORE_MIGRATED),
        (DEDICATED, "gone", Rule.ONE_INSTANCE),
        (SERVERLESS, BOUND, None),
        (OFF, UNBOUND, None),
        (DEDICATED, BOUND, None),
    ],
)
def test_migration(group_id: str, instance_id: str, rule: Rule | None) -> None:
    """DESIGN §1.8, §1.9."""
    change = MigrateGroup(group_id, instance_id)
    if rule is not None:
        assert refused(WORLD, change) is rule
    else:
        assert applied(WORLD, change).groups[group_id].instance_id == instance_id


def test_custom_domains() -> None:
    new = Name.from_text("new.example")
    added = applied(WORLD, AddCustomDomain(OFF, new))
    assert added.custom_domains.match(new) == (new, OFF)
    assert refused(added, AddCustomDomain(OFF, new)) is Rule.UNIQUE
    assert refused(added, AddCustomDomain(DEDICATED, new)) is Rule.UNIQUE
    assert refused(WORLD, AddCustomDomain(SERVERLESS, new)) is Rule.CUSTOM_DOMAIN
    assert refused(WORLD, RemoveCustomDomain(OFF, new)) is Rule.REFERENCE
    removed = applied(added, RemoveCustomDomain(OFF, new))
    assert replace(removed, revision=WORLD.revision) == WORLD


def test_rebinding_to_the_same_vswitch_keeps_the_address() -> None:
    world = applied(example(), Bind((HZ, BOUND), VPC_A, "vsw-1", IPv4Address("10.1.8.77")))
    again = applied(world, Bind((HZ, BOUND), VPC_A, "vsw-1"))
    assert again.instances == world.instances
