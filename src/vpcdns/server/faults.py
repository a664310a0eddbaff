"""Faults that a test asks for: answers late, lost, failed or cut, for some names and some VPCs.

A Responder around another. Knows what is asked and by whom, and decides nothing else. While there is no fault
it costs nothing: its methods are the other's own.
"""

import asyncio
import mmap
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from itertools import count
from typing import Final

from vpcdns.listen.responder import Answer, PendingResponse, Responder
from vpcdns.model.clients import Client
from vpcdns.model.dns import ExtendedError, InfoCode, Rcode
from vpcdns.model.names import Name
from vpcdns.model.policy import Transport
from vpcdns.query import Arrival, asked_by, error_response
from vpcdns.recall.views import Views
from vpcdns.state import State

MAX_FAULTS: Final = 1_000
MAX_DELAY: Final = 60.0  # seconds
SLOTS: Final = 4_096


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
        pattern = self.name
        return pattern.is_wildcard and len(name) >= len(pattern) and name.is_at_or_below(pattern.parent())


class SharedCounts:
    """How often each fault has happened: for each process a row of SLOTS numbers, so that none ever waits.

    `own` is the number of this process's row, `fd` the memory of a server that is there already.
    """

    def __init__(self, processes: int, own: int = 0, fd: int | None = None) -> None:
        size = processes * SLOTS * 8
        self.own = own
        self.fd = -1
        if processes > 1:
            self.fd = os.memfd_create("vpcdns-counts") if fd is None else fd
            os.ftruncate(self.fd, size)
        cells = memoryview(mmap.mmap(self.fd, size)).cast("Q")
        self._rows = [cells[start : start + SLOTS] for start in range(0, processes * SLOTS, SLOTS)]

    def clear(self, slot: int) -> None:
        for row in self._rows:
            row[slot] = 0

    def total(self, slot: int) -> int:
        return sum(row[slot] for row in self._rows)

    def add(self, slot: int, limit: int | None) -> bool:
        """Counts one more; unless the total, which others may raise at the same time, would pass `limit`."""
        row = self._rows[self.own]
        if limit is not None and self.total(slot) >= limit:
            return False
        row[slot] += 1
        if limit is not None and self.total(slot) > limit:
            row[slot] -= 1
            return False
        return True


class Faults:
    """The faults of one server, oldest first: of those that fit a query, the first happens.

    `injected` are as they were set; `counts` says how often each has happened, in all processes of the
    server. `changed` is called after every change, with the faults that there are now.
    """

    def __init__(
        self,
        inner: Responder,
        state: State,
        clock: Callable[[], float] = time.monotonic,
        counts: SharedCounts | None = None,
        changed: Callable[[tuple[InjectedFault, ...]], object] = lambda _: None,
    ) -> None:
        self._inner, self._state, self._clock, self._changed = inner, state, clock, changed
        self._counts = counts or SharedCounts(1)
        self._last_id = 0
        self.relay, self.trusts, self.servfail = inner.relay, inner.trusts, inner.servfail
        self.put(())

    def current(self) -> list[InjectedFault]:
        """Those that may still happen."""
        self._expire()
        return list(map(self._as_of_now, self.injected))

    def _as_of_now(self, fault: InjectedFault) -> InjectedFault:
        happened = self._counts.total(fault.fault_id % SLOTS)
        times = None if fault.times is None else fault.times - happened
        return replace(fault, happened=happened, times=times)

    def add(self, fault: InjectedFault) -> InjectedFault:
        """Sets a fault, under an id of its own: the next one whose slot no other fault counts in."""
        self._expire()
        taken = {one.fault_id % SLOTS for one in self.injected}
        self._last_id = next(one for one in count(self._last_id + 1) if one % SLOTS not in taken)
        self._counts.clear(self._last_id % SLOTS)
        fault = replace(fault, fault_id=self._last_id, happened=0)
        self._change((*self.injected, fault))
        return fault

    def remove(self, fault_id: int) -> bool:
        """Removes a fault; False if there was none of that id."""
        before = self.injected
        self._change(tuple(one for one in before if one.fault_id != fault_id))
        return len(self.injected) < len(before)

    def clear(self) -> None:
        self._change(())

    def _change(self, faults: tuple[InjectedFault, ...]) -> None:
        self.put(faults)
        self._changed(faults)

    def put(self, faults: tuple[InjectedFault, ...]) -> None:
        """Replaces all faults. Without any, listeners call the inner responder's own methods."""
        self.injected = faults
        self.respond = self._respond if faults else self._inner.respond
        self.views = self._no_views if faults else self._inner.views

    def _no_views(self, _count: int) -> Views | None:
        """A recalled response would not meet its fault, so none may be recalled."""
        return None

    def _respond(self, message: bytes, arrival: Arrival) -> Answer:
        asked = asked_by(message, arrival, self._state.world)
        happens = None
        if asked is not None and asked[0].question is not None:
            happens = self._happens(asked[0].question.name, asked[2], arrival.transport)
        if happens is None or asked is None:
            return self._inner.respond(message, arrival)
        if happens.kind is FaultKind.DROP:
            return None
        if happens.kind is FaultKind.DELAY:
            return _Delayed(lambda: self._inner.respond(message, arrival), happens.delay)
        error = ExtendedError(InfoCode.OTHER, f"fault {happens.fault_id}, which a test asked for")
        truncated = happens.kind is FaultKind.TRUNCATE
        rcode = Rcode.NOERROR if truncated else Rcode.SERVFAIL
        return error_response(asked[0], asked[1], rcode, error, truncated=truncated).octets

    def _happens(self, name: Name, client: Client, transport: Transport) -> InjectedFault | None:
        """The fault that happens to this query, counted."""
        self._expire()
        for one in self.injected:
            fits = one.fits(name, client) and not (one.kind is FaultKind.TRUNCATE and transport == "tcp")
            if fits and self._counts.add(one.fault_id % SLOTS, one.times):
                return one
        return None

    def _expire(self) -> None:
        """Takes away those whose time or number is over."""
        now, total = self._clock(), self._counts.total
        left = tuple(
            one
            for one in self.injected
            if total(one.fault_id % SLOTS) != one.times and (one.until is None or one.until > now)
        )
        if len(left) < len(self.injected):
            self.put(left)


class _Delayed(PendingResponse):
    """Asks for the response when the delay is over."""

    __slots__ = ("_inner", "_respond", "_timer")

    def __init__(self, respond: Callable[[], Answer], delay: float) -> None:
        super().__init__()
        self._respond = respond
        self._inner: PendingResponse | None = None
        self._timer = asyncio.get_running_loop().call_later(delay, self._ask)

    def _ask(self) -> None:
        answer: Answer | Exception
        try:
            answer = self._respond()
        except Exception as bug:  # noqa: BLE001 - for the one catch-all, behind `deliver`
            answer = bug
        if isinstance(answer, PendingResponse):
            self._inner = answer
            answer.then(lambda inner: self.deliver(inner.result))
        else:
            self.deliver(answer)

    def cancel(self) -> None:
        super().cancel()
        self._timer.cancel()
        if self._inner is not None:
            self._inner.cancel()
