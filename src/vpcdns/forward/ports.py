"""Sockets for queries to upstreams: every query leaves from a random port of its own.

Knows sockets, not messages. A socket whose query was answered is dissolved (connect(2) to AF_UNSPEC), which
takes its port from it; the next query uses the socket with another port. That is cheaper than to close it,
and to open and watch a new one (measured: 3.7 µs against 9.5; docs/decisions/0011-ports.md).
"""

import asyncio
import ctypes
import socket
import sys
from collections.abc import Callable
from typing import Final

from vpcdns.model.policy import Upstream
from vpcdns.net.binding import FAMILIES
from vpcdns.net.epoll import OnReady, Watch

IDLE_AT_MOST: Final = 256  # of each family, at some 2 KiB each in the kernel
_KIND: Final = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
_UNSPECIFIED: Final = bytes(16)  # a sockaddr of family 0, AF_UNSPEC


class Ports:
    """Belongs to the running event loop."""

    def __init__(self) -> None:
        self._watch = Watch(self._stray)
        self.large = asyncio.Lock()  # whose large response over TCP is being read
        # Connected to nobody and bound to nothing, by family and descriptor; still watched.
        self._idle: dict[int, dict[int, socket.SocketType]] = {family: {} for family in FAMILIES.values()}
        self._dissolve = _dissolver()

    def open(self, upstream: Upstream, on_ready: OnReady) -> socket.SocketType:
        """A socket at a random port that receives from nobody but the upstream. Raises OSError.

        `on_ready` is called as long as there is something to read, until the socket is closed.
        """
        family = FAMILIES[upstream.address.version]
        idle = self._idle[family]
        if idle:
            descriptor, sock = idle.popitem()
            self._watch.hand_over(descriptor, on_ready)
        else:
            # The type that sockets are made of: what `socket.socket` adds to it costs as much as the call.
            sock = socket.SocketType(family, _KIND)
            self._watch.begin(sock.fileno(), on_ready)
        try:
            sock.connect(connect_address(upstream))
        except OSError:
            self.close(sock)
            raise
        return sock

    def close(self, sock: socket.SocketType, *, answered: bool = False) -> None:
        """Gives up the port. A socket whose query was answered is kept: it gets another port later."""
        descriptor = sock.fileno()
        if answered and self._dissolve is not None:
            idle = self._idle[sock.family]
            if len(idle) < IDLE_AT_MOST and self._dissolve(descriptor, _UNSPECIFIED, len(_UNSPECIFIED)) == 0:
                self._watch.hand_over(descriptor, None)
                idle[descriptor] = sock
                return
        self._watch.end(descriptor)
        sock.close()

    def close_all(self) -> None:
        """Closes idle sockets and stops watching; whoever has opened a socket closes it."""
        for idle in self._idle.values():
            while idle:
                idle.popitem()[1].close()
        self._dissolve = None
        self._watch.close()

    def _stray(self, descriptor: int) -> None:
        """Closes an idle socket that received something after its answer: it cannot be used again."""
        for idle in self._idle.values():
            sock = idle.pop(descriptor, None)
            if sock is not None:
                self._watch.end(descriptor)
                sock.close()


def connect_address(upstream: Upstream) -> tuple[str, int] | tuple[str, int, int, int]:
    """Where to connect to; the zone of a link-local address is an interface of this host. Raises OSError."""
    if upstream.zone is None:
        return upstream.socket_address
    return (*upstream.socket_address, 0, socket.if_nametoindex(upstream.zone))


def _dissolver() -> Callable[[int, bytes, int], int] | None:
    """connect(2) by address of any family, which `socket.connect` cannot; Linux gives up the port with it."""
    if not sys.platform.startswith("linux"):
        return None
    connect = ctypes.CDLL(None).connect
    connect.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return connect
