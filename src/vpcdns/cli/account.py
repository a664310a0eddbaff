"""`vpcdns import cloud` and `vpcdns diff`: what a cloud account has, and what has changed in it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress

from vpcdns import gc_pauses
from vpcdns.cli.imports import OverlayOption, print_configuration, read_overlay
from vpcdns.cli.output import Exit, complain, say, say_json
from vpcdns.cli.parameters import JsonOption, read_endpoint, read_region_id
from vpcdns.config import read_octets
from vpcdns.errors import AccountError, printable
from vpcdns.importing.cloud.account import Account, account_text, read_account
from vpcdns.importing.cloud.asking import Tell, ask
from vpcdns.importing.cloud.differences import difference_data, difference_text, differences
from vpcdns.importing.cloud.objects import inventory_of
from vpcdns.importing.cloud.sdk import Sdk, find_credentials

HELP: Final = """Make a configuration of a cloud account.

Asks for VPCs, gateway instances, groups, private zones, VPNs and CENs by
calls that only read. Prints a configuration that `vpcdns check` accepts,
with a comment for everything that was guessed or is missing; a summary
goes to stderr. Needs the cloud's SDKs: pip install 'vpcdns[cloud]'

\b
Exit codes:
  0  all of it was asked
  1  an error, or something could not be asked, which stderr says

\b
Examples:
  vpcdns import cloud --region cn-hangzhou > vpcdns.yaml
  vpcdns import cloud --region cn-hangzhou --region cn-shanghai --save account.json > vpcdns.yaml
"""
ProfileOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="A profile of the aliyun CLI's, or of ~/.alibabacloud/credentials.ini; "
        "default: as the cloud's SDKs find credentials.",
    ),
]
EndpointOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        parser=read_endpoint,
        help="Ask there instead of the cloud, e.g. http://127.0.0.1:5380, the API of a vpcdns.",
    ),
]


def import_cloud(
    region: Annotated[
        list[str],
        typer.Option(
            metavar="REGION",
            parser=read_region_id,
            help="A region to ask, e.g. cn-hangzhou; may be repeated.",
        ),
    ],
    profile: ProfileOption = None,
    overlay: OverlayOption = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what the account said there as well, for `vpcdns diff`."),
    ] = None,
    endpoint: EndpointOption = None,
) -> None:
    """`HELP` says what it does."""
    laid = read_overlay(overlay)
    account = _asked(region, profile, endpoint)
    if save is not None:
        _write(save, account_text(account))
    made_by = f"vpcdns import cloud {' '.join(f'--region {one}' for one in account.regions)}"
    with gc_pauses.paused():
        print_configuration(inventory_of(account), laid, made_by, {})
    _end(account)


def diff(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `import cloud --save` wrote.")],
    profile: ProfileOption = None,
    endpoint: EndpointOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what has changed in a cloud account since it was saved.

    Asks the same regions again, and lists the objects that are new, gone or
    changed, with the fields that changed.

    \b
    Exit codes:
      0  nothing has changed
      1  an error, or something could not be asked then or now
      2  the command line is wrong
      3  something has changed

    \b
    Examples:
      vpcdns import cloud --region cn-hangzhou --save account.json > vpcdns.yaml
      vpcdns diff account.json
    """
    before = read_account(str(file), read_octets(file, "what `vpcdns import cloud --save` wrote"))
    after = _asked(before.regions, profile, endpoint)
    found = differences(before, after)
    if as_json:
        say_json(difference_data(found))
    else:
        say("\n".join(difference_text(found)))
    for one in before.unasked:
        if not one.is_absent or not after.scopes.get(one.scope, {}).keys().isdisjoint(one.kinds):
            what = f"{one.scope}: {', '.join(one.kinds)}"
            complain(printable(f"not compared, as it was not known then: {what}"))
    _end(after, Exit.ERROR if before.failed else Exit.FOUND if found else Exit.OK)


def _asked(regions: list[str] | tuple[str, ...], profile: str | None, endpoint: str | None) -> Account:
    try:
        with _progress() as tell:
            return ask(Sdk(find_credentials(profile), endpoint), regions, tell)
    except KeyboardInterrupt:
        os._exit(130)  # threads that wait for the cloud would be waited for


@contextmanager
def _progress() -> Iterator[Tell]:
    """A bar on a terminal, and nothing elsewhere."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("")

        def tell(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total)

        yield tell


def _end(account: Account, code: Exit = Exit.OK) -> None:
    """Says what could not be asked, and leaves."""
    absent = {kind: None for one in account.unasked if one.is_absent for kind in one.kinds}
    if absent:
        complain(f"not known there, so there is none: {', '.join(absent)}")
    for one in account.unasked:
        if not one.is_absent:
            complain(printable(f"not asked: {one.scope}: {', '.join(one.kinds)}: {one.why}"))
    raise typer.Exit(Exit.ERROR if account.failed else code)


def _write(file: Path, content: str) -> None:
    try:
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        raise AccountError(f"cannot write {file}: {error.strerror}") from None
