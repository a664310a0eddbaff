"""One UDP socket: datagrams in batches, each answered from the address it was sent to.

Knows one socket and the event loop that watches it. A datagram is octets; who may ask and what is answered is
behind `Answering`. Nothing is queued here: what the kernel does not take at once is lost, as UDP may.
"""

from __future__ import annotations

import asyncio
import socket
import time
from functools import partial
from typing import Final

from vpcdns.listen.counters import ListenerCounters
from vpcdns.listen.dispatch import Answering
from vpcdns.listen.responder import Peers
from vpcdns.model.policy import Listen
from vpcdns.model.topology import Address
from vpcdns.net.recvmmsg import RECEIVE_AT_MOST
from vpcdns.recall.views import View, Views

# Datagrams taken before TCP and everything else get their turn. At 10 to 50 µs a query this is 0.6 to 3 ms.
BATCH: Final = 64
# Room for one in6_pktinfo, the larger of the two (RFC 3542 §6.1).
_ANCILLARY_OCTETS: Final = socket.CMSG_SPACE(20)

_VIEWS_AT_MOST: Final = 10_000

_Ancillary = list[tuple[int, int, bytes]]
_SocketAddress = tuple[str, int] | tuple[str, int, int, int]


class UdpListener:
    """Serves one bound socket. `listen` is what the socket is bound to.

    A socket that asks for packet information gets its responses sent with the packet information of the
    query, untouched, so that they leave from the address asked (facts: containers.md §4). On other
    sockets the kernel gives none, and the cheaper call is used (measured: 0.6 µs less).
    """

    def __init__(
        self, sock: socket.socket, listen: Listen, answering: Answering, counters: ListenerCounters
    ) -> None:
        self.listen = listen
        self._sock = sock
        self._answering = answering
        self._counters = counters
        self._peers = Peers()
        self._hot: Views | None = None
        self._views: dict[str, View] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begins to read."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._sock.fileno(), self._drain)

    def stop_reading(self) -> None:
        """Leaves further datagrams to the kernel; answers that are outstanding can still be sent."""
        if self._loop is not None:
            self._loop.remove_reader(self._sock.fileno())
            self._loop = None

    def _drain(self) -> None:
        receive, respond, peers = self._sock.recvmsg, self._answering.respond, self._peers
        counters, listen, views = self._counters, self.listen, self._current_views()
        for _ in range(BATCH):
            try:
                message, ancillary, flags, address = receive(RECEIVE_AT_MOST, _ANCILLARY_OCTETS)
            except BlockingIOError:
                return
            except OSError:
                # What an earlier datagram met, told now, or a lack of memory: there is nobody to answer.
                counters.udp_receive_errors += 1
                return
            counters.udp_received += 1
            port = address[1]
            if flags & socket.MSG_TRUNC or port == 0:
                counters.udp_discarded += 1
                continue
            view = views.get(address[0])
            if view is not None:
                recalled = self._recalled(view, message, address[0])
                if recalled is not None:
                    self._send(ancillary, address, recalled)
                    continue
            peer = peers[address[0]]
            answer = respond(message, peer, port, "udp", listen)
            self._remember_view(address[0], peer)
            if answer is None or isinstance(answer, bytes):
                self._send(ancillary, address, answer)
            else:
                self._answering.later(answer, message, partial(self._send, ancillary, address))

    def _current_views(self) -> dict[str, View]:
        """What may be recalled for whom; nothing when all must be asked."""
        hot = self._answering.hot(BATCH)
        if hot is not self._hot:
            self._hot = hot
            self._views.clear()
        return self._views

    def _remember_view(self, host: str, peer: Address) -> None:
        if self._hot is None:
            return
        if len(self._views) >= _VIEWS_AT_MOST:
            self._views.clear()  # a flood from spoofed addresses must not grow memory
        self._views[host] = self._hot.view(peer, "udp", self.listen)

    def _recalled(self, view: View, message: bytes, host: str) -> bytes | None:
        """The response, if it can be had without asking."""
        query = message[2:]
        recalled = view.memo.get(query) or view.recall(query)
        if recalled is None:
            return None
        response, known = recalled
        known.count += 1
        tell = self._answering.tell
        if tell is not None:
            tell((time.time(), view, query, self._peers[host]))
        return message[:2] + response

    def _send(self, ancillary: _Ancillary, address: _SocketAddress, response: bytes | None) -> None:
        if response is None:
            self._counters.udp_silent += 1
            return
        try:
            if ancillary:
                self._sock.sendmsg((response,), ancillary, 0, address)
            else:
                self._sock.sendto(response, address)
        except OSError:
            # EAGAIN and ENOBUFS (full), EPERM (a firewall), ENETUNREACH, EINVAL (asked by multicast),
            # EBADF (closed meanwhile): the client asks again, or does not exist.
            self._counters.udp_send_errors += 1
        else:
            self._counters.udp_answered += 1
