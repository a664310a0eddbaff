"""`vpcdns serve`: loads a configuration, says what it serves, and serves until it is told to stop.

Joins state, resolver, listeners and reloading; the life cycle itself is `server.service`'s.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from vpcdns import __version__
from vpcdns.cli.output import abandon_stdout, say
from vpcdns.cli.parameters import DEFAULT_CONFIG, ConfigOption, read_listen
from vpcdns.cli.summary import Summary
from vpcdns.cli.trial import trial
from vpcdns.config import load
from vpcdns.model.policy import Listen, ServerIdentity
from vpcdns.model.world import World
from vpcdns.server.reload import Fresh, Reloader
from vpcdns.server.resolver import Resolver
from vpcdns.server.service import Service
from vpcdns.server.service import serve as serve_until_told
from vpcdns.server.upstreams import RESOLV_CONF, with_upstreams
from vpcdns.state import State


def serve(
    config: ConfigOption = DEFAULT_CONFIG,
    listen: Annotated[
        list[Listen] | None,
        typer.Option(
            parser=read_listen,
            metavar="ADDR:PORT",
            help="Listen here instead of where the file says; may be given more than once. "
            "IPv6 as [::1]:53; port 0 takes a free one.",
        ),
    ] = None,
) -> None:
    """Serve a configuration, over UDP and TCP.

    SIGINT (Ctrl-C) and SIGTERM let it finish what it was asked, and end it
    with exit code 0. Results go to stdout, the log to stderr.

    SIGHUP reloads the file; so does a change of it. A file with errors is
    reported, and what was served before is served on.

    \b
    Examples:
      vpcdns serve --config config/vpcdns.yaml
      vpcdns serve --listen 10.9.0.53:53 --listen [::1]:53
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    source = _Source(config, tuple(listen or ()))
    fresh = source.load()
    state = State(fresh.world)
    raise typer.Exit(asyncio.run(_serve(source, fresh, state)))


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the configuration comes from; listeners of the command line replace the file's."""

    config: Path
    listens: tuple[Listen, ...]

    def load(self) -> Fresh:
        """Reads everything anew; raises ConfigurationError, and StartupError when we are our own upstream."""
        identity = ServerIdentity(f"vpcdns {__version__}", socket.gethostname())
        # The revision is the SOA serial, which never goes backwards: a new process starts from the clock.
        loaded = load(self.config, revision=int(time.time()), identity=identity)
        listens = self.listens or loaded.listens
        world = with_upstreams(loaded.world, listens, given=loaded.upstreams_given)
        return Fresh(world, listens, loaded.source_hash)


async def _serve(source: _Source, fresh: Fresh, state: State) -> int:
    resolver = Resolver(state)
    service = Service(resolver, fresh.listens)
    reloader = Reloader(
        state,
        source.load,
        (source.config, RESOLV_CONF),
        source_hash=fresh.source_hash,
        relisten=service.relisten,
    )
    reloading = asyncio.create_task(reloader.run())
    try:
        return await serve_until_told(
            service,
            ready=lambda listens: _announce(source.config, state.world, listens),
            hangup=reloader.request,
        )
    finally:
        reloading.cancel()
        resolver.forwarder.close()


def _announce(config: Path, world: World, listens: Sequence[Listen]) -> None:
    """What is served and where, and something to try. That nobody reads it is no reason to stop."""
    places = ", ".join(f"{one} for {one.vpc_id}" if one.vpc_id else str(one) for one in listens)
    example = trial(world, listens)
    try:
        say(f"vpcdns {__version__} serves {config}: {Summary.of(world)}")
        say(f"Listening on {places} (UDP and TCP)")
        say(f"Try: {example}" if example else "Nobody on this host may ask: see server.clients")
    except BrokenPipeError:
        with suppress(OSError):
            abandon_stdout()
