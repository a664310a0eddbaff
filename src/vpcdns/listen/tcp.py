"""TCP listeners: who gets a connection, and when one is closed to make room.

Knows every connection and the limits on all of them. What happens on one is in `tcp_connection`.
"""

import asyncio
import socket
from collections import Counter, OrderedDict
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from typing import Final

from vpcdns.listen.dispatch import Dispatch
from vpcdns.listen.tcp_connection import TcpConnection
from vpcdns.listen.tcp_limits import TcpLimits
from vpcdns.model.policy import Listen
from vpcdns.model.topology import Address, unmapped
from vpcdns.net.accepting import Acceptor, descriptors
from vpcdns.net.epoll import Watch
from vpcdns.net.turns import Turns

# Four of the longest queries, or a few hundred usual ones, at a time.
_READ_AT_MOST: Final = 16_384
_CROWDED: Final = 0.75
# Idle connections that are closed when there are no descriptors, so that as many others have their turn.
_ROOM: Final = 4


class TcpServer:
    """All TCP listeners and their connections. Belongs to the running event loop."""

    def __init__(self, dispatch: Dispatch, limits: TcpLimits | None = None) -> None:
        self.dispatch = dispatch
        self.limits = limits or TcpLimits()
        self.turns = Turns()
        self.watch = Watch()
        self.buffer = memoryview(bytearray(_READ_AT_MOST))
        # The longest idle first: whoever is active moves to the end.
        self.connections: OrderedDict[TcpConnection, None] = OrderedDict()
        self._loop = asyncio.get_running_loop()
        self._counters = dispatch.counters
        # Half as in Knot DNS; the other one is for upstreams, files and everything else.
        self._at_most = min(self.limits.connections, descriptors() // 2)
        self._per_client: Counter[Address] = Counter()
        self._acceptor = Acceptor("TCP connections", self._failed_to_accept)
        self._listening: dict[socket.socket, Listen] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    def serve(self, sock: socket.socket, listen: Listen) -> None:
        """Accepts on `sock`, which listens already. Its open connections belong to `listen` from now on."""
        former, self._listening[sock] = self._listening.get(sock), listen
        self._acceptor.begin(sock, partial(self._admit, listen))
        for connection in self.connections:
            if connection.listen is former:
                connection.move(listen)

    def leave(self, sock: socket.socket) -> None:
        """Accepts no more on `sock`, and ends the connections that were made to it."""
        listen = self._listening.pop(sock)
        self._acceptor.end(sock)
        for connection in tuple(self.connections):
            if connection.listen is listen:
                connection.end()

    def stop_accepting(self) -> None:
        """Closes the listening sockets; connections stay open."""
        self._acceptor.close()
        self._listening.clear()

    def end(self) -> None:
        """Reads no further query; each connection closes after its last outstanding answer."""
        for connection in tuple(self.connections):
            connection.end(linger=False)

    async def close(self, grace: float) -> None:
        """Waits `grace` seconds for connections to end, then closes those that are left."""
        if grace > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), grace)
        for connection in tuple(self.connections):
            connection.abort()
        await self._empty.wait()
        self.watch.close()

    def lost(self, connection: TcpConnection) -> None:
        if connection not in self.connections:
            return
        del self.connections[connection]
        self._counters.tcp_open -= 1
        self._per_client[connection.peer] -= 1
        if not self._per_client[connection.peer]:
            del self._per_client[connection.peer]
        if not self.connections:
            self._empty.set()

    def _failed_to_accept(self, out_of_descriptors: bool) -> None:
        self._counters.tcp_accept_errors += 1
        for _ in range(max(1, min(_ROOM, len(self.connections) // 4)) if out_of_descriptors else 0):
            self._evict()

    def _admit(self, listen: Listen, sock: socket.socket, address: tuple[str, int]) -> None:
        peer, port = unmapped(ip_address(address[0])), address[1]
        is_full = len(self.connections) >= self._at_most
        if self._per_client[peer] >= self.limits.per_client or (is_full and not self._evict()):
            self._counters.tcp_refused += 1
            sock.close()
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # pipelined answers do not wait for an ACK
        self.connections[TcpConnection(self, sock, listen, peer, port)] = None
        self._per_client[peer] += 1
        self._empty.clear()
        self._counters.tcp_accepted += 1
        self._counters.tcp_open += 1
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(self.limits.sweep, self._sweep)

    def _evict(self) -> bool:
        """Closes the longest idle connection; False if all of them wait for our answers.

        Those are passed over, and there are not many of them: outstanding answers are bounded.
        """
        for connection in self.connections:
            if connection.in_flight == 0:
                self._counters.tcp_evicted += 1
                connection.abort()
                self.lost(connection)
                return True
        return False

    def _sweep(self) -> None:
        """Closes what has taken longer than it may. One timer for all: 2,000 cost 0.2 ms (measured)."""
        now, limits = self._loop.time(), self.limits
        crowded = len(self.connections) >= _CROWDED * self._at_most
        idle = limits.idle_when_crowded if crowded else limits.idle
        for connection in tuple(self.connections):
            if connection.used.is_over(now, idle, owed=connection.in_flight > 0):
                self._counters.tcp_expired += 1
                connection.abort()
        self._bound_unread()
        self._sweeping = self._loop.call_later(limits.sweep, self._sweep) if self.connections else None

    def _bound_unread(self) -> None:
        """Closes the connections with the most unread octets, until the rest are below the common limit."""
        unread = {connection: connection.unread() for connection in self.connections}
        too_much = sum(unread.values()) - self.limits.unread_in_all
        for connection in sorted(unread, key=unread.__getitem__, reverse=True):
            if too_much <= 0:
                return
            too_much -= unread[connection]
            self._counters.tcp_unread += 1
            connection.abort()
