"""Finds values of a FrozenMap by something else than their keys.

Immutable, as the map is: an index of the next version costs what changed, so it need not be kept up to date
all the time, and not by whoever changes the map. Knows nothing of what is in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from vpcdns.model.frozen_map import Filling, FrozenMap

K = TypeVar("K")
V = TypeVar("V")
S = TypeVar("S")  # what is sought


@dataclass(frozen=True, slots=True)
class Index(Generic[K, V, S]):
    """The keys of `version` under what `of` says of their values; for what few values have in common."""

    of: Callable[[V], Iterable[S]]
    version: FrozenMap[K, V] = field(default_factory=FrozenMap)
    keys: FrozenMap[S, Sequence[K]] = field(default_factory=FrozenMap)

    def followed(self, version: FrozenMap[K, V]) -> Index[K, V, S]:
        """The index of another version."""
        if version is self.version:
            return self
        if not version.shares_with(self.version):
            return self._anew(version)
        found: dict[S, list[K]] = {}
        for key, old, new in _changes(self.version, version):
            for one in () if old is None else self.of(old):
                found.setdefault(one, list(self.keys.get(one, ()))).remove(key)
            for one in () if new is None else self.of(new):
                found.setdefault(one, list(self.keys.get(one, ()))).append(key)
        put: dict[S, Sequence[K]] = {one: keys for one, keys in found.items() if keys}
        gone = [one for one, keys in found.items() if not keys and one in self.keys]
        return replace(self, version=version, keys=self.keys.edited(put, gone))

    def find(self, one: S) -> Sequence[K]:
        """The keys of the values of which `of` says `one`."""
        return self.keys.get(one, ())

    def _anew(self, version: FrozenMap[K, V]) -> Index[K, V, S]:
        keys: Filling[S, list[K]] = Filling()
        for key, value in version.scan():
            for one in self.of(value):
                keys.setdefault(one, []).append(key)
        frozen: FrozenMap[S, Any] = keys.frozen()
        return replace(self, version=version, keys=frozen)


@dataclass(frozen=True, slots=True)
class Count(Generic[K, V, S]):
    """How many values of `version` there are of each kind; None is no kind."""

    of: Callable[[V], S | None]
    version: FrozenMap[K, V] = field(default_factory=FrozenMap)
    counts: FrozenMap[S, int] = field(default_factory=FrozenMap)

    def followed(self, version: FrozenMap[K, V]) -> Count[K, V, S]:
        """The count of another version."""
        if version is self.version:
            return self
        if not version.shares_with(self.version):
            return replace(self, version=version, counts=self._anew(version))
        more: Counter[S] = Counter()
        for _, old, new in _changes(self.version, version):
            for value, one in ((old, -1), (new, 1)):
                if value is not None and (kind := self.of(value)) is not None:
                    more[kind] += one
        put = {kind: self.counts.get(kind, 0) + number for kind, number in more.items() if number}
        return replace(self, version=version, counts=self.counts.edited(put))

    def find(self, kind: S) -> int:
        return self.counts.get(kind, 0)

    def _anew(self, version: FrozenMap[K, V]) -> FrozenMap[S, int]:
        counts: dict[S, int] = {}
        for _, value in version.scan():
            if (kind := self.of(value)) is not None:
                counts[kind] = counts.get(kind, 0) + 1
        return FrozenMap(counts)


def _changes(old: FrozenMap[K, V], new: FrozenMap[K, V]) -> Iterable[tuple[K, Any, Any]]:
    return ((key, old.get(key), new.get(key)) for key in new.touched(old))
