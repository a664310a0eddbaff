"""Work that takes long, done in threads while queries are answered; and large Worlds freed in parts."""

import asyncio
import sys
from collections.abc import Callable
from typing import Final, TypeVar

from vpcdns.model.world import World

# Seconds until a thread that works gives way to one that has a query to answer; Python's own 5 ms would be
# added to every answer meanwhile.
SWITCH_EVERY: Final = 0.0005

T = TypeVar("T")


class _Interval:
    """The interpreter's switch interval, shortened while anybody works."""

    def __init__(self) -> None:
        self._working = 0
        self._usual = sys.getswitchinterval()

    def __enter__(self) -> None:
        if not self._working:
            self._usual = sys.getswitchinterval()
            sys.setswitchinterval(SWITCH_EVERY)
        self._working += 1

    def __exit__(self, *_: object) -> None:
        self._working -= 1
        if not self._working:
            sys.setswitchinterval(self._usual)


_interval = _Interval()


async def in_thread(work: Callable[[], T]) -> T:
    """The result of `work`, which touches nothing that changes."""
    with _interval:
        return await asyncio.get_running_loop().run_in_executor(None, work)


def chunks(world: World) -> list[object]:
    """The large maps of a World in parts: while they are held, the World is not freed all at once."""
    maps = world.groups, world.custom_domains.owners, world.custom_domains.nodes
    return [part for one in maps for part in one.pieces()]


def free(parts: list[object]) -> None:
    """Frees one after the other, in a thread: a million objects at once would stop every other thread."""
    while parts:
        parts.pop()
