"""One UDP socket, in batches: the hot loop.

Knows one socket, and what can be recalled for whom. The rest goes to `Dispatch`. `udp` does the same without
recvmmsg(2), and tests/listen checks both.

What each trick bought, in µs of CPU time a query at full load, one core, 10,000 names (see
docs/performance.md for how to measure): recvmmsg and sendmmsg instead of a call per datagram, 3; the response
written over the query in the same slot, so that the id stays where it is, 0.3; whole responses in a
dictionary by query, 2; views looked up by the raw address, 1; where a slot's parts are, worked out once, 0.1;
a pause when many come at a time, 0.4.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from typing import Final

from vpcdns.listen.counters import ListenerCounters
from vpcdns.listen.dispatch import Dispatch
from vpcdns.listen.responder import PendingResponse
from vpcdns.listen.udp_socket import UdpSocket
from vpcdns.model.policy import Listen
from vpcdns.model.topology import Address, unmapped
from vpcdns.net.recvmmsg import (
    FLAGS_WORD,
    HEADER_WORDS,
    IPV4_WORD,
    LENGTH_WORD,
    NAME,
    NAME_WORDS,
    SLOT,
    Batch,
    Envelope,
)
from vpcdns.query import Arrival
from vpcdns.recall.views import View

# Datagrams a call. More bring nothing: the calls' own cost is then a hundredth of a datagram's.
BATCH: Final = 64
# Seconds until TCP and everything else get their turn. By the clock, not by datagrams: while a thread works,
# each batch may have to wait for it, and many a batch is one datagram.
TURN: Final = 0.002
# When so many were answered at a time, more will have come in a moment. To wait for them in a short sleep
# costs less than to be woken for a few, and whoever sends need not wake us. Network cards do the same.
MANY: Final = 6
PAUSE: Final = 1e-6  # seconds; the kernel makes some 60 µs of it (prctl(2), PR_SET_TIMERSLACK)


class BatchListener(UdpSocket):
    """Serves one bound socket with recvmmsg(2) and sendmmsg(2)."""

    def __init__(
        self, sock: socket.socket, listen: Listen, dispatch: Dispatch, counters: ListenerCounters
    ) -> None:
        super().__init__(sock, listen, dispatch, counters)
        ancillary = listen.address.is_unspecified
        self._batch = Batch(sock, BATCH, ancillary=ancillary)
        self._slots = [_slot(self._batch, i) for i in range(BATCH)]
        self._outgoing = Batch(sock, BATCH, ancillary=ancillary)
        self._late: list[tuple[Envelope, bytes]] = []
        self._is_ipv4 = sock.family == socket.AF_INET

    def _drain(self) -> None:
        end, together = time.monotonic() + TURN, 0
        while time.monotonic() < end:
            try:
                count = self._batch.receive()
            except OSError:
                # What an earlier datagram met, reported now, or a lack of memory: there is nobody to answer.
                self._counters.udp_receive_errors += 1
                return
            if not count:
                if together < MANY:
                    return
                time.sleep(PAUSE)
                together = 0
                continue
            self._counters.udp_received += count
            silent = self._answer(count)
            self._send(count, silent)
            if not silent:
                together += count
            elif count < BATCH:
                return  # whatever they wait for gets its turn

    def _answer(self, count: int) -> list[int]:
        """Puts a response into every slot; the slots that are to be left out."""
        batch = self._batch
        headers, names, vectors = batch.headers, batch.names, batch.vectors
        clients = self._known_clients(count)
        on_recall = None if self._views is None else self._views.on_recall
        is_ipv4, now = self._is_ipv4, time.time()
        silent: list[int] = []
        for i, slot, ipv6, length_word, peer_word, sent_word in islice(self._slots, count):
            # The message without its id: what is recalled holds for every id.
            query = bytes(slot[2 : headers[length_word]])
            peer: int | bytes = names[peer_word] if is_ipv4 else bytes(ipv6)
            view = clients.get(peer)
            if view is not None:
                recalled = view.memo.get(query) or view.recall(query)
                if recalled is not None:
                    response, kind = recalled
                    kind.count += 1
                    end = len(response) + 2
                    slot[2:end] = response
                    vectors[sent_word] = end
                    if on_recall is not None:
                        on_recall((now, view, query, peer))
                    continue
                if self._relay(i, view, query, peer):
                    silent.append(i)
                    continue
            if not self._ask(i):
                silent.append(i)
        return silent

    def _relay(self, i: int, view: View, query: bytes, peer: int | bytes) -> bool:
        """Whether slot i is answered later, by way of a route that the view has."""
        found = view.routes.find(query)
        if found is None:
            return False
        message = bytes(self._batch.octets[i * SLOT : i * SLOT + 2]) + query
        pending = self._dispatch.relay(message, view, peer, found)
        if pending is None:
            return False
        self._dispatch.later(pending, message, partial(self._send_late, self._batch.envelope(i)))
        return True

    def _ask(self, i: int) -> bool:
        """Asks for an answer to slot i; whether it is in the slot now."""
        batch, counters = self._batch, self._counters
        length = batch.headers[i * HEADER_WORDS + LENGTH_WORD]
        port = socket.ntohs(batch.names[i * NAME_WORDS] >> 16)
        if batch.headers[i * HEADER_WORDS + FLAGS_WORD] & socket.MSG_TRUNC or port == 0:
            counters.udp_discarded += 1
            return False
        message, peer = bytes(batch.octets[i * SLOT : i * SLOT + length]), self._peer(i)
        answer = self._dispatch.respond(message, Arrival(peer, "udp", self.listen, port))
        self._remember_client(
            batch.names[i * NAME_WORDS + IPV4_WORD] if self._is_ipv4 else self._ipv6(i), peer
        )
        if isinstance(answer, bytes) and len(answer) <= SLOT:
            batch.octets[i * SLOT : i * SLOT + len(answer)] = answer
            batch.vectors[2 * i + 1] = len(answer)
            return True
        if isinstance(answer, PendingResponse):
            self._dispatch.later(answer, message, partial(self._send_late, batch.envelope(i)))
        else:
            counters.udp_silent += 1
        return False

    def _peer(self, i: int) -> Address:
        if self._is_ipv4:
            return IPv4Address(bytes(self._batch.name_octets[i * NAME + 4 : i * NAME + 8]))
        return unmapped(IPv6Address(self._ipv6(i)))

    def _ipv6(self, i: int) -> bytes:
        return bytes(self._batch.name_octets[i * NAME + 8 : i * NAME + 24])

    def _send(self, count: int, silent: list[int]) -> None:
        first = 0
        for left_out in (*silent, count):
            while first < left_out:
                first += self._sent(self._batch.send, first, left_out)
            first = left_out + 1

    def _send_late(self, envelope: Envelope, response: bytes | None) -> None:
        """Sends in the next turn of the loop, with all that come in this one: one call for all of them."""
        if response is None or len(response) > SLOT:
            self._counters.udp_silent += 1
            return
        if not self._late:
            asyncio.get_running_loop().call_soon(self._flush)
        self._late.append((envelope, response))

    def _flush(self) -> None:
        late, self._late = self._late, []
        if self._sock.fileno() < 0:  # closed meanwhile, and its number may be another's by now
            self._counters.udp_send_errors += len(late)
            return
        for start in range(0, len(late), BATCH):
            batch = late[start : start + BATCH]
            for i, (envelope, response) in enumerate(batch):
                self._outgoing.address(i, envelope, response)
            first = 0
            while first < len(batch):
                first += self._sent(self._outgoing.send, first, len(batch))

    def _sent(self, send: Callable[[int, int], int], first: int, end: int) -> int:
        """How many slots are done with. One that cannot be sent is passed over, and the rest go on."""
        try:
            sent = send(first, end)
        except OSError:
            # EAGAIN and ENOBUFS (full), EPERM (a firewall), ENETUNREACH, EINVAL (port 0, or asked by
            # multicast), EBADF (closed meanwhile): the client asks again, or does not exist.
            self._counters.udp_send_errors += 1
            return 1
        self._counters.udp_answered += sent
        return sent


def _slot(batch: Batch, i: int) -> tuple[int, memoryview, memoryview, int, int, int]:
    """Number, message and the peer's IPv6 address; where length, IPv4 address and the sent length are."""
    return (
        i,
        batch.octets[i * SLOT : (i + 1) * SLOT],
        batch.name_octets[i * NAME + 8 : i * NAME + 24],
        i * HEADER_WORDS + LENGTH_WORD,
        i * NAME_WORDS + IPV4_WORD,
        2 * i + 1,
    )
