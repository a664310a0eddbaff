"""A stub resolver (RFC 9499 §6): asks one server over UDP or TCP, within a bounded time.

For whoever asks instead of answering: `doctor`, `health`, and tests. dnspython writes the queries and reads
the responses. Importing it takes some 50 ms, so nothing that `serve` needs imports this module
(docs/decisions/0016). Judges nothing: silence, a refusal and a response from another address are all in the
StubAnswer.
"""

import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import ip_address
from typing import Final

import dns.query  # and with it the modules of dnspython that it imports
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.TXT import TXT

from vpcdns.model.dns import Question
from vpcdns.model.policy import Upstream
from vpcdns.model.topology import Address

# Linux's IP_RECVERR and IPV6_RECVERR, by IP version; Python 3.11 has no names for them. With them an
# unconnected socket reports ICMP errors.
_RECVERR: Final = {4: (socket.IPPROTO_IP, 11), 6: (socket.IPPROTO_IPV6, 25)}
_FAMILY: Final = {4: socket.AF_INET, 6: socket.AF_INET6}


_ERRORS: Final[dict[type, str]] = {
    TimeoutError: "no answer",
    ConnectionRefusedError: "nothing listens there",
    EOFError: "the connection was closed",
}


@dataclass(frozen=True, slots=True)
class StubAnswer:
    """What came of one query. `rcode` is None without a usable response, and `error` says why.

    `addresses` and `cnames` are those of the answer section, `records` all of it as text, `strings` those of
    its first TXT record. `size` is the response's in octets. `strangers` are other addresses that a response
    came from.
    """

    question: Question
    rcode: str | None = None
    addresses: tuple[str, ...] = ()
    cnames: tuple[str, ...] = ()
    strings: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    extended_errors: tuple[tuple[int, str], ...] = ()
    truncated: bool = False
    size: int = 0
    seconds: float = 0.0
    error: str = "no answer"
    strangers: tuple[str, ...] = ()

    @property
    def explanation(self) -> str:
        """The text of the extended errors (RFC 8914)."""
        return "; ".join(text for _, text in self.extended_errors)


def ask(server: Upstream, question: Question, client: Address | None, seconds: float) -> StubAnswer:
    """Asks over UDP, and again over TCP if the response is truncated.

    `client` is the address to ask as (EDNS Client Subnet), which the server must trust this host to name.
    """
    (answer,) = ask_udp(server, [question], client=client, seconds=seconds, tries=1)
    if answer.truncated:
        (answer,) = ask_tcp(server, [question], client=client, seconds=seconds)
    return answer


def ask_udp(
    server: Upstream,
    questions: Sequence[Question],
    *,
    edns: bool = True,
    client: Address | None = None,
    seconds: float = 1.2,
    tries: int = 2,
) -> list[StubAnswer]:
    """Sends all questions at once from one source port, up to `tries` times; waits `seconds` each time."""
    pending = _Pending(questions, client, edns=edns)
    try:
        with socket.socket(_FAMILY[server.address.version], socket.SOCK_DGRAM) as sock:
            if sys.platform == "linux":
                sock.setsockopt(*_RECVERR[server.address.version], 1)
            sock.setblocking(False)
            for _ in range(tries):
                for query in pending.unanswered():
                    dns.query.send_udp(sock, query, (str(server.address), server.port))
                deadline = time.time() + seconds
                pending.collect(partial(_receive_udp, sock, server, deadline))
    except OSError as error:
        pending.fail(error)
    return pending.answers


def _receive_udp(sock: socket.socket, server: Upstream, deadline: float) -> tuple[dns.message.Message, str]:
    """A response, and the address that it came from unless that is the server's."""
    response, _, peer = dns.query.receive_udp(sock, None, deadline)
    sender = Upstream(ip_address(str(peer[0]).partition("%")[0]), peer[1])
    return response, "" if sender == server else str(sender)


