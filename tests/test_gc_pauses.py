"""What the collector is told, in processes of its own: it is one for all of a process."""

from __future__ import annotations

import subprocess
import sys

import pytest

MAKING = """
import gc
from vpcdns import gc_pauses
{before}
gc.collect()
frozen, old = gc.get_freeze_count(), len(gc.get_objects(2))
with gc_pauses.paused():
    enabled = gc.isenabled()
    made = [[number] for number in range(50_000)]
frozen, old = gc.get_freeze_count() - frozen, len(gc.get_objects(2)) - old
print(enabled, gc.isenabled(), frozen >= 50_000, old >= 50_000)
"""


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", "False True False True"),  # old, without having been walked
        ("gc_pauses.settle()", "False True True False"),  # a server: it stays for good
        ("gc.disable()", "False False False False"),  # who has done without it goes on so
    ],
)
def test_what_is_made_in_a_pause_is_not_walked_soon(before: str, expected: str) -> None:
    script = MAKING.format(before=before)
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == expected
