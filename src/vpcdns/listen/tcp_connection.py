"""One TCP connection: frames in, frames out, persistent, pipelined, out of order (RFC 7766).

Knows a stream of octets; how far the peer may go is in `tcp_limits`. Holds no timer and no task: `tcp` looks
at every connection now and then and asks whether its time is up.
"""

from __future__ import annotations

import socket
from collections import OrderedDict
from dataclasses import replace
from typing import Final, Protocol

from vpcdns.errors import MalformedMessage
from vpcdns.listen.dispatch import Dispatch
from vpcdns.listen.responder import PendingResponse
from vpcdns.listen.tcp_limits import TcpLimits, TcpUse
from vpcdns.model.policy import Listen
from vpcdns.model.topology import Address
from vpcdns.net.epoll import Watch
from vpcdns.net.stream import Stream
from vpcdns.net.turns import Turns
from vpcdns.query import Arrival
from vpcdns.recall.views import View
from vpcdns.wire.format import HEADER_SIZE, ID_SIZE, LENGTH_SIZE, MAX_QUERY, MAX_TCP_PAYLOAD
from vpcdns.wire.framing import count_complete, length_at, length_prefix
from vpcdns.wire.proxy import SIGNATURE, read_proxy

# Queries that had to be asked about, before others get their turn: 1 to 6 ms.
_ASKED_AT_ONCE: Final = 20


class Shared(Protocol):
    """What all connections of a server have in common."""

    limits: TcpLimits
    dispatch: Dispatch
    turns: Turns
    watch: Watch
    buffer: memoryview
    # The longest idle first.
    connections: OrderedDict[TcpConnection, None]

    def lost(self, connection: TcpConnection) -> None: ...


