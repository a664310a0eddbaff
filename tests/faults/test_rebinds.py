"""A rebind under load, as clients see it through sockets: nothing lost, nothing of a World that is gone."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "benchmarks/rebinding.py", "--groups", "2000", "--rebinds", "30"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_no_query_is_lost_and_no_answer_is_of_a_world_that_is_gone(workers: str) -> None:
    done = subprocess.run(
        [*COMMAND, "--workers", workers], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["lost"], found["wrong"], found["rebinds"]) == (0, 0, 30)
    assert found["queries"] > 500
    # Both VPCs have had an answer of every World: none of them is infinitely late.
    assert found["answered_for_ms"]["worst"] < 2_000
