"""Signals: serves until one comes, then drains; the exit code follows from them."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress

from vpcdns.listen.service import GRACE
from vpcdns.model.policy import Listen

log = logging.getLogger("vpcdns.server")


Start = Callable[[], Awaitable[tuple[Listen, ...]]]
Stop = Callable[[float], Coroutine[None, None, None]]  # within so many seconds; may be called again


async def serve(
    start: Start,
    stop: Stop,
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
        listens = await start()
        log.info("Listening on %s", ", ".join(map(str, listens)) or "no address yet")
        if ready is not None:
            ready(listens)
        log.info("%s: stopping", (await arrived.get()).name)
        return await _stop(stop, arrived)
    finally:
        await stop(0)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)


async def _stop(stop: Stop, arrived: asyncio.Queue[signal.Signals]) -> int:
    stopping, again = asyncio.ensure_future(stop(GRACE)), asyncio.ensure_future(arrived.get())
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
