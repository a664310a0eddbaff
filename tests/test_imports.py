"""The import contracts of pyproject.toml hold: DESIGN section 4."""

import subprocess
import sys
from pathlib import Path

from tests.support.repository import ROOT


def test_imports_point_downward_only() -> None:
    """In a process of its own: it switches off the loggers that are there."""
    lint_imports, config = Path(sys.executable).with_name("lint-imports"), ROOT / "pyproject.toml"
    command = [str(lint_imports), "--config", str(config), "--no-cache"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
