"""What answers in a lab: vpcdns as everybody's resolver, and an HTTP responder at every address of a gateway.

One thread with an event loop, in the resolver's namespace; the responder's sockets are made in those of the
VPCs. They follow a World that changes.
"""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, Final

from vpcdns.lab.blueprint import DNS_NAMESPACE, RESOLVER, Blueprint
from vpcdns.lab.kernel import Kernel, inside, setns
from vpcdns.listen.service import Service
from vpcdns.model.policy import Listen
from vpcdns.model.world import World
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

HTTP: Final = 80
_IP_FREEBIND: Final = 15  # linux/in.h


class Services:
    """The resolver of a World, and the responder that says which instance each address is."""

    def __init__(self, kernel: Kernel, plan: Blueprint, world: World) -> None:
        self._kernel, self._state = kernel, State(world)
        self._servers: dict[tuple[str, str], asyncio.Server] = {}
        self._said: dict[tuple[str, str], str] = {}
        self._resolver = Resolver(self._state)
        self._service = Service(self._resolver, [Listen(RESOLVER, 53)])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab services", daemon=True)
        self._thread.start()
        try:
            self._do(self._start(plan))
        except BaseException:
            self._end()
            raise

    def change(self, plan: Blueprint, world: World) -> None:
        """Serves another World from here on, at the addresses of its blueprint and nowhere else."""
        self._do(self._follow(plan, world))

    def close(self) -> None:
        self._do(self._stop())
        self._end()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self, plan: Blueprint) -> None:
        setns(self._kernel.path(DNS_NAMESPACE))
        await self._service.start()
        await self._listen(plan)

    async def _stop(self) -> None:
        await self._service.stop()
        self._resolver.forwarder.close()
        for server in self._servers.values():
            server.close()

    async def _follow(self, plan: Blueprint, world: World) -> None:
        self._state.reload(world)
        await self._listen(plan)

    async def _listen(self, plan: Blueprint) -> None:
        said = {
            (namespace.name, str(address)): text
            for namespace in plan.namespaces
            for address, text in namespace.listeners
        }
        for key in set(self._servers) - set(said):
            self._servers.pop(key).close()
        for key in set(said) - set(self._servers):
            answer = partial(self._answer, key)
            self._servers[key] = await asyncio.start_server(answer, sock=self._bound(*key), backlog=128)
        self._said = said

    def _bound(self, name: str, address: str) -> socket.socket:
        with inside(self._kernel.path(name)):
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        sock.bind((address, HTTP))
        return sock

    async def _answer(
        self, key: tuple[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        body = f"{self._said.get(key, '')} at {key[1]} in {key[0]}\n".encode()
        head = f"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        with suppress(OSError):  # the peer is gone, or says nothing for a second
            writer.write_eof()
            # A request that nobody reads would turn our close into a reset.
            await asyncio.wait_for(reader.read(4096), 1)
        writer.close()
