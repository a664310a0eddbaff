"""`vpcdns plan`: whom a change would affect, and how, before anybody makes it."""

import gc
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from vpcdns import gc_pauses
from vpcdns.cli.imports import OverlayOption, read_documents, read_overlay
from vpcdns.cli.output import Exit, complain, say, say_json
from vpcdns.cli.parameters import DEFAULT_CONFIG, ConfigOption
from vpcdns.config import load
from vpcdns.importing.terraform.reading import Terraform
from vpcdns.model.world import World
from vpcdns.rehearsal.change_text import changed, usage
from vpcdns.rehearsal.plan import plan
from vpcdns.rehearsal.plan_text import plan_data, plan_markdown, plan_text
from vpcdns.rehearsal.terraform_plan import terraform_data, terraform_markdown, terraform_plan, terraform_text

_SAVED_PLAN: Final = "write one: terraform plan -out tfplan, then terraform show -json tfplan"
CHANGES: Final = "\n".join(f"  {form}" for form in usage())
HELP: Final = f"""Show whom a change affects, and why; nothing is changed.

Compares two files, or a file before and after changes, or what a Terraform
plan finds and what it makes; lists every source and name whose answer or
reachability differs.

Of a Terraform plan, it says first what Terraform does not show: groups that
lose their VPC domain's name, bindings that stay, names that are gone while
it is applied.

\b
Changes:
{CHANGES}

\b
Exit codes:
  0  nothing changes
  1  an error, e.g. a change that a rule refuses
  2  the command line is wrong
  3  something changes, or there is something that Terraform does not show

\b
Examples:
  vpcdns plan --config vpcdns.yaml --change 'bind apigateway-hz-1 vpc-billing vsw-billing'
  vpcdns plan --format markdown old.yaml new.yaml
  terraform show -json tfplan | vpcdns plan --terraform - --format markdown
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
    terraform: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PLAN.json",
            help="What `terraform show -json` prints of a plan; - is stdin. Again for a state beside it.",
        ),
    ] = None,
    overlay: OverlayOption = None,
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TEXT,
) -> None:
    """`HELP` says what it does."""
    if terraform:
        _check_alone(files, change)
        _plan_terraform(terraform, overlay, form)
    if overlay is not None:
        complain("--overlay goes with --terraform; a configuration says all of it by itself")
        raise typer.Exit(Exit.USAGE)
    old, new = _worlds(files or [], config, change or [])
    gc.freeze()  # what was loaded lives to the end; collecting must not walk it
    found = plan(old, new)
    if form is Format.JSON:
        say_json(plan_data(found))
    else:
        say("\n".join((plan_text if form is Format.TEXT else plan_markdown)(found)))
    raise typer.Exit(Exit.FOUND if found else Exit.OK)


def _plan_terraform(files: list[Path], overlay: Path | None, form: Format) -> NoReturn:
    with gc_pauses.paused():
        documents = list(read_documents(files))
        if all(document.after is None for document in documents):
            documents[0].wrong((), "this is a state, and a plan is needed", _SAVED_PLAN)
        found = terraform_plan(Terraform(documents), read_overlay(overlay))
    for line in found.warnings:
        complain(line)
    if form is Format.JSON:
        say_json(terraform_data(found))
    else:
        say("\n".join((terraform_text if form is Format.TEXT else terraform_markdown)(found)))
    raise typer.Exit(Exit.FOUND if found.says_something else Exit.OK)


def _check_alone(files: list[Path] | None, changes: list[str] | None) -> None:
    if files or changes:
        complain("--terraform stands alone: a plan says itself what was before and what comes after")
        raise typer.Exit(Exit.USAGE)


def _worlds(files: list[Path], config: Path, changes: list[str]) -> tuple[World, World]:
    if len(files) not in (0, 2) or bool(files) == bool(changes):
        complain("give two files, --config and at least one --change, or --terraform; a change is one of:")
        complain("\n".join(f"  {line}" for line in usage()))
        raise typer.Exit(Exit.USAGE)
    if files:
        return load(files[0]).world, load(files[1]).world
    old = load(config).world
    return old, changed(old, *changes)
