"""Upstreams that cannot do what others can: other cases of letters, no EDNS, errors of all kinds."""

from __future__ import annotations

import time
from collections.abc import Iterable

import dns.message
import pytest

from tests.support.event_loop import on_loop
from tests.support.nameserver import Transport
from tests.support.resolver_and_upstreams import GOOD, NEVER, QNAME, A, forwarding, made, text

OK = f"NOERROR, {QNAME}. 300 192.0.2.1"


def has_edns(message: bytes) -> bool:
    return dns.message.from_wire(message).edns >= 0


def bare(message: bytes, rcode: int, flags: int = 0x81) -> bytes:
    """A header and nothing else."""
    return message[:2] + bytes((flags, 0x80 | rcode)) + bytes(8)


def lower(message: bytes, transport: Transport) -> Iterable[bytes]:
    response = made(message, A)
    end = 12 + len(QNAME) + 2
    yield response[:12] + response[12:end].lower() + response[end:]


@pytest.mark.parametrize("over", ["udp", "tcp"])
@on_loop
async def test_a_question_that_comes_back_in_lower_case(over: str) -> None:
    """RFC 4343: the client gets the case that it asked in."""

    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        if over == "tcp" and transport == "udp":
            return [made(message, flags=0x0200)]
        return lower(message, transport)

    async with forwarding(script, deadline=NEVER) as ask:
        response = await ask("wWw.ExamPLe.oRG")
        assert str(response.question[0].name) == "wWw.ExamPLe.oRG."
        assert [str(record) for rrset in response.answer for record in rrset] == ["192.0.2.1"]
        assert not ask.resolver.forwarder.health


@pytest.mark.parametrize(
    "rcode",
    [
        "FORMERR",
        "SERVFAIL",
        "NOTIMP",
        "REFUSED",
        "YXDOMAIN",
        "YXRRSET",
        "NXRRSET",
        "NOTAUTH",
        "NOTZONE",
        "11",
    ],
)
@on_loop
async def test_an_error_leads_to_the_next_upstream(rcode: str) -> None:
    def failing(message: bytes, transport: Transport) -> Iterable[bytes]:
        yield made(message, rcode=rcode)

    async with forwarding(failing, GOOD, deadline=NEVER) as ask:
        before = time.monotonic()
        assert text(await ask()) == OK
        assert time.monotonic() - before < NEVER / 3, "at once"


@pytest.mark.parametrize("rcode", [1, 2, 3, 4, 5])
@on_loop
async def test_an_error_that_is_a_header_alone_counts_at_once(rcode: int) -> None:
    def failing(message: bytes, transport: Transport) -> Iterable[bytes]:
        yield bare(message, rcode)

    async with forwarding(failing, GOOD, deadline=NEVER) as ask:
        before = time.monotonic()
        assert text(await ask()) == OK
        assert time.monotonic() - before < NEVER / 3


@on_loop
async def test_a_truncated_response_without_a_question_leads_to_tcp() -> None:
    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        yield bare(message, 0, 0x83) if transport == "udp" else made(message, A)

    async with forwarding(script, deadline=NEVER) as ask:
        assert text(await ask()) == OK
        assert [transport for transport, _ in ask.queries] == ["udp", "tcp"]


@pytest.mark.parametrize("form", ["with OPT", "without OPT", "without question"])
@pytest.mark.parametrize("rcode", ["FORMERR", "NOTIMP"])
@on_loop
async def test_an_upstream_that_knows_no_edns_is_asked_without_and_remembered(form: str, rcode: str) -> None:
    """RFC 6891 §6.2.2, §7."""

    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        if not has_edns(message):
            yield made(message, A)
        elif form == "without question":
            yield bare(message, 1 if rcode == "FORMERR" else 4)
        else:
            yield made(message, rcode=rcode, edns=form == "with OPT")

    async with forwarding(script, deadline=NEVER) as ask:
        assert text(await ask()) == OK
        assert [has_edns(message) for _, message in ask.queries] == [True, False]
        await ask("other.example.org")
        assert [has_edns(message) for _, message in ask.queries] == [True, False, False]


@on_loop
async def test_one_that_fails_without_edns_too_is_not_remembered() -> None:
    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        yield made(message, rcode="NOTIMP")

    async with forwarding(script, deadline=NEVER) as ask:
        assert text(await ask()).startswith("NOTIMP")
        await ask("other.example.org")
        assert [has_edns(message) for _, message in ask.queries] == [True, False, True, False]
