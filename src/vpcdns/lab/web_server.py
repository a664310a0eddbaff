"""HTTP and HTTPS at the lab's listeners: requests in, what `virtual_hosts` answers out.

Knows TCP, TLS and HTTP/1.1 (h11). A socket belongs to the namespace that its thread is in when it is made.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from http import HTTPStatus
from typing import Final
from uuid import uuid4

import h11

from vpcdns.lab.certificates import Authority
from vpcdns.lab.parts import Listener
from vpcdns.lab.virtual_hosts import Answered, answer, certified_name
from vpcdns.model.world import World

HTTP, HTTPS = 80, 443
_IP_FREEBIND: Final = 15  # linux/in.h
_IDLE: Final = 15.0  # seconds that a connection may say nothing
_READ: Final = 65_536
_HEADERS: Final = "latin-1"  # RFC 9110 §5.5: octets above ASCII are to be opaque
Place = tuple[str, str]  # a namespace's name and an address in it


class WebServer:
    """Answers at places that change. `inside` moves this thread into a namespace for a while."""

    def __init__(self, authority: Authority, inside: Callable[[str], AbstractContextManager[None]]) -> None:
        self._authority, self._inside = authority, inside
        self._servers: dict[Place, list[asyncio.Server]] = {}
        self._listeners: dict[Place, Listener] = {}
        self._world = World()

    async def follow(self, listeners: dict[Place, Listener], world: World) -> None:
        """Answers there from here on, and nowhere else."""
        for place in set(self._servers) - set(listeners):
            for server in self._servers.pop(place):
                server.close()
        self._listeners, self._world = listeners, world
        for place in listeners:
            if place not in self._servers:
                self._servers[place] = await self._start(place)

    def close(self) -> None:
        for servers in self._servers.values():
            for server in servers:
                server.close()

    async def _start(self, place: Place) -> list[asyncio.Server]:
        serve, tls = partial(self._serve, place), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.sni_callback = partial(self._choose, place)
        return [
            await asyncio.start_server(serve, sock=self._bound(place, port), ssl=context, backlog=128)
            for port, context in ((HTTP, None), (HTTPS, tls))
        ]

    def _bound(self, place: Place, port: int) -> socket.socket:
        with self._inside(place[0]):
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        sock.bind((place[1], port))
        return sock

    def _choose(self, place: Place, tls: ssl.SSLObject, host: str | None, _: ssl.SSLContext) -> None:
        """The certificate for the name that a client asks for; the suffix's for any other."""
        listener, world = self._listeners[place], self._world
        name = certified_name(host or "", listener, world)
        tls.context = self._authority.context(name or f"*.{world.answers.suffix}")

    async def _serve(self, place: Place, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError):  # the peer is gone, or says nothing
            await self._converse(place, reader, writer)
        writer.close()

    async def _converse(
        self, place: Place, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        connection = h11.Connection(h11.SERVER)
        request: h11.Request | None = None
        while True:
            try:
                event = connection.next_event()
            except h11.RemoteProtocolError as error:
                if connection.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
                    refused = Answered(f"{error}\n", error.error_status_hint)
                    writer.write(_octets(connection, refused, b"GET"))
                return
            match event:
                case h11.NEED_DATA:
                    if connection.they_are_waiting_for_100_continue:
                        go_on = h11.InformationalResponse(status_code=100, headers=[])
                        writer.write(connection.send(go_on) or b"")
                    connection.receive_data(await asyncio.wait_for(reader.read(_READ), _IDLE))
                case h11.Request():
                    request = event
                case h11.EndOfMessage() if request is not None:
                    host = next((value for name, value in request.headers if name == b"host"), b"")
                    answered = answer(place[0], self._listeners[place], host.decode(_HEADERS), self._world)
                    writer.write(_octets(connection, answered, request.method))
                    await writer.drain()
                    if connection.our_state is h11.MUST_CLOSE:
                        return
                    connection.start_next_cycle()
                case h11.ConnectionClosed() | h11.PAUSED:
                    return


def _octets(connection: h11.Connection, answered: Answered, method: bytes) -> bytes:
    body, reason = answered.text.encode(), HTTPStatus(answered.status).phrase.encode()
    headers = [
        (b"Content-Type", b"text/plain; charset=utf-8"),
        (b"Content-Length", b"%d" % len(body)),
        (b"X-Ca-Request-Id", str(uuid4()).upper().encode()),
    ]
    if answered.code:
        headers.append((b"X-Ca-Error-Code", answered.code.encode()))
        headers.append((b"X-Ca-Error-Message", answered.message.encode(_HEADERS)))
    events: list[h11.Event] = [h11.Response(status_code=answered.status, headers=headers, reason=reason)]
    events += [h11.Data(data=body)] * (method != b"HEAD")
    return b"".join(connection.send(event) or b"" for event in (*events, h11.EndOfMessage()))
