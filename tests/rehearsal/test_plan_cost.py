"""What plans and paths cost in a large world, as `benchmarks/plans.py` measures it: seconds, not minutes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.repository import ROOT

COMMAND = [sys.executable, "benchmarks/plans.py"]
PLAN_AT_MOST = 30.0  # seconds of CPU time; a quiet machine takes a third of it
PATH_AT_MOST = 1.0  # milliseconds of CPU time


def measured(*words: str) -> dict[str, dict[str, float]]:
    done = subprocess.run([*COMMAND, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    return found


def test_the_benchmark_runs() -> None:
    """In a small world; every change in it is one for somebody."""
    found = measured("--groups", "100", "--vpcs", "50", "--networks", "20", "--path-vpcs", "50")
    assert found.keys() == {"paths, ms", "plans, s"}


@pytest.mark.slow
def test_a_million_groups_a_thousand_vpcs_and_paths_among_ten_thousand() -> None:
    found = measured()
    assert max(found["plans, s"].values()) < PLAN_AT_MOST
    assert max(found["paths, ms"].values()) < PATH_AT_MOST
