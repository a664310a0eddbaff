"""What answers in a lab: vpcdns as everybody's resolver, and an HTTP responder at every address of a gateway.

Two threads, each with sockets in other namespaces than its own. Knows how to follow a World that changes.
"""

import asyncio
import selectors
import socket
import threading
from pathlib import Path
from typing import Final

from vpcdns.lab.blueprint import DNS_NAMESPACE, RESOLVER, Blueprint
from vpcdns.lab.kernel import Kernel, inside, setns
from vpcdns.listen.service import Service
from vpcdns.model.policy import Listen
from vpcdns.model.world import World
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

HTTP: Final = 80
_STARTED: Final = 10.0  # seconds
_IP_FREEBIND: Final = 15  # linux/in.h


class Responder:
    """Says at every gateway address whose it is; one thread, however many namespaces."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._selector = selectors.DefaultSelector()
        self._listening: dict[tuple[str, str], socket.socket] = {}
        self._said: dict[tuple[str, str], str] = {}
        self._wake, self._waker = socket.socketpair()
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="lab responder", daemon=True)
        self._thread.start()

    def apply(self, plan: Blueprint) -> None:
        """Listens at the addresses of the blueprint, and nowhere else."""
        said = {
            (namespace.name, str(address)): text
            for namespace in plan.namespaces
            for address, text in namespace.listeners
        }
        with self._lock:
            for key in set(self._listening) - set(said):
                self._selector.unregister(self._listening[key])
                self._listening.pop(key).close()
            for name, address in set(said) - set(self._listening):
                self._listening[name, address] = self._listen(name, address)
            self._said = said
        self._waker.send(b".")

    def _listen(self, name: str, address: str) -> socket.socket:
        with inside(self._kernel.path(name)):
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        sock.bind((address, HTTP))
        sock.listen(128)
        sock.setblocking(False)
        self._selector.register(sock, selectors.EVENT_READ, (name, address))
        return sock

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._wake:
                    if not self._wake.recv(64):
                        return
                    continue
                with self._lock:
                    said = f"{self._said.get(key.data, '')} at {key.data[1]} in {key.data[0]}\n"
                self._answer(key.fileobj, said)  # type: ignore[arg-type]

    @staticmethod
    def _answer(listening: socket.socket, text: str) -> None:
        try:
            peer, _ = listening.accept()
        except OSError:  # gone again, or closed by `apply` meanwhile
            return
        body = text.encode()
        head = f"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        with peer:
            try:
                peer.settimeout(1)
                peer.sendall(head.encode() + body)
                peer.shutdown(socket.SHUT_WR)
                peer.recv(4096)  # a request that nobody reads would turn our close into a reset
            except OSError:
                return

    def close(self) -> None:
        self._waker.close()
        self._thread.join()
        for sock in (self._wake, *self._listening.values()):
            sock.close()
        self._selector.close()


class ResolverThread:
    """vpcdns itself, in the namespace that every node has a link to."""

    def __init__(self, kernel: Kernel, world: World) -> None:
        self._state = State(world)
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        arguments = (kernel.path(DNS_NAMESPACE),)
        self._thread = threading.Thread(target=self._run, args=arguments, name="lab resolver", daemon=True)
        self._thread.start()
        self._started.wait(_STARTED)
        if self._failure is not None:
            raise self._failure

    def change(self, world: World) -> None:
        """Serves another World from here on."""
        done = threading.Event()

        def reload() -> None:
            self._state.reload(world)
            done.set()

        self._loop.call_soon_threadsafe(reload)
        done.wait(_STARTED)

    def _run(self, namespace: Path) -> None:
        try:
            setns(namespace)
            self._loop.run_until_complete(self._serve())
        except OSError as error:
            self._failure = error
            self._started.set()
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        resolver = Resolver(self._state)
        service = Service(resolver, [Listen(RESOLVER, 53)])
        await service.start()
        self._started.set()
        await self._stopping.wait()
        await service.stop()
        resolver.forwarder.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
