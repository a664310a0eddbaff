"""Labs that outlive a command: up, exec, down, two at once, and after a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import vpcdns
from tests.support.hybrid_cloud import CONFIGURATION, SERVERLESS_NAME
from tests.support.repository import REHEARSALS
from tests.support.server_process import COMMAND
from tests.support.waiting import eventually
from vpcdns.errors import LabError
from vpcdns.lab import lifecycle
from vpcdns.lab.kernel import NAMESPACES, Kernel
from vpcdns.lab.live import run_live
from vpcdns.lab.name_service import ETC
from vpcdns.lab.ownership import RUN, Lab, prefix_of
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


def leavings(name: str) -> list[str]:
    """All that a lab may leave behind."""
    places = (NAMESPACES, ETC, RUN)
    found = (one.name for place in places if place.exists() for one in place.iterdir())
    return [one for one in found if one.startswith((prefix_of(name), f"{name}."))]


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
def test_what_is_interrupted_leaves_nothing(names: tuple[str, str], file: Path) -> None:
    name = names[0]
    command = [*COMMAND, "lab", "up", str(file), "--name", name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        eventually(lambda: (lab := lifecycle.find(name)) is not None and len(lab.namespaces) > 2)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, b""), said
    assert lifecycle.find(name) is None
    assert not leavings(name)


@pytest.mark.netns
def test_nobody_may_hear_that_a_lab_is_up(names: tuple[str, str], file: Path) -> None:
    name = names[0]
    command = [*COMMAND, "lab", "up", str(file), "--name", name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        eventually(lambda: (lab := lifecycle.find(name)) is not None and len(lab.namespaces) > 2)
        process.kill()
    eventually(lambda: not leavings(name))


@pytest.mark.netns
def test_a_lab_whose_daemon_was_killed_says_so_and_comes_up_again(names: tuple[str, str], file: Path) -> None:
    name = names[0]
    killed = lifecycle.up(name, file)
    os.kill(killed.pid, signal.SIGKILL)
    os.waitpid(killed.pid, 0)
    ran = vpcdns("lab", "exec", "--lab", name, "idc", "--", "true")
    said = f"nothing answers in lab {name}, as its process {killed.pid} has ended"
    assert (ran.returncode, ran.stderr) == (
        1,
        f"{said}; first: vpcdns lab down --name {name}, then up again\n",
    )
    lab = lifecycle.up(name, file)
    assert fetch(lab, "idc", "api.example.com").returncode == 0


@pytest.mark.netns
def test_hints_name_what_was_given(names: tuple[str, str], file: Path) -> None:
    spaced = file.with_name(f"{names[0]} x.yaml")
    spaced.write_text(CONFIGURATION)
    name = f"{names[0]}-x"
    try:
        up = vpcdns("lab", "up", str(spaced))
        assert up.stdout.startswith(f"lab {name} is up: vpc-a, vpc-b, vpc-c, idc\nTry: vpcdns lab exec ")
        assert "idc -- curl -m 3 https://api.example.com/" in up.stdout
        again = vpcdns("lab", "up", str(spaced))
        assert again.stderr == f"lab {name} is up already; first: vpcdns lab down '{spaced}'\n"
        named = vpcdns("lab", "up", str(spaced), "--name", names[1])
        assert f"vpcdns lab exec --lab {names[1]} idc -- " in named.stdout
        assert "say which by --lab" in vpcdns("lab", "exec", "idc", "--", "true").stderr
        again = vpcdns("lab", "up", str(spaced), "--name", names[1])
        assert again.stderr.endswith(f"first: vpcdns lab down --name {names[1]}\n")
        assert vpcdns("lab", "down", "--name", names[1]).stdout == f"lab {names[1]} is down\n"
        assert vpcdns("lab", "down", str(spaced)).stdout == f"lab {name} is down\n"
    finally:
        lifecycle.down(name)
    assert vpcdns("lab", "down", str(spaced)).stdout.startswith(f"there is no lab {name}")
    assert (
        "first: vpcdns lab up --name nosuch FILE" in vpcdns("lab", "exec", "--lab", "nosuch", "a", "b").stderr
    )
    assert vpcdns("lab", "down").returncode == 2


@pytest.mark.netns
@pytest.mark.parametrize("missing", ["pyroute2", "cryptography"])
def test_what_is_not_installed_is_told_before_anything_is_made(
    names: tuple[str, str], file: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)  # as if there were none
    ran = vpcdns("lab", "up", str(file), "--name", names[0])
    way_out = "install what is missing with: pip install 'vpcdns[lab]'"
    assert (ran.returncode, ran.stderr) == (1, f"a lab needs {missing}; {way_out}\n")
    assert not leavings(names[0])
    with pytest.raises(LabError, match=missing):
        next(run_live(read_scenario(REHEARSALS / "rebind.yaml")))


@pytest.mark.netns
def test_a_package_that_is_broken_is_told_as_well(
    names: tuple[str, str], file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyroute2.py").write_text("raise RuntimeError('no such kernel')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pyroute2")
    ran = vpcdns("lab", "up", str(file), "--name", names[0])
    assert ran.returncode == 1
    assert ran.stderr.startswith("a lab needs pyroute2 (no such kernel); install what is missing")
    assert not leavings(names[0])


@pytest.mark.netns
@pytest.mark.parametrize("name", ["../elsewhere", "a+b", "a b", "x" * 101])
def test_names_that_cannot_be_are_told(file: Path, name: str) -> None:
    assert "cannot be a lab's name" in vpcdns("lab", "up", str(file), "--name", name).stderr


@pytest.mark.netns
@pytest.mark.slow
@pytest.mark.parametrize(
    "stem",
    [
        "rebind",
        "shared-address-over-ipsec",
        "overlapping-blocks",
        "cen-two-regions",
        "routes-of-vpcs",
        "transit-router",
        "ways-of-queries",
        "whose-address",
    ],
)
def test_an_example_holds_in_the_kernel_too(stem: str) -> None:
    for step in run_live(read_scenario(REHEARSALS / f"{stem}.yaml")):
        assert step.passed, [check.failures for check in step.checks]
