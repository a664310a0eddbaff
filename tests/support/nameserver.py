"""A real nameserver for tests: UDP and TCP on one port of loopback, bound before it returns.

What it answers is a function of the query and the transport; whatever that returns is sent as it is, so
that it can be as wrong as a test wants. It runs in a thread of its own and has no sleeps.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Literal

import dns.message
import dns.rrset

from vpcdns.model.policy import Upstream
from vpcdns.model.topology import Address

Transport = Literal["udp", "tcp"]
# Messages to send for one query: none is silence.
Script = Callable[[bytes, Transport], Iterable[bytes]]


def answering(*records: str, rcode: int = 0) -> Script:
    """Answers every query with those records in zone-file form, owner names absolute without the dot."""
    rrsets = [dns.rrset.from_text(*_parts(record)) for record in records]

    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        response = dns.message.make_response(dns.message.from_wire(message))
        response.set_rcode(dns.rcode.Rcode(rcode))
        response.answer.extend(rrsets)
        yield response.to_wire(max_size=65_535)

    return script


def _parts(record: str) -> tuple[str, int, str, str, str]:
    name, ttl, rclass, rtype, rdata = record.split(" ", 4)
    return f"{name}.", int(ttl), rclass, rtype, rdata


class Nameserver:
    """Serves `script` while it is entered.

    `queries` are the messages that came, in order; `ports` where they came from, over UDP.
    """

    def __init__(self, script: Script, address: str = "127.0.0.1") -> None:
        self.queries: list[tuple[Transport, bytes]] = []
        self.ports: list[int] = []
        self._script = script
        self._udp, self._tcp = bound(address)
        self._stop_reader, self._stop_writer = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def upstream(self) -> Upstream:
        from ipaddress import ip_address

        host, port = self._udp.getsockname()[:2]
        address: Address = ip_address(host)
        return Upstream(address, port)

    def __enter__(self) -> Nameserver:
        # Here and not in the thread: tests that count descriptors must not see it come later.
        self._selector = selectors.DefaultSelector()
        for sock in (self._udp, self._tcp, self._stop_reader):
            self._selector.register(sock, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._stop_writer.send(b"x")
        self._thread.join(10)
        for sock in (self._udp, self._tcp, self._stop_reader, self._stop_writer):
            sock.close()

    def _serve(self) -> None:
        with self._selector as selector:
            connections: dict[socket.socket, bytes] = {}
            while True:
                for key, _ in selector.select():
                    assert isinstance(key.fileobj, socket.socket)
                    sock = key.fileobj
                    if sock is self._stop_reader:
                        for connection in connections:
                            connection.close()
                        return
                    if sock is self._udp:
                        self._datagram()
                    elif sock is self._tcp:
                        connection = sock.accept()[0]
                        connections[connection] = b""
                        selector.register(connection, selectors.EVENT_READ)
                    elif (rest := self._stream(sock, connections[sock])) is None:
                        selector.unregister(sock)
                        del connections[sock]
                        sock.close()
                    else:
                        connections[sock] = rest

    def _datagram(self) -> None:
        message, peer = self._udp.recvfrom(65535)
        self.queries.append(("udp", message))
        self.ports.append(peer[1])
        for response in self._script(message, "udp"):
            with suppress(OSError):
                self._udp.sendto(response, peer)

    def _stream(self, sock: socket.socket, unread: bytes) -> bytes | None:
        """Answers what is complete; the rest, or None when the connection is over."""
        with suppress(OSError):
            octets = sock.recv(65535)
            if not octets:
                return None
            unread += octets
            while len(unread) >= 2 and len(unread) >= 2 + int.from_bytes(unread[:2], "big"):
                length = int.from_bytes(unread[:2], "big")
                message, unread = unread[2 : 2 + length], unread[2 + length :]
                self.queries.append(("tcp", message))
                for response in self._script(message, "tcp"):
                    sock.sendall(len(response).to_bytes(2, "big") + response)
            return unread
        return None


def bound(address: str) -> tuple[socket.socket, socket.socket]:
    """UDP and TCP on one port that was free."""
    for _ in range(20):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((address, 0))
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind(udp.getsockname())
        except OSError:
            udp.close()
            tcp.close()
            continue
        tcp.listen()
        return udp, tcp
    raise OSError("no port is free for both UDP and TCP")
