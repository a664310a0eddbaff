"""Tasks that run as long as the server does: the end of one is logged and counted, and it begins again."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final

log = logging.getLogger("vpcdns.server")

PAUSE: Final = 1.0  # seconds until it begins again: what fails at once must not keep the loop busy


class LastingTasks:
    """`restarts` counts, for each name, how often it had to begin again."""

    def __init__(self, pause: float = PAUSE) -> None:
        self.restarts: Counter[str] = Counter()
        self._pause = pause
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Runs it until `stop`."""
        self.restarts[name] = 0
        self._running[name] = asyncio.create_task(self._keep(name, run), name=name)

    def stop(self, *names: str) -> None:
        """These, or all."""
        for name in names or tuple(self._running):
            if (task := self._running.pop(name, None)) is not None:
                task.cancel()

    async def _keep(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                await run()
            except Exception:  # a bug, or nobody would see it
                log.exception("The task %s has failed, and begins again", name)
            else:
                log.error("The task %s has ended, and begins again", name)
            self.restarts[name] += 1
            await asyncio.sleep(self._pause)
