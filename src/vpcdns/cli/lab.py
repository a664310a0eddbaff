"""`vpcdns lab`: the topology of a configuration out of Linux network namespaces."""

import os
import sys
from itertools import islice
from pathlib import Path
from typing import Annotated, Final

import typer

from vpcdns.cli.output import say
from vpcdns.config import load
from vpcdns.errors import LabError
from vpcdns.lab import lifecycle
from vpcdns.lab.ownership import Lab, labs
from vpcdns.model.names import Name
from vpcdns.model.routing import path, source_of
from vpcdns.model.world import World

lab_app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Build the topology of a configuration out of Linux network namespaces. Needs root.",
)

_LOOKED_AT: Final = 10
_File = Annotated[Path, typer.Argument(metavar="FILE", help="The configuration file.")]
_OptionalFile = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="The configuration file, unless --name is given.")
]
_Name = Annotated[str | None, typer.Option("--name", help="The lab's name; default: the file's.")]


@lab_app.command()
def up(file: _File, name: _Name = None) -> None:
    """Build a lab: a namespace for each VPC, network and connection.

    Routes, tunnels, selectors and service routes are the kernel's. vpcdns is
    the resolver at 100.100.2.136 and .138 of each VPC and at its inbound
    endpoints; a network asks it the way that `resolves_through` says. A web
    server answers by HTTP and HTTPS at every endpoint and shared address.
    Needs root, and pip install 'vpcdns[lab]'.

    \b
    Example:
      vpcdns lab up vpcdns.yaml
      vpcdns lab exec idc-shanghai -- curl https://api.example.com/
      vpcdns lab down vpcdns.yaml
    """
    world = load(file).world
    lab = lifecycle.up(name or lifecycle.name_of(file), file)
    topology = world.topology
    say(f"lab {lab.name} is up: {', '.join([*topology.vpcs, *topology.networks])}")
    if attempt := _attempt(world):
        node, target = attempt
        which = f"--lab {lab.name} " if name or len(labs()) > 1 else ""
        say(f"Try: vpcdns lab exec {which}{node} -- curl -m 3 https://{target}/")


def _attempt(world: World) -> tuple[str, Name] | None:
    """A VPC or network and a name, rather one that it reaches."""
    nodes = [*world.topology.networks, *world.topology.vpcs]
    groups = islice((group for group in world.groups.values() if group.vpc_domain), _LOOKED_AT)
    names = [next(iter(group.custom_domains), world.vpc_domain(group)) for group in groups]
    attempts = [(node, name) for node in nodes[:_LOOKED_AT] for name in names if name.labels[0] != b"*"]
    reached = (
        (node, name)
        for node, name in attempts
        if (source := source_of(node, world)) is not None and path(source, name, world).reachable
    )
    return next(reached, None) or next(iter(attempts), None)


@lab_app.command(name="exec", context_settings={"ignore_unknown_options": True})
def exec_(
    node: Annotated[str, typer.Argument(metavar="NODE", help="A vpc_id or a network_id.")],
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run there.")],
    name: Annotated[
        str | None, typer.Option("--lab", "--name", help="Which lab; needed where several are up.")
    ] = None,
) -> None:
    """Run a command in a VPC or network; its exit code is the command's.

    It asks the nameservers that a host there would have, and trusts the
    certificates of the lab.
    """
    lab = _lab(name)
    words = lifecycle.command_in(lab, node, command)
    sys.stdout.flush()
    os.execve(words[0], words, lifecycle.environment(lab))  # noqa: S606 - no shell is wanted


@lab_app.command()
def down(file: _OptionalFile = None, name: _Name = None) -> None:
    """Take a lab away, whatever is left of it, even after a crash."""
    wanted = name or (lifecycle.name_of(file) if file else None)
    if wanted is None:
        raise typer.BadParameter("say which lab: its FILE, or --name")
    say(f"lab {wanted} is down" if lifecycle.down(wanted) else f"there is no lab {wanted}{_others()}")


def _lab(name: str | None) -> Lab:
    known = labs()
    found = [lab for lab in known if name in (None, lab.name)]
    if len(found) == 1:
        return found[0]
    if not found:
        which = f" {name}" if name else ""
        first = f"vpcdns lab up{f' --name {name}' if name else ''} FILE"
        raise LabError(f"there is no lab{which}{_others()}; first: {first}")
    raise LabError(f"several labs are up: {', '.join(lab.name for lab in known)}; say which by --lab")


def _others() -> str:
    listed = ", ".join(lab.name for lab in labs())
    return f"; there are: {listed}" if listed else ""
