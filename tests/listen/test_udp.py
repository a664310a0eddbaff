"""UDP over real sockets: who is answered, from where, and what is survived."""

from __future__ import annotations

import socket

import pytest

from tests.support.event_loop import needs_ipv6, on_loop, until
from tests.support.obedient_service import Udp, listen_on, query, response, servfail, serving
from vpcdns.listen.udp import SLOT


@pytest.fixture(autouse=True, params=["recvmmsg", "recvmsg"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without recvmmsg(2), all is the same."""
    monkeypatch.setattr("vpcdns.listen.service.is_available", lambda: request.param == "recvmmsg")


@on_loop
async def test_answers_and_tells_the_responder_who_asked_where() -> None:
    async with serving() as served:
        with Udp() as client:
            answer, _ = await client.ask(query(1), ("127.0.0.1", served.port))
        assert answer == response(1)
        peer, port, transport, listen = served.responder.seen[0]
        assert (peer, transport, listen) == ("127.0.0.1", "udp", served.listens[0])
        assert port != 0


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "127.10.0.53"])
@on_loop
async def test_wildcard_answers_from_the_address_asked(host: str) -> None:
    async with serving("0.0.0.0") as served:
        with Udp() as client:
            assert await client.ask(query(1), (host, served.port)) == (response(1), host)


@needs_ipv6
@on_loop
async def test_ipv6_wildcard_serves_both_families_from_the_address_asked() -> None:
    async with serving("::") as served:
        with Udp(socket.AF_INET6) as six, Udp() as four:
            assert await six.ask(query(1), ("::1", served.port)) == (response(1), "::1")
            assert await four.ask(query(2), ("127.0.0.2", served.port)) == (response(2), "127.0.0.2")
        assert [seen[0] for seen in served.responder.seen] == ["::1", "127.0.0.1"]


@on_loop
async def test_late_answers_leave_from_the_address_asked_too() -> None:
    async with serving("0.0.0.0") as served:
        with Udp() as client:
            client.send(query(1, b"late"), ("127.0.0.2", served.port))
            client.send(query(2), ("127.0.0.3", served.port))
            assert await client.receive() == (response(2), "127.0.0.3")
            served.responder.release.set()
            assert await client.receive() == (response(1, b"late"), "127.0.0.2")


@on_loop
async def test_silence_is_silence() -> None:
    async with serving() as served:
        with Udp() as client:
            client.send(query(1, b"none"), ("127.0.0.1", served.port))
            assert (await client.ask(query(2), ("127.0.0.1", served.port)))[0] == response(2)
        assert (served.counters.udp_silent, served.counters.udp_answered) == (1, 1)


@on_loop
async def test_longer_than_the_limit_is_discarded_unseen() -> None:
    async with serving() as served:
        with Udp() as client:
            client.send(query(1) + bytes(SLOT), ("127.0.0.1", served.port))
            longest = query(2, bytes(SLOT - 12))
            assert (await client.ask(longest, ("127.0.0.1", served.port)))[0][:2] == b"\0\2"
        assert (served.counters.udp_discarded, len(served.responder.seen)) == (1, 1)


@pytest.mark.parametrize("order", [b"raise", b"late raise"])
@on_loop
async def test_a_failing_responder_is_servfail_and_one_traceback(
    order: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving() as served:
        served.responder.release.set()
        with Udp() as client:
            for ident in range(3):
                answer, _ = await client.ask(query(ident, order), ("127.0.0.1", served.port))
                assert answer == servfail(ident)
        await served.is_serving()
        assert served.counters.responder_exceptions == 3
        assert len([record for record in caplog.records if record.name == "vpcdns.server"]) == 1


@on_loop
async def test_a_response_that_cannot_be_sent_is_counted() -> None:
    """Its listener has gone since the query came."""
    async with serving() as served:
        with Udp() as client:
            client.send(query(1, b"late"), ("127.0.0.1", served.port))
            await until(lambda: served.responder.waiting == 1)
        served.service.commit(served.service.prepare(listen_on(("127.0.0.2", 0))))
        served.responder.release.set()
        await until(lambda: served.counters.udp_send_errors == 1)


@on_loop
async def test_outstanding_answers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vpcdns.listen.dispatch.LATE_AT_MOST", 2)
    async with serving() as served:
        with Udp() as client:
            for ident in range(3):
                client.send(query(ident, b"late"), ("127.0.0.1", served.port))
            assert (await client.receive())[0] == servfail(2)
            served.responder.release.set()
            assert {(await client.receive())[0][:2] for _ in range(2)} == {b"\0\0", b"\0\1"}
        assert served.counters.late_refused == 1
        await served.is_serving()
