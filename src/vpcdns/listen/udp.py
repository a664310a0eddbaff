"""One UDP socket without recvmmsg(2): each datagram is answered from the address it was sent to.

Knows one socket. A datagram is octets; who may ask and what is answered is behind `Dispatch`. Nothing is
queued here: what the kernel does not take at once is lost, as UDP may.
"""

import socket
from functools import partial
from typing import Final

from vpcdns.listen.counters import ListenerCounters
from vpcdns.listen.dispatch import Dispatch
from vpcdns.listen.responder import Answer, Peers, PendingResponse
from vpcdns.listen.udp_socket import UdpSocket
from vpcdns.model.policy import Listen
from vpcdns.model.topology import Address
from vpcdns.net.recvmmsg import RECEIVE_AT_MOST
from vpcdns.query import Arrival
from vpcdns.recall.views import View

# Datagrams taken before TCP and everything else get their turn. At 10 to 50 µs a query this is 0.6 to 3 ms.
BATCH: Final = 64
# Room for one in6_pktinfo, the larger of the two (RFC 3542 §6.1).
_ANCILLARY_OCTETS: Final = socket.CMSG_SPACE(20)

_Ancillary = list[tuple[int, int, bytes]]
_SocketAddress = tuple[str, int] | tuple[str, int, int, int]


class UdpListener(UdpSocket):
    """Serves one bound socket, a datagram at a time.

    A socket that asks for packet information gets its responses sent with the packet information of the
    query, untouched, so that they leave from the address asked (facts: containers.md §4). On other
    sockets the kernel gives none, and the cheaper call is used (measured: 0.6 µs less).
    """

    def __init__(
        self, sock: socket.socket, listen: Listen, dispatch: Dispatch, counters: ListenerCounters
    ) -> None:
        super().__init__(sock, listen, dispatch, counters)
        self._peers = Peers()

    def _drain(self) -> None:
        receive, counters, clients = self._sock.recvmsg, self._counters, self._known_clients(BATCH)
        for _ in range(BATCH):
            try:
                message, ancillary, flags, address = receive(RECEIVE_AT_MOST, _ANCILLARY_OCTETS)
            except BlockingIOError:
                return
            except OSError:
                # What an earlier datagram met, reported now, or a lack of memory: there is nobody to answer.
                counters.udp_receive_errors += 1
                return
            counters.udp_received += 1
            host, port = address[:2]
            if flags & socket.MSG_TRUNC or port == 0:
                counters.udp_discarded += 1
                continue
            peer = self._peers[host]
            answer = self._recalled(clients.get(host), message, peer)
            if answer is None:
                answer = self._dispatch.respond(message, Arrival(peer, "udp", self.listen, port))
                self._remember_client(host, peer)
            if isinstance(answer, PendingResponse):
                self._dispatch.later(answer, message, partial(self._send, ancillary, address))
            else:
                self._send(ancillary, address, answer)

    def _recalled(self, view: View | None, message: bytes, peer: Address) -> Answer:
        """The response, if it can be had without a decision; None: the responder must be asked."""
        if view is None:
            return None
        query = message[2:]
        response = self._dispatch.recall(view, query, peer)
        if response is not None:
            return message[:2] + response
        found = view.routes.find(query)
        return None if found is None else self._dispatch.relay(message, view, peer, found)

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