class TcpConnection(Stream):
    """Answers what one peer asks. `in_flight` answers are outstanding; `used` is held against the limits."""

    def __init__(self, shared: Shared, sock: socket.socket, listen: Listen, peer: Address, port: int) -> None:
        super().__init__(sock, shared.watch, shared.buffer)
        self.peer = peer
        self.in_flight = 0
        self.listen = listen
        self.used = TcpUse(shared.limits, self._loop.time())
        self._shared = shared
        self._dispatch = shared.dispatch
        self._counters = shared.dispatch.counters
        self._arrival = Arrival(peer, "tcp", listen, port)
        self._unread = b""
        self._view: View | None = None
        self._may_proxy = self._dispatch.responder.trusts(peer)
        self._ending = False
        self._peer_ended = False
        self._linger = True

    def move(self, listen: Listen) -> None:
        """This connection belongs to `listen` from now on."""
        self.listen, self._view = listen, None
        self._arrival = replace(self._arrival, listen=listen)

    def connection_lost(self) -> None:
        self._ending = True
        self._unread = b""
        self._shared.lost(self)

    def data_received(self, octets: bytes) -> None:
        if not self._ending:
            self._unread += octets
            if self._shared.turns.waiting:
                self.pause_reading()
                self._shared.turns.wait(self._take_turn, first=True)
            else:
                self._advance()

    def eof_received(self) -> None:
        """The peer asks no more, and may well wait for answers: it is half closed (RFC 7766 §6.2.4)."""
        self._peer_ended = True
        self._linger = False
        if not self._stalled():
            self.end()

    def pause_writing(self) -> None:
        self.used.blocked_at = self._loop.time()

    def resume_writing(self) -> None:
        self.used.blocked_at = None
        self._advance()

    def end(self, linger: bool = True) -> None:
        """Reads no further query; closes after the last answer, and with `linger` waits for the peer."""
        self._linger = self._linger and linger
        self._ending = True
        self._unread = b""
        self.used.begun_at = None
        if not self._peer_ended:
            self.resume_reading()
        if self.in_flight == 0:
            self._finish()

    def abort(self) -> None:
        self._ending = True
        super().abort()

    def _stalled(self) -> bool:
        """Whether further queries must wait until the peer has read, or some answers are there."""
        return self.used.blocked_at is not None or self.in_flight >= self._shared.limits.in_flight

    def _advance(self) -> None:
        """Answers the complete messages that are there, as far as the limits go, in one write."""
        if self._may_proxy and not self._read_proxy():
            self._go_on()
            return
        used, out = self.used, list[bytes]()
        before = used.queries - self.in_flight
        at = self._answer(self._unread, out)
        if at:
            used.pipelines = used.pipelines or used.queries - before > 1
            used.begun_at = None
            self._unread = self._unread[at:]
            self._is_active()
        if out:
            self.write(b"".join(out))
        if used.is_used_up and not (used.pipelines or self._unread or self.in_flight):
            # It waits for each answer before it asks again, so no query of it can meet the closed door.
            self._ending = True
        self._go_on()

    def _is_active(self) -> None:
        self.used.active_at = self._loop.time()
        self._shared.connections.move_to_end(self)

    def _answer(self, octets: bytes, out: list[bytes]) -> int:
        """How far the messages were taken. Responses that are there go to `out`, lengths before them."""
        view = self._current_view(octets)
        at, size, recalled_count = 0, len(octets), 0
        asked_at_most = self.used.queries + _ASKED_AT_ONCE
        room = self._shared.limits.unread - self.unread()
        waits = self._ending or self._stalled()
        while size - at >= LENGTH_SIZE and room >= 0 and not waits:
            length = length_at(octets, at)
            begin = at + LENGTH_SIZE
            after = begin + length
            if not HEADER_SIZE <= length <= MAX_QUERY:
                self._counters.tcp_malformed += 1
                self._ending = True
                break
            if after > size:
                break
            query_at = begin + ID_SIZE
            response = None if view is None else view.response(octets[query_at:after], self.peer)
            if response is not None:
                recalled_count += 1
                out += (length_prefix(len(response) + ID_SIZE), octets[begin:query_at], response)
                room -= len(response)
            else:
                room -= self._ask(octets[begin:after], out)
                waits = self._ending or self._stalled() or self.used.queries >= asked_at_most
            at = after
        self._counters.tcp_received += recalled_count
        self._counters.tcp_answered += recalled_count
        self.used.queries += recalled_count
        return at

    def _current_view(self, unread: bytes) -> View | None:
        """What the queries that are there may be recalled from; None: they must all be asked about."""
        count = count_complete(unread)
        views = self._dispatch.responder.views(count) if count else None
        if views is None or self._arrival.proxied is not None:
            return None
        if self._view is None or self._view.views is not views:
            self._view = views.view(self.peer, "tcp", self.listen)
        return self._view

    def _read_proxy(self) -> bool:
        """Takes a PROXY header from the front; False while it may still be on its way, or is broken."""
        beginning = self._unread[: len(SIGNATURE)]
        if not self._unread or SIGNATURE[: len(beginning)] != beginning:
            self._may_proxy = not self._unread
            return True
        try:
            header = read_proxy(self._unread)
        except MalformedMessage:
            self._counters.tcp_malformed += 1
            self._ending = True
            return False
        if header is None:
            return False
        self._may_proxy = False
        self._arrival = replace(self._arrival, proxied=header.source)
        self._unread = self._unread[header.size :]
        return True

    def _go_on(self) -> None:
        """Whatever follows from what is left in the buffer."""
        if self._ending:
            self.end()
        elif self._stalled():
            self.pause_reading()
        elif self._unread and count_complete(self._unread):
            self.pause_reading()
            self._shared.turns.wait(self._take_turn)
        elif self._peer_ended:
            self.end()
        else:
            self.resume_reading()
            if not self._unread:
                self.used.begun_at = None
            elif self.used.begun_at is None:
                self.used.begun_at = self._loop.time()

    def _take_turn(self) -> None:
        """Goes on with what is there, after everybody else had a turn."""
        if not self._ending and not self.closing:
            self._advance()

    def _ask(self, message: bytes, out: list[bytes]) -> int:
        """Asks for one answer; one that is there goes to `out`, with its length before it: its octets."""
        self._counters.tcp_received += 1
        self.used.queries += 1
        answer = self._dispatch.respond(message, self._arrival)
        if isinstance(answer, PendingResponse):
            self.in_flight += 1
            self._dispatch.later(answer, message, self._answered)
            return 0
        self._put(answer, out)
        return len(answer or b"")

    def _put(self, response: bytes | None, out: list[bytes]) -> None:
        if response is None or len(response) > MAX_TCP_PAYLOAD:
            self._counters.tcp_silent += 1
            self._ending = True
            return
        self._counters.tcp_answered += 1
        out.append(length_prefix(len(response)))
        out.append(response)

    def _answered(self, response: bytes | None) -> None:
        """An outstanding answer came, in whatever order."""
        self.in_flight -= 1
        if self.closing:
            return
        out: list[bytes] = []
        self._put(response, out)
        self.write(b"".join(out))
        if self.unread() > self._shared.limits.unread_at_most:
            self._counters.tcp_unread += 1
            self.abort()
            return
        self._is_active()
        self._advance()

    def _finish(self) -> None:
        """Nothing more to send: says so, and waits for the peer to say the same.

        To close while octets of the peer are unread would reset the connection, and with it responses that
        are still on their way (RFC 1122 §4.2.2.13).
        """
        said_so, self.used.finished_at = self.used.finished_at, self.used.finished_at or self._loop.time()
        if not self._linger:
            self.close()
        elif said_so is None:
            try:
                self.write_eof()
            except OSError:  # ENOTCONN: the peer has reset the connection meanwhile.
                self.abort()
