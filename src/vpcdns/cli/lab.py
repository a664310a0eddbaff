"""`vpcdns lab`: the topology of a configuration out of Linux network namespaces."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from vpcdns.cli.output import say
from vpcdns.config import load
from vpcdns.errors import LabError
from vpcdns.lab import lifecycle
from vpcdns.lab.ownership import Lab, labs

lab_app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Build the topology of a configuration out of Linux network namespaces. Needs root.",
)

_File = Annotated[Path, typer.Argument(metavar="FILE", help="The configuration file.")]
_Name = Annotated[str | None, typer.Option("--name", help="The lab's name; default: the file's.")]


@lab_app.command()
def up(file: _File, name: _Name = None) -> None:
    """Build a lab: a namespace for each VPC, network and connection.

    Routes, selectors and service routes are the kernel's; an HTTP responder
    answers at every endpoint and shared address, and vpcdns is everybody's
    resolver. Needs root, and pyroute2: pip install 'vpcdns[lab]'.

    \b
    Example:
      vpcdns lab up vpcdns.yaml
      vpcdns lab exec idc-shanghai -- curl http://api.example.com
      vpcdns lab down vpcdns.yaml
    """
    world = load(file).world
    lab = lifecycle.up(name or lifecycle.name_of(file), file)
    topology = world.topology
    say(f"lab {lab.name} is up: {', '.join([*topology.vpcs, *topology.networks])}")
    node = next(iter([*topology.networks, *topology.vpcs]), None)
    group = next((group for group in world.groups.values() if group.vpc_domain), None)
    if node is not None and group is not None:
        target = group.custom_domains[0] if group.custom_domains else world.vpc_domain(group)
        say(f"Try: vpcdns lab exec {node} -- curl -m 3 http://{target}")


@lab_app.command(name="exec", context_settings={"ignore_unknown_options": True})
def exec_(
    node: Annotated[str, typer.Argument(metavar="NODE", help="A vpc_id or a network_id.")],
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run there.")],
    name: Annotated[str | None, typer.Option("--lab", help="Which lab; needed where several are up.")] = None,
) -> None:
    """Run a command in a VPC or network; its exit code is the command's."""
    words = lifecycle.command_in(_lab(name), node, command)
    sys.stdout.flush()
    os.execv(words[0], words)  # noqa: S606 - no shell is wanted


@lab_app.command()
def down(file: _File, name: _Name = None) -> None:
    """Take a lab away, whatever is left of it, even after a crash."""
    wanted = name or lifecycle.name_of(file)
    say(f"lab {wanted} is down" if lifecycle.down(wanted) else f"there is no lab {wanted}")


def _lab(name: str | None) -> Lab:
    known = labs()
    found = [lab for lab in known if name in (None, lab.name)]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(lab.name for lab in known) or "none"
    if not found:
        raise LabError(
            f"there is no lab{f' {name}' if name else ''}; there are: {listed}. First: vpcdns lab up"
        )
    raise LabError(f"several labs are up: {listed}; say which by --lab")
