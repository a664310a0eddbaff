"""Traffic that means no good: random octets, damaged queries, strangers, and rude TCP peers."""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import suppress

import dns.message

from tests.soak.truth import STRANGER, domain


def damaged(chance: random.Random) -> bytes:
    """Octets of no meaning, or a good query with a few of them changed, cut out or put in."""
    if chance.random() < 0.3:
        return chance.randbytes(chance.randint(0, 600))
    message = bytearray(dns.message.make_query(domain("a", chance.randrange(9)), "A", use_edns=0).to_wire())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(message))
        message[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    return bytes(message)


async def flood(port: int, per_second: float, until: float) -> int:
    """UDP from a stranger and from a client; nobody reads what comes back."""
    loop, chance, sent = asyncio.get_running_loop(), random.Random(1), 0
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        one.bind((STRANGER, 0))
        other.bind(("127.10.0.66", 0))
        for sock in (one, other):
            sock.setblocking(False)
        while loop.time() < until:
            for _ in range(10):
                with suppress(OSError):
                    chance.choice((one, other)).sendto(damaged(chance), ("127.0.0.1", port))
                    sent += 1
            await asyncio.sleep(10 / per_second)
    return sent


async def rude(port: int, number: int, until: float) -> int:
    """TCP connections that send an octet at a time, stop in the middle, reset, or never read."""
    loop, chance, made = asyncio.get_running_loop(), random.Random(number), 0
    while loop.time() < until:
        message = damaged(chance)
        octets = (chance.choice([len(message), 0xFFFF, 3, 200]) & 0xFFFF).to_bytes(2, "big") + message
        with socket.socket() as sock:
            sock.setblocking(False)
            with suppress(OSError, TimeoutError):
                await loop.sock_connect(sock, ("127.0.0.1", port))
                made += 1
                if chance.random() < 0.3:
                    sock.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
                    )  # ends by a reset
                for octet in octets[: chance.randint(0, 40)]:
                    await loop.sock_sendall(sock, bytes((octet,)))
                    await asyncio.sleep(chance.choice([0.0, 0.01, 0.2]))
                    if loop.time() >= until:
                        break
                if chance.random() < 0.5:
                    await loop.sock_sendall(sock, octets * 20)
                    await asyncio.sleep(chance.random())
        await asyncio.sleep(0.05)
    return made
