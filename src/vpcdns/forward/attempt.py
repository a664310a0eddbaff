"""One attempt at one upstream, over UDP or TCP: a random port and id, a strict check.

Knows sockets and which octets count as the response (RFC 5452 §9.1: address, port, id and question all
match). `forwarder` decides who is asked, and how often.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from typing import Final, NamedTuple, Protocol

from vpcdns.errors import MalformedMessage
from vpcdns.forward.ports import Ports, connect_address
from vpcdns.model.cache_limits import TtlLimits
from vpcdns.model.policy import Upstream, addresses_of
from vpcdns.net.binding import FAMILIES
from vpcdns.query import Failure, Forward, ForwardKey
from vpcdns.wire.format import ID_SIZE, LENGTH_SIZE, MAX_TCP_PAYLOAD, NAME_AT
from vpcdns.wire.framing import id_of, length_at, length_prefix, with_id
from vpcdns.wire.relay import without_edns, write_upstream_query
from vpcdns.wire.upstream import Relayed, answers_question, read_answer

LARGE: Final = 4_000  # octets of a response that may take milliseconds to read: one in a pass of the loop
_DISCARDS_AT_MOST: Final = 16  # a flood of wrong responses ends the attempt, not the process
_IDS_AT_ONCE: Final = 256
_TCP: Final = socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC

_received = bytearray(MAX_TCP_PAYLOAD)  # allocated once
_window = memoryview(_received)
_random: list[int] = []


class UpstreamQuery(NamedTuple):
    """What is asked of whom. `message` is without its id, which is another for every attempt.

    `ttls` are the limits of what is handed on and kept; None: nothing is changed, and nothing is kept.
    """

    key: ForwardKey
    upstreams: tuple[Upstream, ...]
    question_wire: bytes
    message: bytes
    ttls: TtlLimits | None

    @property
    def has_edns(self) -> bool:
        return len(self.message) > NAME_AT + len(self.question_wire)  # an OPT record is all that may follow


def upstream_query_of(forward: Forward, key: ForwardKey) -> UpstreamQuery:
    """What is asked on behalf of a query that is to be forwarded."""
    question_wire = forward.question_wire
    message = write_upstream_query(forward.query, question_wire, 0)[ID_SIZE:]
    resolution = forward.resolution
    return UpstreamQuery(key, addresses_of(resolution.upstreams), question_wire, message, resolution.ttls)


class Listener(Protocol):
    """Who wants to hear how an attempt went; each attempt ends with `received` or `failed`, once."""

    def received(self, attempt: Attempt, relayed: Relayed) -> None: ...
    def failed(self, attempt: Attempt, failure: Failure) -> None: ...
    def discarded(self, attempt: Attempt, *, wrong_id: bool) -> None: ...


def random_id() -> int:
    """A message id that nobody can guess; the kernel is asked for many at once."""
    if not _random:
        octets = secrets.token_bytes(2 * _IDS_AT_ONCE)
        _random.extend(memoryview(octets).cast("H"))
    return _random.pop()


class _Attempt:
    """What the two transports share. `close` may come at any time, and twice."""

    def __init__(
        self, upstream: Upstream, upstream_query: UpstreamQuery, listener: Listener, edns: bool, ports: Ports
    ) -> None:
        self.upstream = upstream
        self.edns = edns
        self._upstream_query = upstream_query
        self._listener = listener
        self._ports = ports
        self._id = random_id()
        self._sock: socket.SocketType | None = None
        self._discards = 0

    def sent(self, host: str, port: int, identity: int) -> bool:
        """Whether a query from there with that id is the one that this attempt sent."""
        return (
            identity == self._id and self._sock is not None and self._sock.getsockname()[:2] == (host, port)
        )

    def _message(self) -> bytes:
        query = self._upstream_query
        message = query.message if self.edns else without_edns(query.message, query.question_wire)
        return with_id(self._id, message)

    def _read(self, octets: bytes) -> Relayed:
        """The response, or MalformedMessage for anything else."""
        return read_answer(octets, self._id, self._upstream_query.question_wire)


class UdpAttempt(_Attempt):
    """One datagram out; waits for its answer until it is closed."""

    _answered = False

    def start(self) -> None:
        try:
            self._sock = sock = self._ports.open(self.upstream, self._readable)
            sock.send(self._message())
        except OSError:
            # Later: whoever starts an attempt is not done starting it.
            asyncio.get_running_loop().call_soon(self._listener.failed, self, Failure.UNREACHABLE)

    def close(self) -> None:
        if self._sock is not None:
            self._ports.close(self._sock, answered=self._answered)
            self._sock = None

    def _readable(self, _mask: int) -> bool:
        """Whether it was a large one."""
        if self._sock is None:
            return False
        try:
            octets = _window[: self._sock.recv_into(_received)].tobytes()
        except BlockingIOError:
            return False
        except OSError:  # ECONNREFUSED and its kin: an ICMP message came back
            self._listener.failed(self, Failure.UNREACHABLE)
            return False
        try:
            relayed = self._read(octets)
        except MalformedMessage:
            self._discard(octets)
        else:
            self._answered = self._discards == 0
            self._listener.received(self, relayed)
        return len(octets) > LARGE

    def _discard(self, octets: bytes) -> None:
        self._discards += 1
        if self._discards >= _DISCARDS_AT_MOST:
            self._listener.failed(self, Failure.UNUSABLE)
            return
        # All is right but the id: somebody may be guessing, so TCP is asked (as BIND does).
        theirs = id_of(octets)
        wrong_id = theirs != self._id and answers_question(octets, theirs, self._upstream_query.question_wire)
        self._listener.discarded(self, wrong_id=wrong_id)


class TcpAttempt(_Attempt):
    """One connection, one question; what comes first must be the answer."""

    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._exchange())

    def close(self) -> None:
        # The task closes the socket: the loop still watches its descriptor, whose number may be given anew.
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    async def _exchange(self) -> None:
        try:
            octets = await self._ask()
            if len(octets) > LARGE:
                async with self._ports.large:
                    await asyncio.sleep(0)  # so that those behind it wait, and everything else goes on
                    self._received(octets)
            else:
                self._received(octets)
        except OSError:
            self._listener.failed(self, Failure.UNREACHABLE)
        except (MalformedMessage, EOFError):
            self._listener.failed(self, Failure.UNUSABLE)

    def _received(self, octets: bytes) -> None:
        relayed = self._read(octets)
        if relayed.truncated:
            raise MalformedMessage("truncated over TCP")
        self._listener.received(self, relayed)

    async def _ask(self) -> bytes:
        loop, message = asyncio.get_running_loop(), self._message()
        with socket.socket(FAMILIES[self.upstream.address.version], _TCP) as sock:
            self._sock = sock
            await loop.sock_connect(sock, connect_address(self.upstream))
            await loop.sock_sendall(sock, length_prefix(len(message)) + message)
            length = length_at(await _receive(sock, LENGTH_SIZE), 0)
            return await _receive(sock, length)


async def _receive(sock: socket.socket, count: int) -> bytes:
    """Exactly so many octets; raises EOFError when the peer ends before."""
    loop, octets = asyncio.get_running_loop(), b""
    while len(octets) < count:
        octets += (more := await loop.sock_recv(sock, count - len(octets)))
        if not more:
            raise EOFError
    return octets


Attempt = UdpAttempt | TcpAttempt
