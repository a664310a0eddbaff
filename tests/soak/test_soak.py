"""The soak of `make soak`, for 20 seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.__main__ import soak


@pytest.mark.slow
def test_twenty_seconds(tmp_path: Path) -> None:
    report = soak(20, tmp_path)
    assert report.is_good, str(report)
    assert report.rebinds > 2
