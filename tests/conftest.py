"""What every test stands on: one that needs root and network namespaces is skipped where there are none.

`HYPOTHESIS_PROFILE=long` makes the laws look much longer.
"""

import os
import shutil
import signal

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "short", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("long", settings.get_profile("short"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))

# What a shell script runs in the background ignores Ctrl-C, and hands that on; what tests start shall not.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("netns") and (os.geteuid() != 0 or shutil.which("ip") is None):
        pytest.skip("needs root and iproute2")
