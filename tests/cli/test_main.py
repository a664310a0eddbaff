"""The command as a whole: version, help, completion, schema, closed and full outputs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import vpcdns as run
from tests.support.repository import ROOT
from tests.support.server_process import COMMAND
from vpcdns import __version__

COMMANDS = ("serve", "check", "explain", "schema", "health")


def test_version() -> None:
    assert run("--version").stdout == f"vpcdns {__version__}\n"


def test_help_fits_and_has_examples() -> None:
    shown = run("--help").stdout
    assert all(f"\n  {command} " in shown for command in COMMANDS)
    for command in COMMANDS:
        done = run(command, "-h")
        assert done.returncode == 0
        assert f"    vpcdns {command}" in done.stdout, command
        assert [line for line in done.stdout.splitlines() if len(line) > 80] == [], command


def test_no_command_and_wrong_command() -> None:
    assert run().returncode == 2
    done = run("server")
    assert (done.returncode, done.stdout) == (2, "")
    assert "serve" in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell: str) -> None:
    done = run(environment={"_VPCDNS_COMPLETE": f"source_{shell}"})
    assert done.returncode == 0
    assert "_VPCDNS_COMPLETE" in done.stdout


def test_completion() -> None:
    environment = {"_VPCDNS_COMPLETE": "complete_bash", "COMP_WORDS": "vpcdns ex", "COMP_CWORD": "1"}
    assert run(environment=environment).stdout.strip() == "explain"


def test_schema() -> None:
    schema = json.loads(run("schema").stdout)
    assert {"server", "answers", "vpcs", "groups"} <= schema["properties"].keys()


@pytest.mark.parametrize(
    "arguments", [("schema",), ("explain", "--from", "10.1.0.5", "x.example"), ("--help",)]
)
def test_closed_output_is_no_traceback(arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    environment = {**os.environ, "VPCDNS_CONFIG": "config/vpcdns.yaml"}
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, env=environment, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_full_output_is_told() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "schema"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (1, "cannot write the output: No space left on device\n")
