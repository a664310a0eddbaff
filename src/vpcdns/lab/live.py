"""A lab that follows a World in this process, and what its kernel says to a source and a name.

For the test that compares the model's verdicts with the kernel's, and for scenarios that are run in a lab: a
check also fails there when kernel and model disagree.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, replace

from vpcdns.errors import LabError
from vpcdns.lab.blueprint import blueprint, lab_world
from vpcdns.lab.kernel import Kernel, require_extra, require_root
from vpcdns.lab.lifecycle import remove_abandoned
from vpcdns.lab.ownership import trusted_file
from vpcdns.lab.parts import Numbers
from vpcdns.lab.probe import Heard, answer, probe
from vpcdns.lab.virtual_hosts import HOST, label, speakers
from vpcdns.model.dns import Question, RRType
from vpcdns.model.gateway import Group
from vpcdns.model.names import Name
from vpcdns.model.resolution import resolve
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


class LiveLab(ExitStack):
    """Namespaces and services of a World that may change. Close it, or use it in a `with`."""

    def __init__(self, name: str, world: World) -> None:
        super().__init__()
        self.world = world
        self._numbers = Numbers()
        self.kernel = Kernel(name)
        self.callback(self.kernel.remove)
        # A dozen descriptors for each VPC, and 1,024 is the usual soft limit.
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        try:
            from vpcdns.lab.certificates import Authority  # noqa: PLC0415 - of the extra
            from vpcdns.lab.services import Services  # noqa: PLC0415 - of the extra

            plan = blueprint(world, self._numbers)
            self.kernel.apply(plan)
            authority = Authority(name)
            trusted_file(name).write_bytes(authority.certificate)
            self._services = Services(self.kernel, authority, plan, lab_world(world))
            self.callback(self._services.close)
            self._probe = self.enter_context(probe())
        except BaseException:
            self.close()
            raise

    def change(self, world: World) -> None:
        """Makes the lab what `world` says."""
        plan = blueprint(world, self._numbers)
        self.kernel.apply(plan)
        self._services.change(plan, lab_world(world))
        self.world = world

    def observe(self, asks: Sequence[tuple[Source, Name]], seconds: float = 0.5) -> list[Observation]:
        """What the kernel does; a source's every address must reach the instance by every address of it."""
        lines = [
            (self.kernel.path(source.node or "").name, str(address), str(name))
            for source, name in asks
            for address in source.addresses
        ]
        try:
            heard = iter(self._probe.submit(answer, lines, seconds).result())
        except BrokenProcessPool:
            raise LabError("the asking process ended; a lab needs root, and mount namespaces") from None
        return [
            self._observed(source, name, [next(heard) for _ in source.addresses]) for source, name in asks
        ]

    def _observed(self, source: Source, name: Name, heard: Sequence[Heard]) -> Observation:
        target = resolve(Question(name, RRType.A), source.client, self.world).target
        group = group_at(target, self.world)
        reached = [
            text is not None and not self._expected(group, address).isdisjoint(speakers(text))
            for one in heard
            for address, text in one.items()
        ]
        return Observation(
            frozenset(address for one in heard for address in one), bool(reached) and all(reached)
        )

    def _expected(self, group: Group | None, address: str) -> set[str]:
        """Who should speak there: the group's instance, or where a private zone names it, whoever has it."""
        if group is not None:
            return {label(group.instance_key)}
        instances = self.world.instances.values()
        return {label(one.key) for one in instances if address in map(str, one.all_addresses)} or {HOST}


def run_live(rehearsal: Rehearsal) -> Iterator[StepResult]:
    """The steps as `run` gives them, with the kernel's disagreements added to the failures."""
    require_root()
    require_extra()
    remove_abandoned()
    with LiveLab(f"live-{os.getpid()}", rehearsal.world) as lab:
        for step in run(rehearsal):
            lab.change(step.after)
            yield replace(step, checks=tuple(_compared(step.checks, step.after, lab)))


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
