"""Labs that outlive a command: up, exec, down, two at once, and after a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hybrid_cloud import CONFIGURATION, SERVERLESS_NAME
from tests.support.repository import REHEARSALS
from vpcdns.errors import LabError
from vpcdns.lab import lifecycle
from vpcdns.lab.kernel import NAMESPACES, Kernel
from vpcdns.lab.live import run_live
from vpcdns.lab.ownership import Lab, prefix_of
from vpcdns.rehearsal.scenario import read_scenario

FETCH = (
    "import sys, urllib.request; "
    "print(urllib.request.urlopen('http://' + sys.argv[1], timeout=float(sys.argv[2])).read().decode())"
)


@pytest.fixture
def names(tmp_path: Path) -> Iterator[tuple[str, str]]:
    pair = (f"test{os.getpid()}", f"test{os.getpid()}b")
    yield pair
    for name in pair:
        lifecycle.down(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "hybrid.yaml"
    path.write_text(CONFIGURATION)
    return path


def fetch(lab: Lab, node: str, name: str, seconds: float = 5) -> subprocess.CompletedProcess[str]:
    command = lifecycle.command_in(lab, node, [sys.executable, "-c", FETCH, name, str(seconds)])
    return subprocess.run(command, capture_output=True, text=True, check=False)


def left(lab: Lab) -> list[str]:
    return [one.name for one in NAMESPACES.iterdir() if one.name.startswith(prefix_of(lab.name))]


@pytest.mark.netns
def test_two_labs_at_once_and_one_that_crashed(names: tuple[str, str], file: Path) -> None:
    labs = [lifecycle.up(name, file) for name in names]
    for lab in labs:
        assert "cn-hangzhou/gw at 10.1.8.20 in vpc-a\n" in fetch(lab, "idc", "api.example.com").stdout
    one, two = labs
    assert "100.100.80.10 in vpc-b" in fetch(one, "vpc-b", SERVERLESS_NAME).stdout
    assert fetch(one, "vpc-c", "api.example.com").returncode != 0
    assert fetch(one, "idc", SERVERLESS_NAME, 0.5).returncode != 0
    os.kill(two.pid, signal.SIGKILL)
    os.waitpid(two.pid, 0)
    assert left(two), "a crash leaves them"
    assert lifecycle.down(two.name)
    assert not left(two)
    assert fetch(one, "idc", "api.example.com").returncode == 0
    assert lifecycle.down(one.name)
    assert not left(one)
    assert not lifecycle.down(one.name)


@pytest.mark.netns
def test_only_what_a_lab_made_goes_and_only_when_its_owner_is_gone(
    names: tuple[str, str], file: Path
) -> None:
    alive, killed = (lifecycle.up(name, file) for name in names)
    os.kill(killed.pid, signal.SIGKILL)
    os.waitpid(killed.pid, 0)
    foreign = f"{prefix_of(killed.name)}somebody-else"
    subprocess.run(["ip", "netns", "add", foreign], check=True)
    try:
        with pytest.raises(LabError, match="is up already"):
            Kernel(alive.name)
        with pytest.raises(LabError, match="is up already"):
            lifecycle.up(alive.name, file)
        lifecycle.remove_abandoned()
        assert left(killed) == [foreign]
        assert lifecycle.find(killed.name) is None
        assert set(left(alive)) == set(alive.namespaces)
        assert fetch(alive, "idc", "api.example.com").returncode == 0
    finally:
        subprocess.run(["ip", "netns", "delete", foreign], check=True)


@pytest.mark.netns
def test_a_lab_belongs_to_one_process(names: tuple[str, str]) -> None:
    kernel = Kernel(names[0])
    with pytest.raises(LabError, match="did not start"):
        lifecycle.down(names[0])
    kernel.remove()
    with pytest.raises(LabError, match="cannot be a lab's name"):
        Kernel("../elsewhere")


@pytest.mark.netns
@pytest.mark.slow
@pytest.mark.parametrize(
    "stem", ["rebind", "shared-address-over-ipsec", "overlapping-blocks", "cen-two-regions"]
)
def test_an_example_holds_in_the_kernel_too(stem: str) -> None:
    for step in run_live(read_scenario(REHEARSALS / f"{stem}.yaml")):
        assert step.passed, [check.failures for check in step.checks]
