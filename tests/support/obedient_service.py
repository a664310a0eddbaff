"""A responder that does what the query says, a server around it, and clients with deadlines."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

from vpcdns.listen.responder import Answer, PendingResponse
from vpcdns.listen.service import Service
from vpcdns.listen.tcp_limits import TcpLimits
from vpcdns.model.policy import Listen, Transport
from vpcdns.model.topology import Address
from vpcdns.query import Arrival
from vpcdns.recall.forward_routes import FoundRoute
from vpcdns.recall.views import RawPeer, View, Views


def child_environment() -> dict[str, str]:
    """For a Python of its own that imports what this one does."""
    return {"PYTHONPATH": os.pathsep.join(sys.path)}


def query(ident: int, order: bytes = b"echo") -> bytes:
    """A DNS header and an order to `Obedient` where the question would be."""
    return ident.to_bytes(2, "big") + b"\x01\x00" + bytes(8) + order


def response(ident: int, order: bytes = b"echo") -> bytes:
    return ident.to_bytes(2, "big") + b"\x81\x00" + bytes(8) + order


def servfail(ident: int) -> bytes:
    return ident.to_bytes(2, "big") + b"\x81\x02" + bytes(8)


def framed(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(2, "big") + message for message in messages)


class Obedient:
    """Answers as the order in the query says; remembers who asked where."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, Transport, Listen]] = []
        self.proxied: list[Address | None] = []
        self.trusting = False
        self.release = asyncio.Event()
        self.waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def views(self, count: int) -> Views | None:
        return None

    def relay(self, message: bytes, view: View, peer: RawPeer, found: FoundRoute) -> PendingResponse | None:
        return None

    def trusts(self, peer: Address) -> bool:
        return self.trusting

    def respond(self, message: bytes, arrival: Arrival) -> Answer:
        assert arrival.listen is not None
        self.seen.append((str(arrival.peer), arrival.port, arrival.transport, arrival.listen))
        self.proxied.append(arrival.proxied)
        order = message[12:]
        if order == b"raise":
            raise ZeroDivisionError("as ordered")
        if order == b"none":
            return None
        answer = self._answer(message, 60_000 if order.endswith(b"big") else 0)
        if not order.startswith(b"late"):
            return answer
        pending = PendingResponse()
        task = asyncio.get_running_loop().create_task(self._late(answer, order, pending))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return pending

    def servfail(self, message: bytes) -> bytes | None:
        return message[:2] + b"\x81\x02" + bytes(8) if len(message) >= 12 else None

    @staticmethod
    def _answer(message: bytes, extra: int) -> bytes:
        return message[:2] + b"\x81" + message[3:] + bytes(extra)

    async def _late(self, answer: bytes, order: bytes, pending: PendingResponse) -> None:
        self.waiting += 1
        await self.release.wait()
        if order == b"late raise":
            pending.deliver(ZeroDivisionError("as ordered, late"))
        else:
            pending.deliver(None if order == b"late none" else answer)


async def arrived(answer: Answer) -> bytes | None:
    """What there is to send, when it is there."""
    if not isinstance(answer, PendingResponse):
        return answer
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    answer.then(lambda _: future.set_result(None))
    await future
    result = answer.now()
    assert not isinstance(result, PendingResponse)
    return result


def listen_on(*places: tuple[str, int]) -> list[Listen]:
    return [Listen(ip_address(host), port) for host, port in places]


class Served:
    """A running service, its responder, and where it listens."""

    def __init__(self, service: Service, responder: Obedient, listens: tuple[Listen, ...]) -> None:
        self.service = service
        self.responder = responder
        self.listens = listens
        self.port = listens[0].port
        self.counters = service.counters
        self.clients: list[Tcp] = []

    async def tcp(self, host: str = "127.0.0.1", source: str = "127.0.0.1") -> Tcp:
        """A client that is closed with the server."""
        self.clients.append(await Tcp.connect(self.port, host, source))
        return self.clients[-1]

    async def is_serving(self) -> None:
        """Fails, by the deadline at the latest, if a plain query gets no answer over UDP or TCP."""
        with Udp(socket.AF_INET) as udp:
            assert (await udp.ask(query(7), ("127.0.0.1", self.port)))[0] == response(7)
        client = await self.tcp()
        client.send(query(8))
        assert await client.message() == response(8)
        client.close()


@asynccontextmanager
async def serving(
    *hosts: str, limits: TcpLimits | None = None, batches: bool | None = None
) -> AsyncIterator[Served]:
    responder = Obedient()
    listens = listen_on(*((host, 0) for host in hosts or ("127.0.0.1",)))
    service = Service(responder, listens, limits, batches=batches)
    served = Served(service, responder, await service.start())
    try:
        yield served
    finally:
        responder.release.set()
        await service.stop(0)
        for client in served.clients:
            client.close()


class Udp:
    """A UDP client that tells where a response came from."""

    def __init__(self, family: int = socket.AF_INET, source: str | None = None) -> None:
        self._sock = socket.socket(family, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        if source is not None:
            self._sock.bind((source, 0))

    def __enter__(self) -> Udp:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def send(self, message: bytes, to: tuple[str, int]) -> None:
        self._sock.sendto(message, to)

    async def receive(self) -> tuple[bytes, str]:
        octets, address = await asyncio.get_running_loop().sock_recvfrom(self._sock, 65_535)
        return octets, address[0]

    async def ask(self, message: bytes, to: tuple[str, int]) -> tuple[bytes, str]:
        self.send(message, to)
        return await self.receive()


class Tcp:
    """A TCP client that speaks in messages, or in octets when it wants to be rude."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    @classmethod
    async def connect(cls, port: int, host: str = "127.0.0.1", source: str = "127.0.0.1") -> Tcp:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((source, 0))
        try:
            await asyncio.get_running_loop().sock_connect(sock, (host, port))
        except OSError:
            sock.close()
            raise
        return cls(sock)

    def send(self, *messages: bytes) -> None:
        self.write(framed(*messages))

    def write(self, octets: bytes) -> None:
        assert self.sock.send(octets) == len(octets)

    async def read(self, at_most: int = 65_535) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.sock, at_most)

    async def message(self) -> bytes:
        return await self._exactly(int.from_bytes(await self._exactly(2), "big"))

    async def is_closed(self) -> bool:
        """Waits for the end of the connection; whether nothing came before it."""
        try:
            return await self.read() == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.sock.close()

    async def _exactly(self, count: int) -> bytes:
        octets = b""
        while len(octets) < count:
            more = await self.read(count - len(octets))
            assert more, "closed in the middle of a message"
            octets += more
        return octets
