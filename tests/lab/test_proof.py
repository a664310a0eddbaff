"""The proof of the routing model: in random topologies its verdict is the Linux kernel's.

Resolution by getaddrinfo inside each namespace, a TCP connection to every address from every address; any
difference is a bug of the model or of the lab.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count, islice

import pytest
from hypothesis import HealthCheck, example, given, settings

from tests.lab.cloud_after_documents.random_clouds import random_cloud
from tests.lab.cloud_after_documents.refusals import refusals
from tests.lab.cloud_after_documents.routes import Object, cloud
from tests.support.lab_worlds import NO_RETURN_ROUTE, NOT_ATTACHED, REGION_MISMATCH
from tests.support.topology_strategies import names, worlds
from vpcdns.config import built
from vpcdns.lab.live import LiveLab
from vpcdns.model.routing import path, source_of
from vpcdns.model.way import Verdict
from vpcdns.model.world import World
from vpcdns.rehearsal.change_text import changed

TOPOLOGIES = int(os.environ.get("LAB_TOPOLOGIES", "250"))
verdicts: Counter[Verdict] = Counter()


@pytest.fixture(scope="module")
def lab() -> Iterator[LiveLab]:
    """One lab for all examples: a topology is some hundred routes, a namespace is dear."""
    with LiveLab(f"proof-{os.getpid()}", World()) as lab:
        yield lab


@pytest.mark.netns
@pytest.mark.slow
@settings(
    max_examples=TOPOLOGIES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@example(world=NOT_ATTACHED)
@example(world=NO_RETURN_ROUTE)
@example(world=REGION_MISMATCH)
@given(world=worlds())
def test_the_model_says_what_the_kernel_does(lab: LiveLab, world: World) -> None:
    compare(lab, world, [*world.topology.vpcs, *world.topology.networks])


@pytest.mark.netns
@pytest.mark.slow
def test_it_does_so_with_all_words_of_routing_too(lab: LiveLab) -> None:
    """Ways of queries, tunnels by source and destination, static and published routes, attachments."""
    for document, cut in islice(accepted(), TOPOLOGIES // 10):
        loaded, mistakes = built(document)
        assert not mistakes
        world = changed(loaded.world, *(f"cut {connection_id}" for connection_id in cut))
        compare(
            lab,
            world,
            [*world.topology.vpcs, *filter(partial(is_told_apart, world), world.topology.networks)],
        )


def accepted() -> Iterator[tuple[Object, tuple[str, ...]]]:
    """Configurations that can be built, and what is cut in them."""
    for seed in count():
        document, cut = random_cloud(seed)
        if not any(refusals(cloud(document))):
            yield document, cut


def is_told_apart(world: World, network_id: str) -> bool:
    """Whether queries that get to the wrong VPC can be told: the lab knows them by their source."""
    network, topology = world.topology.networks[network_id], world.topology
    others = [vpc.routed_blocks for vpc in topology.vpcs.values()]
    others += [one.cidr_blocks for one in topology.networks.values() if one is not network]
    return network.resolves_through is None or not any(
        block.overlaps(other) for block in network.cidr_blocks for blocks in others for other in blocks
    )


def compare(lab: LiveLab, world: World, nodes: Sequence[str]) -> None:
    """The kernel's word on every name from every address of the nodes against the model's."""
    lab.change(world)
    asks = []
    for node in nodes:
        source = source_of(node, world)
        assert source is not None
        asks += [
            (replace(source, addresses=(address,)), name)
            for address in source.addresses
            for name in names(world)
        ]
    told = [path(source, name, world) for source, name in asks]
    observed = lab.observe(asks, 0.2)
    doubtful = [index for index, one in enumerate(observed) if not one.agrees_with(told[index])]
    if doubtful:  # with time enough, as on a busy machine
        again = lab.observe([asks[index] for index in doubtful], 3.0)
        for index, one in zip(doubtful, again, strict=True):
            source, name = asks[index]
            where = f"{source.text} {source.addresses[0]} to {name}"
            assert one.agrees_with(told[index]), f"{where}: kernel: {one}; model: {told[index]}"
    verdicts.update(one.verdict for one in told)


@pytest.mark.netns
@pytest.mark.slow
def test_every_verdict_was_proved() -> None:
    if not verdicts:
        pytest.skip("only after the proof")
    assert set(verdicts) == set(Verdict), verdicts
    assert verdicts[Verdict.REACHABLE] > TOPOLOGIES, verdicts
