"""Results of scenarios as plain data, for programs: everything that is shown elsewhere, and in full."""

from collections.abc import Sequence
from typing import Any

from vpcdns.rehearsal.effects import effect_data, effects
from vpcdns.rehearsal.plan_text import plan_data
from vpcdns.rehearsal.run import Check, Result, StepResult
from vpcdns.rehearsal.scenario import BadFile


def results_data(results: Sequence[Result | BadFile]) -> dict[str, Any]:
    """All scenarios, and the files that could not be read."""
    bad = [one for one in results if isinstance(one, BadFile)]
    good = [one for one in results if isinstance(one, Result)]
    return {
        "passed": not bad and all(one.passed for one in good),
        "scenarios": [_scenario(one) for one in good],
        "errors": [{"file": str(one.file), "why": one.why.splitlines()} for one in bad],
    }


def _scenario(result: Result) -> dict[str, Any]:
    return {
        "file": str(result.rehearsal.file),
        "title": result.rehearsal.title,
        "passed": result.passed,
        "steps": list(map(_step, result.steps)),
    }


def _step(step: StepResult) -> dict[str, Any]:
    return {
        "title": step.step.title,
        "changes": step.step.changes,
        "passed": step.passed,
        "failures": list(step.failures),
        "checks": list(map(_check, step.checks)),
        "plan": None if step.plan is None else plan_data(step.plan),
        "effects": list(map(effect_data, effects(step))),
    }


def _check(check: Check) -> dict[str, Any]:
    path = check.path
    return {
        "from": check.expectation.source,
        "name": str(check.expectation.name),
        "passed": not check.failures,
        "failures": list(check.failures),
        "addresses": [] if path is None else list(map(str, path.addresses)),
        "verdict": None if path is None else path.verdict.value,
    }
