"""What both UDP listeners share: the socket's life, and which view each client is answered from."""

import asyncio
import socket
from typing import Final

from vpcdns.listen.counters import ListenerCounters
from vpcdns.listen.dispatch import Dispatch
from vpcdns.listen.rate_limits import is_limited
from vpcdns.model.policy import Listen
from vpcdns.model.topology import Address
from vpcdns.recall.views import View, Views

_CLIENTS_AT_MOST: Final = 10_000
_NO_VIEWS: Final[dict[object, View]] = {}


class UdpSocket:
    """Serves one bound socket. `listen` is what the socket is bound to."""

    def __init__(
        self, sock: socket.socket, listen: Listen, dispatch: Dispatch, counters: ListenerCounters
    ) -> None:
        self.listen = listen
        self._sock = sock
        self._dispatch = dispatch
        self._counters = counters
        self._views: Views | None = None
        self._clients: dict[object, View] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begins to read."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._sock.fileno(), self._drain)

    def stop_reading(self) -> None:
        """Leaves further datagrams to the kernel; answers that are outstanding can still be sent."""
        if self._loop is not None:
            self._loop.remove_reader(self._sock.fileno())
            self._loop = None

    def _drain(self) -> None:
        """Takes the datagrams that are there."""
        raise NotImplementedError

    def _known_clients(self, count: int) -> dict[object, View]:
        """The views by client, for the next `count` queries; empty when all of them must be asked about."""
        views = self._dispatch.views(count)
        if views is None:
            return _NO_VIEWS
        if views is not self._views:
            self._views = views
            self._clients.clear()
        return self._clients

    def _remember_client(self, client: object, peer: Address) -> None:
        """From now on `client`, the peer as the socket names it, may be answered from its view."""
        if self._views is None or is_limited(peer, self._views.world):  # each response of theirs is counted
            return
        if len(self._clients) >= _CLIENTS_AT_MOST:
            self._clients.clear()  # a flood from spoofed addresses must not grow memory
        self._clients[client] = self._views.view(peer, "udp", self.listen)
