"""A scenario run for real: each step in namespaces, and where the kernel does not do what the model says.

Expectations are the model's business; here a check fails when the two disagree about it.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from vpcdns.lab.kernel import Kernel, namespaces
from vpcdns.lab.live import LiveLab
from vpcdns.model.routing import source_of
from vpcdns.model.world import World
from vpcdns.rehearsal.run import Check, StepResult, run
from vpcdns.rehearsal.scenario import Rehearsal

_PREFIX: Final = "vpcdns+live"


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
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
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
