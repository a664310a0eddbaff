"""Faults that a test asks for: answers late, lost, failed or cut, for some names and some VPCs.

A Responder around another. Knows what is asked and by whom, and decides nothing else. While there is no
fault it is not even in the way: its methods are the other's own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, Protocol

from vpcdns.listen.dispatch import abandon
from vpcdns.listen.responder import Responder
from vpcdns.model.clients import Client
from vpcdns.model.dns import ExtendedError, InfoCode, Rcode
from vpcdns.model.names import Name
from vpcdns.model.policy import Listen, Transport
from vpcdns.model.topology import Address
from vpcdns.query import Arrival, asked_by, error_response
from vpcdns.recall.views import RecalledQuery, Views
from vpcdns.server.shared_memory import SLOTS
from vpcdns.state import State

MAX_FAULTS: Final = 1_000
MAX_DELAY: Final = 60.0  # seconds

Answer = bytes | Awaitable[bytes | None] | None


class FaultKind(Enum):
    DELAY = "delay"
    DROP = "drop"
    SERVFAIL = "servfail"
    TRUNCATE = "truncate"  # over UDP; over TCP all is well


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """What goes wrong, for whom. `name` None is any, a leading `*` what lies below; `vpc_id` None is anybody.

    `times` is how often it still happens, `until` in monotonic seconds; None is no bound. `delay` is in
    seconds. `happened` counts. In `current` both are as of then.
    """

    fault_id: int
    kind: FaultKind
    name: Name | None = None
    vpc_id: str | None = None
    delay: float = 0.0
    times: int | None = None
    until: float | None = None
    happened: int = 0

    def fits(self, name: Name, client: Client) -> bool:
        if self.vpc_id is not None and client.vpc_id != self.vpc_id:
            return False
        if self.name is None or self.name == name:
            return True
        return (
            self.name.is_wildcard and len(name) >= len(self.name) and name.is_at_or_below(self.name.parent())
        )


class FaultCounts(Protocol):
    """How often each fault has happened."""

    def begin(self, fault_id: int) -> None: ...

    def happens(self, fault_id: int, times: int | None) -> bool:
        """Counts one more, unless it has happened so many times already."""

    def count(self, fault_id: int) -> int: ...


class LocalFaultCounts:
    """Those of one process."""

    def __init__(self) -> None:
        self._counts = [0] * SLOTS

    def begin(self, fault_id: int) -> None:
        self._counts[fault_id % SLOTS] = 0

    def happens(self, fault_id: int, times: int | None) -> bool:
        if times is not None and self._counts[fault_id % SLOTS] >= times:
            return False
        self._counts[fault_id % SLOTS] += 1
        return True

    def count(self, fault_id: int) -> int:
        return self._counts[fault_id % SLOTS]


class Faults:
    """The faults of one server, oldest first: the first that fits is the one that happens.

    `changed` is called after every change, with the faults that there are now.
    """

    def __init__(
        self,
        inner: Responder,
        state: State,
        clock: Callable[[], float] = time.monotonic,
        happenings: FaultCounts | None = None,
        changed: Callable[[tuple[InjectedFault, ...]], object] | None = None,
    ) -> None:
        self._inner = inner
        self._state = state
        self._clock = clock
        self._happenings = happenings or LocalFaultCounts()
        self._last_id = 0
        self._faults: dict[int, InjectedFault] = {}
        self._changed = changed
        self.trusts = inner.trusts
        self.servfail = inner.servfail
        self._switch()

    @property
    def tell(self) -> Callable[[RecalledQuery], None] | None:
        return self._inner.tell

    @tell.setter
    def tell(self, told: Callable[[RecalledQuery], None] | None) -> None:
        self._inner.tell = told

    def current(self) -> list[InjectedFault]:
        """Those that may still happen."""
        self._expire()
        return [self._as_of_now(one) for one in self._faults.values()]

    def _as_of_now(self, fault: InjectedFault) -> InjectedFault:
        happened = self._happenings.count(fault.fault_id)
        times = None if fault.times is None else fault.times - happened
        return replace(fault, happened=happened, times=times)

    def add(self, fault: InjectedFault) -> InjectedFault:
        """Sets a fault, under an id of its own."""
        self._expire()
        fault = replace(fault, fault_id=self._free_id(), happened=0)
        self._happenings.begin(fault.fault_id)
        self._faults[fault.fault_id] = fault
        self._change()
        return fault

    def _free_id(self) -> int:
        """The next one whose slot no other fault counts in."""
        taken = {fault_id % SLOTS for fault_id in self._faults}
        self._last_id += 1
        while self._last_id % SLOTS in taken:
            self._last_id += 1
        return self._last_id

    def put(self, faults: tuple[InjectedFault, ...]) -> None:
        """Those of another process are those of this one now."""
        self._faults = {one.fault_id: one for one in faults}
        self._switch()

    def remove(self, fault_id: int) -> bool:
        """Whether there was such a fault; there is not any more."""
        removed = self._faults.pop(fault_id, None)
        self._change()
        return removed is not None

    def clear(self) -> None:
        self._faults.clear()
        self._change()

    def _change(self) -> None:
        self._switch()
        if self._changed is not None:
            self._changed(tuple(self._faults.values()))

    def _switch(self) -> None:
        """In the way only when there is something to do: the listeners call these attributes."""
        self.respond = self._respond if self._faults else self._inner.respond
        self.hot = self._no_hot if self._faults else self._inner.hot

    def _no_hot(self, count: int) -> Views | None:
        """What is recalled does not come by here, so nothing is."""
        return None

    def _respond(
        self,
        message: bytes,
        peer: Address,
        port: int,
        transport: Transport,
        listen: Listen,
        proxied: Address | None = None,
    ) -> Answer:
        arrival = Arrival(peer, transport, listen.vpc_id, proxied, listen)
        asked = asked_by(message, arrival, self._state.world)
        happens = None
        if asked is not None and asked[0].question is not None:
            happens = self._happens(asked[0].question.name, asked[2], transport)

        def respond() -> Answer:
            return self._inner.respond(message, peer, port, transport, listen, proxied)

        if happens is None or asked is None:
            return respond()
        error = ExtendedError(InfoCode.OTHER, f"fault {happens.fault_id}, which a test asked for")
        match happens.kind:
            case FaultKind.DELAY:
                return _late(respond, happens.delay)
            case FaultKind.DROP:
                return None
            case FaultKind.SERVFAIL:
                return error_response(asked[0], asked[1], Rcode.SERVFAIL, error).octets
            case FaultKind.TRUNCATE:
                return error_response(asked[0], asked[1], Rcode.NOERROR, error, truncated=True).octets

    def _happens(self, name: Name, client: Client, transport: Transport) -> InjectedFault | None:
        """The fault that happens to this query, counted."""
        self._expire()
        for one in self._faults.values():
            fits = one.fits(name, client) and not (one.kind is FaultKind.TRUNCATE and transport == "tcp")
            if fits and self._happenings.happens(one.fault_id, one.times):
                return one
        return None

    def _expire(self) -> None:
        """Takes away those whose time or number is over."""
        now = self._clock()
        over = [
            one.fault_id
            for one in self._faults.values()
            if self._happenings.count(one.fault_id) == one.times
            or (one.until is not None and one.until <= now)
        ]
        for fault_id in over:
            del self._faults[fault_id]
        if over:
            self._switch()


async def _late(respond: Callable[[], Answer], delay: float) -> bytes | None:
    await asyncio.sleep(delay)
    answer = respond()
    if answer is None or isinstance(answer, bytes):
        return answer
    try:
        return await answer
    except asyncio.CancelledError:
        abandon(answer)
        raise
