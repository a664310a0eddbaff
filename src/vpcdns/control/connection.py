"""An HTTP connection with deadlines, which uvicorn's own lacks, and the server around it.

Knows uvicorn; nothing of what is asked. A client that sends or reads too slowly is disconnected, so 128 of
them cannot shut others out for long.
"""

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from vpcdns.control.errors import unreadable
from vpcdns.control.guard import MAX_HEADERS
from vpcdns.net.accepting import Acceptor, descriptors

MAX_CONNECTIONS: Final = 128
# Seconds for a request to come whole, and again for its response to be taken. nginx has 60, Apache 20 to 40.
DEADLINE: Final = 30.0
KEEP_ALIVE: Final = 5  # idle seconds between two requests; uvicorn's own, and nodejs'
GRACE: Final = 2.0  # seconds for what is being answered when the server stops
_HEADERS: Final = [
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-resource-policy", "same-origin"),
]


class Connection(H11Protocol):
    """Aborts when a deadline passes, or when there are too many."""

    deadline: float = DEADLINE
    _expiry: asyncio.TimerHandle | None = None
    _has_waited: bool = False  # the response, for the client to read

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > min(MAX_CONNECTIONS, descriptors() // 8):
            transport.abort()
        else:
            self._wind_up()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if not self._has_waited:
            self._has_waited = True
            self._wind_up()

    def send_400_response(self, msg: str) -> None:
        """Called where h11 has raised; a response that has begun cannot become another one."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        response = unreadable(getattr(sys.exc_info()[1], "error_status_hint", 400))
        headers = [*self.server_state.default_headers, *response.raw_headers]
        events = (
            h11.Response(status_code=response.status_code, headers=headers),
            h11.Data(data=bytes(response.body)),
            h11.EndOfMessage(),
        )
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def on_response_complete(self) -> None:
        self._has_waited = False
        super().on_response_complete()
        self._wind_up()

    def _wind_up(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = self.loop.call_later(self.deadline, self._expire)

    def _expire(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        answering = cycle is not None and not cycle.response_complete and not cycle.more_body
        if answering and not self.transport.get_write_buffer_size():
            self._wind_up()  # the request is complete: the delay is ours
        else:
            self.transport.abort()


class HttpServer(uvicorn.Server):
    """Serves an ASGI application in the running event loop; signals are somebody else's."""

    def __init__(self, app: ASGIApp, protocol: type[Connection] = Connection) -> None:
        self._protocol = protocol
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
                ws="none",
                lifespan="off",
                # Whatever a client sends must not fill the log; bugs of ours are logged as errors.
                log_config=None,
                log_level="error",
                access_log=False,
                # No header of a client's choice says who the client is.
                proxy_headers=False,
                server_header=False,
                headers=_HEADERS,
                timeout_keep_alive=KEEP_ALIVE,
                h11_max_incomplete_event_size=MAX_HEADERS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accepts by itself: descriptors that run out must not fill the log, nor keep the loop busy."""
        self.servers = []
        self._acceptor = Acceptor("connections to the admin server")
        for listening in sockets or ():
            self._acceptor.begin(listening, self._accepted)
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accepts no more, and ends what is being answered."""
        self._acceptor.close()
        await super().shutdown(sockets)

    def _accepted(self, sock: socket.socket, _: object) -> None:
        task = asyncio.get_running_loop().create_task(self._connect(sock))
        self.server_state.tasks.add(task)
        task.add_done_callback(self.server_state.tasks.discard)

    async def _connect(self, sock: socket.socket) -> None:
        make = partial(self._protocol, self.config, self.server_state, self.lifespan.state)
        with suppress(OSError):  # it has gone
            await asyncio.get_running_loop().connect_accepted_socket(make, sock)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def abort(self) -> None:
        """Gives up the connections that are left."""
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
