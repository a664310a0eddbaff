"""How long, and how much of, what upstreams say is kept: the words of the configuration's `cache`."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class TtlLimits:
    """How long upstreams' answers may be kept, here and by clients, in seconds; `min_ttl` of positive ones.

    The defaults: Unbound has a day as well, RFC 8767 §4 counsels a day to a week; RFC 2308 §5 one to three
    hours for negative answers.
    """

    max_ttl: int = 86_400
    min_ttl: int = 0
    negative_max_ttl: int = 3_600

    def __str__(self) -> str:
        return f"{self.min_ttl} to {self.max_ttl} s, negative {self.negative_max_ttl} s"


@dataclass(frozen=True, slots=True)
class CacheLimits(TtlLimits):
    """`size` is in octets: some 50,000 answers; Unbound keeps 4 MiB, BIND 90 % of the memory."""

    size: int = 64 << 20

    def __str__(self) -> str:
        return f"{TtlLimits.__str__(self)}, {self.size} octets"


DEFAULT_CACHE: Final = CacheLimits()
