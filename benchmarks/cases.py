"""What is asked. A case is an entry here: names, and whether they are asked once before it is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Case:
    """`names` of a round, as dnsperf lines; `warm` asks all of them first, twice; `options` go to dnsperf."""

    name: str
    title: str
    names: Callable[[int], Iterable[str]]
    warm: bool = False
    options: tuple[str, ...] = ()


def _cached(round_number: int) -> Iterable[str]:
    return (f"name{number}.cached.example A" for number in range(10_000))


def _unique(round_number: int) -> Iterable[str]:
    return (f"n{number}.round{round_number}.example A" for number in range(400_000))


CASES: Final = (
    Case("cached", "Forwarded, cached: 10,000 names", _cached, warm=True),
    Case("cached-edns", "Forwarded, cached: 10,000 names, EDNS", _cached, warm=True, options=("-e",)),
    Case("uncached", "Forwarded, every name new", _unique),
)
