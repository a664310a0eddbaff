"""`vpcdns health`: whether a server answers; the HEALTHCHECK of the container image.

Asks as any client would, over UDP, for what every vpcdns knows whatever its configuration: its own name
(CH TXT `id.server`, RFC 4892).
"""

from ipaddress import IPv4Address
from typing import Annotated, Final

import typer

from vpcdns.cli.output import Exit, complain, say
from vpcdns.cli.parameters import read_listen
from vpcdns.model.dns import Question, RRClass, RRType
from vpcdns.model.names import Name
from vpcdns.model.policy import Listen, Upstream

DEFAULT_SERVER: Final = Listen(IPv4Address("127.0.0.1"), 53)
TIMEOUT: Final = 2.0  # seconds; the image's HEALTHCHECK gives the command 5
# A server that refuses this client is alive: `server.clients` need not contain whoever checks.
HEALTHY: Final = frozenset({"NOERROR", "REFUSED"})
_QUESTION: Final = Question(Name((b"id", b"server")), RRType.TXT, RRClass.CH)


def health(
    server: Annotated[
        Listen, typer.Option(parser=read_listen, metavar="ADDR:PORT", help="The server to ask, over UDP.")
    ] = DEFAULT_SERVER,
) -> None:
    """Ask a running server whether it answers, within 2 seconds.

    Exit code 0 if it does, 1 if not. A server that refuses to answer this
    client is healthy.

    \b
    Example:
      vpcdns health --server 127.0.0.1:5300
    """
    from vpcdns.stub import ask_udp  # noqa: PLC0415 - see there: slow to import

    whom = Upstream(server.address, server.port)
    (answer,) = ask_udp(whom, [_QUESTION], edns=False, seconds=TIMEOUT, tries=1)
    if answer.rcode not in HEALTHY:
        complain(f"{server}: {answer.rcode or answer.error} (UDP, within {TIMEOUT:.0f} s)")
        raise typer.Exit(Exit.ERROR)
    say(f"{server} answers")
