"""What is asked. A case is an entry here: names, who asks, and what the servers hold."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

INSIDE: Final = "127.10.0.5"  # in the VPC that the instance is bound to
OUTSIDE: Final = "127.20.0.5"  # in another VPC
REGION: Final = "cn-hangzhou"
SUFFIX: Final = "alicloudapi.com"


@dataclass(frozen=True, slots=True)
class Case:
    """`names` of a round, as dnsperf lines; `options` go to dnsperf.

    `groups` is how many VPC domains every server holds: 0 has it forward everything. `warm` asks all names
    first, twice. `without` are servers that cannot do the same.
    """

    name: str
    title: str
    names: Callable[[int], Iterable[str]]
    groups: int = 0
    warm: bool = False
    options: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    without: tuple[str, ...] = ()


def group_id(number: int) -> str:
    return f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}{number:016x}"


def vpc_domain(number: int) -> str:
    return f"{group_id(number)}-{REGION}-vpc.{SUFFIX}"


def custom_domain(number: int) -> str:
    return f"api{number}.shop.example"


def _cached(round_number: int) -> Iterable[str]:
    return (f"name{number}.cached.example A" for number in range(10_000))


def _unique(round_number: int) -> Iterable[str]:
    return (f"n{number}.round{round_number}.example A" for number in range(400_000))


def _domains(count: int) -> Callable[[int], Iterable[str]]:
    def names(round_number: int) -> Iterable[str]:
        numbers = list(range(count))
        random.Random(round_number).shuffle(numbers)
        return (f"{vpc_domain(number)} A" for number in numbers)

    return names


def _mixed_case(round_number: int) -> Iterable[str]:
    chance = random.Random(round_number)
    for line in _domains(10_000)(round_number):
        name, rtype = line.split()
        yield "".join(letter.upper() if chance.random() < 0.5 else letter for letter in name) + f" {rtype}"


def _custom(round_number: int) -> Iterable[str]:
    return (f"{custom_domain(number)} A" for number in range(10_000))


_INSIDE: Final = ("-a", INSIDE)
_TEN: Final = _domains(10_000)

CASES: Final = (
    Case("domains", "VPC domains: 10,000 names", _TEN, 10_000, warm=True, options=_INSIDE),
    Case(
        "domains-edns", "VPC domains: 10,000 names, EDNS", _TEN, 10_000, warm=True, options=(*_INSIDE, "-e")
    ),
    Case(
        "million",
        "VPC domains: 1,000,000 names, asked uniformly",
        _domains(1_000_000),
        1_000_000,
        options=_INSIDE,
        without=("dnsmasq",),
    ),
    Case(
        "denials",
        "Denials: NXDOMAIN with SOA (and our extended error)",
        _TEN,
        10_000,
        warm=True,
        options=("-a", OUTSIDE, "-e"),
        without=("dnsmasq", "yardstick"),
    ),
    Case("mixed-case", "VPC domains in random case (0x20)", _mixed_case, 10_000, warm=True, options=_INSIDE),
    Case(
        "custom",
        "Custom domains: CNAME and A",
        _custom,
        10_000,
        warm=True,
        options=_INSIDE,
        without=("dnsmasq", "Unbound", "yardstick"),
    ),
    Case("ipv6", "VPC domains over IPv6", _TEN, 10_000, warm=True, host="::1"),
    Case(
        "tcp",
        "VPC domains over TCP, pipelined",
        _TEN,
        10_000,
        warm=True,
        options=(*_INSIDE, "-m", "tcp", "-c", "20"),
        without=("yardstick", "dnsmasq"),
    ),
    Case("cached", "Forwarded, cached: 10,000 names", _cached, warm=True, without=("yardstick",)),
    Case(
        "cached-edns",
        "Forwarded, cached: 10,000 names, EDNS",
        _cached,
        warm=True,
        options=("-e",),
        without=("yardstick",),
    ),
    Case("uncached", "Forwarded, every name new", _unique, without=("yardstick",)),
)
