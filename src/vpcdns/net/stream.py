"""One connected TCP socket: octets in, octets out, none of them waited for.

Knows a socket and how the event loop's streams behave: names and the order of calls are those of asyncio's
transports and protocols. asyncio's own cost some 1.5 µs of the 11 µs of CPU time that a message takes
(measured).
"""

import asyncio
import socket
from typing import Final

from vpcdns.net.epoll import READ, WRITE, Watch

# asyncio's: above so many octets that wait to be sent the writer is told to pause, below so many to go on.
_HIGH: Final = 65_536
_LOW: Final = 16_384


class Stream:
    """A subclass hears what happens; after `connection_lost` was called the socket is closed.

    Reads into `buffer`, which may serve many streams.
    """

    def __init__(self, sock: socket.socket, watch: Watch, buffer: memoryview) -> None:
        self._sock = sock
        self._descriptor = sock.fileno()
        self._watch = watch
        self._buffer = buffer
        self._loop = asyncio.get_running_loop()
        self._unsent = bytearray()
        self._mask = 0
        self._reading = True
        self._pausing = False
        self.closing = False
        self._eof_written = False  # said to the peer once all is sent
        self._update_watch()

    def data_received(self, octets: bytes) -> None:
        """The peer sent these."""

    def eof_received(self) -> None:
        """The peer sends no more, and nothing more is read."""

    def pause_writing(self) -> None:
        """So much waits to be sent that no more should be written."""

    def resume_writing(self) -> None:
        """Most of it is sent."""

    def connection_lost(self) -> None:
        """Nothing more is read or sent."""

    def pause_reading(self) -> None:
        self._reading = False
        self._update_watch()

    def resume_reading(self) -> None:
        if not self._reading:
            self._reading = True
            self._update_watch()

    def write(self, data: bytes | memoryview) -> None:
        """Sends as much as the kernel takes, and the rest when it takes more."""
        if self.closing or self._eof_written:
            return
        if not self._unsent:
            sent = self._send(data)
            if sent == len(data) or self.closing:
                return
            data = memoryview(data)[sent:]
        self._unsent += data
        self._update_watch()
        if len(self._unsent) > _HIGH and not self._pausing:
            self._pausing = True
            self.pause_writing()

    def write_eof(self) -> None:
        """Tells the peer that nothing more comes, once all is sent. Raises OSError."""
        if self.closing or self._eof_written:
            return
        self._eof_written = True
        if not self._unsent:
            self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Reads no more, and ends when all is sent."""
        if self._unsent:
            self.closing = True
            self._update_watch()
        else:
            self._end()

    def abort(self) -> None:
        """Ends at once; what was not sent yet is lost."""
        self._unsent.clear()
        self._end()

    def unread(self) -> int:
        """Octets that the peer has not taken from us."""
        return len(self._unsent)

    def _update_watch(self) -> None:
        """Watches for what is wanted now; where nothing is, not even failures are reported."""
        wanted = (READ if self._reading and not self.closing else 0) | (WRITE if self._unsent else 0)
        if wanted == self._mask or self._descriptor < 0:
            return
        if not wanted:
            self._watch.end(self._descriptor)
        elif self._mask:
            self._watch.change(self._descriptor, wanted)
        else:
            self._watch.begin(self._descriptor, self._ready, wanted)
        self._mask = wanted

    def _ready(self, mask: int) -> None:
        try:
            if mask & WRITE and self._unsent:
                self._send_on()
            if mask & ~WRITE and self._mask & READ:
                self._read()
        except Exception:
            # A bug of ours, for the loop to log: this connection ends, and no other one notices.
            self.abort()
            raise

    def _read(self) -> None:
        try:
            count = self._sock.recv_into(self._buffer)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._end()
            return
        if count:
            self.data_received(bytes(self._buffer[:count]))
        else:
            self.pause_reading()
            self.eof_received()

    def _send_on(self) -> None:
        del self._unsent[: self._send(self._unsent)]
        if self._descriptor < 0:
            return
        self._update_watch()
        if self._pausing and len(self._unsent) <= _LOW:
            self._pausing = False
            self.resume_writing()
        if not self._unsent:
            if self.closing:
                self._end()
            elif self._eof_written:
                self._sock.shutdown(socket.SHUT_WR)

    def _send(self, octets: bytes | bytearray | memoryview) -> int:
        """How many the kernel takes; none if the peer is gone, which is the end then."""
        try:
            return self._sock.send(octets)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            self._end()
            return 0

    def _end(self) -> None:
        """Nothing more is read or sent; `connection_lost` is called in the next turn."""
        if self._descriptor < 0:
            return
        if self._mask:
            self._watch.end(self._descriptor)
            self._mask = 0
        self.closing = True
        self._unsent.clear()
        self._descriptor = -1
        self._loop.call_soon(self._lost)

    def _lost(self) -> None:
        try:
            self.connection_lost()
        finally:
            self._sock.close()
