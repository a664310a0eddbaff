"""The admin server: binds, starts, stops.

Knows who may reach it: beyond loopback it does not start without a token.
"""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from starlette.routing import Route

from vpcdns.admin_client import TOKEN_VARIABLE
from vpcdns.control.admin_socket import bind, file_of
from vpcdns.control.connection import GRACE, HttpServer
from vpcdns.control.guard import Guard
from vpcdns.control.openapi.endpoint import OpenApi
from vpcdns.control.openapi.keys import AccessKeys
from vpcdns.control.routes import application
from vpcdns.errors import StartupError
from vpcdns.model.names import Name
from vpcdns.model.policy import Listen
from vpcdns.observe.metrics import Sources
from vpcdns.observe.recent_decisions import RecentDecisions


@dataclass(eq=False)
class AdminServer:
    """HTTP on `listen`, an address and port or the path of a UNIX socket, in the running event loop.

    With a `token` every request needs it, except for health, readiness, metrics and the console's empty page;
    calls of the cloud's API are signed with one of `keys` instead, and are about `region_id` if they name
    no region. Without keys only this host may call it, and only when there is no token. `hosts` are names
    that the server may be called by.
    """

    listen: Listen | Path
    sources: Sources
    decisions: RecentDecisions
    token: str | None = field(default=None, repr=False)
    _: KW_ONLY
    keys: AccessKeys = field(default_factory=AccessKeys)
    region_id: str | None = None
    hosts: Sequence[Name] = ()
    more: Sequence[Route] = ()
    _bound: tuple[socket.socket, Listen | Path] | None = field(default=None, init=False)
    # The UNIX socket's file; another may replace it.
    _file: tuple[int, int] | None = field(default=None, init=False)
    http: HttpServer | None = field(default=None, init=False)
    _stopping: bool = field(default=False, init=False)
    _ended: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def bind(self) -> Listen | Path:
        """Takes the port, and returns the actual one; nothing is served yet. Raises StartupError."""
        if isinstance(self.listen, Listen) and not self.listen.address.is_loopback and not self.token:
            raise StartupError(
                f"admin.listen: {self.listen} can be reached from other hosts, and there is no token\n"
                f"ways out:\n  - listen on 127.0.0.1:{self.listen.port}\n"
                f"  - set {TOKEN_VARIABLE}, and send it with each request: Authorization: Bearer …"
            )
        return self._taken()[1]

    async def start(self) -> Listen | Path:
        """Begins to serve; returns where. Binds first, if that was not done. Raises StartupError."""
        self.bind()
        sock, listen = self._taken()
        address = listen.address if isinstance(listen, Listen) else None
        only_this_host = address is None or address.is_loopback
        api = OpenApi(
            self.sources.state,
            self.keys,
            region_id=self.region_id,
            open_without_keys=only_this_host and not self.token,
        )
        app = application(self.sources, self.decisions, api, self.more)
        guard = Guard(app, address, self.token or None, signed=bool(self.keys), hosts=self.hosts)

        async def serve() -> None:
            self.http = HttpServer(guard)
            self._ended.clear()
            try:
                await self.http.serve([sock.dup()])  # it closes what it is given
            finally:
                self._ended.set()
            if self._stopping:
                await asyncio.Event().wait()  # until it is cancelled: it need not begin again

        self.sources.tasks.start("admin", serve)
        return listen

    async def stop(self) -> None:
        """Ends what is being answered within two seconds, then closes everything. May be called twice."""
        self._stopping = True
        if self.http is not None:
            self.http.should_exit = True
            for seconds in (GRACE, 1):
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), seconds)
                self.http.abort()  # their requests end then, as if the clients had gone
            self.sources.tasks.stop("admin")
        if self._bound is not None:
            self._bound[0].close()
            if isinstance(self.listen, Path) and file_of(self.listen) == self._file:
                # Its folder may be root's, and we are no longer root; the next start removes a dead socket.
                with suppress(OSError):
                    self.listen.unlink()
        self._bound = self.http = None

    def _taken(self) -> tuple[socket.socket, Listen | Path]:
        if self._bound is None:
            self._bound = bind(self.listen)
            self._file = file_of(self.listen) if isinstance(self.listen, Path) else None
        return self._bound
