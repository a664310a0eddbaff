"""Runs of `vpcdns` that end by themselves: in this process, which is quicker, or in one of their own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from tests.support.repository import ROOT
from tests.support.server_process import COMMAND
from vpcdns.cli import main


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


def vpcdns(*arguments: str, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> Ran:
    """One run of the console script's own function in this process, which is quicker; not for `serve`."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, {"COLUMNS": "80", **(environment or {})}),
        patch.object(sys, "argv", ["vpcdns", *arguments]),
        chdir(cwd),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as ended:
            return Ran(int(ended.code or 0), out.getvalue(), err.getvalue())


def vpcdns_process(*arguments: str, cwd: Path = ROOT) -> Ran:
    """One run in a process of its own."""
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, capture_output=True, text=True, timeout=20, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)
