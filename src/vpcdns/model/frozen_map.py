"""A persistent mapping: a new version costs what changed, not what it holds.

Knows nothing of DNS or of the cloud. Worlds share what did not change, so a change to one of a
million groups must not copy the million, nor may the one that comes after a thousand others.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final, Generic, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")

# Up to so many keys there is one part, above there are so many parts: about the square root of a million,
# where copying one part and copying the list of parts cost the same, some 10 to 50 µs.
PARTS: Final = 1024
_GONE: Final[Any] = object()


class FrozenMap(Mapping[K, V], Generic[K, V]):
    """An immutable mapping with cheap changed copies.

    A large one is split by the hashes of its keys into parts, which versions share; a change copies the
    part that it touches. Up to 1,024 keys keep the order in which they came; more have no certain one.
    """

    __slots__ = ("__weakref__", "_length", "_parts")

    _parts: tuple[dict[K, V], ...]
    _length: int

    def __init__(self, items: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        whole: dict[K, V] = dict(items)
        self._parts = (whole,) if len(whole) <= PARTS else _split(whole.items())
        self._length = len(whole)

    @classmethod
    def of_parts(cls, parts: tuple[dict[K, V], ...]) -> FrozenMap[K, V]:
        """A map of parts that are as they must be and nobody else's: one, or `PARTS` by the keys' hashes."""
        made: FrozenMap[K, V] = cls.__new__(cls)
        made._parts = parts
        made._length = sum(map(len, parts))
        return made

    def set(self, key: K, value: V) -> FrozenMap[K, V]:
        """A version in which `key` has `value`."""
        return self.edited({key: value})

    def delete(self, key: K) -> FrozenMap[K, V]:
        """A version without `key`; raises KeyError when it is not there."""
        return self.edited({}, (key,))

    def edited(self, put: Mapping[K, V], gone: Iterable[K] = ()) -> FrozenMap[K, V]:
        """A version with `put` and without `gone`, which must be there; each part is copied once."""
        parts, last, length, mine = list(self._parts), len(self._parts) - 1, self._length, set[int]()

        def part_of(key: K) -> dict[K, V]:
            index = hash(key) & last
            if index not in mine:
                mine.add(index)
                parts[index] = parts[index].copy()
            return parts[index]

        for key, value in put.items():
            part = part_of(key)
            length += key not in part
            part[key] = value
        for key in gone:
            del part_of(key)[key]
            length -= 1
        if last or length <= PARTS:
            version: FrozenMap[K, V] = FrozenMap.__new__(FrozenMap)
            version._length, version._parts = length, tuple(parts)
            return version
        return FrozenMap.of_parts(_split(parts[0].items()))

    def __reduce__(self) -> tuple[type[FrozenMap[K, V]], tuple[dict[K, V]]]:
        return FrozenMap, (dict(self.items()),)

    def finder(self) -> Callable[[K], V | None]:
        """`get` of this version, as fast as it can be had."""
        parts, last = self._parts, len(self._parts) - 1
        if not last:
            return parts[0].get

        def find(key: K) -> V | None:
            return parts[hash(key) & last].get(key)

        return find

    def __getitem__(self, key: K) -> V:
        return self._parts[hash(key) & (len(self._parts) - 1)][key]

    @overload
    def get(self, key: K, /) -> V | None: ...
    @overload
    def get(self, key: K, /, default: V | D) -> V | D: ...
    def get(self, key: K, /, default: Any = None) -> Any:
        """The value of `key`, or `default`."""
        return self._parts[hash(key) & (len(self._parts) - 1)].get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self._parts[hash(key) & (len(self._parts) - 1)]

    def __iter__(self) -> Iterator[K]:
        return chain.from_iterable(self._parts)

    @property
    def is_ordered(self) -> bool:
        """Whether the keys come in the order in which they were put in."""
        return len(self._parts) == 1

    def scan(self) -> Iterator[tuple[K, V]]:
        """Every item: several times faster than `items` over a million."""
        return chain.from_iterable(map(dict.items, self._parts))

    def touched(self, other: FrozenMap[K, V]) -> Iterator[K]:
        """The keys at which the two have not the same object; parts in common cost nothing."""
        if len(self._parts) != len(other._parts):
            yield from dict.fromkeys(chain(self, other))
            return
        for mine, theirs in zip(self._parts, other._parts, strict=True):
            if mine is not theirs:
                yield from [key for key, value in mine.items() if theirs.get(key, _GONE) is not value]
                yield from [key for key in theirs if key not in mine]

    def differing(self, other: FrozenMap[K, V]) -> Iterator[K]:
        """The keys at which the two have not equal values, or only one has any."""
        if len(self._parts) != len(other._parts):
            mine_at, theirs_at = self.finder(), other.finder()
            yield from (one for one in self.touched(other) if mine_at(one) != theirs_at(one))
            return
        for mine, theirs in zip(self._parts, other._parts, strict=True):
            if mine is not theirs:
                at = theirs.get
                yield from [key for key, value in mine.items() if at(key, _GONE) != value]
                yield from [key for key in theirs if key not in mine]

    def shares_with(self, other: FrozenMap[K, V]) -> bool:
        """Whether a part is the same: one has been made from the other by a few changes."""
        return any(map(operator.is_, self._parts, other._parts))

    def pieces(self) -> list[dict[K, V]]:
        """What it is made of, not to be changed: to do something with a million items bit by bit."""
        return list(self._parts)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrozenMap) and len(self._parts) == len(other._parts):
            return self._parts == other._parts
        return Mapping.__eq__(self, other)

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"FrozenMap({dict(self.scan())!r})"


class Filling(Generic[K, V]):
    """A map while it is filled.

    In parts as soon as it is large: a dictionary of a million items that grows, is copied or is let go of
    stops every thread for 0.1 s or more.
    """

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: tuple[dict[K, V], ...] = ({},)

    def setdefault(self, key: K, value: V) -> V:
        """The value that `key` has already, or else `value`, which it has from now on."""
        parts = self._parts
        part = parts[hash(key) & (len(parts) - 1)]
        kept = part.setdefault(key, value)
        if len(part) > PARTS and len(parts) == 1:
            self._parts = _split(part.items())
        return kept

    def __setitem__(self, key: K, value: V) -> None:
        parts = self._parts
        part = parts[hash(key) & (len(parts) - 1)]
        part[key] = value
        if len(part) > PARTS and len(parts) == 1:
            self._parts = _split(part.items())

    def get(self, key: K, default: V) -> V:
        """The value of `key`, or `default`."""
        return self._parts[hash(key) & (len(self._parts) - 1)].get(key, default)

    def frozen(self) -> FrozenMap[K, V]:
        """What it holds now; it is empty afterwards."""
        parts, self._parts = self._parts, ({},)
        return FrozenMap.of_parts(parts)


def _split(items: Iterable[tuple[K, V]]) -> tuple[dict[K, V], ...]:
    parts: tuple[dict[K, V], ...] = tuple([{} for _ in range(PARTS)])
    last = PARTS - 1
    for key, value in items:
        parts[hash(key) & last][key] = value
    return parts
