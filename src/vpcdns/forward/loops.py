"""Forwarding loops: a question of ours that comes back by way of an upstream.

Knows where questions come from, and what is outstanding. There is nothing to wait for then: the upstream
waits for us.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, NamedTuple

from vpcdns.model.policy import Upstream
from vpcdns.query import ForwardKey

if TYPE_CHECKING:
    from vpcdns.forward.forwarder import OutstandingQuery

log = logging.getLogger("vpcdns.forward")

_ANYBODYS: Final = frozenset({"127.0.0.1", "::1"})  # where ordinary clients ask from as well
_LOOPBACK: Final = ("127.", "::1")  # how addresses begin that forwarders may listen on, and ask from another
_QUIET: Final = 60.0  # seconds between two log lines about the same upstream


class Sender(NamedTuple):
    """Where a query came from, and under which id: one that we sent ourselves is a loop."""

    host: str
    port: int
    identity: int


class Loops:
    """Those through upstreams; `outstanding` are all questions that they are being asked."""

    def __init__(self, outstanding: dict[ForwardKey, OutstandingQuery]) -> None:
        self._outstanding = outstanding
        self._quiet_until: dict[Upstream, float] = {}

    def found(self, asked: OutstandingQuery, sender: Sender) -> bool:
        """Whether the same query is one of our own, come back, or comes from where its upstream is.

        All that ask the same question are told of it. Ordinary clients have addresses of this host, too, and
        forwarders on it need not ask from the one that they listen on: there it is a loop if nobody answers.
        """
        for attempt in asked.attempts:
            host = attempt.upstream.socket_address[0]
            if attempt.sent(*sender) or (host == sender.host and host not in _ANYBODYS):
                self.say(attempt.upstream)
                for query in self._alike(asked):
                    query.ends_in_loop(attempt.upstream)
                return True
            may_be = host.startswith(_LOOPBACK) and sender.host.startswith(_LOOPBACK)
            if may_be and not asked.is_loop_if_silent:
                for query in self._alike(asked):
                    query.is_loop_if_silent = True
        return False

    def say(self, upstream: Upstream) -> None:
        """Logs it, but not for every query."""
        now = asyncio.get_running_loop().time()
        if now >= self._quiet_until.get(upstream, 0.0):
            self._quiet_until[upstream] = now + _QUIET
            log.warning("Upstream %s asks us what we have asked it: a forwarding loop", upstream)

    def _alike(self, asked: OutstandingQuery) -> list[OutstandingQuery]:
        """All with the same question; a forwarder need not ask with the flags that it was asked with."""
        question = asked.upstream_query.question_wire.lower()
        outstanding = self._outstanding.values()
        return [query for query in outstanding if query.upstream_query.question_wire.lower() == question]
