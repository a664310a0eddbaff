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


class _Signals:
    """SIGTERM and SIGINT while it is entered, as events in the loop."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()
        self.number = signal.SIGTERM

    def arrived(self, number: signal.Signals) -> None:
        self.number = number
        (self.second if self.first.is_set() else self.first).set()


class Serving(Protocol):
    """What can be served until a signal comes: a Service, or several as one."""

    async def start(self) -> tuple[Listen, ...]: ...

    async def stop(self, grace: float = GRACE) -> None: ...


async def serve(
    service: Serving,
    *,
    grace: float = GRACE,
    ready: Callable[[tuple[Listen, ...]], None] | None = None,
    hangup: Callable[[], None] | None = None,
) -> int:
    """Serves until SIGTERM or SIGINT, then drains and returns 0.

    A second signal ends it at once, with 128 and the signal's number, as shells count. `ready` is called
    with the addresses served, `hangup` for each SIGHUP. Raises StartupError.
    """
    loop = asyncio.get_running_loop()
    signals = _Signals()
    # Before binding: as process 1 of a container we would not get a signal that nobody has asked for.
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signals.arrived, number)
    if hangup is not None:
        loop.add_signal_handler(signal.SIGHUP, hangup)
    # A storm of signals fills the socket that reports them; more of the same is nobody's concern.
    signal.set_wakeup_fd(signal.set_wakeup_fd(-1), warn_on_full_buffer=False)
    try:
        listens = await service.start()
        log.info("Listening on %s", ", ".join(map(str, listens)))
        if ready is not None:
            ready(listens)
        await signals.first.wait()
        log.info("%s: stopping", signals.number.name)
        return await _stop(service, grace, signals)
    finally:
        await service.stop(0)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)


async def _stop(service: Serving, grace: float, signals: _Signals) -> int:
    stopping = asyncio.ensure_future(service.stop(grace))
    impatient = asyncio.ensure_future(signals.second.wait())
    await asyncio.wait((stopping, impatient), return_when=asyncio.FIRST_COMPLETED)
    impatient.cancel()
    if stopping.done():
        stopping.result()
        return 0
    log.warning("%s again: stopping at once", signals.number.name)
    stopping.cancel()
    with suppress(asyncio.CancelledError):
        await stopping
    await service.stop(0)
    return 128 + signals.number
