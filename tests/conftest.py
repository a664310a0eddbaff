"""What every test stands on: one that needs root and network namespaces is skipped where there are none."""

import os
import shutil

import pytest


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("netns") and (os.geteuid() != 0 or shutil.which("ip") is None):
        pytest.skip("needs root and iproute2")