def ask_tcp(
    server: Upstream, questions: Sequence[Question], *, client: Address | None = None, seconds: float = 2.0
) -> list[StubAnswer]:
    """Asks over one connection, in one write: so glibc asks for A and AAAA (`options use-vc`)."""
    pending = _Pending(questions, client)
    deadline = time.time() + seconds
    try:
        with socket.socket(_FAMILY[server.address.version], socket.SOCK_STREAM) as sock:
            sock.settimeout(seconds)
            sock.connect((str(server.address), server.port))
            sock.sendall(b"".join(query.to_wire(prepend_length=True) for query in pending.unanswered()))
            sock.setblocking(False)
            pending.collect(lambda: (dns.query.receive_tcp(sock, deadline)[0], ""))
    except (OSError, EOFError) as error:
        pending.fail(error)
    return pending.answers


class _Pending:
    """Queries and what has come of each so far."""

    def __init__(self, questions: Sequence[Question], client: Address | None, *, edns: bool = True) -> None:
        self.answers = [StubAnswer(question) for question in questions]
        self._queries = [_query(question, client, edns=edns) for question in questions]
        self._started = time.monotonic()

    def unanswered(self) -> list[dns.message.Message]:
        pairs = zip(self._queries, self.answers, strict=True)
        return [query for query, answer in pairs if answer.rcode is None]

    def collect(self, receive: Callable[[], tuple[dns.message.Message, str]]) -> None:
        """Takes responses until all queries have theirs or the time is up."""
        while self.unanswered():
            try:
                response, stranger = receive()
            except dns.exception.Timeout:
                return
            except dns.exception.DNSException as error:
                self.fail(f"a malformed response: {error}")
            else:
                self._take(response, stranger)

    def _take(self, response: dns.message.Message, stranger: str) -> None:
        """From a `stranger` it is no answer, whatever is in it."""
        for index, (query, answer) in enumerate(zip(self._queries, self.answers, strict=True)):
            if answer.rcode is not None or not query.is_response(response):
                continue
            if stranger:
                self.answers[index] = replace(answer, strangers=(*answer.strangers, stranger))
            else:
                self.answers[index] = _read(answer, response, time.monotonic() - self._started)

    def fail(self, error: Exception | str) -> None:
        text = _ERRORS.get(type(error)) or getattr(error, "strerror", None) or str(error)
        self.answers = [
            answer if answer.rcode is not None else replace(answer, error=text) for answer in self.answers
        ]


def _query(question: Question, client: Address | None, *, edns: bool) -> dns.message.Message:
    """A recursive query with a random id (RFC 5452); dnspython offers 1,232 octets (DNS flag day 2020)."""
    return dns.message.make_query(
        dns.name.Name((*question.name.labels, b"")),
        dns.rdatatype.RdataType.make(question.rtype),
        dns.rdataclass.RdataClass.make(question.rclass),
        use_edns=0 if edns else False,
        options=[] if client is None else [dns.edns.ECSOption(str(client), client.max_prefixlen, 0)],
    )


def _read(answer: StubAnswer, response: dns.message.Message, seconds: float) -> StubAnswer:
    records = [record for rrset in response.answer for record in rrset]
    texts = [(dns.rdatatype.to_text(record.rdtype), _text(record)) for record in records]
    strings = next((record.strings for record in records if isinstance(record, TXT)), ())
    return replace(
        answer,
        rcode=dns.rcode.to_text(response.rcode()),
        addresses=tuple(text for rtype, text in texts if rtype in ("A", "AAAA")),
        cnames=tuple(text for rtype, text in texts if rtype == "CNAME"),
        strings=tuple(string.decode(errors="replace") for string in strings),
        records=tuple(f"{rtype} {text}" for rtype, text in texts),
        extended_errors=tuple(
            (int(option.code), option.text or "")
            for option in response.options
            if isinstance(option, dns.edns.EDEOption)
        ),
        truncated=bool(response.flags & dns.flags.TC),
        size=len(response.wire or b""),
        seconds=seconds,
        error="",
    )


def _text(record: dns.rdata.Rdata) -> str:
    """As in a zone file; the target of a CNAME without the final dot."""
    return str(record.target.to_text(True) if isinstance(record, CNAME) else record.to_text())
