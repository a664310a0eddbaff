"""Says when addresses that listeners wait for come and go.

Their sockets are bound before: whenever the host has the address, the kernel hands over what comes to it.
"""

import asyncio
import logging
from typing import Final

from vpcdns.listen.service import Service
from vpcdns.model.policy import Listen

log = logging.getLogger("vpcdns.server")

LOOK_EVERY: Final = 1.0  # seconds; a look takes 10 µs for each listener that may wait


class AddressWatch:
    """Of one service; each change is said once."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._waiting: frozenset[Listen] = frozenset()

    def look(self) -> None:
        """Says what has changed since the last look."""
        before, self._waiting = self._waiting, frozenset(self._service.waiting)
        for listen in sorted(self._waiting - before, key=str):
            log.warning("Waiting for %s: this host does not have the address now", listen)
        for listen in sorted((before - self._waiting).intersection(self._service.serving), key=str):
            log.info("Listening on %s: this host has the address now", listen)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY)
