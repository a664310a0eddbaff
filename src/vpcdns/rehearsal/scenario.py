"""Scenario files: a configuration, steps that change it, and who is expected to resolve and reach what.

Knows how a scenario is written and where an error in it stands; running one is `run`'s.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from vpcdns.config import AddressText, DomainText, Line, Part, PathOrMapping, has_key, load, loads, read_as
from vpcdns.errors import ConfigurationError
from vpcdns.model.way import Verdict
from vpcdns.model.world import World


class Expectation(Part):
    """What somebody should get for a name; what is left out is not looked at."""

    source: Line = Field(alias="from", min_length=1)
    """who asks: a vpc_id, a network_id or an address"""
    name: DomainText
    """the name asked for"""
    answers: list[AddressText] | None = None
    """the addresses it resolves to, in any order"""
    rcode: Literal["NOERROR", "NXDOMAIN", "REFUSED"] | None = None
    """the response code"""
    verdict: Verdict | None = Field(None, strict=False)
    """what becomes of a connection"""


class ScenarioStep(Part):
    """Changes made together, and what should hold afterwards."""

    title: Line = Field(min_length=1)
    """what the step is, in a line"""
    changes: list[Line] = Field(default_factory=list)
    """changes in words, as `vpcdns plan --change` takes them, made in order"""
    refused: Line | None = None
    """that the changes are refused, and a part of the message; nothing of them takes effect then"""
    expect: list[Expectation] = Field(default_factory=list)
    """what should hold after the changes"""


class Scenario(Part):
    """A rehearsal."""

    about: Line = ""
    """what is rehearsed, in a line"""
    configuration: PathOrMapping
    """the configuration to start from: the file's path, relative to this one, or all of it"""
    steps: list[ScenarioStep] = Field(min_length=1)
    """what is done, in order"""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A scenario with the World that it starts from."""

    file: Path
    scenario: Scenario
    world: World

    @property
    def title(self) -> str:
        return self.scenario.about or self.file.stem


@dataclass(frozen=True, slots=True)
class BadFile:
    """A scenario that cannot be run, and every problem of it."""

    file: Path
    why: str


def scenarios_in(folder: Path) -> tuple[list[Path], list[Path]]:
    """The scenarios in a folder and those below it, and the other YAML and JSON files.

    A file that cannot be read as either counts as a scenario if it has the keys of one.
    """
    files = (file for file in sorted(folder.rglob("*")) if file.suffix in (".yaml", ".yml", ".json"))
    found: tuple[list[Path], list[Path]] = [], []
    for file in files:
        if not file.is_dir() and not any(part.startswith(".") for part in file.relative_to(folder).parts):
            found[not _may_be_scenario(file)].append(file)
    return found


def _may_be_scenario(file: Path) -> bool:
    if not file.is_file():
        return False
    try:
        return has_key(file, "steps", "configuration")
    except ConfigurationError:
        return True  # reading it says why


def read_scenario(file: Path) -> Rehearsal:
    """Reads a scenario and its configuration; raises ConfigurationError with every problem."""
    scenario = read_as(Scenario, file, "examples/rehearsals")
    if isinstance(scenario.configuration, str):
        return Rehearsal(file, scenario, load(file.parent / scenario.configuration).world)
    loaded = loads(json.dumps(scenario.configuration), f"{file} (configuration)", folder=file.parent)
    return Rehearsal(file, scenario, loaded.world)
