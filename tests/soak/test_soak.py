"""The soak of `make soak`, for 40 seconds."""

import shutil
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_forty_seconds() -> None:
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rnm", "true"], check=False).returncode:
        pytest.skip("there are no namespaces")
    command = [sys.executable, "-m", "tests.soak", "--minutes", str(40 / 60)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
