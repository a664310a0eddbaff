"""`vpcdns plan`: whom a change would affect, and how, before anybody makes it."""

import gc
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from vpcdns.cli.output import Exit, complain, say, say_json
from vpcdns.cli.parameters import DEFAULT_CONFIG, ConfigOption
from vpcdns.config import load
from vpcdns.model.world import World
from vpcdns.rehearsal.change_text import changed, usage
from vpcdns.rehearsal.plan import plan
from vpcdns.rehearsal.plan_text import plan_data, plan_markdown, plan_text

CHANGES: Final = "\n".join(f"  {form}" for form in usage())
HELP: Final = f"""Show whom a change affects, and why; nothing is changed.

Compares two files, or a file before and after changes, and lists every
source and name whose answer or reachability differs.

\b
Changes:
{CHANGES}

\b
Exit codes:
  0  nothing changes
  1  an error, e.g. a change that a rule refuses
  2  something changes

\b
Examples:
  vpcdns plan --config vpcdns.yaml --change 'bind apigateway-hz-1 vpc-billing vsw-billing'
  vpcdns plan --format markdown old.yaml new.yaml
"""


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def plan_command(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[OLD NEW]", help="Two configuration files to compare.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    change: Annotated[
        list[str] | None,
        typer.Option(metavar="WORDS", help="A change to --config; may be given more than once, in order."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TEXT,
) -> None:
    """`HELP` says what it does."""
    old, new = _worlds(files or [], config, change or [])
    gc.freeze()  # what was loaded lives to the end; collecting must not walk it
    found = plan(old, new)
    if form is Format.JSON:
        say_json(plan_data(found))
    else:
        say("\n".join((plan_text if form is Format.TEXT else plan_markdown)(found)))
    raise typer.Exit(Exit.FOUND if found else Exit.OK)


def _worlds(files: list[Path], config: Path, changes: list[str]) -> tuple[World, World]:
    if len(files) not in (0, 2) or bool(files) == bool(changes):
        complain("give either two files, or --config and at least one --change; a change is one of:")
        complain("\n".join(f"  {line}" for line in usage()))
        raise typer.Exit(Exit.ERROR)
    if files:
        return load(files[0]).world, load(files[1]).world
    old = load(config).world
    return old, changed(old, *changes)
