"""Work that takes long, done in threads while queries are answered; and large Worlds freed in parts."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Any, Final, Self, TypeVar

from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.world import World

# Seconds until a thread that works gives way to one that has a query to answer; Python's own 5 ms would be
# added to every answer meanwhile.
SWITCH_EVERY: Final = 0.0005

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """The result of `work`, which touches nothing that changes."""
    return await begun_in_thread(work)


class Place:
    """A place in a `room`: for one thread at a time, and until that has ended, whoever waits for it.

    A task that is cancelled cannot end the thread that it waits for.
    """

    def __init__(self, room: asyncio.Semaphore | asyncio.Lock) -> None:
        self._room = room
        self._working: asyncio.Future[Any] | None = None

    async def __aenter__(self) -> Self:
        await self._room.acquire()
        return self

    async def work(self, work: Callable[[], T]) -> T:
        """The result of `work`, in a thread."""
        self._working = working = begun_in_thread(work)
        return await asyncio.shield(working)

    async def __aexit__(self, *_: object) -> None:
        if self._working is None or self._working.done():
            self._room.release()
        else:
            self._working.add_done_callback(lambda _: self._room.release())


def begun_in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """The end of the process does not wait for it, as it would for a thread of an executor.

    A configuration may take minutes to read.
    """
    sys.setswitchinterval(SWITCH_EVERY)  # for good: it counts only while several threads work
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(how: Callable[..., None], what: object) -> None:
        if not done.done():  # nobody waits for it any more
            how(what)

    def run() -> None:
        try:
            told = partial(tell, done.set_result, work())
        except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
            told = partial(tell, done.set_exception, error)
        with suppress(RuntimeError):  # the event loop has ended
            loop.call_soon_threadsafe(told)

    Thread(target=run, name="work", daemon=True).start()
    return done


def chunks(world: World) -> list[object]:
    """The large maps of a World in parts: while they are held, the World is not freed all at once."""
    maps: list[FrozenMap[Any, Any]] = [world.groups, world.custom_domains.values, world.custom_domains.nodes]
    for zone in world.private_zones.zones.values():
        maps += zone.records, zone.served.values, zone.served.nodes
    return [part for one in maps for part in one.pieces()]


def free(parts: list[object]) -> None:
    """Frees one after the other, in a thread: a million objects at once would stop every other thread."""
    while parts:
        parts.pop()


def free_in_thread(parts: list[object]) -> None:
    """Frees them in a thread, or here and now where there is none to be had."""
    with suppress(RuntimeError):
        Thread(target=free, args=(parts,), name="free", daemon=True).start()
