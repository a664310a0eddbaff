"""docs/rehearsals.md: its commands print what it says they print."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "rehearsals.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
RUN = re.compile(r"^\$ (vpcdns .*?)\n(.*?)(?=^\$ |\Z)", re.MULTILINE | re.DOTALL)
RUNS = [run for block in BLOCKS for run in RUN.findall(block)]


def test_there_are_commands() -> None:
    assert {shlex.split(command)[1] for command, _ in RUNS} == {"path", "plan", "rehearse"}


@pytest.mark.parametrize(("command", "expected"), RUNS)
def test_a_command_prints_what_is_said(command: str, expected: str) -> None:
    words = [sys.executable, "-m", *shlex.split(command)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == expected.strip(), done.stderr
