"""TCP listeners: who gets a connection, and when one is closed to make room.

Knows every connection and the limits on all of them. What happens on one is in `tcp_connection`. Accepts by
itself, because asyncio's server logs each failure when descriptors run out, and cannot choose whom it
accepts.
"""

import asyncio
import errno
import logging
import resource
import socket
from collections import Counter, OrderedDict
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

from vpcdns.listen.dispatch import Dispatch
from vpcdns.listen.tcp_connection import TcpConnection
from vpcdns.listen.tcp_limits import TcpLimits
from vpcdns.model.policy import Listen
from vpcdns.model.topology import Address, unmapped
from vpcdns.net.epoll import Watch
from vpcdns.net.turns import Turns

log = logging.getLogger("vpcdns.server")

# Connections accepted before everything else gets its turn.
_BATCH: Final = 32
# Without descriptors there is nothing to accept with; asyncio waits 1 s, but ours frees one at once.
_PAUSE: Final = 0.1
# Between two log lines about it.
_QUIET: Final = 60.0
_OUT_OF_RESOURCES: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
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
        self._at_most = min(self.limits.connections, _half_of_descriptors())
        self._per_client: Counter[Address] = Counter()
        self._listening: dict[socket.socket, Listen] = {}
        self._quiet_until = 0.0
        self._paused: asyncio.TimerHandle | None = None
        self._sweeping: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    def serve(self, sock: socket.socket, listen: Listen) -> None:
        """Accepts on `sock`, which listens already. Its open connections belong to `listen` from now on."""
        former, self._listening[sock] = self._listening.get(sock), listen
        self._loop.add_reader(sock.fileno(), self._accept, sock, listen)
        for connection in self.connections:
            if connection.listen is former:
                connection.move(listen)

    def leave(self, sock: socket.socket) -> None:
        """Accepts no more on `sock`, and ends the connections that were made to it."""
        listen = self._listening.pop(sock)
        self._loop.remove_reader(sock.fileno())
        for connection in tuple(self.connections):
            if connection.listen is listen:
                connection.end()

    def stop_accepting(self) -> None:
        """Closes the listening sockets; connections stay open."""
        if self._paused is not None:
            self._paused.cancel()
            self._paused = None
        for sock in self._listening:
            self._loop.remove_reader(sock.fileno())
            sock.close()
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

    def _accept(self, listening: socket.socket, listen: Listen) -> None:
        for _ in range(_BATCH):
            try:
                sock, address = listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                self._counters.tcp_accept_errors += 1
                if error.errno in _OUT_OF_RESOURCES:
                    self._pause(error)
                    return
                continue  # ECONNABORTED and its like: that client has gone, others wait.
            self._admit(sock, unmapped(ip_address(address[0])), address[1], listen)

    def _admit(self, sock: socket.socket, peer: Address, port: int, listen: Listen) -> None:
        is_full = len(self.connections) >= self._at_most
        if self._per_client[peer] >= self.limits.per_client or (is_full and not self._evict()):
            self._counters.tcp_refused += 1
            sock.close()
            return
        sock.setblocking(False)
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

    def _pause(self, error: OSError) -> None:
        """Leaves connections to the kernel for a moment: with the reader on, the loop would spin."""
        if self._paused is not None:
            return
        for _ in range(max(1, min(_ROOM, len(self.connections) // 4))):
            self._evict()
        if self._loop.time() >= self._quiet_until:
            self._quiet_until = self._loop.time() + _QUIET
            log.error("Cannot accept TCP connections: %s; idle ones are closed to make room", error.strerror)
        for sock in self._listening:
            self._loop.remove_reader(sock.fileno())
        self._paused = self._loop.call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        self._paused = None
        for sock, listen in self._listening.items():
            self._loop.add_reader(sock.fileno(), self._accept, sock, listen)

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


def _half_of_descriptors() -> int:
    """As in Knot DNS; the other half is for upstreams, files and everything else."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 2**31 if limit == resource.RLIM_INFINITY else limit // 2
