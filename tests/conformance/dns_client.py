"""Octets to a served port and back, over UDP and TCP, with silence told apart from slowness.

Behind every message goes one that is always answered: whoever answers the second first was silent.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

import dns.message

from tests.support.messages import query, read

DEADLINE = 10.0
MARKER = query("version.bind", "TXT", rclass="CH", identity=0xFFFF).to_wire()

Ask = Callable[[bytes, int, str], bytes | None]


def over_udp(message: bytes, port: int, source: str = "127.0.0.1") -> bytes | None:
    """The response; None when there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.settimeout(DEADLINE)
        sock.connect(("127.0.0.1", port))
        sock.send(message)
        sock.send(MARKER)
        response = sock.recv(65535)
        return None if response[:2] == b"\xff\xff" else response


def over_tcp(message: bytes, port: int, source: str = "127.0.0.1") -> bytes | None:
    """The response; None when the connection is closed instead."""
    with socket.create_connection(("127.0.0.1", port), DEADLINE, (source, 0)) as sock:
        sock.sendall(len(message).to_bytes(2, "big") + message)
        with sock.makefile("rb") as stream:
            length = stream.read(2)
            return stream.read(int.from_bytes(length, "big")) if length else None


TRANSPORTS: list[Ask] = [over_udp, over_tcp]


def asked(
    ask: Ask, message: bytes | dns.message.Message, port: int, source: str = "127.0.0.1"
) -> dns.message.Message:
    """The response, read strictly; fails when there is none."""
    octets = message if isinstance(message, bytes) else message.to_wire()
    response = ask(octets, port, source)
    assert response is not None, "no response"
    found = read(response)
    assert found.id == int.from_bytes(octets[:2], "big")
    return found
