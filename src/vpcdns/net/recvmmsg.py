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
from typing import Any, Final

_NAME: Final = 32  # a sockaddr_in6 has 28 octets
_CONTROL: Final = 64  # an in6_pktinfo with its header has 40 (RFC 3542 §6.1)
_HEADER: Final = 64  # struct mmsghdr: a msghdr of 56, msg_len, 4 of padding
_NONE_THERE: Final = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR})
_MSG_DONTWAIT: Final = int(socket.MSG_DONTWAIT)

# Offsets in words of 4 octets, in `headers`; then in words of 8.
_HEADER_WORDS: Final = _HEADER // 4
_FLAGS_WORD: Final = 12
_LENGTH_WORD: Final = 14
_WIDE: Final = _HEADER // 8
_CONTROL_LENGTH_WIDE: Final = 5

Envelope = tuple[Any, Any]  # who is answered, and the ancillary data; only a Batch looks into it


def is_available() -> bool:
    """Whether this platform has the calls, with the structures as they are written down here."""
    if not sys.platform.startswith("linux") or struct.calcsize("P") != 8:
        return False
    libc = ctypes.CDLL(None)
    return hasattr(libc, "recvmmsg") and hasattr(libc, "sendmmsg")


class Batch:
    """Room for `size` datagrams of one socket, with at most `room` octets each.

    `slots` says where each has its parts, because the loop over them is the hottest of the program: an
    accessor costs more than what it would fetch. A slot is its number, its octets, the peer's IPv6 address;
    the index of the length in `headers`, of the IPv4 address in `names`, of the length to send in `vectors`.
    """

    def __init__(self, sock: socket.socket, size: int, room: int, *, ancillary: bool) -> None:
        self.size = size
        self._room = room
        self._sock = sock
        self._ancillary = ancillary
        self._fd = sock.fileno()
        self._data = ctypes.create_string_buffer(size * room)
        self._names = ctypes.create_string_buffer(size * _NAME)
        self._controls = ctypes.create_string_buffer(size * _CONTROL)
        self._vectors = ctypes.create_string_buffer(size * 16)
        self._headers = ctypes.create_string_buffer(size * _HEADER)
        self._octets = memoryview(self._data).cast("B")
        self._name_octets = memoryview(self._names).cast("B")
        self._control_octets = memoryview(self._controls).cast("B")
        self._header_octets = memoryview(self._headers).cast("B")
        self._vector_octets = memoryview(self._vectors).cast("B")
        self.names = self._name_octets.cast("I")
        self.headers = self._header_octets.cast("I")
        self.vectors = self._vector_octets.cast("Q")
        self._wide = self._header_octets.cast("Q")
        self.slots = [self._slot(i) for i in range(size)]
        self._at = ctypes.addressof(self._headers)
        self._prepare()

    def _slot(self, i: int) -> tuple[int, memoryview, memoryview, int, int, int]:
        ipv6 = self._name_octets[i * _NAME + 8 : i * _NAME + 24]
        words = i * _HEADER_WORDS + _LENGTH_WORD, i * _NAME // 4 + 1, 2 * i + 1
        return i, self._octets[i * self._room : (i + 1) * self._room], ipv6, *words

    def _prepare(self) -> None:
        """Points every header at its slot's peer, data and ancillary data; finds the calls."""
        data, names = ctypes.addressof(self._data), ctypes.addressof(self._names)
        vectors, controls = ctypes.addressof(self._vectors), ctypes.addressof(self._controls)
        for i in range(self.size):
            self.vectors[2 * i] = data + i * self._room
            self.vectors[2 * i + 1] = self._room
            control = (controls + i * _CONTROL, _CONTROL) if self._ancillary else (0, 0)
            for word, value in enumerate((names + i * _NAME, _NAME, vectors + i * 16, 1, *control)):
                self._wide[i * _WIDE + word] = value
        self._fresh_headers, self._fresh_vectors = bytes(self._headers), bytes(self._vectors)
        libc = ctypes.CDLL(None, use_errno=True)
        self._receive, self._send = libc.recvmmsg, libc.sendmmsg
        arguments = ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int
        self._receive.argtypes, self._send.argtypes = (*arguments, ctypes.c_void_p), arguments

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

    def message(self, i: int) -> bytes:
        """The datagram in slot i."""
        return bytes(self.slots[i][1][: self.headers[i * _HEADER_WORDS + _LENGTH_WORD]])

    def port(self, i: int) -> int:
        """The port that it came from; 0 if nothing can be sent there, or if it did not fit in the slot."""
        if self.headers[i * _HEADER_WORDS + _FLAGS_WORD] & socket.MSG_TRUNC:
            return 0
        return int.from_bytes(self._name_octets[i * _NAME + 2 : i * _NAME + 4], "big")

    def put(self, i: int, response: bytes) -> None:
        """What slot i sends."""
        self.slots[i][1][: len(response)] = response
        self.vectors[2 * i + 1] = len(response)

    def envelope(self, i: int) -> Envelope:
        """What is needed to answer slot i later."""
        name = bytes(self._name_octets[i * _NAME : (i + 1) * _NAME])
        if not self._ancillary:
            return name, b""
        at, length = i * _CONTROL, self._wide[i * _WIDE + _CONTROL_LENGTH_WIDE]
        return name, bytes(self._control_octets[at : at + length])

    def address(self, i: int, envelope: Envelope) -> None:
        """Slot i is sent to whoever is on the envelope."""
        name, control = envelope
        self._name_octets[i * _NAME : (i + 1) * _NAME] = name
        if self._ancillary:
            self._control_octets[i * _CONTROL : i * _CONTROL + len(control)] = control
            self._wide[i * _WIDE + _CONTROL_LENGTH_WIDE] = len(control)


class PlainBatch(Batch):
    """The same without recvmmsg(2) and sendmmsg(2): a call for each datagram."""

    def _prepare(self) -> None:
        self._envelopes: list[Envelope] = [((), ())] * self.size

    def receive(self) -> int:
        room = _CONTROL if self._ancillary else 0
        for i, octets, _, length_word, _, _ in self.slots:
            try:
                length, control, flags, address = self._sock.recvmsg_into((octets,), room)
            except OSError as error:
                if i or isinstance(error, BlockingIOError):
                    return i
                raise
            self._envelopes[i] = address, control
            self.headers[length_word], self.headers[i * _HEADER_WORDS + _FLAGS_WORD] = length, flags
            host = socket.inet_pton(self._sock.family, address[0].partition("%")[0])
            name = bytes(2) + address[1].to_bytes(2, "big") + (host if len(host) == 4 else bytes(4) + host)
            self._name_octets[i * _NAME : i * _NAME + len(name)] = name
        return self.size

    def send(self, first: int, end: int) -> int:
        """Sends slot `first`."""
        (address, control), octets = self._envelopes[first], self.slots[first][1]
        self._sock.sendmsg((octets[: self.vectors[2 * first + 1]],), control, 0, address)
        return 1

    def envelope(self, i: int) -> Envelope:
        return self._envelopes[i]

    def address(self, i: int, envelope: Envelope) -> None:
        self._envelopes[i] = envelope


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))  # BlockingIOError and its like by themselves
