"""Runs a scenario on the model: each step's changes, and whether what was expected holds.

Pure: a World in, results out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from vpcdns.errors import MalformedChange
from vpcdns.model.names import Name
from vpcdns.model.routing import Path, path, source_of
from vpcdns.model.world import World
from vpcdns.rehearsal.change_text import changed
from vpcdns.rehearsal.fates import Fate, fate_of
from vpcdns.rehearsal.plan import Plan, plan
from vpcdns.rehearsal.scenario import Expectation, Rehearsal, ScenarioStep


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation, what the model says, and in which points they differ."""

    expectation: Expectation
    path: Path | None
    failures: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{self.expectation.source} -> {self.expectation.name}"


@dataclass(frozen=True, slots=True)
class StepResult:
    """A step that was run; `failures` are those of its changes, not of its checks.

    `plan` is what it changes for everybody; None if nothing was done.
    """

    step: ScenarioStep
    before: World
    after: World
    checks: tuple[Check, ...]
    failures: tuple[str, ...] = ()
    plan: Plan | None = None

    @property
    def passed(self) -> bool:
        return not self.failures and not any(check.failures for check in self.checks)


@dataclass(frozen=True, slots=True)
class Result:
    rehearsal: Rehearsal
    steps: tuple[StepResult, ...]

    @property
    def passed(self) -> bool:
        return all(step.passed for step in self.steps)


def run(rehearsal: Rehearsal) -> Iterator[StepResult]:
    """The steps, one after the other; a step whose changes fail leaves the World as it was."""
    world = rehearsal.world
    for step in rehearsal.scenario.steps:
        after, failures = _changed(step, world)
        checks = tuple(check(expectation, after) for expectation in step.expect)
        yield StepResult(step, world, after, checks, failures, None if after is world else plan(world, after))
        world = after


def _changed(step: ScenarioStep, world: World) -> tuple[World, tuple[str, ...]]:
    try:
        after = changed(world, *step.changes)
    except MalformedChange as error:
        if step.refused is None or step.refused not in str(error):
            wanted = "" if step.refused is None else f"; expected to be refused with {step.refused!r}"
            return world, (f"{error}{wanted}",)
        return world, ()
    if step.refused is not None:
        return world, (f"expected to be refused with {step.refused!r}, but it was not",)
    return after, ()


def check(expectation: Expectation, world: World) -> Check:
    """What the model says to one expectation."""
    source = source_of(expectation.source, world)
    if source is None:
        return Check(expectation, None, (f"there is no source {expectation.source}",))
    found = path(source, expectation.name, world)
    return Check(expectation, found, tuple(_differences(expectation, found)))


def _differences(expectation: Expectation, found: Path) -> Iterator[str]:
    if expectation.answers is not None and set(expectation.answers) != set(found.addresses):
        yield f"resolves to {_listed(found.addresses)}, expected {_listed(expectation.answers)}"
    rcode = None if found.resolution is None else found.resolution.rcode.name
    if expectation.rcode is not None and expectation.rcode != rcode:
        yield f"the response is {rcode}, expected {expectation.rcode}"
    if expectation.verdict not in (None, found.verdict):
        why = f" ({found.problems[0].detail})" if found.problems else ""
        yield f"it is {found.verdict.value}{why}, expected {expectation.verdict.value}"


def _listed(addresses: Iterable[IPv4Address]) -> str:
    return ", ".join(sorted(map(str, addresses))) or "nothing"


def matrix(result: Result) -> dict[Name, dict[str, list[Fate]]]:
    """Every name and source of a scenario, and what each source got at the start and after each step."""
    expectations = [one for step in result.rehearsal.scenario.steps for one in step.expect]
    sources = dict.fromkeys(one.source for one in expectations)
    worlds = [result.rehearsal.world, *(step.after for step in result.steps)]
    return {
        name: {
            source: [fate_of(source_of(source, world), name, world) for world in worlds] for source in sources
        }
        for name in dict.fromkeys(one.name for one in expectations)
    }
