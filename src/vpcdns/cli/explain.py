"""`vpcdns explain`: how a name resolves for a client, step by step, from the file alone.

Renders the same Resolution that a server on this host would answer by; asks nobody.
"""

from typing import Annotated, Any, Final

import typer
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vpcdns.cli.output import complain, say_json, say_rendered
from vpcdns.cli.parameters import DEFAULT_CONFIG, ConfigOption, JsonOption, read_address, read_name, read_type
from vpcdns.config import load
from vpcdns.forward.host_resolvers import with_upstreams
from vpcdns.model.clients import identify
from vpcdns.model.decision import Outcome, Step
from vpcdns.model.dns import Question, type_text
from vpcdns.model.dns_leg import dns_leg
from vpcdns.model.names import Name
from vpcdns.model.rendering import resolution_data
from vpcdns.model.resolution import Resolution, resolve
from vpcdns.model.world import World

_TYPES: Final = "A, AAAA, TXT, … or TYPE and a number."


def explain(
    name: Annotated[Name, typer.Argument(parser=read_name, metavar="NAME", help="The name asked for.")],
    client: Annotated[
        Any,  # an Address, which typer takes for an argument of two types
        typer.Option("--from", parser=read_address, metavar="ADDRESS", help="The client's address."),
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    rtype: Annotated[Any, typer.Option("--type", "-t", parser=read_type, metavar="TYPE", help=_TYPES)] = "A",
    listener: Annotated[
        str | None,
        typer.Option(metavar="VPC_ID", help="Ask at a listener of this VPC (server.listen with vpc_id)."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Explain how a name resolves for a client.

    Reads the configuration and asks nobody: what is forwarded is said to be
    forwarded. In JSON, names have no final dot.

    \b
    Examples:
      vpcdns explain --config vpcdns.yaml --from 10.1.0.5 api.example.com
      vpcdns explain --from 10.1.0.5 --type AAAA --json example.com
    """
    loaded = load(config)
    world = with_upstreams(loaded.world, loaded.listens, given=loaded.upstreams_given)
    if listener is not None and listener not in world.topology.vpcs:
        known = ", ".join(sorted(world.topology.vpcs)) or "none"
        problem = f"there is no VPC {listener} in {config}; it has: {known}"
        raise typer.BadParameter(problem, param_hint="--listener")
    asking = identify(client, world, listener_vpc_id=listener)
    resolution = resolve(Question(name, rtype), asking, world)
    if json:
        say_json(resolution_data(resolution))
    else:
        say_rendered(lambda out: _show(resolution, world, out))
        _warn_of_way(resolution, world)


def _warn_of_way(resolution: Resolution, world: World) -> None:
    """The answer is for whoever asks; whether a network's queries get here is another matter."""
    leg = dns_leg(resolution.client.network_id, world)
    if leg is not None and leg.problems:
        complain(f"but {leg.problems[0].detail}; {leg.problems[0].remedy}")


def _show(resolution: Resolution, world: World, out: Console) -> None:
    question = resolution.question
    heading = f"{question.name} {type_text(question.rtype)} from {resolution.client.address}"
    out.print(Text(heading, "bold"), soft_wrap=True)
    out.print()
    out.print(steps_table(resolution.steps, out.width))
    out.print()
    out.print(_fate(resolution, world), soft_wrap=True)
    for record in resolution.answers:
        data = record.rdata_text()
        out.print(Text(f"{record.name}. {record.ttl} IN {type_text(record.rtype)} {data}"), soft_wrap=True)


def steps_table(steps: tuple[Step, ...], width: int) -> RenderableType:
    """A table; where it would break names apart, each detail has lines of its own."""
    column = 5 + max(len(step.step) for step in steps) + 2
    longest = max(len(word) for step in steps for word in step.detail.split())
    if column + longest > width:
        lines: list[RenderableType] = []
        for number, step in enumerate(steps, 1):
            title = Text.assemble((f"{number:2}  ", "dim"), (step.step, "cyan"))
            lines += [title, Padding(Text(step.detail), (0, 0, 0, 4))]
        return Group(*lines)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", style="dim", min_width=2)
    table.add_column(no_wrap=True, style="cyan")
    table.add_column(overflow="fold")
    for number, step in enumerate(steps, 1):
        table.add_row(str(number), step.step, Text(step.detail))
    return table


def _fate(resolution: Resolution, world: World) -> Text:
    """The outcome on one line: what the client gets, and the word for why."""
    reason = f" ({resolution.reason.value})"
    match resolution.outcome:
        case Outcome.FORWARD:
            upstreams = ", ".join(map(str, resolution.upstreams))
            return Text(f"FORWARDED to {upstreams}: theirs is the answer{reason}", "bold yellow")
        case Outcome.DROP:
            return Text(f"DROPPED: the client gets no response at all{reason}", "bold red")
        case Outcome.RESPOND:
            style = "bold green" if resolution.rcode == 0 and resolution.answers else "bold red"
            ttl = "" if resolution.soa is None else f", cached for at most {world.answers.negative_ttl} s"
            return Text(f"{resolution.rcode.name}{reason}{ttl}", style)
