"""What the documentation shows is what happens: commands are run, outputs compared, YAML loaded."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import ROOT
from tests.support.server_process import ServerProcess, served
from vpcdns.config import json_schema, loads
from vpcdns.errors import ConfigurationError
from vpcdns.model.rules import Rule
from vpcdns.rehearsal.run import run
from vpcdns.rehearsal.scenario import read_scenario

README = ROOT / "README.md"
DOCUMENTS = [README, *sorted((ROOT / "docs").glob("*.md"))]
LINKED = [*DOCUMENTS, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "src").rglob("README.md")]
NAMED = re.compile(r"(?:`|pytest |=)((?:[\w.]+/)*\w+\.py|(?:[\w.]+/)+\w+\.yaml)\b")
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BANNER_OF = "vpcdns serve --config config/vpcdns.yaml"


def blocks(document: Path, language: str) -> list[tuple[str, str]]:
    """Name and text of every fenced block in that language."""
    return [(name, text) for tag, name, text in BLOCK.findall(document.read_text()) if tag == language]


def commands() -> Iterator[Any]:
    """Each command that a console block shows, and the output shown with it."""
    for document in DOCUMENTS:
        for _, text in blocks(document, "console"):
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                yield pytest.param(document, command, output, id=f"{document.name}: {command[:60]}")


def settled(output: str) -> str:
    """Without what differs from run to run."""
    output = re.sub(r"\bid: \d+", "id: ID", output)
    output = re.sub(r"(Query time|WHEN): .*", r"\1: …", output)
    output = re.sub(r"(SOA\s+\S+ \S+) \d+", r"\1 SERIAL", output)
    return output.rstrip("\n")


@pytest.fixture(scope="module")
def example() -> Iterator[ServerProcess]:
    with served() as server:
        yield server


@pytest.mark.skipif(shutil.which("dig") is None, reason="needs dig")
@pytest.mark.parametrize(("document", "command", "shown"), list(commands()))
def test_command_does_what_is_shown(
    document: Path, command: str, shown: str, example: ServerProcess, tmp_path: Path
) -> None:
    if command == BANNER_OF:
        assert re.sub(rf"(:|-p ){example.port}\b", r"\g<1>5300", example.banner) == shown
        return
    for name, text in blocks(document, "yaml"):
        if name:
            (tmp_path / name).write_text(text)
    for folder in ("config", "examples"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command.replace("-p 5300", f"-p {example.port}")],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert settled(done.stdout + done.stderr) == settled(shown)


@pytest.mark.skipif(shutil.which("dig") is None, reason="needs dig")
def test_the_banners_query_works(example: ServerProcess) -> None:
    command = example.banner.partition("Try: ")[2].split()
    done = subprocess.run([*command, "+short"], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "10.1.8.20\n"


def test_readme_shows_all_that_matters() -> None:
    shown = "\n".join(text for _, text in blocks(README, "console"))
    clients = set(re.findall(r"dig -b (\S+)", shown))
    assert clients >= {"127.10.0.5", "127.20.0.5", "127.30.0.5", "127.40.0.5", "127.0.0.1"}
    assert "make serve" in README.read_text()
    assert "make test" in README.read_text()


@pytest.mark.parametrize(
    ("document", "name", "text"),
    [
        pytest.param(document, name, text, id=f"{document.name}: {name or number}")
        for document in DOCUMENTS
        for number, (name, text) in enumerate(blocks(document, "yaml"), 1)
    ],
)
def test_yaml_is_a_good_configuration(document: Path, name: str, text: str, tmp_path: Path) -> None:
    if name.startswith("scenario"):
        (tmp_path / name).write_text(text)
        (tmp_path / "examples").symlink_to(ROOT / "examples")
        assert all(step.passed for step in run(read_scenario(tmp_path / name)))
    elif name.startswith("broken"):
        with pytest.raises(ConfigurationError):
            loads(text)
    else:
        loads(text)


def test_links_lead_somewhere() -> None:
    broken = [
        f"{document.name}: {target}"
        for document in LINKED
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text())
        if not (document.parent / target).exists()
    ]
    assert broken == []


def test_files_that_are_named_exist() -> None:
    """Beside the document, below the root, or, of the source, in `src/vpcdns`."""
    missing = [
        f"{document.relative_to(ROOT)}: {file}"
        for document in LINKED
        for file in NAMED.findall(document.read_text())
        if not any((base / file).exists() for base in (ROOT, ROOT / "src" / "vpcdns", document.parent))
    ]
    assert missing == []


def test_every_field_is_documented() -> None:
    definitions = json_schema()["$defs"]
    fields = {field for definition in definitions.values() for field in definition.get("properties", {})}
    documented = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "configuration.md").read_text()))
    assert fields - documented == set()


def test_every_rule_is_documented() -> None:
    text = (ROOT / "docs" / "rules.md").read_text()
    rows = {f"| {rule.number}, {rule.slug} |" if rule.number else f"| {rule.slug} |" for rule in Rule}
    assert {row for row in rows if row not in text} == set()
    assert [rule.statement for rule in Rule if f"| {rule.statement} |" not in text] == []
