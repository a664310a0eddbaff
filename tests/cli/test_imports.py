"""`vpcdns import`: what it prints where, and its exit codes."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.command_line import vpcdns
from tests.support.server_process import COMMAND
from tests.support.terraform_documents import WRITTEN, hybrid, state, written


def test_the_configuration_goes_to_stdout_and_the_summary_to_stderr(tmp_path: Path) -> None:
    ran = vpcdns("import", "terraform", str(written(tmp_path, state(*hybrid()))))
    assert ran.returncode == 0
    lines = ran.stderr.splitlines()
    assert lines[0].startswith("2 VPCs, 6 networks, 4 connections, 3 instances, 2 groups")
    assert [line.partition(":")[0] for line in lines[1:5]] == ["guessed", "missing", *["not taken over"] * 2]
    assert "not read of alicloud_vswitch: vswitch_name" in lines
    assert ran.stdout.startswith("# Made by vpcdns import terraform ")


def test_standard_input(tmp_path: Path) -> None:
    content = (WRITTEN / "state.json").read_bytes()
    piped = subprocess.run(
        [*COMMAND, "import", "terraform", "-"], input=content, capture_output=True, timeout=20, check=True
    )
    named = vpcdns("import", "terraform", str(WRITTEN / "state.json"))
    assert piped.stdout.decode().splitlines()[1:] == named.stdout.splitlines()[1:]


def test_errors_name_the_file(tmp_path: Path) -> None:
    for name, said in (("gone.json", "there is no such file"), (".", "it is a directory")):
        ran = vpcdns("import", "terraform", str(tmp_path / name))
        assert (ran.returncode, ran.stdout) == (1, "")
        assert said in ran.stderr
    empty = tmp_path / "empty.json"
    empty.touch()
    assert vpcdns("import", "terraform", str(empty)).stderr.startswith(f"{empty}:1:1: the file is empty")


def test_a_source_is_needed() -> None:
    assert vpcdns("import").returncode == 2
    assert vpcdns("import", "terraform").returncode == 2
