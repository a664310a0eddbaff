"""The commands: what they print, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.support.hybrid_cloud import CONFIGURATION, DEDICATED_NAME, SERVERLESS_NAME
from tests.support.repository import REHEARSALS
from vpcdns.cli.app import app
from vpcdns.cli.output import exit_code as code_of
from vpcdns.errors import VpcdnsError


@pytest.fixture
def config(tmp_path: Path) -> str:
    file = tmp_path / "hybrid.yaml"
    file.write_text(CONFIGURATION)
    return str(file)


def vpcdns(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def exit_code(result: Result) -> int:
    """As `main` makes it."""
    if isinstance(result.exception, VpcdnsError):
        return int(code_of(result.exception))
    return result.exit_code


def test_path_tells_the_way(config: str) -> None:
    result = vpcdns("path", "--config", config, "--from", "idc", "api.example.com")
    assert exit_code(result) == 0
    assert "resolves to 10.1.8.20 (dedicated-bound-vpc)" in result.output
    assert "vpn-1  10.1.0.0/16  via  vpc-a" in result.output
    assert result.output.strip().endswith("REACHABLE")


def test_path_tells_obstacles_and_remedies(config: str) -> None:
    result = vpcdns("path", "--config", config, "--from", "idc", SERVERLESS_NAME)
    assert exit_code(result) == 2
    assert "NO ROUTE" in result.output
    assert "-> add the route 100.100.80.10/32 via vpn-1 to idc" in result.output
    routes = vpcdns("path", "--routes", "--config", config, "--from", "idc", SERVERLESS_NAME)
    assert routes.output == "ip route add 100.100.80.10/32 dev vpn-1  # at idc\n"
    assert exit_code(routes) == 2


def test_path_as_json(config: str) -> None:
    result = vpcdns("path", "--json", "--config", config, "--from", "127.40.0.5", DEDICATED_NAME)
    told = json.loads(result.output)
    assert list(told) == ["source", "name", "resolution", "verdict", "dns", "hops", "problems"]
    assert told["verdict"] == "reachable"


def test_path_from_nobody_is_an_error(config: str) -> None:
    result = vpcdns("path", "--config", config, "--from", "nobody", DEDICATED_NAME)
    assert exit_code(result) == 1


def test_plan(config: str) -> None:
    nothing = vpcdns("plan", "--config", config, "--change", f"enable {'a' * 32}")
    assert (exit_code(nothing), nothing.output) == (0, "Nothing changes for anybody.\n")
    words = ("--change", "bind gw vpc-b vsw-b", "--change", "resolve-as idc vpc-b")
    something = vpcdns("plan", "--config", config, *words)
    assert exit_code(something) == 2
    assert "(LOST)" in something.output
    refused = vpcdns("plan", "--config", config, "--change", "unbind gw")
    assert exit_code(refused) == 1
    assert "rule 6" in str(refused.exception)
    assert exit_code(vpcdns("plan", "--config", config)) == 1
    assert exit_code(vpcdns("plan", "--config", config, "only-one.yaml")) == 1


def test_plan_of_two_files(config: str, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(CONFIGURATION.replace("instance_id: shared, vpc_domain: true", "instance_id: shared"))
    result = vpcdns("plan", "--format", "json", config, str(other))
    assert exit_code(result) == 2
    assert json.loads(result.output)["lost"] == 2
    assert exit_code(vpcdns("plan", "--format", "markdown", config, config)) == 0


def test_rehearse(tmp_path: Path) -> None:
    junit, page = tmp_path / "junit.xml", tmp_path / "page.html"
    file = str(REHEARSALS / "rebind.yaml")
    result = vpcdns("rehearse", "--junit", str(junit), "--html", str(page), file)
    assert exit_code(result) == 0
    assert "ok    3. Rebind to the VPC of billing (3 of 3 as expected)" in result.output
    assert junit.read_text().startswith("<?xml")
    assert page.read_text().startswith("<!doctype html>")
    unwritable = vpcdns("rehearse", "--html", str(tmp_path / "nowhere" / "x.html"), file)
    assert exit_code(unwritable) == 1


def test_rehearse_says_what_failed(tmp_path: Path) -> None:
    story = tmp_path / "story.yaml"
    text = (REHEARSALS / "rebind.yaml").read_text().replace("[10.2.8.20]", "[10.2.8.21]")
    story.write_text(text.replace("hybrid.yaml", str(REHEARSALS / "hybrid.yaml")))
    result = vpcdns("rehearse", str(story))
    assert exit_code(result) == 2
    assert "FAIL" in result.output
    assert "resolves to 10.2.8.20, expected 10.2.8.21" in result.output
    assert exit_code(vpcdns("rehearse", str(tmp_path / "none.yaml"))) == 1


@pytest.mark.parametrize("command", [("path",), ("plan",), ("rehearse",), ("lab", "up")])
def test_help_has_examples(command: tuple[str, ...]) -> None:
    assert "Example" in vpcdns(*command, "--help").output
