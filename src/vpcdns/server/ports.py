"""Sockets for questions to upstreams: every question leaves from a random port of its own.

Knows descriptors and an event loop, not what is said. Sockets are waited for through an epoll of our own,
which the loop watches as one: that costs a sixth of the loop's own way (measured: 1 µs a socket against 6),
and one system call tells of all that are ready. A socket whose question was answered is dissolved
(connect(2) to AF_UNSPEC), which takes its port from it; the next question gets it with another. It is as
good as new, but was not made, closed and watched anew (measured: 3.7 µs against 9.5;
docs/decisions/0011-ports.md).
"""

from __future__ import annotations

import asyncio
import ctypes
import select
import socket
import sys
from collections.abc import Callable
from typing import Final

from vpcdns.model.policy import Upstream

_READY_AT_MOST: Final = 64  # taken before everything else gets its turn
_IDLE_AT_MOST: Final = 256  # of each family, at some 2 KiB each in the kernel
_IN: Final = getattr(select, "EPOLLIN", 0)
_FAMILIES: Final = {4: int(socket.AF_INET), 6: int(socket.AF_INET6)}
_KIND: Final = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
_UNSPECIFIED: Final = bytes(16)  # a sockaddr of family 0, AF_UNSPEC


class Ports:
    """Belongs to the running event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._heard: dict[int, Callable[[], None]] = {}
        # Connected to nobody and bound to nothing, by family and descriptor; still watched.
        self._idle: dict[int, dict[int, socket.SocketType]] = {family: {} for family in _FAMILIES.values()}
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        self._dissolve = _dissolver() if self._epoll is not None else None
        if self._epoll is not None:
            self._loop.add_reader(self._epoll.fileno(), self._ready)

    def open(self, upstream: Upstream, heard: Callable[[], None]) -> socket.SocketType:
        """A socket at a random port that hears nobody but the upstream. Raises OSError.

        `heard` is called as long as there is something to read, until the socket is closed.
        """
        family = _FAMILIES[upstream.address.version]
        idle = self._idle[family]
        if idle:
            descriptor, sock = idle.popitem()
        else:
            # The type that sockets are made of: what `socket.socket` adds to it costs as much as the call.
            sock = socket.SocketType(family, _KIND)
            descriptor = sock.fileno()
            self._watch(descriptor, heard)
        self._heard[descriptor] = heard
        try:
            sock.connect(upstream.socket_address)
        except OSError:
            self.close(sock)
            raise
        return sock

    def close(self, sock: socket.SocketType, *, answered: bool = False) -> None:
        """Gives up the port. After its answer nothing is wrong with a socket, and it can have another one."""
        descriptor = sock.fileno()
        self._heard.pop(descriptor, None)
        if answered and self._dissolve is not None:
            idle = self._idle[sock.family]
            if len(idle) < _IDLE_AT_MOST and self._dissolve(descriptor, _UNSPECIFIED, len(_UNSPECIFIED)) == 0:
                idle[descriptor] = sock
                return
        if self._epoll is None:
            self._loop.remove_reader(descriptor)
        sock.close()  # the kernel takes it off the epoll's list

    def close_all(self) -> None:
        """The idle ones, and the waiting; sockets that are open are closed by whoever has them."""
        for idle in self._idle.values():
            while idle:
                idle.popitem()[1].close()
        self._dissolve = None
        if self._epoll is not None and not self._epoll.closed:
            if not self._loop.is_closed():
                self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()

    def _watch(self, descriptor: int, heard: Callable[[], None]) -> None:
        if self._epoll is None:  # macOS
            self._loop.add_reader(descriptor, heard)
        else:
            self._epoll.register(descriptor, _IN)

    def _ready(self) -> None:
        assert self._epoll is not None  # noqa: S101 - only watched where there is one
        for descriptor, _ in self._epoll.poll(0, _READY_AT_MOST):
            # An earlier one may have closed this one, or even given its number anew: then there is nothing to
            # read, and whoever reads knows that.
            heard = self._heard.get(descriptor)
            if heard is not None:
                heard()
            else:
                self._stray(descriptor)

    def _stray(self, descriptor: int) -> None:
        """Something came between the answer and the giving up of the port: such a socket is not as new."""
        for idle in self._idle.values():
            sock = idle.pop(descriptor, None)
            if sock is not None:
                sock.close()


def _dissolver() -> Callable[[int, bytes, int], int] | None:
    """connect(2) by address of any family, which `socket.connect` cannot; Linux gives up the port with it."""
    if not sys.platform.startswith("linux"):
        return None
    connect = ctypes.CDLL(None).connect
    connect.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return connect
