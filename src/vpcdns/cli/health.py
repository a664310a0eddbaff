"""`vpcdns health`: whether a server answers; the HEALTHCHECK of the container image.

Asks as any client would, over UDP, and for what every vpcdns knows whatever its configuration: its own
name (CH TXT `id.server`, RFC 4892).
"""

from __future__ import annotations

import secrets
import socket
from ipaddress import IPv4Address
from typing import Annotated, Final

import typer

from vpcdns.cli.exits import Exit
from vpcdns.cli.output import complain, say
from vpcdns.cli.parameters import read_listen
from vpcdns.model.dns import Rcode, RRClass, RRType
from vpcdns.model.names import Name
from vpcdns.model.policy import Listen
from vpcdns.wire.query import HEADER, QR

DEFAULT_SERVER: Final = Listen(IPv4Address("127.0.0.1"), 53)
TIMEOUT: Final = 2.0  # seconds; the image's HEALTHCHECK gives the command 5
# A server that refuses this client is alive; `server.clients` need not hold whoever checks.
HEALTHY: Final = frozenset({Rcode.NOERROR, Rcode.REFUSED})
_QUESTION: Final = (
    Name((b"id", b"server")).wire() + RRType.TXT.to_bytes(2, "big") + RRClass.CH.to_bytes(2, "big")
)


def health(
    server: Annotated[
        Listen,
        typer.Option(parser=read_listen, metavar="ADDR:PORT", help="The server to ask, over UDP."),
    ] = DEFAULT_SERVER,
) -> None:
    """Ask a running server whether it answers, within 2 seconds.

    Exit code 0 if it does, 1 if not. A server that refuses to answer this
    client is healthy.

    \b
    Example:
      vpcdns health --server 127.0.0.1:5300
    """
    try:
        rcode = _ask(server)
    except TimeoutError:
        problem = f"{server} does not answer within {TIMEOUT:.0f} s"
    except OSError as error:
        refused = isinstance(error, ConnectionRefusedError)
        problem = f"nothing listens on {server}" if refused else f"{server}: {error.strerror or error}"
    else:
        if rcode in HEALTHY:
            say(f"{server} answers")
            return
        problem = f"{server} answers {_named(rcode)}"
    complain(f"{problem} (UDP)")
    raise typer.Exit(Exit.ERROR)


def _ask(server: Listen) -> int:
    """The RCODE of the response. Raises TimeoutError or another OSError."""
    query = HEADER.pack(secrets.randbelow(1 << 16), 0, 1, 0, 0, 0) + _QUESTION
    family = socket.AF_INET if server.address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(TIMEOUT)
        sock.connect((str(server.address), server.port))  # only its datagrams count, and its refusals arrive
        sock.send(query)
        while True:
            response = sock.recv(512)
            if len(response) >= HEADER.size and response[:2] == query[:2]:
                flags = HEADER.unpack_from(response)[1]
                if flags & QR:
                    return int(flags & 0xF)


def _named(rcode: int) -> str:
    return Rcode(rcode).name if rcode in set(Rcode) else f"RCODE {rcode}"
