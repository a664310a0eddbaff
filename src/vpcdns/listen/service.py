"""The life cycle: bind, serve, drain, end.

Knows listeners and time.
"""

import asyncio
import errno
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from vpcdns.listen.dispatch import Dispatch
from vpcdns.listen.responder import Responder
from vpcdns.listen.tcp import TcpServer
from vpcdns.listen.tcp_limits import TcpLimits
from vpcdns.listen.udp import UdpListener
from vpcdns.model.policy import Listen
from vpcdns.net.bind_errors import startup_error
from vpcdns.net.binding import Bound, Sharing, bind, is_local
from vpcdns.net.recvmmsg import Batch, PlainBatch, is_available

# A forwarded query is decided within 3.5 s (DESIGN §4); Docker kills what does not stop within 10.
GRACE: Final = 4.0


@dataclass(frozen=True, slots=True)
class PreparedListeners:
    """Where a Service is to listen next: all sockets, those of them that are new, and those to be closed."""

    bound: list[Bound]
    new: list[Bound]
    gone: list[Bound]

    @property
    def listens(self) -> tuple[Listen, ...]:
        """Where it will listen, with actual ports."""
        return tuple(bound.listen for bound in self.bound)

    def abandon(self) -> None:
        """Closes the new sockets, which are not needed after all."""
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
        self.stopping = False
        self._batch_type = Batch if batches or (batches is None and is_available()) else PlainBatch
        self._dispatch = Dispatch(responder)
        self.counters = self._dispatch.counters
        self._limits = limits
        self._sharing = sharing
        self._owner: int | None = None
        self._listens = tuple(listens)
        self._bound: list[Bound] = []
        self._udp: dict[socket.socket, UdpListener] = {}
        self._tcp: TcpServer | None = None

    @property
    def serving(self) -> tuple[Listen, ...]:
        """Where queries are answered now."""
        return tuple(udp.listen for udp in self._udp.values())

    @property
    def waiting(self) -> tuple[Listen, ...]:
        """Those of them whose address the host does not have now."""
        return tuple(one for one in self.serving if one.wait and not is_local(one.address))

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
        self._bound = bind([bound.listen for bound in inherited], self._sharing, self._owner)
        for bound in inherited:
            bound.close()

    def belong_to(self, uid: int | None) -> None:
        """Makes the sockets another user's, and those that join: SO_REUSEPORT is for one user (socket(7))."""
        self._owner = uid
        if uid is not None and os.geteuid() == 0:
            for bound in self._bound:
                os.fchown(bound.udp.fileno(), uid, -1)
                os.fchown(bound.tcp.fileno(), uid, -1)

    async def start(self) -> tuple[Listen, ...]:
        """Begins to answer; returns where. Binds first, if that was not done. Raises StartupError."""
        listens = self.bind()
        self._tcp = TcpServer(self._dispatch, self._limits)
        for bound in self._bound:
            self._serve(bound, self._tcp)
        return listens

    def prepare(self, listens: Sequence[Listen]) -> PreparedListeners:
        """Binds what `listens` needs and is not bound yet; what is served stays as it is until `commit`.

        Raises StartupError when a port cannot be had; nothing is left open then.
        """
        gone, stay, wanted = list(self._bound), list[Bound](), list[Listen]()
        for listen in listens:
            for bound in gone:
                if bound.listen.address == listen.address and listen.port in (bound.listen.port, 0):
                    if bound.listen.wait and not listen.wait and not is_local(listen.address):
                        raise startup_error(listen, "udp", OSError(errno.EADDRNOTAVAIL, ""))
                    gone.remove(bound)
                    stay.append(replace(bound, listen=replace(listen, port=bound.listen.port)))
                    break
            else:
                wanted.append(listen)
        new = bind(wanted, self._sharing)
        return PreparedListeners(stay + new, new, gone)

    def commit(self, prepared: PreparedListeners) -> None:
        """Serves the prepared listeners from now on, without a gap on those that stay. Cannot fail."""
        if self._tcp is None or self.stopping:
            prepared.abandon()
            return
        for bound in prepared.gone:
            self._udp.pop(bound.udp).stop_reading()
            self._tcp.leave(bound.tcp)
            bound.close()
        self._bound = prepared.bound
        for bound in self._bound:
            self._serve(bound, self._tcp)

    def _serve(self, bound: Bound, tcp: TcpServer) -> None:
        """Serves a bound socket for `bound.listen`, whose clients may count as another VPC than before."""
        former = self._udp.get(bound.udp)
        if former is not None:
            if former.listen == bound.listen:
                return
            former.stop_reading()
        self._udp[bound.udp] = UdpListener(bound.udp, bound.listen, self._dispatch, self._batch_type)
        tcp.serve(bound.tcp, bound.listen)

    async def stop(self, grace: float = GRACE) -> None:
        """Reads nothing more, gives outstanding answers `grace` seconds, then closes everything.

        May be called again, with less grace, after it was cancelled.
        """
        self.stopping = True
        deadline = time.monotonic() + grace
        for udp in self._udp.values():
            udp.stop_reading()
        if self._tcp is not None:
            self._tcp.stop_accepting()
            self._tcp.end()
        await self._dispatch.drain(grace)
        await asyncio.sleep(0)  # the last answers are sent in the turn after the one that brought them
        if self._tcp is not None:
            await self._tcp.close(deadline - time.monotonic())
        for bound in self._bound:
            bound.close()
        self._udp.clear()
        self._bound.clear()
        self._tcp = None
