"""Where one process writes Worlds that the others read: too large a thing for a channel.

Knows memory that other processes inherit, and that groups and records are many. They are written and read in
parts: a million objects that are pickled at once stop every thread of a process for a second, and take three
times as long.
"""

import mmap
import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from sys import intern
from typing import Any, BinaryIO, Final, TypeVar

from vpcdns import gc_pauses
from vpcdns.model.frozen_map import Filling, FrozenMap
from vpcdns.model.gateway import Group
from vpcdns.model.name_tree import NameTree
from vpcdns.model.names import Name
from vpcdns.model.private_zones import PrivateZones
from vpcdns.model.world import World

K = TypeVar("K")
V = TypeVar("V")

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
                zones = world.private_zones
                bare = PrivateZones.of(zone.with_records(()) for zone in zones.zones.values())
                rest = replace(world, groups=FrozenMap(), custom_domains=NameTree(), private_zones=bare)
                pickle.dump(rest, file, pickle.HIGHEST_PROTOCOL)
                _dump(world.groups, lambda part: [_row(group) for group in part.values()], file)
                for zone in zones.zones.values():
                    _dump(zone.records, lambda part: list(part.items()), file)

    def read(self) -> list[World]:
        """Reads the Worlds that were written."""
        with mmap.mmap(self.fd, 0, prot=mmap.PROT_READ) as octets, gc_pauses.paused():
            return [_read(octets) for _ in range(_load(octets))]

    def clear(self) -> None:
        os.ftruncate(self.fd, 0)

    def close(self) -> None:
        os.close(self.fd)


def _dump(many: FrozenMap[K, V], rows: Callable[[dict[K, V]], list[Any]], file: BinaryIO) -> None:
    parts = many.pieces()
    pickle.dump(len(parts), file, pickle.HIGHEST_PROTOCOL)
    for part in parts:
        pickle.dump(rows(part), file, pickle.HIGHEST_PROTOCOL)


def _load(octets: mmap.mmap) -> Any:
    return pickle.load(octets)  # noqa: S301 - another process of ours wrote it


def _rows(octets: mmap.mmap) -> Iterator[Any]:
    for _ in range(_load(octets)):
        yield from _load(octets)


def _read(octets: mmap.mmap) -> World:
    rest: World = _load(octets)
    groups: Filling[str, Group] = Filling()
    owners: Filling[Name, str] = Filling()
    for row in _rows(octets):
        group = _group(row)
        groups[group.group_id] = group
        for name in group.custom_domains:
            owners[name] = group.group_id
    zones = PrivateZones.of([zone.with_records(_rows(octets)) for zone in rest.private_zones.zones.values()])
    return replace(
        rest, groups=groups.frozen(), custom_domains=NameTree.of(owners.frozen()), private_zones=zones
    )


def _row(group: Group) -> _Row:
    names = list(map(str, group.custom_domains))
    return group.group_id, group.instance_id, group.region_id, group.name, group.vpc_domain, names


def _group(row: _Row) -> Group:
    group_id, instance_id, region_id, name, vpc_domain, names = row
    domains = tuple([Name.of_host(text) or Name.from_text(text) for text in names]) if names else _NO_NAMES
    # What many have in common is one object, as it was before.
    return Group(group_id, intern(instance_id), intern(region_id), name, vpc_domain, domains)
