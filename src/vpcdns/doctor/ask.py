"""Asks over UDP and TCP as a stub resolver does, within a bounded time. The only sockets of this package.

Judges nothing: silence, a refusal, a reply from another address are all in the Answer.
"""

from __future__ import annotations

import errno
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final

from vpcdns.errors import MalformedMessage
from vpcdns.model.dns import Question
from vpcdns.model.policy import Upstream
from vpcdns.model.topology import Address
from vpcdns.wire.relay import answers_question
from vpcdns.wire.response import MAX_UDP_PAYLOAD
from vpcdns.wire.stub import StubResponse, question_wire, read_stub_response, write_query

# Linux's numbers; Python 3.11 has no names for them. An unconnected socket hears of ICMP errors so.
_IP_RECVERR: Final = 11
_IPV6_RECVERR: Final = 25


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one query. `response` is None without a usable one, and `error` says why.

    `strangers` are other addresses that a reply came from.
    """

    question: Question
    response: StubResponse | None = None
    seconds: float = 0.0
    error: str = "no answer"
    strangers: tuple[str, ...] = ()

    @property
    def rcode(self) -> int:
        """The RCODE, -1 without a response."""
        return -1 if self.response is None else self.response.rcode


@dataclass(frozen=True, slots=True)
class LibcAnswer:
    """What getaddrinfo made of a name: addresses, or its error's text."""

    addresses: frozenset[Address] = frozenset()
    error: str = ""


def ask_udp(
    server: Upstream,
    questions: Sequence[Question],
    *,
    payload_size: int | None = MAX_UDP_PAYLOAD,
    seconds: float = 1.2,
    tries: int = 2,
) -> list[Answer]:
    """All questions from one source port, sent together; `tries` times, each with `seconds` to wait."""
    pending = _Pending(questions, payload_size)
    try:
        with _socket(server, socket.SOCK_DGRAM) as sock:
            if server.address.version == 4:
                sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
            else:
                sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
            for _ in range(tries):
                for message in pending.messages():
                    sock.sendto(message, (str(server.address), server.port))
                _collect(sock, server, pending, time.monotonic() + seconds)
                if pending.complete:
                    break
    except OSError as error:
        pending.fail(_told(error))
    return pending.answers


def _collect(sock: socket.socket, server: Upstream, pending: _Pending, deadline: float) -> None:
    while not pending.complete and (left := deadline - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            octets, peer = sock.recvfrom(65535)
        except TimeoutError:
            return
        sender = Upstream(ip_address(str(peer[0]).partition("%")[0]), peer[1])
        pending.take(octets, None if sender == server else str(sender))


def ask_tcp(server: Upstream, questions: Sequence[Question], *, seconds: float = 2.0) -> list[Answer]:
    """All questions over one connection, in one write: so glibc asks for A and AAAA (`options use-vc`)."""
    pending, unread = _Pending(questions, MAX_UDP_PAYLOAD), b""
    deadline = time.monotonic() + seconds
    try:
        with _socket(server, socket.SOCK_STREAM) as sock:
            sock.settimeout(seconds)
            sock.connect((str(server.address), server.port))
            sock.sendall(b"".join(len(one).to_bytes(2, "big") + one for one in pending.messages()))
            while not pending.complete and (left := deadline - time.monotonic()) > 0:
                sock.settimeout(left)
                octets = sock.recv(65535)
                if not octets:
                    pending.fail("the connection was closed")
                    break
                unread += octets
                while len(unread) >= 2 and len(unread) >= 2 + (length := int.from_bytes(unread[:2], "big")):
                    pending.take(unread[2 : 2 + length], None)
                    unread = unread[2 + length :]
    except OSError as error:
        pending.fail(_told(error))
    return pending.answers


def ask_libc(name: str, *, seconds: float = 5.0) -> LibcAnswer:
    """getaddrinfo, which has no time-out of its own: after `seconds` it is left to itself."""
    found: list[LibcAnswer] = []

    def look_up() -> None:
        try:
            told = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            found.append(LibcAnswer(error=error.strerror or str(error)))
        except (OSError, UnicodeError) as error:
            found.append(LibcAnswer(error=str(error)))
        else:
            texts = {str(entry[4][0]).partition("%")[0] for entry in told}
            found.append(LibcAnswer(frozenset(map(ip_address, texts))))

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else LibcAnswer(error=f"no answer within {seconds:.0f} s")


class _Pending:
    """Queries that are out, and what came of them; ids are random (RFC 5452)."""

    def __init__(self, questions: Sequence[Question], payload_size: int | None) -> None:
        self.answers = [Answer(question) for question in questions]
        self._started = time.monotonic()
        self._payload_size = payload_size
        self._identities: list[int] = []
        while len(self._identities) < len(questions):
            if (identity := secrets.randbelow(1 << 16)) not in self._identities:
                self._identities.append(identity)

    @property
    def complete(self) -> bool:
        return all(answer.response is not None for answer in self.answers)

    def messages(self) -> list[bytes]:
        """The queries that have no response yet."""
        return [
            write_query(answer.question, identity, self._payload_size)
            for answer, identity in zip(self.answers, self._identities, strict=True)
            if answer.response is None
        ]

    def take(self, octets: bytes, stranger: str | None) -> None:
        """A message that came; from a `stranger` it is no answer, whatever is in it."""
        for index, answer in enumerate(self.answers):
            if not answers_question(octets, self._identities[index], question_wire(answer.question)):
                continue
            if stranger is not None:
                self.answers[index] = replace(answer, strangers=(*answer.strangers, stranger))
                continue
            try:
                response = read_stub_response(octets)
            except MalformedMessage as error:
                self.answers[index] = replace(answer, error=f"a malformed response: {error}")
            else:
                self.answers[index] = replace(
                    answer, response=response, seconds=time.monotonic() - self._started, error=""
                )

    def fail(self, error: str) -> None:
        self.answers = [
            answer if answer.response is not None else replace(answer, error=error) for answer in self.answers
        ]


def _socket(server: Upstream, kind: socket.SocketKind) -> socket.socket:
    return socket.socket(socket.AF_INET if server.address.version == 4 else socket.AF_INET6, kind)


def _told(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    if error.errno == errno.ECONNREFUSED:
        return "nothing listens there"
    return error.strerror or str(error)
