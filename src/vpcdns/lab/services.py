"""What answers in a lab: vpcdns as the resolver in VPCs and networks, and a web server at their addresses.

One thread with an event loop; each socket is made in the namespace that it is for. They follow a World that
changes.
"""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

from vpcdns.lab.certificates import Authority
from vpcdns.lab.kernel import Kernel, inside
from vpcdns.lab.parts import Blueprint
from vpcdns.lab.web_server import WebServer
from vpcdns.listen.service import Service
from vpcdns.model.world import World
from vpcdns.server.resolver import Resolver
from vpcdns.state import State


class Services:
    """The resolvers of a World, and the web server that says which instance each address is."""

    def __init__(self, kernel: Kernel, authority: Authority, plan: Blueprint, world: World) -> None:
        self._kernel, self._state = kernel, State(world)
        self._resolver = Resolver(self._state)
        self._dns: dict[str, Service] = {}  # by namespace
        self._web = WebServer(authority, lambda name: inside(kernel.path(name)))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab services", daemon=True)
        self._thread.start()
        try:
            self._do(self._follow(plan, world))
        except BaseException:
            self._end()
            raise

    def change(self, plan: Blueprint, world: World) -> None:
        """Serves another World from here on, at the addresses of its blueprint and nowhere else."""
        self._do(self._change(plan, world))

    def close(self) -> None:
        self._do(self._stop())
        self._end()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        self._web.close()
        for service in self._dns.values():
            await service.stop(grace=0)
        self._resolver.forwarder.close()

    async def _change(self, plan: Blueprint, world: World) -> None:
        self._state.reload(world)
        await self._follow(plan, world)

    async def _follow(self, plan: Blueprint, world: World) -> None:
        wanted = {one.name: one.resolvers for one in plan.namespaces if one.resolvers}
        for name in (*wanted, *self._dns):
            if name not in self._dns:
                self._dns[name] = Service(self._resolver, [], batches=False)
                await self._dns[name].start()
            with inside(self._kernel.path(name)):
                prepared = self._dns[name].prepare(wanted.get(name, ()))
            self._dns[name].commit(prepared)
        places = {
            (one.name, str(listener.address)): listener
            for one in plan.namespaces
            for listener in one.listeners
        }
        await self._web.follow(places, world)
