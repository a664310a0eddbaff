"""One UDP socket, in batches: the hot loop.

Knows one socket, and what can be recalled for whom without asking. What cannot goes to `Answering`, as
`udp` does with every datagram; both listeners behave alike, which the same tests check.

What each trick bought, in µs of CPU time a query at full load, one core, 10,000 names (see
docs/performance.md for how to measure): recvmmsg and sendmmsg instead of a call per datagram, 3; the response
written over the query in the same slot, so that the id stays where it is, 0.3; whole responses in a
dictionary by query, 2; views looked up by the raw address, 1; where a slot's parts are, worked out once, 0.1;
a pause when many come at a time, 0.4.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from typing import Final

from vpcdns.listen.counters import ListenerCounters
from vpcdns.listen.dispatch import Answering
from vpcdns.listen.rate_limits import is_limited
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
from vpcdns.recall.views import View, Views

# Datagrams a call. More bring nothing: the calls' own cost is then a hundredth of a datagram's.
BATCH: Final = 64
# Seconds until TCP and everything else get their turn. By the clock, not by datagrams: while a thread works,
# each batch may have to wait for it, and many a batch is one datagram.
TURN: Final = 0.002
# When so many were answered at a time, more will have come in a moment. To wait for them in a short sleep
# costs less than to be woken for a few, and whoever sends need not wake us. Network cards do the same.
MANY: Final = 6
PAUSE: Final = 1e-6  # seconds; the kernel makes some 60 µs of it (prctl(2), PR_SET_TIMERSLACK)
_VIEWS_AT_MOST: Final = 10_000
_NO_VIEWS: Final[dict[int | bytes, View]] = {}


class BatchListener:
    """Serves one bound socket. `listen` is what the socket is bound to."""

    def __init__(
        self, sock: socket.socket, listen: Listen, answering: Answering, counters: ListenerCounters
    ) -> None:
        self.listen = listen
        self._sock = sock
        self._answering = answering
        self._counters = counters
        ancillary = listen.address.is_unspecified
        self._batch = Batch(sock, BATCH, ancillary=ancillary)
        self._slots = [_slot(self._batch, i) for i in range(BATCH)]
        self._outgoing = Batch(sock, BATCH, ancillary=ancillary)
        self._late: list[tuple[Envelope, bytes]] = []
        self._is_ipv4 = sock.family == socket.AF_INET
        self._hot: Views | None = None
        self._views: dict[int | bytes, View] = {}
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
        end, together = time.monotonic() + TURN, 0
        while time.monotonic() < end:
            try:
                count = self._batch.receive()
            except OSError:
                # What an earlier datagram met, told now, or a lack of memory: there is nobody to answer.
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
        answering, batch = self._answering, self._batch
        headers, names, vectors = batch.headers, batch.names, batch.vectors
        hot, tell = answering.hot(count), answering.tell
        if hot is not None and hot is not self._hot:
            self._hot = hot
            self._views.clear()
        views = _NO_VIEWS if hot is None else self._views
        is_ipv4, now = self._is_ipv4, time.time()
        silent: list[int] = []
        for i, slot, ipv6, length_word, peer_word, sent_word in islice(self._slots, count):
            # The message without its id: what is recalled holds for every id.
            query = bytes(slot[2 : headers[length_word]])
            peer: int | bytes = names[peer_word] if is_ipv4 else bytes(ipv6)
            view = views.get(peer)
            if view is not None:
                recalled = view.memo.get(query) or view.recall(query)
                if recalled is not None:
                    response, known = recalled
                    known.count += 1
                    end = len(response) + 2
                    slot[2:end] = response
                    vectors[sent_word] = end
                    if tell is not None:
                        tell((now, view, query, peer))
                    continue
                if self._relays(i, view, query, peer):
                    silent.append(i)
                    continue
            if not self._ask(i):
                silent.append(i)
        return silent

    def _relays(self, i: int, view: View, query: bytes, peer: int | bytes) -> bool:
        """Whether slot i is answered later, by upstreams, without being asked about."""
        if not view.routes:
            return False
        batch = self._batch
        identity = bytes(batch.octets[i * SLOT : i * SLOT + 2])
        send = partial(self._send_late, batch.envelope(i))
        return self._answering.relay(view, query, identity, peer, send)

    def _ask(self, i: int) -> bool:
        """Asks for an answer to slot i; whether it is in the slot now."""
        batch, counters = self._batch, self._counters
        length = batch.headers[i * HEADER_WORDS + LENGTH_WORD]
        port = socket.ntohs(batch.names[i * NAME_WORDS] >> 16)
        if batch.headers[i * HEADER_WORDS + FLAGS_WORD] & socket.MSG_TRUNC or port == 0:
            counters.udp_discarded += 1
            return False
        message, peer = bytes(batch.octets[i * SLOT : i * SLOT + length]), self._peer(i)
        answer = self._answering.respond(message, peer, port, "udp", self.listen)
        self._remember_view(i, peer)
        if isinstance(answer, bytes) and len(answer) <= SLOT:
            batch.octets[i * SLOT : i * SLOT + len(answer)] = answer
            batch.vectors[2 * i + 1] = len(answer)
            return True
        if answer is None or isinstance(answer, bytes):
            counters.udp_silent += 1
        else:
            self._answering.later(answer, message, partial(self._send_late, batch.envelope(i)))
        return False

    def _remember_view(self, i: int, peer: Address) -> None:
        if self._hot is None or is_limited(peer, self._hot.world):  # each response of theirs is counted
            return
        if len(self._views) >= _VIEWS_AT_MOST:
            self._views.clear()  # a flood from spoofed addresses must not grow memory
        name = self._batch.names[i * NAME_WORDS + IPV4_WORD] if self._is_ipv4 else self._ipv6(i)
        self._views[name] = self._hot.view(peer, "udp", self.listen)

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
