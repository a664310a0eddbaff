"""What has been made of things that never change, for as long as they are there."""

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import ref

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """What `make` makes of a key, once for each, by identity.

    It is forgotten with its key, so it must not refer to that.
    """

    def __init__(self, make: Callable[[K], V]) -> None:
        self._make = make
        self._made: dict[int, tuple[ref[K], V]] = {}

    def of(self, key: K) -> V:
        own = id(key)
        known = self._made.get(own)
        if known is not None and known[0]() is key:
            return known[1]
        made = self._make(key)
        self._made[own] = ref(key, lambda _: self._made.pop(own, None)), made
        return made
