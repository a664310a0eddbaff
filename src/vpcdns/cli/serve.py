"""`vpcdns serve`: reads the command line, and prints what is served; the rest is `process`."""

from collections.abc import Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from vpcdns import __version__
from vpcdns.cli.output import abandon_stdout, reading, say, summary
from vpcdns.cli.parameters import DEFAULT_CONFIG, ConfigOption, read_admin_listen, read_listen, read_region_id
from vpcdns.cli.trial import trial
from vpcdns.model.policy import Listen
from vpcdns.model.world import World
from vpcdns.process.log import log_to_stderr
from vpcdns.process.privileges import find_user
from vpcdns.process.program import Options, Program
from vpcdns.process.source import Source

ListenOption = Annotated[
    list[Listen] | None,
    typer.Option(
        parser=read_listen,
        metavar="ADDR:PORT",
        help="Listen here instead of where the file says; may be given more than once. "
        "IPv6 as [::1]:53; port 0 takes a free one.",
    ),
]
UserOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|UID[:GID]",
        help="Be this user once every port is bound. Only root can become somebody else.",
    ),
]
AdminOption = Annotated[
    Any,  # Listen | Path | None, which typer takes for an argument of two types
    typer.Option(
        parser=read_admin_listen,
        metavar="ADDR:PORT|PATH",
        help="The HTTP server, instead of where the file says; a path is a UNIX socket's.",
    ),
]
AdminRegionOption = Annotated[
    str | None,
    typer.Option(
        parser=read_region_id,
        metavar="REGION",
        help="What an API request that names no region is about, instead of what the file says.",
    ),
]
StateOption = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Keep what the API changes in this file; default: in memory."),
]
StateOptionalOption = Annotated[
    bool,
    typer.Option(
        "--state-optional",
        help="If the state cannot be used, as on a full disk, serve the configuration and refuse changes.",
    ),
]
WorkersOption = Annotated[
    int, typer.Option(min=1, metavar="N", help="Processes that answer, one for each core to be used.")
]


def serve(
    config: ConfigOption = DEFAULT_CONFIG,
    listen: ListenOption = None,
    user: UserOption = None,
    admin: AdminOption = None,
    admin_region: AdminRegionOption = None,
    state: StateOption = None,
    state_optional: StateOptionalOption = False,
    workers: WorkersOption = 1,
) -> None:
    """Serve a configuration, over UDP and TCP.

    SIGINT (Ctrl-C) and SIGTERM let it answer the queries that it has, and end
    it with exit code 0. Results go to stdout, the log to stderr.

    SIGHUP reloads the file and its zone files; so does a change of one. A file
    with errors is reported, and the server keeps its old configuration.

    With --state, what the API changed is kept over a restart: VPCs, instances
    and groups then come from the state, all the rest from the file.

    With --workers, several processes share the ports and answer as one
    server; the kernel distributes clients among them by address and port.

    \b
    Examples:
      vpcdns serve --config config/vpcdns.yaml
      vpcdns serve --listen 10.9.0.53:53 --listen [::1]:53 --user nobody
      vpcdns serve --admin 127.0.0.1:5380 --admin-region cn-hangzhou
    """
    log_to_stderr()
    source = Source(config, tuple(listen or ()), admin, admin_region)
    options = Options(state, state_optional, None if user is None else find_user(user), workers)
    with reading(config) as progress:
        program = Program(source, options, progress)
    with closing(program):
        raise typer.Exit(program.run(partial(_announce, config)))


def _announce(config: Path, world: World, listens: Sequence[Listen], admin: Listen | Path | None) -> None:
    """What is served and where, and something to try. A closed stdout does not stop the server."""
    places = ", ".join(f"{one} for {one.vpc_id}" if one.vpc_id else str(one) for one in listens)
    example = trial(world, listens)
    try:
        say(f"vpcdns {__version__} serves {config}: {summary(world)}")
        say(f"Listening on {places} (UDP and TCP)" if listens else "Listening on no address yet: see the log")
        if admin is not None:
            say(f"Console, health and metrics: {f'http://{admin}/' if isinstance(admin, Listen) else admin}")
        if listens:
            say(f"Try: {example}" if example else "Nobody on this host may ask: see server.clients")
    except BrokenPipeError:
        with suppress(OSError):
            abandon_stdout()
