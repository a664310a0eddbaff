"""The proof of the route tables: random configurations, wired in the kernel by a second builder.

`test_proof.py` takes its routes from the model, and so proves how they are looked up; here they come from the
cloud's documents. Any difference is a mistake of the model or of the builder, and gets a scenario.
"""

from __future__ import annotations

import inspect
import json
import os
import pkgutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import cloud_after_documents
from tests.lab.cloud_after_documents.comparison import Observed, differences
from tests.lab.cloud_after_documents.kernel import Namespaces
from tests.lab.cloud_after_documents.random_clouds import random_cloud
from tests.lab.cloud_after_documents.refusals import refusals
from tests.lab.cloud_after_documents.routes import Object, cloud
from tests.support.repository import REHEARSALS
from vpcdns.config import built, written
from vpcdns.model.world import World
from vpcdns.rehearsal.run import run
from vpcdns.rehearsal.scenario import read_scenario

TOPOLOGIES = int(os.environ.get("LAB_TOPOLOGIES", "700"))
FIRST = int(os.environ.get("LAB_FIRST", "0"))
BUILDER = Path(cloud_after_documents.__path__[0])
_REFUSED_BY = ("vswitch-route", "service-space", "edition")


def accepted() -> Iterator[tuple[int, Object, tuple[str, ...]]]:
    """That many configurations which can be built, each with its number and what is cut."""
    found, seed = 0, FIRST
    while found < TOPOLOGIES:
        document, cut = random_cloud(seed)
        if not any(refusals(cloud(document))):
            yield seed, document, cut
            found += 1
        seed += 1


@pytest.fixture(scope="module")
def namespaces() -> Iterator[Namespaces]:
    with Namespaces() as made:
        yield made


@pytest.fixture(scope="module")
def observed(namespaces: Namespaces) -> dict[int, Observed]:
    """What the kernel does with each."""
    return {seed: Observed(namespaces, document, cut) for seed, document, cut in accepted()}


def lasting(one: Observed, world: World) -> list[str]:
    """Differences that are there when the kernel is given more time, as on a busy machine."""
    if differences(one, world):
        one.look()
    return differences(one, world)


@pytest.mark.netns
@pytest.mark.slow
def test_path_says_what_the_kernel_does(observed: dict[int, Observed]) -> None:
    different = []
    for seed, one in observed.items():
        if found := lasting(one, one.world()):
            different.append(f"random_cloud({seed}), {one.cut} cut, {json.dumps(one.document)}")
            different += found
    assert not different, "\n".join(different)
    fates = [fate for one in observed.values() for fate in one.fates]
    reached = sum(fate.reached for fate in fates)
    assert 0.1 < reached / len(fates) < 0.9, "hardly anything is proved of the others"


@pytest.mark.netns
@pytest.mark.slow
@pytest.mark.parametrize("stem", sorted({file.stem for file in REHEARSALS.glob("*.yaml")} - {"hybrid"}))
def test_every_step_of_the_examples_as_well(namespaces: Namespaces, stem: str) -> None:
    for step in run(read_scenario(REHEARSALS / f"{stem}.yaml")):
        assert lasting(Observed(namespaces, written(step.after)), step.after) == [], step.step.title


def test_the_same_configurations_are_refused() -> None:
    refused = 0
    for seed in range(500):
        document, _ = random_cloud(seed)
        why, mistakes = list(refusals(cloud(document))), built(document)[1]
        assert bool(why) == bool(mistakes), f"random_cloud({seed}): {why}; {mistakes}"
        assert all(any(rule in mistake.what for rule in _REFUSED_BY) for mistake in mistakes), mistakes
        refused += bool(why)
    assert 50 < refused < 450


def test_the_builder_knows_nothing_of_the_model() -> None:
    """Only `comparison` asks the program; namespaces are entered by the lab's way of doing that."""
    files = [file for file in BUILDER.glob("*.py") if file.name != "comparison.py"]
    assert len(files) > 5
    lines = [line for file in files for line in file.read_text().splitlines() if "import" in line.split()]
    assert {line for line in lines if "vpcdns" in line} == {"from vpcdns.lab.kernel import inside"}


MISTAKES = [  # a function of the model, a part of its text, and what is put in its place
    ("route_tables.RouteTables.match", "best.target is Here.LOCAL and vpc.vswitches", "False"),
    ("route_tables.RouteTables.match", "self.tunnel(node, source, address) or best.target", "best.target"),
    ("route_tables.RouteTables.enters_at", "(attachment.region_id if attachment else None) or ", ""),
    ("route_tables.RouteTables.takes", "or target not in networks", "or True"),
    ("route_entries.cen_entries", "len(vpcs) > 1", "len(vpcs) > 9"),
    ("route_tables.RouteTables.learns", "self.region_of(host_vpc_id) != region_id", "True"),
    (
        "route_tables.RouteTables.tunnel",
        "policy.source is not None and source",
        "policy.source is None or source",
    ),
    ("route_tables.RouteTables.allows", 'cen.edition != "basic"', "True"),
    ("route_tables.RouteTables.allows", 'attachment.kind == "ccn"', "False"),
    ("route_entries._published", "ipsec.publish_cen", "True"),
    ("route_entries._published", "if ipsec.publish_vpc else ()", ""),
    ("route_entries.own_entries", "if ipsec.publish_vpc", ""),
    ("route_entries.own_entries", "node.routed_blocks", "node.cidr_blocks"),
    ("route_entries.gateway_entries", "(None,) if ipsec.destination_routes else ", ""),
    ("route_entries.gateway_entries", "0 if one[1].source is None else -one[1].source.prefixlen", "0"),
    ("route_entries._published", "for route in vpc.routes if", "for route in () if"),
    ("route_entries._to_resolvers", 'cen.edition == "basic"', "True"),
    ("address_owners._hosts_of", "address not in SHARED_SPACE", "True"),
    ("dns_leg._legs", "taken != through.via", "False"),
    ("dns_leg._leg", "if through is None", "if through is None or through.via == CUT"),
    ("packet_walk.Walk._through_ipsec", "holding(address, subnets) is not None", "True"),
    ("round_trip.round_trip", "problems += (", "_ = ("),
    ("way.Goal.is_at", "self.region_id is None or (here is Here.CLOUD and ", "self.node is None or ("),
    ("routing._goal", "Goal(instance.binding.vpc_id)", "Goal()"),
]


@pytest.mark.netns
@pytest.mark.slow
@pytest.mark.parametrize(("name", "right", "wrong"), MISTAKES)
def test_a_mistake_in_the_model_is_found(
    observed: dict[int, Observed], name: str, right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistaken(name, right, wrong, monkeypatch)
    assert any(differences(one, one.world()) for one in observed.values())


def mistaken(name: str, right: str, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the function with another text in the place of itself, wherever it is known."""
    function = pkgutil.resolve_name(f"vpcdns.model.{name}")
    text, made = textwrap.dedent(inspect.getsource(function)), dict[str, Any]()
    assert text.count(right) == 1, f"{name} is not what it was"
    exec(text.replace(right, wrong), function.__globals__, made)  # noqa: S102 - our own text
    model = [one for known, one in sys.modules.items() if known.startswith("vpcdns.model.")]
    classes = [one for module in model for one in vars(module).values() if inspect.isclass(one)]
    owners = [one for one in (*model, *classes) if vars(one).get(function.__name__) is function]
    assert owners
    for owner in owners:
        monkeypatch.setattr(owner, function.__name__, made[function.__name__])
