"""`vpcdns path`: whether a source reaches a name, hop by hop, and what to change if not."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from vpcdns.cli.output import Exit, say, say_json, say_rendered
from vpcdns.cli.parameters import DEFAULT_CONFIG, ConfigOption, JsonOption
from vpcdns.config import load
from vpcdns.model.rendering import path_data
from vpcdns.model.routing import Path
from vpcdns.rehearsal.http_answers import path_of


def path_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name to reach, or an IPv4 address.")],
    source: Annotated[
        str, typer.Option("--from", metavar="SOURCE", help="A vpc_id, a network_id or an address in one.")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
    routes: Annotated[
        bool,
        typer.Option("--routes", help="Print only the routes that on-premises networks lack, as commands."),
    ] = False,
) -> None:
    """Tell whether a source reaches a name, hop by hop, there and back.

    Where it does not, every obstacle on the way is shown with its remedy.

    \b
    Exit codes:
      0  it is reachable
      1  an error, e.g. in the configuration, or no such source
      2  the command line is wrong
      3  it is not reachable

    \b
    Examples:
      vpcdns path --config vpcdns.yaml --from idc-shanghai api.example.com
      vpcdns path --config vpcdns.yaml --from 10.1.0.5 --json api.example.com
    """
    world = load(config).world
    found = path_of(world, name, source)
    if routes:
        for network_id, route in dict.fromkeys(found.missing):
            # The connection stands for the on-premises router's interface to it.
            say(f"ip route add {route.destination} dev {route.via}  # at {network_id}")
    elif json:
        say_json(path_data(found))
    else:
        say_rendered(lambda out: _show(found, out))
    raise typer.Exit(Exit.OK if found.reachable else Exit.FOUND)


def _show(found: Path, out: Console) -> None:
    out.print(Text(f"{found.name} from {found.source}", "bold"), soft_wrap=True)
    if (leg := found.dns) is not None and leg.is_assumed:
        assumed = f"asks as {leg.vpc_id}: resolves_as takes it for granted that queries get there"
        out.print(Text(assumed), soft_wrap=True)
    if found.resolution is not None and found.addresses:
        addresses = ", ".join(map(str, found.addresses))
        out.print(Text(f"resolves to {addresses} ({found.resolution.reason.value})"), soft_wrap=True)
    queries = () if found.dns is None else (("queries", found.dns.there), ("responses", found.dns.back))
    for title, hops in (*queries, ("there", found.there), ("back", found.back)):
        if hops:
            table = Table.grid("", Column(style="cyan"), Column(style="dim"), "", padding=(0, 2, 0, 0))
            for hop in hops:
                table.add_row(f"  {hop.at}", str(hop.destination), "via", hop.via)
            out.print("", Text(title, "dim"), table, sep="\n")
    out.print()
    verdict = found.verdict.value.replace("_", " ").upper()
    out.print(Text(verdict, "bold green" if found.reachable else "bold red"))
    for problem in found.problems:
        out.print(Text(f"  {problem.code.value}: {problem.detail}"), soft_wrap=True)
        out.print(Text(f"    -> {problem.remedy}", "cyan"), soft_wrap=True)
