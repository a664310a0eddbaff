"""The proof of the routing model: in random topologies its verdict is the Linux kernel's.

Resolution by getaddrinfo inside each namespace, a TCP connection to every address from every address; any
difference is a bug of the model or of the lab.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings

from tests.support.lab_worlds import NO_RETURN_ROUTE, NOT_ATTACHED, REGION_MISMATCH
from tests.support.topology_strategies import names, worlds
from vpcdns.lab.live import LiveLab
from vpcdns.model.routing import path, source_of
from vpcdns.model.way import Verdict
from vpcdns.model.world import World

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
    lab.change(world)
    asks = []
    for node in (*world.topology.vpcs, *world.topology.networks):
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
