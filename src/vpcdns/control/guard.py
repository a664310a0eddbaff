"""What every HTTP request passes before a route sees it: its turn, Host, token, sizes.

Knows headers, and which paths are open to whoever can connect. With DNS rebinding a browser sends a foreign
page's name as Host: it is refused. An address as Host is fine, for there is no DNS in it. No CORS header is
ever sent.
"""

import asyncio
import hmac
import socket
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vpcdns.control.errors import error_response, is_call
from vpcdns.model.names import Name
from vpcdns.model.topology import Address

MAX_BODY: Final = 1 << 20  # octets, facts/security.md §3
# Octets of target and headers; nginx has 8 k and 4 times 8 k more. Checked here as well as in the parser,
# which only limits what it has to wait for.
MAX_HEADERS: Final = 16_384
# Seconds between two requests that are whole: other work, DNS above all, goes on meanwhile.
PAUSE: Final = 0.002
# Open without a token: probes and scrapers have none, and the console's page has nothing in it but a form.
OPEN: Final = frozenset({"/", "/health", "/ready", "/metrics"})


@dataclass(frozen=True, slots=True)
class Guard:
    """ASGI middleware. Refuses before the body is read; counts the body while it is.

    `address` is None for a UNIX socket, which no browser can be sent to. `signed` says whether calls of the
    cloud's API are signed: a browser cannot do that, so they may come under the cloud's own names, which name
    the region. `hosts` are the operator's own names for this server.
    """

    app: ASGIApp
    address: Address | None
    token: str | None = field(repr=False)
    signed: bool = False
    hosts: Collection[Name] = ()
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
            await self._take_turn()
        try:
            self._check(scope, headers)
        except HTTPException as error:
            await error_response(error, is_call=is_call(scope))(scope, receive, send)
            return
        await self.app(scope, self._counted(receive), send)

    async def _take_turn(self) -> None:
        """Returns when this request may be answered; the next one may PAUSE after what is done at once."""
        await self._turn.acquire()
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_later, PAUSE, self._turn.release)

    def _counted(self, receive: Receive) -> Receive:
        """A body may come without a Content-Length; a request that has one takes its turn at its end."""
        octets = 0

        async def counted() -> Message:
            nonlocal octets
            message = await receive()
            octets += len(message.get("body", b""))
            if octets > MAX_BODY:
                raise _too_large()
            if octets and message["type"] == "http.request" and not message.get("more_body"):
                await self._take_turn()
            return message

        return counted

    def _check(self, scope: Scope, headers: Headers) -> None:
        size = len(scope["raw_path"]) + len(scope["query_string"])
        if size + sum(len(name) + len(value) for name, value in headers.raw) > MAX_HEADERS:
            message = f"at most {MAX_HEADERS} octets of target and headers"
            raise HTTPException(431, message, {"connection": "close"})
        if "content-length" in headers and "transfer-encoding" in headers:
            # RFC 9112 §6.1: it may be an attempt at smuggling a request, and the connection must be closed.
            message = "Content-Length and Transfer-Encoding in one request: send one of them"
            raise HTTPException(400, message, {"connection": "close"})
        if not (self.signed and is_call(scope)) and not self._host_is_ours(headers.get("host", "")):
            message = "Host is no name of this server: use its address, or list the name in admin.hosts"
            raise HTTPException(421, message)
        if scope["path"] not in OPEN and not self._lets_in(headers.get("authorization", "")):
            message = "a token is needed: Authorization: Bearer …"
            raise HTTPException(401, message, {"www-authenticate": "Bearer"})
        length = headers.get("content-length", "0")
        if not length.isdigit() or len(length) > 10 or int(length) > MAX_BODY:
            raise _too_large()

    def _host_is_ours(self, host: str) -> bool:
        """Whether a Host header may be for this server: an address, or a name that no stranger can use.

        Ports are not compared: a container's differs outside. With a token those are this host's name as
        well, and names of one label, as containers have them.
        """
        if self.address is None:
            return True
        # Alibaba Cloud's SDK for Python sends `host: http://127.0.0.1:5380`.
        name = _name(host.removeprefix("http://").rstrip("/")).lower()
        if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 §6.3: nobody else can have it
            return True
        with suppress(ValueError):
            return bool(ip_address(name))
        if any(str(one).lower() == name.removesuffix(".") for one in self.hosts):
            return True
        return self.token is not None and (
            ("." not in name and name.isascii() and bool(name)) or name == socket.gethostname().lower()
        )

    def _lets_in(self, authorization: str) -> bool:
        if self.token is None:
            return True
        scheme, _, given = authorization.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self.token.encode())


def _name(host: str) -> str:
    """The host without the port (RFC 3986 §3.2.2)."""
    if host.startswith("["):
        inside, _, behind = host[1:].partition("]")
        return inside if not behind or (behind[0] == ":" and behind[1:].isdigit()) else host
    name, colon, port = host.rpartition(":")
    return name if colon and (port.isdigit() or not port) else host


def _too_large() -> HTTPException:
    return HTTPException(413, f"at most {MAX_BODY} octets", {"connection": "close"})
