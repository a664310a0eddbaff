"""Peers that mean no good: random octets, damaged queries, strangers, and rude or greedy TCP peers."""

import asyncio
import random
import socket
from collections import Counter
from contextlib import suppress
from typing import Final

import dns.message

from tests.soak.truth import PORT, STRANGER, domain
from tests.soak.upstreams import LARGE

RUDE: Final = 20  # connections at a time
GREEDY: Final = 10
_DATAGRAMS_PER_SECOND: Final = 200.0
_PIPELINED: Final = 400
_SOURCES: Final = ((STRANGER, "127.0.0.1"), ("127.10.0.5", "127.0.0.1"), ("fd00:a::5", "::1"), ("::1", "::1"))


def damaged() -> bytes:
    """Octets of no meaning, or a good query with a few of them changed, cut out or put in."""
    if random.random() < 0.3:
        return random.randbytes(random.randint(0, 600))
    message = bytearray(dns.message.make_query(domain("a", random.randrange(9)), "A", use_edns=0).to_wire())
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(message))
        message[at : at + random.randint(0, 3)] = random.randbytes(random.randint(0, 3))
    return bytes(message)


def _socket(kind: socket.SocketKind) -> tuple[socket.socket, str]:
    source, server = random.choice(_SOURCES)
    sock = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, kind)
    sock.setblocking(False)
    sock.bind((source, 0))
    return sock, server


class Hostile:
    """Each method goes on until `over`; `done` counts what they did."""

    def __init__(self, over: asyncio.Event) -> None:
        self.done: Counter[str] = Counter()
        self._over = over

    async def run(self) -> None:
        rude = (self._rude() for _ in range(RUDE))
        await asyncio.gather(self._flood(), *rude, *(self._greedy() for _ in range(GREEDY)))

    async def _flood(self) -> None:
        """UDP from strangers and from clients; nobody reads what comes back."""
        while not self._over.is_set():
            sock, server = _socket(socket.SOCK_DGRAM)
            with sock:
                for _ in range(10):
                    with suppress(OSError):
                        sock.sendto(damaged(), (server, PORT))
                        self.done["datagrams"] += 1
            await asyncio.sleep(10 / _DATAGRAMS_PER_SECOND)

    async def _rude(self) -> None:
        """TCP connections that send an octet at a time, stop in the middle, reset, or never read."""
        loop = asyncio.get_running_loop()
        while not self._over.is_set():
            message = damaged()
            octets = (random.choice([len(message), 0xFFFF, 3, 200]) & 0xFFFF).to_bytes(2, "big") + message
            sock, server = _socket(socket.SOCK_STREAM)
            with sock, suppress(OSError):
                await loop.sock_connect(sock, (server, PORT))
                self.done["connections"] += 1
                if random.random() < 0.3:  # ends by a reset
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                for octet in octets[: random.randint(0, 40)]:
                    await loop.sock_sendall(sock, bytes((octet,)))
                    await asyncio.sleep(random.choice([0.0, 0.01, 0.2]))
                if random.random() < 0.5:
                    await loop.sock_sendall(sock, octets * 20)
                    await asyncio.sleep(random.random())
            await asyncio.sleep(0.05)

    async def _greedy(self) -> None:
        """TCP connections that ask for 25 MB in a row, and do not read."""
        loop = asyncio.get_running_loop()
        query = dns.message.make_query(LARGE, "TXT").to_wire()
        octets = (len(query).to_bytes(2, "big") + query) * _PIPELINED
        while not self._over.is_set():
            sock, server = _socket(socket.SOCK_STREAM)
            with sock, suppress(OSError, TimeoutError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                await loop.sock_connect(sock, (server, PORT))
                self.done["greedy connections"] += 1
                await asyncio.wait_for(loop.sock_sendall(sock, octets), 5)
                await asyncio.sleep(random.uniform(2, 8))
            await asyncio.sleep(0.2)
