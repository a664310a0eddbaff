"""Accepts connections, and leaves them to the kernel for a moment when descriptors run out.

By itself, because asyncio's server logs a failure for its whole backlog then, and again each second.
"""

import asyncio
import errno
import logging
import resource
import socket
from collections.abc import Callable
from typing import Any, Final

log = logging.getLogger("vpcdns.server")

# Connections accepted before everything else gets its turn.
_BATCH: Final = 32
# Without descriptors there is nothing to accept with.
_PAUSE: Final = 0.1
# Between two log lines about it.
_QUIET: Final = 60.0
_OUT_OF_RESOURCES: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


def descriptors() -> int:
    """How many this process may have."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 2**31 if limit == resource.RLIM_INFINITY else limit


OnAccept = Callable[[socket.socket, Any], None]


class Acceptor:
    """Belongs to the running event loop; `what` is accepted, in words.

    `on_error` hears of each failure, and whether there was nothing to accept with: then it may make room.
    """

    def __init__(self, what: str, on_error: Callable[[bool], None] = lambda _: None) -> None:
        self._what = what
        self._on_error = on_error
        self._loop = asyncio.get_running_loop()
        self._listening: dict[socket.socket, OnAccept] = {}
        self._quiet_until = 0.0
        self._paused: asyncio.TimerHandle | None = None

    def begin(self, listening: socket.socket, on_accept: OnAccept) -> None:
        """Calls `on_accept` with each new connection, which does not block, and where it came from."""
        listening.setblocking(False)
        self._listening[listening] = on_accept
        self._loop.add_reader(listening.fileno(), self._accept, listening, on_accept)

    def end(self, listening: socket.socket) -> None:
        """Accepts no more on this socket."""
        del self._listening[listening]
        self._loop.remove_reader(listening.fileno())

    def close(self) -> None:
        """Closes the listening sockets."""
        if self._paused is not None:
            self._paused.cancel()
            self._paused = None
        for listening in tuple(self._listening):
            self.end(listening)
            listening.close()

    def _accept(self, listening: socket.socket, on_accept: OnAccept) -> None:
        for _ in range(_BATCH):
            try:
                sock, address = listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                is_out = error.errno in _OUT_OF_RESOURCES
                self._on_error(is_out)
                if is_out:
                    self._pause(error)
                    return
                continue  # ECONNABORTED and its like: that client has gone, others wait.
            sock.setblocking(False)
            on_accept(sock, address)

    def _pause(self, error: OSError) -> None:
        """With the reader on, the loop would spin."""
        if self._paused is not None:
            return
        if self._loop.time() >= self._quiet_until:
            self._quiet_until = self._loop.time() + _QUIET
            log.error("Cannot accept %s: %s; they wait until there is room", self._what, error.strerror)
        for listening in self._listening:
            self._loop.remove_reader(listening.fileno())
        self._paused = self._loop.call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        self._paused = None
        for listening, on_accept in self._listening.items():
            self._loop.add_reader(listening.fileno(), self._accept, listening, on_accept)
