"""recvmmsg(2) and sendmmsg(2) through ctypes: datagrams in batches, over buffers allocated once.

Knows the kernel's structures (64-bit Linux), and nothing of DNS. One array of headers serves both calls:
what the kernel wrote into it on receiving, peer and ancillary data, is what sending needs, so a response
leaves from the address asked without anybody looking at it.
"""

import ctypes
import errno
import os
import socket
import struct
import sys
from typing import Final

# Our queries never need more (security.md §3); 4,096 is also the largest size that resolvers ever announced.
RECEIVE_AT_MOST: Final = 4_096
SLOT: Final = RECEIVE_AT_MOST
NAME: Final = 32  # a sockaddr_in6 has 28 octets
CONTROL: Final = 64  # an in6_pktinfo with its header has 40
_HEADER: Final = 64  # struct mmsghdr: a msghdr of 56, msg_len, 4 of padding
_NONE_THERE: Final = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR})
_MSG_DONTWAIT: Final = int(socket.MSG_DONTWAIT)

# Offsets in words of 4 octets, for loops over `headers` and `names`.
HEADER_WORDS: Final = _HEADER // 4
FLAGS_WORD: Final = 12
LENGTH_WORD: Final = 14
NAME_WORDS: Final = NAME // 4
IPV4_WORD: Final = 1
# The same in words of 8.
_WIDE: Final = _HEADER // 8
_CONTROL_LENGTH_WIDE: Final = 5

Envelope = tuple[bytes, bytes]


def is_available() -> bool:
    """Whether this platform has the calls, with the structures as they are written down here."""
    if not sys.platform.startswith("linux") or struct.calcsize("P") != 8:
        return False
    libc = ctypes.CDLL(None)
    return hasattr(libc, "recvmmsg") and hasattr(libc, "sendmmsg")


class Batch:
    """Room for `size` datagrams of one socket.

    Slot i has its data at `octets[i * SLOT:]`, its length at `headers[i * HEADER_WORDS + LENGTH_WORD]`, its
    peer at `names[i * NAME_WORDS:]`; `vectors[2 * i + 1]` is how much of it is sent. The views are plain
    arithmetic away because the loop over them is the hottest of the program: an accessor costs more than
    what it would fetch.
    """

    def __init__(self, sock: socket.socket, size: int, *, ancillary: bool) -> None:
        self.size = size
        self._fd = sock.fileno()
        self._data = ctypes.create_string_buffer(size * SLOT)
        self._names = ctypes.create_string_buffer(size * NAME)
        self._controls = ctypes.create_string_buffer(size * CONTROL)
        self._vectors = ctypes.create_string_buffer(size * 16)
        self._headers = ctypes.create_string_buffer(size * _HEADER)
        self.octets = memoryview(self._data).cast("B")
        self.name_octets = memoryview(self._names).cast("B")
        self.control_octets = memoryview(self._controls).cast("B")
        self._header_octets = memoryview(self._headers).cast("B")
        self._vector_octets = memoryview(self._vectors).cast("B")
        self.names = self.name_octets.cast("I")
        self.headers = self._header_octets.cast("I")
        self.vectors = self._vector_octets.cast("Q")
        self._wide = self._header_octets.cast("Q")
        self._ancillary = ancillary
        self._point()
        self._fresh_headers = bytes(self._headers)
        self._fresh_vectors = bytes(self._vectors)
        self._at = ctypes.addressof(self._headers)
        libc = ctypes.CDLL(None, use_errno=True)
        self._receive, self._send = libc.recvmmsg, libc.sendmmsg
        fd, at, count, flags, timeout = (
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_void_p,
        )
        self._receive.argtypes = (fd, at, count, flags, timeout)
        self._send.argtypes = (fd, at, count, flags)

    def _point(self) -> None:
        """Points every header at its slot's peer, data and ancillary data."""
        data, names = ctypes.addressof(self._data), ctypes.addressof(self._names)
        vectors, controls = ctypes.addressof(self._vectors), ctypes.addressof(self._controls)
        for i in range(self.size):
            self.vectors[2 * i] = data + i * SLOT
            self.vectors[2 * i + 1] = SLOT
            control = (controls + i * CONTROL, CONTROL) if self._ancillary else (0, 0)
            for word, value in enumerate((names + i * NAME, NAME, vectors + i * 16, 1, *control)):
                self._wide[i * _WIDE + word] = value

    def receive(self) -> int:
        """How many datagrams came, at most `size`. Raises OSError."""
        self._header_octets[:] = self._fresh_headers
        self._vector_octets[:] = self._fresh_vectors
        count: int = self._receive(self._fd, self._at, self.size, _MSG_DONTWAIT, None)
        if count < 0:
            number = ctypes.get_errno()
            if number in _NONE_THERE:
                return 0
            raise _error(number)
        return count

    def send(self, first: int, end: int) -> int:
        """Sends the slots from `first` up to `end`; how many the kernel took. Raises OSError if none."""
        count: int = self._send(self._fd, self._at + first * _HEADER, end - first, _MSG_DONTWAIT)
        if count < 0:
            raise _error(ctypes.get_errno())
        return count

    def envelope(self, i: int) -> Envelope:
        """What is needed to answer slot i later: the peer, and the ancillary data, if there is any."""
        name = bytes(self.name_octets[i * NAME : (i + 1) * NAME])
        if not self._ancillary:
            return name, b""
        at, length = i * CONTROL, self._wide[i * _WIDE + _CONTROL_LENGTH_WIDE]
        return name, bytes(self.control_octets[at : at + length])

    def address(self, i: int, envelope: Envelope, response: bytes) -> None:
        """Makes slot i a response to whoever is on the envelope."""
        name, control = envelope
        self.name_octets[i * NAME : (i + 1) * NAME] = name
        at = i * SLOT
        self.octets[at : at + len(response)] = response
        self.vectors[2 * i + 1] = len(response)
        if self._ancillary:
            self.control_octets[i * CONTROL : i * CONTROL + len(control)] = control
            self._wide[i * _WIDE + _CONTROL_LENGTH_WIDE] = len(control)


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))  # BlockingIOError and its like by themselves
