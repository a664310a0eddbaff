"""`vpcdns cache`: what a running server remembers of its upstreams' answers, by way of its admin server."""

import os
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from vpcdns.admin_client import DEFAULT_PORT, TOKEN_VARIABLE, AdminError, call
from vpcdns.cli.output import Exit, complain, say, say_json
from vpcdns.cli.parameters import JsonOption, read_admin_listen, read_name
from vpcdns.model.names import Name
from vpcdns.model.policy import Listen

DEFAULT_ADMIN: Final = Listen(IPv4Address("127.0.0.1"), DEFAULT_PORT)
_WITHIN: Final = 60.0  # seconds; the server flushes beside its queries

NameOption = Annotated[
    Name | None, typer.Option(parser=read_name, metavar="NAME", help="Only answers about this name.")
]
BelowOption = Annotated[bool, typer.Option("--below", help="With --name: about all names below it, too.")]
VpcOption = Annotated[
    str | None, typer.Option(metavar="VPC_ID", help="Only answers that clients of this VPC would get.")
]
AdminOption = Annotated[
    Any,  # Listen | Path, which typer takes for an argument of two types
    typer.Option(parser=read_admin_listen, metavar="ADDR:PORT|PATH", help="The server's admin.listen."),
]

cache = typer.Typer(no_args_is_help=True, help="What a running server remembers of upstreams' answers.")


@cache.callback()
def _group() -> None:
    """With one command only, typer would take its name away."""


@cache.command()
def flush(
    name: NameOption = None,
    below: BelowOption = False,
    vpc: VpcOption = None,
    admin: AdminOption = DEFAULT_ADMIN,
    json: JsonOption = False,
) -> None:
    """Forget what upstreams said: all of it, or of a name, or for a VPC.

    Stale answers and remembered failures go, too. When the command ends, no
    process of the server gives such an answer any more, and what upstreams
    were asked before is not kept. Private zones and VPC domains are not
    cached: they need no flush.

    Cached answers are shared by VPCs that have the same upstreams: what is
    flushed for one VPC is asked anew for the others, too.

    The token, if the server has one, is taken from VPCDNS_ADMIN_TOKEN.

    \b
    Examples:
      vpcdns cache flush
      vpcdns cache flush --name corp.example --below
      vpcdns cache flush --vpc vpc-bp11w979o2s9rcr962w25 --admin /run/vpcdns/admin.sock
    """
    if below and name is None:
        raise typer.BadParameter("it needs --name; without both, everything is flushed", param_hint="--below")
    selected = {"name": None if name is None else str(name), "below": below or None, "vpc_id": vpc}
    body = {key: value for key, value in selected.items() if value is not None}
    done = _post(admin, "/cache/flush", body)
    if json:
        say_json(done)
        return
    answers = "1 answer" if done["flushed"] == 1 else f"{done['flushed']} answers"
    say(f"Flushed {answers}")


def _post(admin: Listen | Path, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What the server answers; ends the command when it refuses, or is not there."""
    server, token = admin if isinstance(admin, Path) else f"http://{admin}", os.environ.get(TOKEN_VARIABLE)
    try:
        return call(server, "POST", path, body, token=token, timeout=_WITHIN)
    except AdminError as error:
        complain(f"{error}{_WAYS_OUT.get(error.status, '')}")
        raise typer.Exit(Exit.ERROR) from None


_WAYS_OUT: Final = {
    0: "\nways out:\n  - see whether it runs, and where: admin.listen in its configuration\n"
    "  - name that address, or the path of its socket: --admin",
    401: f": set {TOKEN_VARIABLE} as the server has it",
    403: f": set {TOKEN_VARIABLE} for the server and for this command",
}
