"""One UDP socket, in batches: the hot loop.

Knows one socket, and what can be recalled for whom; the rest goes to `Dispatch`. Nothing is queued here: what
the kernel does not take at once is lost, as UDP may.

What each trick bought, in µs of CPU time a query at full load, one core, 10,000 names (see
docs/performance.md for how to measure): recvmmsg and sendmmsg instead of a call per datagram, 3; the response
written over the query in the same slot, so that the id stays where it is, 0.3; whole responses in a
dictionary by query, 2; views looked up by the raw address, 1; where a slot's parts are, worked out once, 0.1;
a pause when many come at a time, 0.4.
"""

import asyncio
import socket
import time
from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import Final

from vpcdns.listen.dispatch import Dispatch
from vpcdns.listen.rate_limits import is_limited
from vpcdns.listen.responder import PendingResponse
from vpcdns.model.policy import Listen
from vpcdns.net.recvmmsg import Batch, Envelope
from vpcdns.query import Arrival
from vpcdns.recall.views import View, Views, address_of
from vpcdns.wire.format import ID_SIZE, MAX_QUERY

# Datagrams a call. More bring nothing: the calls' own cost is then a hundredth of a datagram's.
BATCH: Final = 64
SLOT: Final = MAX_QUERY  # octets of a datagram; no response over UDP is longer
# Seconds until TCP and everything else get their turn. By the clock, not by datagrams: while a thread works,
# each batch may have to wait for it, and many a batch is one datagram.
TURN: Final = 0.002
# When so many were answered at a time, more will have come in a moment. To wait for them in a short sleep
# costs less than to be woken for a few, and whoever sends need not wake us. Network cards do the same.
MANY: Final = 6
PAUSE: Final = 1e-6  # seconds; the kernel makes some 60 µs of it (prctl(2), PR_SET_TIMERSLACK)
_CLIENTS_AT_MOST: Final = 10_000  # a flood from spoofed addresses must not grow memory


class UdpListener:
    """Answers what comes to one bound socket from now on. `listen` is what the socket is bound to.

    A wildcard socket gives packet information with each datagram, which goes back untouched, so that
    responses leave from the address asked (facts/containers.md §4).
    """

    def __init__(
        self, sock: socket.socket, listen: Listen, dispatch: Dispatch, batch_type: type[Batch]
    ) -> None:
        self.listen = listen
        self._sock = sock
        self._dispatch = dispatch
        self._counters = dispatch.counters
        self._views: Views | None = None
        self._clients: dict[int | bytes, View] = {}  # the peer as the socket names it
        self._batch = batch_type(sock, BATCH, SLOT, ancillary=listen.address.is_unspecified)
        self._outgoing = batch_type(sock, BATCH, SLOT, ancillary=listen.address.is_unspecified)
        self._late: list[tuple[Envelope, bytes]] = []
        self._is_ipv4 = sock.family == socket.AF_INET
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock.fileno(), self._drain)

    def stop_reading(self) -> None:
        """Leaves further datagrams to the kernel; answers that are outstanding can still be sent."""
        self._loop.remove_reader(self._sock.fileno())

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
            self._send(self._batch, count, silent)
            if not silent:
                together += count
            elif count < BATCH:
                return  # what they wait for may be there

    def _answer(self, count: int) -> list[int]:
        """Puts a response into every slot; the slots that are to be left out."""
        batch = self._batch
        headers, names, vectors = batch.headers, batch.names, batch.vectors
        views = self._dispatch.responder.views(count)
        if views is not None and views is not self._views:
            self._views = views
            self._clients.clear()
        clients = {} if views is None else self._clients
        on_recall = None if views is None else views.on_recall
        is_ipv4, now = self._is_ipv4, time.time()
        silent: list[int] = []
        for i, slot, ipv6, length_word, peer_word, sent_word in islice(batch.slots, count):
            # The message without its id: what is recalled holds for every id.
            query = bytes(slot[ID_SIZE : headers[length_word]])
            peer: int | bytes = names[peer_word] if is_ipv4 else bytes(ipv6)
            view = clients.get(peer)
            if view is not None:
                recalled = view.memo.get(query) or view.recall(query)
                if recalled is not None:
                    response, kind = recalled
                    kind.count += 1
                    end = len(response) + ID_SIZE
                    slot[ID_SIZE:end] = response
                    vectors[sent_word] = end
                    if on_recall is not None:
                        on_recall((now, view, query, peer))
                    continue
                if self._relay(i, view, query, peer):
                    silent.append(i)
                    continue
            if not self._ask(i, peer):
                silent.append(i)
        return silent

    def _relay(self, i: int, view: View, query: bytes, peer: int | bytes) -> bool:
        """Whether slot i is answered later, by way of a route that the view has."""
        found = view.routes.find(query)
        if found is None:
            return False
        message = self._batch.message(i)
        pending = self._dispatch.relay(message, view, peer, found)
        if pending is not None:
            self._dispatch.later(pending, message, partial(self._send_late, self._batch.envelope(i)))
        return pending is not None

    def _ask(self, i: int, client: int | bytes) -> bool:
        """Asks for an answer to slot i; whether it is in the slot now."""
        batch = self._batch
        port = batch.port(i)
        if port == 0:
            self._counters.udp_discarded += 1
            return False
        message, peer = batch.message(i), address_of(client)
        answer = self._dispatch.respond(message, Arrival(peer, "udp", self.listen, port))
        # Where responses are counted one by one, none is recalled.
        if self._views is not None and not is_limited(peer, self._views.world):
            if len(self._clients) >= _CLIENTS_AT_MOST:
                self._clients.clear()
            self._clients[client] = self._views.view(peer, "udp", self.listen)
        if isinstance(answer, PendingResponse):
            self._dispatch.later(answer, message, partial(self._send_late, batch.envelope(i)))
            return False
        if answer is None or len(answer) > SLOT:
            self._counters.udp_silent += 1
            return False
        batch.put(i, answer)
        return True

    def _send(self, batch: Batch, count: int, left_out: Sequence[int] = ()) -> None:
        """Sends so many slots. One that cannot be sent is passed over, and the rest go on."""
        first = 0
        for end in (*left_out, count):
            while first < end:
                try:
                    sent = batch.send(first, end)
                except OSError:
                    # EAGAIN and ENOBUFS (full), EPERM (a firewall), ENETUNREACH, EINVAL (port 0, or asked by
                    # multicast), EBADF (closed meanwhile): the client asks again, or does not exist.
                    self._counters.udp_send_errors += 1
                    first += 1
                else:
                    self._counters.udp_answered += sent
                    first += sent
            first = end + 1

    def _send_late(self, envelope: Envelope, response: bytes | None) -> None:
        """Sends in the next turn of the loop, with all that come in this one: one call for all of them."""
        if response is None or len(response) > SLOT:
            self._counters.udp_silent += 1
            return
        if not self._late:
            self._loop.call_soon(self._flush)
        self._late.append((envelope, response))

    def _flush(self) -> None:
        late, self._late = self._late, []
        if self._sock.fileno() < 0:  # closed meanwhile, and its number may be another's by now
            self._counters.udp_send_errors += len(late)
            return
        for start in range(0, len(late), BATCH):
            batch = late[start : start + BATCH]
            for i, (envelope, response) in enumerate(batch):
                self._outgoing.address(i, envelope)
                self._outgoing.put(i, response)
            self._send(self._outgoing, len(batch))
