"""A lab that follows a World in this process, and what its kernel says to a source and a name.

For the proof that the model's verdict is the kernel's, and for scenarios that are run for real: expectations
are the model's business; here a check fails when kernel and model disagree about it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path as FilePath
from typing import Final

from vpcdns.lab.blueprint import Numbers, blueprint, lab_world
from vpcdns.lab.kernel import Kernel, namespaces
from vpcdns.lab.probe import Ask, Heard, Probe
from vpcdns.lab.services import Services
from vpcdns.model.gateway import Group
from vpcdns.model.names import Name
from vpcdns.model.routing import Path, Source, source_of
from vpcdns.model.vpc_domains import group_at
from vpcdns.model.world import World
from vpcdns.rehearsal.run import Check, StepResult, run
from vpcdns.rehearsal.scenario import Rehearsal


@dataclass(frozen=True, slots=True)
class Observation:
    """What the kernel did with a name from one address: the answer, and whether all of it is the instance."""

    addresses: frozenset[str]
    reached: bool

    def agrees_with(self, path: Path) -> bool:
        expected = frozenset(map(str, path.addresses)) if path.resolution is not None else frozenset()
        return self.reached == path.reachable and self.addresses == expected

    def __str__(self) -> str:
        listed = ", ".join(sorted(self.addresses)) or "no address"
        return f"{listed}, {'reached' if self.reached else 'not reached'}"


_PREFIX: Final = "vpcdns+live"


class LiveLab(ExitStack):
    """Namespaces and services of a World that may change. Close it, or use it in a `with`."""

    def __init__(self, prefix: str, world: World) -> None:
        super().__init__()
        self.world = world
        self._numbers = Numbers()
        self.kernel = Kernel(prefix)
        self.kernel.remove()  # what a crash has left
        self.callback(self.kernel.remove)
        try:
            plan = blueprint(world, self._numbers)
            self.kernel.apply(plan)
            self._services = Services(self.kernel, plan, lab_world(world, self._numbers))
            self.callback(self._services.close)
        except BaseException:
            self.close()
            raise

    @cached_property
    def _probe(self) -> Probe:
        probe = Probe()
        self.callback(probe.close)
        return probe

    def change(self, world: World) -> None:
        """Makes the lab what `world` says."""
        plan = blueprint(world, self._numbers)
        self.kernel.apply(plan)
        self._services.change(plan, lab_world(world, self._numbers))
        self.world = world

    def observe(self, asks: Sequence[tuple[Source, Name]], seconds: float = 0.5) -> list[Observation]:
        """What the kernel does; a source's every address must reach the instance by every address of it."""
        lines: list[Ask] = []
        owners: list[int] = []
        for index, (source, name) in enumerate(asks):
            for address in source.addresses:
                lines.append(Ask(str(self.kernel.path(source.node or "")), str(address), str(name)))
                owners.append(index)
        heard: list[list[Heard]] = [[] for _ in asks]
        for index, one in zip(owners, self._probe.ask(lines, seconds), strict=True):
            heard[index].append(one)
        return [self._observed(name, all_) for (_, name), all_ in zip(asks, heard, strict=True)]

    def _observed(self, name: Name, heard: Sequence[Heard]) -> Observation:
        group = self._group(name)
        label = "" if group is None else f"{group.region_id}/{group.instance_id}"
        addresses = frozenset(address for one in heard for address in one.addresses)
        reached = bool(addresses) and all(
            said is not None and label in said.split() for one in heard for said in one.said
        )
        return Observation(addresses, reached)

    def _group(self, name: Name) -> Group | None:
        custom = self.world.custom_domains.match(name)
        if custom is not None:
            return self.world.groups[custom[1]]
        return group_at(name, self.world)


def run_live(rehearsal: Rehearsal) -> Iterator[StepResult]:
    """The steps as `run` gives them, with the kernel's disagreements added to the failures."""
    _remove_abandoned()
    with LiveLab(f"{_PREFIX}{os.getpid()}+", rehearsal.world) as lab:
        for step in run(rehearsal):
            lab.change(step.after)
            yield replace(step, checks=tuple(_compared(step.checks, step.after, lab)))


def _remove_abandoned() -> None:
    """Takes away what rehearsals that were killed have left."""
    for name in namespaces(_PREFIX):
        pid = name.removeprefix(_PREFIX).partition("+")[0]
        if pid.isdigit() and not FilePath(f"/proc/{pid}").exists():
            Kernel(f"{_PREFIX}{pid}+").remove()


def _compared(checks: tuple[Check, ...], world: World, lab: LiveLab) -> Iterator[Check]:
    sources = [source_of(check.expectation.source, world) for check in checks]
    asks = [
        (source, check.expectation.name)
        for source, check in zip(sources, checks, strict=True)
        if source is not None and source.node is not None
    ]
    observed = iter(lab.observe(asks, 1.0))
    for source, check in zip(sources, checks, strict=True):
        if source is None or source.node is None or check.path is None:
            yield check  # nobody, or the Internet: no namespace asks for it
            continue
        one = next(observed)
        if one.agrees_with(check.path):
            yield check
        else:
            addresses = ", ".join(map(str, check.path.addresses)) or "no address"
            disagreement = f"the kernel says {one}; the model says {addresses}, {check.path.verdict.value}"
            yield replace(check, failures=(*check.failures, disagreement))
