"""What tests of faults have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.one_group import configuration


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "vpcdns.yaml"
    file.write_text(configuration())
    return file
