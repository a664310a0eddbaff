"""The holder: all or nothing, revisions, and what a file replaces or leaves."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network, ip_network

import pytest

from tests.support.example_world import (
    BOUND,
    DEDICATED,
    HZ,
    OFF,
    SERVERLESS,
    UNBOUND,
    VPC_A,
    VPC_B,
    example,
    vpc,
)
from tests.support.journals import FullJournal
from vpcdns.errors import ConfigurationError, StateError
from vpcdns.model.changes import Bind, DisableVpcDomain, EnableVpcDomain, RenameGroup
from vpcdns.model.names import Name
from vpcdns.model.policy import Answers, Forwarding, ForwardRule
from vpcdns.model.rules import Refusal
from vpcdns.model.topology import Network, Topology
from vpcdns.model.topology_changes import CreateVpc
from vpcdns.model.world import World
from vpcdns.state import Commit, State


def test_a_commit_takes_effect_as_a_whole() -> None:
    state, seen = State(example()), list[World]()
    state.subscribe(lambda old, new: seen.append(new))
    before = state.world
    refused = state.commit(Commit((RenameGroup(OFF, "named"), EnableVpcDomain("9" * 32)), {"x": {}}))
    assert isinstance(refused, Refusal)
    assert state.world is before
    assert not state.contents.attributes
    done = state.commit(Commit((RenameGroup(OFF, "named"), EnableVpcDomain(OFF)), {f"group {OFF}": {"a": 1}}))
    assert seen == [done]
    assert state.world.groups[OFF].name == "named"
    assert state.contents.attributes[f"group {OFF}"] == {"a": 1}


def test_attributes_alone_are_no_new_world() -> None:
    state, seen = State(example()), list[World]()
    state.subscribe(lambda old, new: seen.append(new))
    state.commit(Commit(attributes={"group x": {"a": 1}}))
    state.commit(Commit(attributes={"group x": None, "group y": None}))
    assert not seen
    assert not state.contents.attributes
    assert not state.contents.unfiled


def test_what_cannot_be_kept_does_not_happen() -> None:
    state = State(example(), journal=FullJournal())
    before = state.world
    with pytest.raises(StateError):
        state.apply(RenameGroup(OFF, "one"))
    with pytest.raises(StateError):
        state.reload(example())
    assert state.world is before


def test_a_file_with_the_same_objects_leaves_changes_alone() -> None:
    """So a new ttl, or a new resolv.conf, does not undo what the API did."""
    state = State(example())
    state.apply(Bind((HZ, BOUND), VPC_B, "vsw-1"), who="me")
    after = state.reload(example(Answers(ttl=5)))
    assert after.answers.ttl == 5
    binding = after.instances[HZ, BOUND].binding
    assert binding is not None
    assert binding.vpc_id == VPC_B
    assert state.contents.unfiled == 1


def test_a_file_with_other_objects_replaces_them() -> None:
    state = State(example())
    state.commit(Commit((DisableVpcDomain(DEDICATED),), {f"group {DEDICATED}": {"a": 1}, "group gone": {}}))
    file = DisableVpcDomain(SERVERLESS).apply(example())
    assert isinstance(file, World)
    after = state.reload(file)
    assert after.groups[DEDICATED].vpc_domain
    assert not after.groups[SERVERLESS].vpc_domain
    assert state.contents.unfiled == 0
    assert dict(state.contents.attributes) == {f"group {DEDICATED}": {"a": 1}}


def test_revisions_never_go_backwards() -> None:
    state = State(example())
    first = state.world.revision
    state.reload(replace(example(), revision=1))
    assert state.world.revision == first + 1


def test_a_file_that_does_not_fit_around_the_changes_is_refused() -> None:
    state = State(example())
    made = state.apply(CreateVpc(vpc("vpc-new", HZ, "10.7.0.0/16")))
    assert isinstance(made, World)
    base = example()
    taken = IPv4Network("10.7.0.0/16")
    lan = Network("lan", (taken,), (ip_network("10.7.0.0/16"),), "vpc-none")
    same_id = Network("vpc-new", (taken,), (ip_network("10.8.0.0/16"),))
    topology = Topology.of(base.topology.vpcs.values(), [lan, same_id])
    rules = Forwarding((), (ForwardRule(Name.from_text("a.example"), (), frozenset({"vpc-gone"})),))
    answers = replace(base.answers, suffix=Name.from_text("example.com"))
    before = state.world
    with pytest.raises(ConfigurationError) as raised:
        state.reload(replace(base, topology=topology, forwarding=rules, answers=answers))
    text = str(raised.value)
    for word in ("vpc-none", "10.7.0.0/16 is already", "same id", "vpc-gone", "api.example.com"):
        assert word in text
    assert state.world is before


def test_who_is_bound_where_is_not_forgotten_in_the_join() -> None:
    state = State(example())
    state.apply(Bind((HZ, UNBOUND), VPC_A, "vsw-1"))
    after = state.reload(example(Answers(ttl=5)))
    assert after.endpoints == state.world.endpoints
    assert len(after.endpoints) == 2
