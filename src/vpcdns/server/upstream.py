"""One attempt at one upstream, over UDP or TCP: a fresh socket, a random id, a strict ear.

Knows sockets and which octets count as the response (RFC 5452 §9.1: address, port, id and question all
match). Who is asked, and how often, is for `forwarder`.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from enum import Enum, auto
from typing import Final, Protocol

from vpcdns.errors import MalformedMessage
from vpcdns.model.policy import Upstream
from vpcdns.wire.query import Query
from vpcdns.wire.relay import Relayed, answers_question, read_response, write_upstream_query

LocalPorts = set[tuple[str, int]]

_MAX_MESSAGE: Final = 65_535
_DISCARDS_AT_MOST: Final = 16  # a flood of wrong responses ends the ear, not the process


class Fault(Enum):
    """Why an attempt came to nothing."""

    UNREACHABLE = auto()
    UNUSABLE = auto()


class Listener(Protocol):
    """Who wants to hear how an attempt went; each attempt ends with `received` or `failed`, once."""

    def received(self, attempt: Attempt, relayed: Relayed) -> None: ...
    def failed(self, attempt: Attempt, fault: Fault) -> None: ...
    def discarded(self, attempt: Attempt, *, wrong_id: bool) -> None: ...


class Attempt:
    """What the two transports share. `close` may come at any time, and twice."""

    def __init__(self, upstream: Upstream, query: Query, listener: Listener, ports: LocalPorts) -> None:
        self.upstream = upstream
        self._query = query
        self._listener = listener
        self._ports = ports
        self._loop = asyncio.get_running_loop()
        self._id = secrets.randbits(16)
        self._sock: socket.socket | None = None
        self._local: tuple[str, int] | None = None

    def start(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        if self._local is not None:
            self._ports.discard(self._local)
            self._local = None
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def _open(self, kind: socket.SocketKind) -> socket.socket:
        family = socket.AF_INET if self.upstream.address.version == 4 else socket.AF_INET6
        self._sock = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        return self._sock

    def _opened(self, sock: socket.socket) -> None:
        """Remembers our end, so that a query from there is known as a loop."""
        host, port = sock.getsockname()[:2]
        self._local = (host, port)
        self._ports.add(self._local)

    @property
    def _address(self) -> tuple[str, int]:
        return str(self.upstream.address), self.upstream.port

    def _read(self, octets: bytes) -> Relayed:
        """The response, or MalformedMessage for anything else."""
        if not answers_question(octets, self._id, self._query.question_wire):
            raise MalformedMessage("not an answer to our question")
        return read_response(octets)

    def _wrong_id(self, octets: bytes) -> bool:
        """Whether all is right but the id: somebody may be guessing, so TCP is asked (as BIND does)."""
        theirs = int.from_bytes(octets[:2], "big")
        return theirs != self._id and answers_question(octets, theirs, self._query.question_wire)


class UdpAttempt(Attempt):
    """One datagram out; waits for its answer until it is closed."""

    def start(self) -> None:
        self._discards = 0
        try:
            sock = self._open(socket.SOCK_DGRAM)
            sock.connect(self._address)  # binds to a random port, and hears no other peer
            self._opened(sock)
            sock.send(write_upstream_query(self._query, self._id))
        except OSError:
            # Told later: whoever starts an attempt is not done starting it.
            self._loop.call_soon(self._fail, Fault.UNREACHABLE)
            return
        self._loop.add_reader(sock.fileno(), self._readable)

    def close(self) -> None:
        if self._sock is not None:
            self._loop.remove_reader(self._sock.fileno())
        super().close()

    def _readable(self) -> None:
        if self._sock is None:
            return
        try:
            octets = self._sock.recv(_MAX_MESSAGE)
        except BlockingIOError:
            return
        except OSError:  # ECONNREFUSED and its kin: an ICMP message came back
            self._fail(Fault.UNREACHABLE)
            return
        try:
            relayed = self._read(octets)
        except MalformedMessage:
            self._discards += 1
            if self._discards >= _DISCARDS_AT_MOST:
                self._fail(Fault.UNUSABLE)
            else:
                self._listener.discarded(self, wrong_id=self._wrong_id(octets))
            return
        self._listener.received(self, relayed)

    def _fail(self, fault: Fault) -> None:
        if self._sock is not None or fault is Fault.UNREACHABLE:
            self._listener.failed(self, fault)


class TcpAttempt(Attempt):
    """One connection, one question; what comes first must be the answer."""

    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = self._loop.create_task(self._exchange())

    def close(self) -> None:
        # The task closes the socket: the loop still watches its descriptor, whose number may be given anew.
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    async def _exchange(self) -> None:
        try:
            await self._ask()
        finally:
            super().close()

    async def _ask(self) -> None:
        try:
            sock = self._open(socket.SOCK_STREAM)
            await self._loop.sock_connect(sock, self._address)
            self._opened(sock)
            message = write_upstream_query(self._query, self._id)
            await self._loop.sock_sendall(sock, len(message).to_bytes(2, "big") + message)
            length = int.from_bytes(await self._receive(sock, 2), "big")
            relayed = self._read(await self._receive(sock, length))
        except OSError:
            self._listener.failed(self, Fault.UNREACHABLE)
        except (MalformedMessage, EOFError):
            self._listener.failed(self, Fault.UNUSABLE)
        else:
            self._listener.received(self, relayed)

    async def _receive(self, sock: socket.socket, count: int) -> bytes:
        octets = b""
        while len(octets) < count:
            more = await self._loop.sock_recv(sock, count - len(octets))
            if not more:
                raise EOFError
            octets += more
        return octets
