"""Signals: serves until one comes, then drains; the exit code follows from them."""

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from vpcdns.listen.service import GRACE
from vpcdns.model.policy import Listen

log = logging.getLogger("vpcdns.server")


class Serving(Protocol):
    """What can be served until a signal comes: a Service, or several as one."""

    async def start(self) -> tuple[Listen, ...]: ...

    async def stop(self, grace: float) -> None: ...


async def serve(
    service: Serving,
    *,
    ready: Callable[[tuple[Listen, ...]], None] | None = None,
    hangup: Callable[[], None] | None = None,
) -> int:
    """Serves until SIGTERM or SIGINT, then drains and returns 0.

    A second signal ends it at once, with 128 and the signal's number, as shells count. `ready` is called
    with the addresses served, `hangup` for each SIGHUP. Raises StartupError.
    """
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[signal.Signals] = asyncio.Queue()
    # Before binding: as process 1 of a container we would not get a signal that nobody has asked for.
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, arrived.put_nowait, number)
    if hangup is not None:
        loop.add_signal_handler(signal.SIGHUP, hangup)
    # A storm of signals fills the socket that reports them; more of the same is nobody's concern.
    signal.set_wakeup_fd(signal.set_wakeup_fd(-1), warn_on_full_buffer=False)
    try:
        listens = await service.start()
        log.info("Listening on %s", ", ".join(map(str, listens)))
        if ready is not None:
            ready(listens)
        log.info("%s: stopping", (await arrived.get()).name)
        return await _stop(service, arrived)
    finally:
        await service.stop(0)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)


async def _stop(service: Serving, arrived: asyncio.Queue[signal.Signals]) -> int:
    stopping, again = asyncio.ensure_future(service.stop(GRACE)), asyncio.ensure_future(arrived.get())
    await asyncio.wait((stopping, again), return_when=asyncio.FIRST_COMPLETED)
    if stopping.done():
        again.cancel()
        stopping.result()
        return 0
    log.warning("%s again: stopping at once", again.result().name)
    stopping.cancel()
    with suppress(asyncio.CancelledError):
        await stopping
    return 128 + again.result()
