"""The life cycle: bind, serve, drain, end.

Knows listeners and time.
"""

import asyncio
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from vpcdns.listen.counters import ListenerCounters
from vpcdns.listen.dispatch import Dispatch
from vpcdns.listen.responder import Responder
from vpcdns.listen.tcp import TcpServer
from vpcdns.listen.tcp_limits import TcpLimits
from vpcdns.listen.udp import UdpListener
from vpcdns.listen.udp_batches import BatchListener
from vpcdns.model.policy import Listen
from vpcdns.net.binding import Bound, Sharing, bind
from vpcdns.net.recvmmsg import is_available

# A forwarded query is decided within 3.5 s (DESIGN §4); Docker kills what does not stop within 10.
GRACE: Final = 4.0


@dataclass(frozen=True, slots=True)
class PreparedListeners:
    """Where a Service is to listen next: sockets that stay, with their next `Listen`, new and former ones."""

    stay: list[tuple[Bound, Listen]]
    new: list[Bound]
    gone: list[Bound]

    @property
    def listens(self) -> tuple[Listen, ...]:
        """Where it will listen, with actual ports."""
        return *(listen for _, listen in self.stay), *(bound.listen for bound in self.new)

    def abandon(self) -> None:
        """Closes what was bound for nothing."""
        for bound in self.new:
            bound.close()


class Service:
    """A responder, served on `listens`. Counts into `counters`.

    `batches` says whether datagrams are taken by recvmmsg(2); default: where the platform has it.
    `sharing` says who else may listen there.
    """

    def __init__(
        self,
        responder: Responder,
        listens: Sequence[Listen],
        limits: TcpLimits | None = None,
        *,
        batches: bool | None = None,
        sharing: Sharing = Sharing.ALONE,
    ) -> None:
        self._batches = is_available() if batches is None else batches
        self.counters = ListenerCounters()
        self.stopping = False
        self._dispatch = Dispatch(responder, self.counters)
        self._limits = limits
        self._sharing = sharing
        self._listens = tuple(listens)
        self._bound: list[Bound] = []
        self._udp: dict[socket.socket, UdpListener | BatchListener] = {}
        self._tcp: TcpServer | None = None

    @property
    def serving(self) -> tuple[Listen, ...]:
        """Where queries are answered now."""
        return tuple(udp.listen for udp in self._udp.values())

    def bind(self) -> tuple[Listen, ...]:
        """Takes every address and port, and returns the actual ones; nothing is answered yet.

        Apart from `start` so that privileges can be dropped in between. Raises StartupError.
        """
        if not self._bound:
            self._bound = bind(self._listens, self._sharing)
        return tuple(bound.listen for bound in self._bound)

    def join(self) -> None:
        """In a forked process: listens with sockets of its own where those that it inherited do."""
        inherited, self._sharing = self._bound, Sharing.JOINING
        self._bound = bind([bound.listen for bound in inherited], self._sharing)
        for bound in inherited:
            bound.close()

    def belong_to(self, uid: int | None) -> None:
        """Makes the sockets another user's: SO_REUSEPORT is for those of one user (socket(7))."""
        if uid is not None and os.geteuid() == 0:
            for bound in self._bound:
                os.fchown(bound.udp.fileno(), uid, -1)
                os.fchown(bound.tcp.fileno(), uid, -1)

    async def start(self) -> tuple[Listen, ...]:
        """Begins to answer; returns where. Binds first, if that was not done. Raises StartupError."""
        listens = self.bind()
        self._tcp = TcpServer(self._dispatch, self.counters, self._limits)
        for bound in self._bound:
            self._serve(bound)
        return listens

    def prepare(self, listens: Sequence[Listen]) -> PreparedListeners:
        """Binds what `listens` needs and is not bound yet; what is served stays as it is until `commit`.

        Raises StartupError when a port cannot be had; nothing is left open then.
        """
        gone, stay, wanted = list(self._bound), list[tuple[Bound, Listen]](), list[Listen]()
        for listen in listens:
            bound = next((bound for bound in gone if _same_place(bound.listen, listen)), None)
            if bound is None:
                wanted.append(listen)
            else:
                gone.remove(bound)
                stay.append((bound, replace(listen, port=bound.listen.port)))
        return PreparedListeners(stay, bind(wanted, self._sharing), gone)

    def commit(self, prepared: PreparedListeners) -> None:
        """Serves the prepared listeners from now on, without a gap on those that stay. Cannot fail."""
        for bound in prepared.gone:
            self._leave(bound)
            bound.close()
        self._bound = [self._moved(bound, listen) for bound, listen in prepared.stay] + prepared.new
        for bound in prepared.new:
            self._serve(bound)

    def _moved(self, bound: Bound, listen: Listen) -> Bound:
        """The same sockets under another `listen`: who asks there counts as somebody else."""
        if bound.listen == listen:
            return bound
        moved = replace(bound, listen=listen)
        self._udp.pop(bound.udp).stop_reading()
        self._serve_udp(moved)
        if self._tcp is not None:
            self._tcp.move(bound.tcp, listen)
        return moved

    def _serve(self, bound: Bound) -> None:
        self._serve_udp(bound)
        if self._tcp is not None:
            self._tcp.start(bound.tcp, bound.listen)

    def _serve_udp(self, bound: Bound) -> None:
        listener = BatchListener if self._batches else UdpListener
        udp = listener(bound.udp, bound.listen, self._dispatch, self.counters)
        self._udp[bound.udp] = udp
        udp.start()

    def _leave(self, bound: Bound) -> None:
        self._udp.pop(bound.udp).stop_reading()
        if self._tcp is not None:
            self._tcp.leave(bound.tcp)

    async def stop(self, grace: float = GRACE) -> None:
        """Reads nothing more, gives outstanding answers `grace` seconds, then closes everything.

        May be called again, with less grace, after it was cancelled.
        """
        self.stopping = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        for udp in self._udp.values():
            udp.stop_reading()
        if self._tcp is not None:
            self._tcp.stop_accepting()
            self._tcp.end()
        await self._dispatch.drain(grace)
        await asyncio.sleep(0)  # the last answers are sent in the turn after the one that brought them
        if self._tcp is not None:
            await self._tcp.close(deadline - loop.time())
        for bound in self._bound:
            bound.close()
        self._udp.clear()
        self._bound.clear()
        self._tcp = None


def _same_place(bound: Listen, wanted: Listen) -> bool:
    """Whether a socket that is bound serves what is wanted; port 0 is any port."""
    return bound.address == wanted.address and wanted.port in (bound.port, 0)
