"""The commands: what they print, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

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
    assert exit_code(result) == 3
    assert "NO ROUTE" in result.output
    assert "-> add the route 100.100.80.10/32 via vpn-1 to idc" in result.output
    routes = vpcdns("path", "--routes", "--config", config, "--from", "idc", SERVERLESS_NAME)
    assert routes.output == "ip route add 100.100.80.10/32 dev vpn-1  # at idc\n"
    assert exit_code(routes) == 3


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
    assert exit_code(something) == 3
    assert "(LOST)" in something.output
    refused = vpcdns("plan", "--config", config, "--change", "unbind gw")
    assert exit_code(refused) == 1
    assert "rule 6" in str(refused.exception)
    assert exit_code(vpcdns("plan", "--config", config)) == 2
    assert exit_code(vpcdns("plan", "--config", config, "only-one.yaml")) == 2


def test_plan_of_two_files(config: str, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(CONFIGURATION.replace("instance_id: shared, vpc_domain: true", "instance_id: shared"))
    result = vpcdns("plan", "--format", "json", config, str(other))
    assert exit_code(result) == 3
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
    assert exit_code(result) == 3
    assert "FAIL" in result.output
    assert "resolves to 10.2.8.20, expected 10.2.8.21" in result.output
    assert exit_code(vpcdns("rehearse", str(tmp_path / "none.yaml"))) == 1


def test_a_step_names_who_loses_although_nothing_is_expected_of_them(tmp_path: Path) -> None:
    file = tmp_path / "away.yaml"
    file.write_text(rebind_among_200())
    result = vpcdns("rehearse", str(file))
    assert exit_code(result) == 0, "to lose a name is no failure"
    assert "2 (source, name) pairs change: 1 lost, 1 gained. No expectation is about 1 of the lost." in (
        result.output
    )
    assert "| LOST, not in `expect`: vpc-001: 1 VPC domain (aaaa" in result.output
    assert "| gained: vpc-002: " in result.output
    assert "Caches may keep old answers for 60 s" in result.output
    step = json.loads(vpcdns("rehearse", "--json", str(file)).output)["scenarios"][0]["steps"][0]
    assert step["plan"]["lost"] == 1
    lost = step["effects"][0]
    assert (lost["effect"], lost["expected"], lost["sources"]) == ("lost", False, ["vpc-001"])


def test_where_many_lose_they_are_counted_and_the_report_has_them_all(tmp_path: Path) -> None:
    file, page = tmp_path / "away.yaml", tmp_path / "page.html"
    file.write_text(rebind_among_200().replace("instance_id: gw-1, vpc", "instance_id: shared, vpc"))
    text = file.read_text().replace("bind gw-1 vpc-002 vsw-002", f"disable {'a' * 32}")
    file.write_text(text)
    result = vpcdns("rehearse", "--html", str(page), str(file))
    assert "200 lost, 0 gained. No expectation is about 199 of the lost." in result.output
    assert "vpc-001, vpc-003, vpc-004, vpc-005, vpc-006 and 194 more: 1 VPC domain" in result.output
    assert "| --json and --html name all of them" in result.output
    assert "| LOST: vpc-002: 1 VPC domain" in result.output, "of whom something is expected"
    assert len(max(result.output.splitlines(), key=len)) < 400
    assert "vpc-200" in page.read_text()
    assert "<summary>and 191 more</summary>" in page.read_text()


def rebind_among_200() -> str:
    """200 VPCs, an instance that moves from the first to the second, and an expectation of that one alone."""
    vpcs = [
        {
            "vpc_id": f"vpc-{number:03}",
            "region_id": "cn-hangzhou",
            "cidr_blocks": [f"10.{number}.0.0/16"],
            "vswitches": [{"vswitch_id": f"vsw-{number:03}", "cidr_block": f"10.{number}.8.0/24"}],
        }
        for number in range(1, 201)
    ]
    name = f"{'a' * 32}-cn-hangzhou-vpc.alicloudapi.com"
    return f"""
configuration:
  forward: {{upstreams: []}}
  vpcs: {json.dumps(vpcs)}
  instances:
    - {{instance_id: shared, type: serverless, region_id: cn-hangzhou, addresses: [100.100.80.10]}}
    - instance_id: gw-1
      type: dedicated
      region_id: cn-hangzhou
      binding: {{vpc_id: vpc-001, vswitch_id: vsw-001}}
  groups: [{{group_id: {"a" * 32}, instance_id: gw-1, vpc_domain: true}}]
steps:
  - title: away
    changes: [bind gw-1 vpc-002 vsw-002]
    expect: [{{from: vpc-002, name: {name}}}]
"""


def test_a_folder_has_scenarios_and_other_files(tmp_path: Path) -> None:
    below = tmp_path / "more"
    below.mkdir()
    hybrid = (REHEARSALS / "hybrid.yaml").read_text()
    for name in ("a.yaml", "more/b.yml"):
        text = (REHEARSALS / "rebind.yaml").read_text()
        (tmp_path / name).write_text(text.replace("hybrid.yaml", str(REHEARSALS / "hybrid.yaml")))
    for number in range(5):
        (tmp_path / f"hybrid-{number}.yaml").write_text(hybrid)
    (tmp_path / "values.yaml").write_text("{{ not: yaml }} at all: [")
    (tmp_path / "README.md").write_text("steps: no YAML file")
    result = vpcdns("rehearse", str(tmp_path))
    assert exit_code(result) == 0
    last = result.output.splitlines()[-1]
    assert last.startswith("2 scenarios: 2 as expected; passed over, being no scenario: ")
    assert last.endswith("hybrid-2.yaml and 3 more (-v names them)")
    verbose = vpcdns("rehearse", "-v", str(tmp_path), str(tmp_path / "a.yaml")).output.splitlines()[-1]
    assert "2 scenarios: " in verbose, "each once"
    assert verbose.endswith("values.yaml")
    empty = vpcdns("rehearse", str(tmp_path / "more"), str(tmp_path / "hybrid-1.yaml"))
    assert exit_code(empty) == 1


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    junit, page = tmp_path / "junit.xml", tmp_path / "page.html"
    text = (REHEARSALS / "rebind.yaml").read_text()
    text = text.replace("hybrid.yaml", str(REHEARSALS / "hybrid.yaml"))
    folder = tmp_path / "scenarios"
    folder.mkdir()
    (folder / "1-syntax.yaml").write_text("configuration: {\nsteps: [")
    (folder / "2-good.yaml").write_text(text)
    (folder / "3-typo.yaml").write_text(text.replace("steps:", "stpes:"))
    (folder / "4-fails.yaml").write_text(text.replace("[10.2.8.20]", "[10.2.8.21]"))
    result = vpcdns("rehearse", str(folder), "--junit", str(junit), "--html", str(page))
    assert exit_code(result) == 1, "an error counts for more than what is not as expected"
    assert result.output.splitlines()[-1] == "4 scenarios: 1 as expected, 1 not as expected, 2 with errors"
    assert "3-typo.yaml:3:1: stpes: " in result.output
    suites = ET.parse(junit).getroot()  # noqa: S314 - our own
    assert [suite.get("errors") for suite in suites] == ["1", None, "1", None]
    assert "it cannot be read" in page.read_text()


@pytest.mark.parametrize("command", [("path",), ("plan",), ("rehearse",), ("lab", "up")])
def test_help_has_examples(command: tuple[str, ...]) -> None:
    assert "Example" in vpcdns(*command, "--help").output
