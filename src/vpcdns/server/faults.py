"""Faults that a test asks for: answers late, lost, failed or cut, for some names and some VPCs.

A Responder around another. Knows what is asked and by whom, and decides nothing else. While there is no fault
it costs nothing: its methods are the other's own.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from vpcdns.listen.responder import Answer, PendingResponse, Responder
from vpcdns.model.clients import Client
from vpcdns.model.dns import ExtendedError, InfoCode, Rcode
from vpcdns.model.names import Name
from vpcdns.model.policy import Transport
from vpcdns.query import Arrival, asked_by, error_response
from vpcdns.recall.views import Views
from vpcdns.server.shared_memory import SLOTS, SharedCounts
from vpcdns.state import State

MAX_FAULTS: Final = 1_000
MAX_DELAY: Final = 60.0  # seconds


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


class Faults:
    """The faults of one server, oldest first: the first that fits is the one that happens.

    `counts` says how often each has happened, in all processes of the server. `changed` is called after every
    change, with the faults that there are now.
    """

    def __init__(
        self,
        inner: Responder,
        state: State,
        clock: Callable[[], float] = time.monotonic,
        counts: SharedCounts | None = None,
        changed: Callable[[tuple[InjectedFault, ...]], object] | None = None,
    ) -> None:
        self._inner = inner
        self._state = state
        self._clock = clock
        self._counts = counts or SharedCounts(1)
        self._last_id = 0
        self._faults: dict[int, InjectedFault] = {}
        self._changed = changed
        self.relay = inner.relay
        self.trusts = inner.trusts
        self.servfail = inner.servfail
        self._switch()

    def current(self) -> list[InjectedFault]:
        """Those that may still happen."""
        self._expire()
        return [self._as_of_now(one) for one in self._faults.values()]

    def _as_of_now(self, fault: InjectedFault) -> InjectedFault:
        happened = self._happened(fault)
        times = None if fault.times is None else fault.times - happened
        return replace(fault, happened=happened, times=times)

    def _happened(self, fault: InjectedFault) -> int:
        return self._counts.total(fault.fault_id % SLOTS)

    def add(self, fault: InjectedFault) -> InjectedFault:
        """Sets a fault, under an id of its own."""
        self._expire()
        fault = replace(fault, fault_id=self._free_id(), happened=0)
        self._counts.clear(fault.fault_id % SLOTS)
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
        """While there is no fault, listeners call the inner responder's own methods."""
        self.respond = self._respond if self._faults else self._inner.respond
        self.views = self._no_views if self._faults else self._inner.views

    def _no_views(self, count: int) -> Views | None:
        """Recalled responses do not pass by here, so nothing may be recalled."""
        return None

    def _respond(self, message: bytes, arrival: Arrival) -> Answer:
        asked = asked_by(message, arrival, self._state.world)
        happens = None
        if asked is not None and asked[0].question is not None:
            happens = self._happens(asked[0].question.name, asked[2], arrival.transport)
        if happens is None or asked is None:
            return self._inner.respond(message, arrival)
        error = ExtendedError(InfoCode.OTHER, f"fault {happens.fault_id}, which a test asked for")
        match happens.kind:
            case FaultKind.DELAY:
                return _Delayed(lambda: self._inner.respond(message, arrival), happens.delay)
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
            if fits and self._counts.add(one.fault_id % SLOTS, one.times):
                return one
        return None

    def _expire(self) -> None:
        """Takes away those whose time or number is over."""
        now = self._clock()
        over = [
            one.fault_id
            for one in self._faults.values()
            if self._happened(one) == one.times or (one.until is not None and one.until <= now)
        ]
        for fault_id in over:
            del self._faults[fault_id]
        if over:
            self._switch()


class _Delayed(PendingResponse):
    """Asks for the response when the delay is over."""

    __slots__ = ("_inner", "_respond", "_timer")

    def __init__(self, respond: Callable[[], Answer], delay: float) -> None:
        super().__init__()
        self._respond = respond
        self._inner: PendingResponse | None = None
        self._timer = asyncio.get_running_loop().call_later(delay, self._ask)

    def _ask(self) -> None:
        try:
            answer = self._respond()
        except Exception as bug:  # noqa: BLE001 - for the one catch-all, behind `deliver`
            self.deliver(bug)
            return
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
