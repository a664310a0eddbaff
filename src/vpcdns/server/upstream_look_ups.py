"""Keeps the addresses of upstreams that have names: at the start, every minute, and when one fails.

Knows the State and time; the host's resolver is `forward.upstream_names`' business.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from vpcdns.forward.upstream_names import LOOKED_UP_WITHIN, UpstreamNames
from vpcdns.model.policy import Listen, Upstream, addresses_of
from vpcdns.server.threads import in_thread
from vpcdns.state import Resolved, State

EVERY: Final = 60.0  # seconds
AGAIN: Final = 2.0  # while one does not resolve, or its addresses do not answer
_LOOK_EVERY: Final = 0.5


class UpstreamLookUps:
    """`listens` says where we listen, `silent` which upstreams did not answer the last time."""

    def __init__(
        self,
        state: State,
        names: UpstreamNames,
        listens: Callable[[], tuple[Listen, ...]],
        silent: Callable[[], Awaitable[frozenset[Upstream]]],
    ) -> None:
        self.names = names
        self._state, self._listens, self._silent = state, listens, silent

    async def look_up(self) -> None:
        """Looks all of them up, for two seconds at most, and puts their addresses in place."""
        wanted = tuple(self._state.world.forwarding.names)
        if wanted:
            await in_thread(partial(self.names.look_up, wanted, self._listens(), LOOKED_UP_WITHIN))
            self._put()

    async def run(self) -> None:
        """Until it is cancelled."""
        loop = asyncio.get_running_loop()
        looked = loop.time()
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            self._put()  # a late answer, or a reload that began with earlier ones
            since = loop.time() - looked
            if since >= EVERY or (since >= AGAIN and await self._is_wanting()):
                looked = loop.time()
                await self.look_up()

    async def _is_wanting(self) -> bool:
        """Whether a name has no addresses, or one of its addresses did not answer."""
        names = tuple(self._state.world.forwarding.names)
        if any(one.host in self.names.problems or not one.addresses for one in names):
            return True
        return bool(names) and not (await self._silent()).isdisjoint(addresses_of(names))

    def _put(self) -> None:
        forwarding, known = self._state.world.forwarding, self.names.addresses
        if forwarding.with_addresses(known) is not forwarding:
            self._state.resolve(Resolved(known))
