"""recvmmsg(2) and sendmmsg(2) through ctypes: datagrams in batches, over buffers allocated once.

Knows the kernel's structures, and nothing of DNS. One array of headers serves both calls: what the kernel
wrote into it on receiving (peer, ancillary data) is what sending needs, so that a response leaves from the
address asked without anybody looking at it.
"""

from __future__ import annotations

import ctypes
import socket
from typing import Final

SLOT: Final = 4_096
_NAME: Final = 32  # sockaddr_in6 has 28
_CONTROL: Final = 64  # room for an in6_pktinfo
_HEADER: Final = 64  # struct mmsghdr on 64-bit Linux: msghdr of 56, msg_len, padding
_MSG_DONTWAIT: Final = 0x40


class Batch:
    """Room for `size` datagrams.

    `octets` are the slots, each SLOT long; `lengths[4 * i]` ... see the properties below. Offsets into the
    views are multiplied out by the caller's loop, which is the hottest of the program.
    """

    def __init__(self, sock: socket.socket, size: int, *, ancillary: bool) -> None:
        self.size = size
        self._fd = sock.fileno()
        self._data = ctypes.create_string_buffer(size * SLOT)
        self._names = ctypes.create_string_buffer(size * _NAME)
        self._controls = ctypes.create_string_buffer(size * _CONTROL)
        self._vectors = ctypes.create_string_buffer(size * 16)
        self._headers = ctypes.create_string_buffer(size * _HEADER)
        self.octets = memoryview(self._data).cast("B")
        self.names = memoryview(self._names).cast("B").cast("I")  # 8 a slot; [8 i + 1] an IPv4 address
        self.vectors = memoryview(self._vectors).cast("B").cast("Q")  # [2 i + 1] is the length to send
        self.headers = memoryview(self._headers).cast("B").cast("I")  # 16 a slot; [16 i + 14] length received
        self._fill(ancillary)
        self._fresh_vectors = bytes(self._vectors)
        self._fresh_headers = bytes(self._headers)
        self._raw_vectors = memoryview(self._vectors).cast("B")
        self._raw_headers = memoryview(self._headers).cast("B")
        self._at = ctypes.addressof(self._headers)
        libc = ctypes.CDLL(None, use_errno=True)
        self._recvmmsg, self._sendmmsg = libc.recvmmsg, libc.sendmmsg
        self._recvmmsg.argtypes = [
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_void_p,
        ]
        self._sendmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]

    def _fill(self, ancillary: bool) -> None:
        wide = memoryview(self._headers).cast("B").cast("Q")
        for i in range(self.size):
            self.vectors[2 * i] = ctypes.addressof(self._data) + i * SLOT
            self.vectors[2 * i + 1] = SLOT
            wide[8 * i] = ctypes.addressof(self._names) + i * _NAME
            wide[8 * i + 1] = _NAME
            wide[8 * i + 2] = ctypes.addressof(self._vectors) + i * 16
            wide[8 * i + 3] = 1
            wide[8 * i + 4] = ctypes.addressof(self._controls) + i * _CONTROL if ancillary else 0
            wide[8 * i + 5] = _CONTROL if ancillary else 0

    def receive(self) -> int:
        """How many datagrams came, at most `size`; 0 when there are none; -1 on an error."""
        self._raw_headers[:] = self._fresh_headers
        self._raw_vectors[:] = self._fresh_vectors
        return int(self._recvmmsg(self._fd, self._at, self.size, _MSG_DONTWAIT, None))

    def send(self, first: int, end: int) -> int:
        """Sends the slots from `first` up to `end`; how many the kernel took, or -1."""
        return int(self._sendmmsg(self._fd, self._at + first * _HEADER, end - first, _MSG_DONTWAIT))
