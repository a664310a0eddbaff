"""Longest prefix match over prefixes with targets. Knows nothing of networks."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Generic, TypeVar

T = TypeVar("T")


def _always(_: object) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """The entry of a table that an address matched."""

    destination: IPv4Network
    target: T


class PrefixTable(Generic[T]):
    """Longest prefix match: at most 33 look-ups, however many prefixes; of equal prefixes the first fits."""

    __slots__ = ("_lengths", "_targets")

    def __init__(self, entries: Iterable[tuple[IPv4Network, T]] = ()) -> None:
        self._targets: dict[tuple[int, int], list[T]] = {}
        for prefix, target in entries:
            self._targets.setdefault((prefix.prefixlen, int(prefix.network_address)), []).append(target)
        self._lengths = sorted({length for length, _ in self._targets}, reverse=True)

    def match(
        self,
        address: IPv4Address,
        fits: Callable[[T], bool] = _always,
        longer: int = -1,
        counts: Callable[[T], bool] = _always,
    ) -> Entry[T] | None:
        """The longest prefix that holds `address`, if longer than `longer`.

        The first target that fits is its prefix's; where that one does not count, the prefix does not.
        """
        number = int(address)
        for length in self._lengths:
            if length <= longer:
                return None
            network = number >> (32 - length) << (32 - length)
            for target in self._targets.get((length, network), ()):
                if fits(target):
                    if counts(target):
                        return Entry(IPv4Network((network, length)), target)
                    break
        return None

    def entries(
        self, fits: Callable[[T], bool] = _always, counts: Callable[[T], bool] = _always
    ) -> Iterator[Entry[T]]:
        """What `match` chooses from."""
        for (length, network), targets in self._targets.items():
            target = next(filter(fits, targets), None)
            if target is not None and counts(target):
                yield Entry(IPv4Network((network, length)), target)
