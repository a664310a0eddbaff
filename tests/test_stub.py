"""The stub resolver, against real nameservers that are right, silent or wrong."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterable
from ipaddress import ip_address

import dns.edns
import dns.message
import pytest

from tests.support.nameserver import Nameserver, Script, Transport, answering
from vpcdns.model.dns import Question, RRClass, RRType
from vpcdns.model.names import Name
from vpcdns.model.policy import Upstream
from vpcdns.stub import ask, ask_tcp, ask_udp

NAME = Name.from_text("a.example")
A, AAAA, TXT = (Question(NAME, rtype) for rtype in (RRType.A, RRType.AAAA, RRType.TXT))
SECONDS = 0.2  # a wait that is for nothing


def always(make: bytes | str) -> Script:
    """Sends octets, behind the query's header as a response's when they are text in hexadecimal."""

    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        yield make if isinstance(make, bytes) else message[:2] + bytes.fromhex(make)

    return script


def test_what_a_response_says() -> None:
    records = (
        "a.example 5 IN CNAME b.example.",
        "b.example 5 IN A 192.0.2.1",
        "b.example 5 IN AAAA 2001:db8::1",
        'b.example 5 IN TXT "one" "two"',
        "b.example 5 IN MX 10 mail.example.",
    )
    with Nameserver(answering(*records)) as server:
        (answer,) = ask_udp(server.upstream, [A])
    assert (answer.rcode, answer.error, answer.truncated) == ("NOERROR", "", False)
    assert answer.addresses == ("192.0.2.1", "2001:db8::1")
    assert answer.cnames == ("b.example",)
    assert answer.strings == ("one", "two")
    assert answer.records[0] == "CNAME b.example"
    assert answer.records[3:] == ('TXT "one" "two"', "MX 10 mail.example.")


def test_what_a_query_says() -> None:
    with Nameserver(answering()) as server:
        ask_udp(server.upstream, [A], client=ip_address("10.1.0.5"))
        ask_udp(server.upstream, [Question(NAME, RRType.TXT, RRClass.CH)], edns=False)
    with_edns, without = (dns.message.from_wire(octets) for _, octets in server.queries)
    (option,) = with_edns.options
    assert isinstance(option, dns.edns.ECSOption)
    assert (option.address, option.srclen, option.scopelen) == ("10.1.0.5", 32, 0)
    assert (with_edns.payload, without.edns) == (1232, -1)
    assert without.question[0].to_text() == "a.example. CH TXT"


def test_two_questions_from_one_port_and_in_one_connection() -> None:
    with Nameserver(answering("a.example 5 IN A 192.0.2.1")) as server:
        udp = ask_udp(server.upstream, [A, AAAA])
        assert len(set(server.ports)) == 1
        tcp = ask_tcp(server.upstream, [A, AAAA])
    assert [answer.question for answer in udp] == [answer.question for answer in tcp] == [A, AAAA]
    assert {answer.rcode for answer in (*udp, *tcp)} == {"NOERROR"}


def test_a_truncated_response_is_asked_for_again_over_tcp() -> None:
    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        response = dns.message.from_wire(message)
        response.flags |= dns.flags.QR | (dns.flags.TC if transport == "udp" else 0)
        yield response.to_wire()

    with Nameserver(script) as server:
        assert not ask(server.upstream, A, None, 5).truncated
    assert [transport for transport, _ in server.queries] == ["udp", "tcp"]


def test_one_lost_datagram_is_sent_again() -> None:
    replies = iter([[], [b"x"]])

    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        return [one for answer in next(replies) if answer for one in answering()(message, transport)]

    with Nameserver(script) as server:
        (answer,) = ask_udp(server.upstream, [A], seconds=SECONDS)
    assert (answer.rcode, len(server.queries)) == ("NOERROR", 2)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (lambda message, transport: [], "no answer"),
        (always(b""), "a malformed response"),
        (always("8000 0001 0000 0000 0000"), "a malformed response"),
        (
            always("8000 0001 0001 0000 0000 0161 00 0001 0001 c00c 0010 0001 00000000 0003 056869"),
            "a malformed",
        ),
        (always("0000 0000 0000 0000 0000"), "no answer"),
    ],
)
def test_what_is_no_answer(script: Script, error: str) -> None:
    """Silence, octets that are no message, a string longer than its record, a query."""
    with Nameserver(script) as server:
        (over_udp,) = ask_udp(server.upstream, [TXT], seconds=SECONDS, tries=1)
        (over_tcp,) = ask_tcp(server.upstream, [TXT], seconds=SECONDS)
    assert over_udp.rcode is over_tcp.rcode is None
    assert over_udp.error.startswith(error)
    assert over_tcp.error.startswith((error, "the connection was closed"))


def test_nothing_listens() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as held:
        held.bind(("127.0.0.1", 0))
        server = Upstream(ip_address("127.0.0.1"), held.getsockname()[1])
        answers = [*ask_udp(server, [A]), *ask_tcp(server, [A])]
    assert [answer.error for answer in answers] == ["nothing listens there"] * 2


def test_a_response_from_another_address() -> None:
    """It is remembered, and is no answer."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        asked.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.2", 0))

        def respond() -> None:
            query, peer = asked.recvfrom(512)
            (octets,) = answering()(query, "udp")
            other.sendto(octets, peer)

        thread = threading.Thread(target=respond)
        thread.start()
        server = Upstream(ip_address("127.0.0.1"), asked.getsockname()[1])
        (answer,) = ask_udp(server, [A], seconds=SECONDS, tries=1)
        thread.join()
        stranger = str(Upstream(ip_address("127.0.0.2"), other.getsockname()[1]))
    assert (answer.rcode, answer.strangers) == (None, (stranger,))


def test_the_command_line_starts_without_dnspython() -> None:
    """So does everything else that `serve` imports: dnspython would cost it some 50 ms."""
    code = "import sys, vpcdns.cli.app, vpcdns.process.program; sys.exit('dns' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
