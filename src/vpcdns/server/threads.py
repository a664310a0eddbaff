"""Work that takes long, done in threads while queries are answered; and large Worlds freed in parts."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any, Final, TypeVar

from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.world import World

# Seconds until a thread that works gives way to one that has a query to answer; Python's own 5 ms would be
# added to every answer meanwhile.
SWITCH_EVERY: Final = 0.0005

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """The result of `work`, which touches nothing that changes."""
    sys.setswitchinterval(SWITCH_EVERY)  # for good: it counts only while several threads work
    return await asyncio.get_running_loop().run_in_executor(None, work)


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
