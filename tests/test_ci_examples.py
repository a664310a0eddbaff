"""The workflows in examples/ci: good YAML, and their scripts do what their README says."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.repository import ROOT
from tests.support.server_process import COMMAND
from tests.support.terraform_documents import WRITTEN, octets, plan

FOLDER = ROOT / "examples" / "ci"
GITHUB: dict[Any, Any] = yaml.safe_load((FOLDER / "terraform-plan.yaml").read_text())
GITLAB: dict[str, Any] = yaml.safe_load((FOLDER / "gitlab-ci.yaml").read_text())
STEPS = {step["name"]: step for step in GITHUB["jobs"]["names"]["steps"] if "name" in step}
# What docker would run is the image's `vpcdns`, behind `run --rm -i IMAGE`.
COMMANDS = {
    "docker": f'shift 4; exec {shlex.join(COMMAND)} "$@"',
    "vpcdns": f'exec {shlex.join(COMMAND)} "$@"',
}
ASKING = {"GitHub": STEPS["Whom does it affect?"]["run"], "GitLab": "\n".join(GITLAB["names"]["script"])}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Commands that stand in for those of a runner."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, script in COMMANDS.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    given = {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "VPCDNS_IMAGE": "vpcdns"}
    return {**os.environ, **given, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}


@pytest.mark.parametrize("where", list(ASKING))
@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ((WRITTEN / "plan-rebind.json").read_bytes(), 0, "2 lost, 2 gained"),
        (octets(plan([], [])), 0, "Nothing changes for anybody."),
        (b"{}", 1, ""),
    ],
    ids=["something changes", "nothing changes", "an error"],
)
def test_the_job_passes_unless_there_is_an_error(
    where: str, content: bytes, code: int, said: str, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "tfplan.json").write_bytes(content)
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", ASKING[where]],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert said in (tmp_path / "names.md").read_text()


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (r"\u003c!-- vpcdns --\u003e\n**2 pairs**", "--request PUT --form body=<note.md https://notes/302"),
        ("LGTM", "--form body=<note.md https://notes"),
    ],
)
def test_gitlab_has_one_comment(body: str, asked: str, environment: dict[str, str], tmp_path: Path) -> None:
    """Notes as GitLab's API writes them: angle brackets escaped, in one line."""
    (tmp_path / "names.md").write_text("**1 pair**\n")
    notes = (
        f'[{{"id":302,"type":null,"body":"{body}","author":{{"id":1}}}},{{"id":7,"type":null,"body":"x"}}]'
    )
    (tmp_path / "told.json").write_text(notes)
    curl = tmp_path / "tools" / "curl"
    curl.write_text('#!/bin/sh\nshift 5\necho "$@" >> asked.txt\ncat told.json\n')
    curl.chmod(0o755)
    subprocess.run(
        ["sh", "-e", "-c", "\n".join(GITLAB["comment"]["script"])],
        cwd=tmp_path,
        env=environment | {"NOTES": "https://notes", "NOTE_TOKEN": "secret"},
        timeout=20,
        check=True,
    )
    assert (tmp_path / "asked.txt").read_text().splitlines() == ["https://notes?per_page=100", asked]
    assert (tmp_path / "note.md").read_text() == "<!-- vpcdns -->\n**1 pair**\n"


def test_scripts_are_good_shell() -> None:
    scripts = [step["run"] for step in STEPS.values()]
    scripts += [
        "\n".join(job["script"]) for job in GITLAB.values() if isinstance(job, dict) and "script" in job
    ]
    assert len(scripts) == 6
    for script in scripts:
        subprocess.run(["bash", "-n", "-c", script], check=True, timeout=20)


def test_jobs_follow_each_other() -> None:
    assert GITHUB[True] == "pull_request", "YAML 1.1 reads `on` as a boolean; GitHub does not"
    stages = [*GITLAB["stages"], ".post"]
    jobs = [name for name, job in GITLAB.items() if isinstance(job, dict) and "script" in job]
    assert [GITLAB[name]["stage"] for name in jobs] == stages
    assert [GITLAB[name].get("needs") for name in jobs] == [None, *[[name] for name in jobs[:-1]]]


@pytest.mark.parametrize("where", list(ASKING))
def test_a_mistyped_option_is_an_error_too(where: str, environment: dict[str, str], tmp_path: Path) -> None:
    """Its exit code is not that of "there is something to read"."""
    for name in COMMANDS:
        (tmp_path / "tools" / name).write_text("#!/bin/sh\nexit 2\n")
    (tmp_path / "tfplan.json").touch()
    command = ["bash", "-e", "-o", "pipefail", "-c", ASKING[where]]
    done = subprocess.run(command, cwd=tmp_path, env=environment, timeout=60, check=False)
    assert done.returncode == 1
