"""`vpcdns check`: whether a configuration can be used, and if not, everything that is wrong with it."""

from dataclasses import asdict
from itertools import chain, islice
from pathlib import Path
from typing import Annotated

import typer

from vpcdns.cli.output import Exit, complain, reading, say, say_json, summary
from vpcdns.cli.parameters import JsonOption
from vpcdns.config import load
from vpcdns.errors import MAX_PROBLEMS, ConfigurationError
from vpcdns.forward.upstream_names import UpstreamNames
from vpcdns.model.warnings import warnings


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The configuration file, YAML or JSON.")],
    json: JsonOption = False,
) -> None:
    """Check a configuration file.

    Prints the problems on stderr, one a line, as FILE:LINE:COLUMN: WHERE:
    WHAT; WAY OUT: the first 100 of them, and how many more there are.
    Warnings go there as well, and change no exit code. Upstreams that have
    names are looked up, for two seconds at most. Nothing is served and nothing
    is changed.

    \b
    Examples:
      vpcdns check /etc/vpcdns/vpcdns.yaml
      vpcdns check --json /etc/vpcdns/vpcdns.yaml | jq '.problems[].where'
    """
    try:
        with reading(file) as progress:
            loaded = load(file, progress=progress)
    except ConfigurationError as error:
        if json:
            problems = [asdict(one) for one in error.problems]
            say_json({"file": str(file), "ok": False, "problems": problems, "more": error.more})
        else:
            complain(str(error))
        raise typer.Exit(Exit.ERROR) from None
    world, names = loaded.world, UpstreamNames(say=lambda *_: None)
    names.look_up(world.forwarding.names, loaded.listens)
    unresolved = (f"upstream {host} does not resolve here: {why}" for host, why in names.problems.items())
    warned = list(islice(chain(warnings(world), unresolved), MAX_PROBLEMS))
    if json:
        good = {"file": str(file), "ok": True, **world.object_counts()}
        say_json({**good, "problems": [], "warnings": warned})
        return
    for warning in warned:
        complain(f"{file}: warning: {warning}")
    say(f"{file}: {summary(world)}")
