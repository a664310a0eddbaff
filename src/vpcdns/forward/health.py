"""Which upstreams answer: those that are silent are asked last, for a while.

Knows upstreams and monotonic seconds, given by whoever has a clock; neither sockets nor questions.
"""

from dataclasses import dataclass
from typing import Final

from vpcdns.model.policy import Upstream

_DOWN_AFTER: Final = 2  # silences in a row
# Seconds until an upstream that knows no EDNS is tried with it again; Unbound's infra-host-ttl.
_WITHOUT_EDNS: Final = 900.0
_DOWN_AT_MOST: Final = 30.0  # seconds until an upstream that is down is asked first again


@dataclass(slots=True)
class Health:
    """How often in a row an upstream was silent, and until when others are asked before it."""

    silences: int = 0
    down_until: float = 0.0


class Healths(dict[Upstream, Health]):
    """The health of each upstream that did not answer the last time, and which upstreams know no EDNS."""

    def __init__(self) -> None:
        super().__init__()
        self._without_edns: dict[Upstream, float] = {}

    def knows_edns(self, upstream: Upstream, now: float) -> bool:
        """Whether it may be asked with an OPT record."""
        return not self._without_edns or self._without_edns.get(upstream, 0.0) <= now

    def refused_edns(self, upstream: Upstream, now: float) -> None:
        """An upstream answered a query without an OPT record that it refused with one (RFC 6891 §6.2.2)."""
        if self.knows_edns(upstream, now):
            self._without_edns[upstream] = now + _WITHOUT_EDNS

    def in_order(self, upstreams: tuple[Upstream, ...], now: float) -> tuple[Upstream, ...]:
        """The upstreams as configured, those that are down last."""
        if not self:
            return upstreams
        down = {upstream for upstream, health in self.items() if health.down_until > now}
        return tuple(sorted(upstreams, key=down.__contains__))

    def heard(self, upstream: Upstream) -> None:
        """An upstream said something."""
        if self:
            self.pop(upstream, None)

    def silent(self, upstream: Upstream, now: float) -> None:
        """An upstream did not answer within its share of the deadline, or could not be reached."""
        health = self.setdefault(upstream, Health())
        health.silences += 1
        if health.silences >= _DOWN_AFTER:
            health.down_until = now + min(_DOWN_AT_MOST, 2.0 ** min(health.silences, 10))
