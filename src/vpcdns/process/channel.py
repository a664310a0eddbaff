"""Messages between the processes of one server, over a pair of sockets.

Knows octets and numbers, not what is said. A message is pickled behind its length: both ends were forked from
one process, nobody else holds the sockets, and what may load a pickle may do all that we may.
"""

from __future__ import annotations

import pickle
import select
import socket
import time
from typing import Any, Final

_LENGTH: Final = 8
_TAKEN_AT_ONCE: Final = 1 << 16


class Channel:
    """One end. Blocks in `send` and `wait` only, and no longer than until a deadline in monotonic seconds.

    Raises EOFError when the other end is gone, TimeoutError at the deadline.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._octets = bytearray()

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        ours, theirs = socket.socketpair()
        return cls(ours), cls(theirs)

    def fileno(self) -> int:
        return self._sock.fileno()

    def close(self) -> None:
        self._sock.close()

    def send(self, message: Any, deadline: float) -> None:
        """Hands the whole of it to the kernel, in order with what was sent before."""
        octets = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        left = memoryview(len(octets).to_bytes(_LENGTH, "big") + octets)
        while left:
            try:
                left = left[self._sock.send(left) :]
            except BlockingIOError:
                self._poll(select.POLLOUT, deadline)
            except OSError as error:
                raise EOFError(str(error)) from error

    def wait(self, deadline: float) -> None:
        """Returns when there is something to be received, if only the end."""
        self._poll(select.POLLIN, deadline)

    def receive(self) -> list[Any]:
        """The messages that have come whole."""
        try:
            while octets := self._sock.recv(_TAKEN_AT_ONCE):
                self._octets += octets
        except BlockingIOError:
            return self._taken()
        except OSError as error:
            raise EOFError(str(error)) from error
        raise EOFError("closed")

    def _taken(self) -> list[Any]:
        messages, at = [], 0
        while len(self._octets) - at >= _LENGTH:
            end = at + _LENGTH + int.from_bytes(self._octets[at : at + _LENGTH], "big")
            if len(self._octets) < end:
                break
            messages.append(pickle.loads(self._octets[at + _LENGTH : end]))  # noqa: S301 - our own process's
            at = end
        del self._octets[:at]
        return messages

    def _poll(self, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(self._sock, event)
        if not poll.poll(max(0.0, (deadline - time.monotonic()) * 1000)):
            raise TimeoutError
