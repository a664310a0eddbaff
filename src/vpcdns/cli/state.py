"""`vpcdns state`: exports what a state file holds, imports a configuration, lists the changes."""

import json as json_module
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from vpcdns.cli.output import say, say_json
from vpcdns.cli.parameters import JsonOption
from vpcdns.config import load, with_objects, written, yaml_text
from vpcdns.errors import printable
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.observe.query_record import time_text
from vpcdns.state import Contents
from vpcdns.state.api_attributes import of_objects_in
from vpcdns.state.journal_rows import Entry
from vpcdns.state.sqlite_journal import SqliteJournal, read
from vpcdns.state.sqlite_journal import history as entries

StateOption = Annotated[Path, typer.Option("--state", metavar="PATH", help="The state file.")]

state = typer.Typer(no_args_is_help=True, help="What a state file holds: export, import, history.")


@state.command()
def export(
    path: StateOption,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Take everything but VPCs, instances, groups and zones from this file."
        ),
    ] = None,
) -> None:
    """Print what the state holds as a configuration.

    Comments of FILE are lost. Without it, upstreams are left out, so that
    those of the host are asked.

    \b
    Example:
      vpcdns state export --state vpcdns.state --config vpcdns.yaml > new.yaml
    """
    world = read(path).world
    if config is None:
        plain = written(world)
        plain.get("forward", {}).pop("upstreams", None)
        plain = {name: part for name, part in plain.items() if part}
    else:
        load(config)
        plain = with_objects(config.read_text("utf-8-sig"), world)
    say(yaml_text(plain).rstrip("\n"))


@state.command("import")
def import_(
    path: StateOption,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The configuration file to take over.")],
) -> None:
    """Replace what the state holds with a configuration; stop the server first.

    \b
    Example:
      vpcdns state import --state vpcdns.state vpcdns.yaml
    """
    world = load(file).world
    with closing(SqliteJournal(path)) as journal:
        attributes = FrozenMap() if journal.held is None else journal.held.contents.attributes
        journal.replace(Contents(world, of_objects_in(attributes, world)), world)
    say(f"{path}: holds what {file} says")


@state.command()
def history(path: StateOption, json: JsonOption = False) -> None:
    """List the changes: when, who, what. Who is an access key id, or `file`.

    \b
    Examples:
      vpcdns state history --state vpcdns.state
      vpcdns state history --state vpcdns.state --json | jq '.[-1]'
    """
    shown = list(map(_entry_data, entries(path)))
    if json:
        say_json(shown)
        return
    for one in shown:
        what = "; ".join(map(_words, one["changes"])) or one["kind"]
        # Where no access keys are checked, a client may call itself anything.
        who = printable(one["who"]) or "unknown"
        say(f"{one['time']}  revision {one['revision']}  {who}  {what}")


def _entry_data(entry: Entry) -> dict[str, Any]:
    body: dict[str, Any] = json_module.loads(entry.text)
    return {
        "number": entry.number,
        "time": time_text(entry.at),
        "who": entry.who,
        "kind": "configuration read" if entry.kind == "file" else "attributes",
        "revision": entry.revision,
        "changes": body.get("changes", []),
    }


def _words(change: dict[str, Any]) -> str:
    """`Bind instance_key=[...] vpc_id=…` on one line."""
    rest = " ".join(
        f"{name}={json_module.dumps(value)}" for name, value in change.items() if name != "change" and value
    )
    return f"{change['change']} {rest}"
