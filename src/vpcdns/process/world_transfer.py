"""Where one process writes Worlds that the others read: too large a thing for a channel.

Knows memory that other processes inherit, and that groups are many. They are written and read in parts: a
million objects that are pickled at once stop every thread of a process for a second, and take three times as
long.
"""

import mmap
import os
import pickle
from dataclasses import replace
from sys import intern
from typing import Final

from vpcdns import gc_pauses
from vpcdns.model.frozen_map import Filling, FrozenMap
from vpcdns.model.gateway import CustomDomains, Group
from vpcdns.model.names import Name
from vpcdns.model.world import World

_Row = tuple[str, str, str, str, bool, list[str]]
_NO_NAMES: Final[tuple[Name, ...]] = ()


class WorldTransfer:
    """In memory of its own, or in `fd`. `write` and `read` take their time, and are for threads."""

    def __init__(self, fd: int | None = None) -> None:
        self.fd = os.memfd_create("vpcdns-world") if fd is None else fd

    def write(self, *worlds: World) -> None:
        """Writes Worlds in place of those before. Raises OSError."""
        self.clear()
        with os.fdopen(os.dup(self.fd), "wb") as file:
            file.seek(0)
            pickle.dump(len(worlds), file, pickle.HIGHEST_PROTOCOL)
            for world in worlds:
                parts = world.groups.pieces()
                rest = replace(world, groups=FrozenMap(), custom_domains=CustomDomains())
                pickle.dump((rest, len(parts)), file, pickle.HIGHEST_PROTOCOL)
                for part in parts:
                    pickle.dump([_row(group) for group in part.values()], file, pickle.HIGHEST_PROTOCOL)

    def read(self) -> list[World]:
        """Reads the Worlds that were written."""
        with mmap.mmap(self.fd, 0, prot=mmap.PROT_READ) as octets, gc_pauses.paused():
            return [_read(octets) for _ in range(pickle.load(octets))]  # noqa: S301 - another process of ours wrote it

    def clear(self) -> None:
        os.ftruncate(self.fd, 0)

    def close(self) -> None:
        os.close(self.fd)


def _read(octets: mmap.mmap) -> World:
    rest: World
    rest, parts = pickle.load(octets)  # noqa: S301 - as above
    groups: Filling[str, Group] = Filling()
    owners: Filling[Name, str] = Filling()
    for _ in range(parts):
        for row in pickle.load(octets):  # noqa: S301 - as above
            group = _group(row)
            groups[group.group_id] = group
            for name in group.custom_domains:
                owners[name] = group.group_id
    return replace(rest, groups=groups.frozen(), custom_domains=CustomDomains.of(owners.frozen()))


def _row(group: Group) -> _Row:
    names = list(map(str, group.custom_domains))
    return group.group_id, group.instance_id, group.region_id, group.name, group.vpc_domain, names


def _group(row: _Row) -> Group:
    group_id, instance_id, region_id, name, vpc_domain, names = row
    domains = tuple([Name.of_host(text) or Name.from_text(text) for text in names]) if names else _NO_NAMES
    # What many have in common is one object, as it was before.
    return Group(group_id, intern(instance_id), intern(region_id), name, vpc_domain, domains)
