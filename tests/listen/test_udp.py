"""UDP over real sockets: who is answered, from where, and what is survived."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

import pytest

from tests.support.event_loop import needs_ipv6, on_loop, until
from tests.support.obedient_service import Obedient, Udp, query, response, servfail, serving
from vpcdns.listen.counters import ListenerCounters
from vpcdns.listen.dispatch import Dispatch
from vpcdns.listen.responder import Peers
from vpcdns.listen.udp import BATCH, UdpListener
from vpcdns.model.policy import Listen
from vpcdns.net.recvmmsg import RECEIVE_AT_MOST


@pytest.fixture(autouse=True, params=["recvmmsg", "recvmsg"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both listeners do the same: the one in batches, and the one for platforms that have none."""
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
            client.send(query(1) + bytes(RECEIVE_AT_MOST), ("127.0.0.1", served.port))
            longest = query(2, bytes(RECEIVE_AT_MOST - 12))
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
async def test_a_flood_does_not_keep_others_waiting() -> None:
    """One turn of the loop takes a batch and no more."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    counters, port = ListenerCounters(), sock.getsockname()[1]
    dispatch = Dispatch(Obedient(), counters)
    listener = UdpListener(sock, Listen(ip_address("127.0.0.1"), port), dispatch, counters)
    with sock, Udp() as client:
        for ident in range(2 * BATCH):
            client.send(query(ident), ("127.0.0.1", port))
        listener.start()
        await until(lambda: counters.udp_received > 0)
        assert counters.udp_received % BATCH == 0
        await until(lambda: counters.udp_received == 2 * BATCH)
        listener.stop_reading()
        client.send(query(1), ("127.0.0.1", port))
        await asyncio.sleep(0)
        assert counters.udp_received == 2 * BATCH


@on_loop
async def test_a_response_that_cannot_be_sent_is_counted() -> None:
    async with serving() as served:
        with Udp() as client:
            client.send(query(1, b"late"), ("127.0.0.1", served.port))
            await until(lambda: served.responder.waiting == 1)
        for bound in served.service._bound:
            served.service._udp[bound.udp].stop_reading()
            bound.udp.close()
        served.responder.release.set()
        await until(lambda: served.counters.udp_send_errors == 1)


@on_loop
async def test_outstanding_answers_are_bounded() -> None:
    async with serving() as served:
        served.service._dispatch._late_at_most = 2
        with Udp() as client:
            for ident in range(3):
                client.send(query(ident, b"late"), ("127.0.0.1", served.port))
            assert (await client.receive())[0] == servfail(2)
            served.responder.release.set()
            assert {(await client.receive())[0][:2] for _ in range(2)} == {b"\0\0", b"\0\1"}
        assert served.counters.late_refused == 1
        await served.is_serving()


def test_peers_are_unmapped_and_bounded() -> None:
    peers = Peers()
    assert peers["::ffff:10.0.0.5"] == ip_address("10.0.0.5")
    assert peers["::1"] == ip_address("::1")
    for number in range(20_000):
        peers[str(ip_address(number))]
    assert len(peers) <= 10_000
