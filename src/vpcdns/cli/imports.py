"""`vpcdns import`: the real thing made into a configuration."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from vpcdns import gc_pauses
from vpcdns.cli.output import complain, say, summary
from vpcdns.config import read_octets
from vpcdns.importing import text
from vpcdns.importing.finish import finish
from vpcdns.importing.inventory import Inventory
from vpcdns.importing.overlay import Overlay
from vpcdns.importing.terraform.documents import Document, read
from vpcdns.importing.terraform.reading import Terraform

import_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Make a configuration of what there is already."
)
OverlayOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A configuration of what is not in there: custom domains, source_networks, endpoint addresses. "
        "An id in it may be the address of a resource.",
    ),
]


@import_app.command("terraform")
def import_terraform(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="States or plans; - is standard input.")
    ],
    overlay: OverlayOption = None,
) -> None:
    """Make a configuration of Terraform's or OpenTofu's states and plans.

    Reads what `terraform show -json` prints of a state or a plan, and state
    files of format 4; of a plan, what it makes. Several files are one
    environment. Prints a configuration that `vpcdns check` accepts, with a
    comment for everything that was guessed or is missing; a summary goes to
    stderr.

    \b
    Examples:
      terraform show -json | vpcdns import terraform - > vpcdns.yaml
      vpcdns import terraform net.tfstate gateway.tfstate --overlay own.yaml
    """
    with gc_pauses.paused():
        terraform = Terraform(list(read_documents(files)))
        inventory = terraform.after()
        made_by = f"vpcdns import terraform {' '.join(map(str, files))}"
        print_configuration(inventory, read_overlay(overlay), made_by, terraform.unread())


def print_configuration(
    inventory: Inventory, overlay: Overlay | None, made_by: str, unread: dict[str, list[str]]
) -> None:
    """An inventory as a configuration, and what is to be said of it; `unread` are attributes by type."""
    world = finish(inventory, overlay)
    say("\n".join(text.configuration_text(inventory, made_by)))
    complain(summary(world))
    for line in text.summary(inventory, unread):
        complain(line)


def read_documents(files: list[Path]) -> Iterator[Document]:
    """Terraform's files; - is standard input."""
    for file in files:
        if str(file) == "-":
            yield read("<stdin>", sys.stdin.buffer.read())
        else:
            yield read(str(file), read_octets(file, "what `terraform show -json` prints"))


def read_overlay(file: Path | None) -> Overlay | None:
    return None if file is None else Overlay(str(file), read_octets(file))
