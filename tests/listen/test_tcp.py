"""TCP over real sockets: framing, pipelining, order, and peers that behave badly."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.support.event_loop import on_loop, until
from tests.support.obedient_service import (
    Served,
    Tcp,
    child_environment,
    framed,
    query,
    response,
    servfail,
    serving,
)
from vpcdns.listen.tcp_limits import TcpLimits

QUICK = TcpLimits(idle=0.2, idle_when_crowded=0.1, message=0.2, write=0.2, linger=0.2, sweep=0.02)


@on_loop
async def test_a_and_aaaa_in_one_segment_are_answered_in_one() -> None:
    """Two queries in one write, as glibc does it (facts/containers.md §2)."""
    async with serving() as served:
        client = await served.tcp()
        client.send(query(1, b"A"), query(2, b"AAAA"))
        assert await client.read() == framed(response(1, b"A"), response(2, b"AAAA"))
        client.send(query(3))
        assert await client.message() == response(3)


@on_loop
async def test_one_octet_at_a_time() -> None:
    async with serving() as served:
        client = await served.tcp()
        for octet in framed(query(1), query(2)):
            client.write(bytes((octet,)))
            await asyncio.sleep(0)
        assert [await client.message(), await client.message()] == [response(1), response(2)]


@on_loop
async def test_answers_at_hand_keep_order_and_late_ones_hold_nobody_up() -> None:
    async with serving() as served:
        client = await served.tcp()
        client.send(*(query(ident, b"late" if ident == 3 else b"echo") for ident in range(20)))
        assert [await client.message() for _ in range(19)] == [response(i) for i in range(20) if i != 3]
        served.responder.release.set()
        assert await client.message() == response(3, b"late")


@on_loop
async def test_half_closed_by_the_client_is_still_answered() -> None:
    async with serving() as served:
        client = await served.tcp()
        client.send(query(1, b"late"), query(2))
        client.sock.shutdown(socket.SHUT_WR)
        assert await client.message() == response(2)
        served.responder.release.set()
        assert await client.message() == response(1, b"late")
        assert await client.is_closed()
        await until(lambda: served.counters.tcp_open == 0)


@pytest.mark.parametrize(
    "octets", [b"\x00\x0b" + bytes(11), b"\x10\x01" + bytes(10), b"\x00\x00", b"\xff\xff"]
)
@on_loop
async def test_a_length_that_is_no_querys_closes_after_what_was_asked_before(octets: bytes) -> None:
    async with serving() as served:
        client = await served.tcp()
        client.write(framed(query(1)) + octets + framed(query(2)))
        assert await client.message() == response(1)
        assert await client.is_closed()
        assert (served.counters.tcp_malformed, len(served.responder.seen)) == (1, 1)


@pytest.mark.parametrize("order", [b"none", b"late none"])
@on_loop
async def test_no_response_closes(order: bytes) -> None:
    async with serving() as served:
        served.responder.release.set()
        client = await served.tcp()
        client.send(query(1), query(2, order))
        assert await client.message() == response(1)
        assert await client.is_closed()


@pytest.mark.parametrize("order", [b"raise", b"late raise"])
@on_loop
async def test_a_failing_responder_is_servfail_and_the_connection_lives(order: bytes) -> None:
    async with serving() as served:
        served.responder.release.set()
        client = await served.tcp()
        client.send(query(1, order))
        assert await client.message() == servfail(1)
        client.send(query(2))
        assert await client.message() == response(2)


@pytest.mark.parametrize("order", [b"echo", b"late"])
@on_loop
async def test_who_asks_one_at_a_time_is_closed_after_its_share(order: bytes) -> None:
    async with serving(limits=TcpLimits(queries=5, sweep=60)) as served:  # at once, not by the sweep
        served.responder.release.set()
        client = await served.tcp()
        for ident in range(5):
            client.send(query(ident, order))
            assert await client.message() == response(ident, order)
        assert await client.is_closed()


@on_loop
async def test_who_pipelines_is_closed_after_its_share_only_in_a_lull() -> None:
    """It has always something on its way, and whatever meets a closed door must be asked again."""
    async with serving(limits=TcpLimits(queries=5, idle=0.5, lull=0.5, sweep=0.02)) as served:
        client, idle = await served.tcp(), await served.tcp()
        closed = asyncio.create_task(idle.is_closed())
        client.send(query(0))
        asked = 1
        while not closed.done():
            client.send(query(1))
            assert (await client.message())[2:] == response(1)[2:]
            asked += 1
        await client.message()
        assert await client.is_closed()
        assert len(served.responder.seen) == asked > 100


@on_loop
async def test_a_share_is_not_over_before_the_last_answer_and_the_rest_of_a_message() -> None:
    async with serving(limits=TcpLimits(queries=1, lull=0.05, sweep=0.02)) as served:
        client = await served.tcp()
        late_and_a_half = framed(query(0, b"late"), query(1))
        client.write(late_and_a_half[:-3])
        await until(lambda: served.responder.waiting == 1)
        await a_lull_has_passed(served)
        served.responder.release.set()
        assert await client.message() == response(0, b"late")
        await a_lull_has_passed(served)
        client.write(late_and_a_half[-3:])
        assert await client.message() == response(1)
        assert await client.is_closed()


async def a_lull_has_passed(served: Served) -> None:
    """Another client, which has asked since, has been closed for having asked nothing for so long."""
    client = await served.tcp()
    client.send(query(8), query(9))
    assert [await client.message(), await client.message()] == [response(8), response(9)]
    assert await client.is_closed()


@on_loop
async def test_what_came_together_is_answered_together_beyond_the_share() -> None:
    async with serving(limits=TcpLimits(queries=5, in_flight=20, sweep=0.02)) as served:
        client = await served.tcp()
        client.send(*(query(ident, b"late" if ident % 2 else b"echo") for ident in range(300)))
        await until(lambda: served.responder.waiting == 20)
        served.responder.release.set()
        assert {await client.message() for _ in range(300)} == {
            response(ident, b"late" if ident % 2 else b"echo") for ident in range(300)
        }
        assert await client.is_closed()


@on_loop
async def test_many_queries_of_one_peer_leave_others_their_turn() -> None:
    async with serving() as served:
        greedy, other = await served.tcp(), await served.tcp()
        greedy.send(*(query(ident) for ident in range(900)))
        other.send(query(1000))
        await other.message()
        assert len(served.responder.seen) < 900
        assert [await greedy.message() for _ in range(900)] == [response(ident) for ident in range(900)]


@on_loop
async def test_in_flight_is_bounded_and_the_rest_waits() -> None:
    async with serving(limits=TcpLimits(in_flight=3)) as served:
        client = await served.tcp()
        client.send(*(query(ident, b"late") for ident in range(10)))
        await until(lambda: served.responder.waiting == 3)
        await served.is_serving()
        assert served.responder.waiting == 3
        served.responder.release.set()
        assert {(await client.message())[1] for _ in range(10)} == set(range(10))


@on_loop
async def test_slow_reader_gets_everything_when_it_reads_and_stops_being_read_until_then() -> None:
    async with serving() as served:
        client = await served.tcp()
        client.send(*(query(ident, b"big") for ident in range(90)))
        await until(lambda: served.counters.tcp_received > 0)
        await served.is_serving()
        for ident in range(90):
            assert (await client.message())[:2] == ident.to_bytes(2, "big")


@on_loop
async def test_reader_that_never_reads_is_closed() -> None:
    async with serving(limits=QUICK) as served:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.connect(("127.0.0.1", served.port))
            client.sendall(framed(*(query(ident, b"big") for ident in range(99))))
            await until(lambda: served.counters.tcp_expired == 1 and served.counters.tcp_open == 0)
        await served.is_serving()


@pytest.mark.parametrize("trickle", [False, True])
@on_loop
async def test_slowloris_is_closed(trickle: bool) -> None:
    """The deadline counts from the first octet; a further one now and then does not help."""
    async with serving(limits=TcpLimits(idle=0.05, message=0.3, sweep=0.02)) as served:
        client, others = await served.tcp(), 0
        client.write(b"\x00\xff\x00")
        closed = asyncio.create_task(client.is_closed())
        while trickle and not closed.done():
            with suppress(ConnectionError):  # closed in the same turn as the one before
                client.write(b"\x00")
            assert await (await served.tcp()).is_closed()  # for having been idle for a moment
            others += 1
        assert await closed
        assert served.counters.tcp_expired == others + 1
        assert not trickle or others > 2
        await served.is_serving()


@on_loop
async def test_idle_is_closed_and_active_is_not() -> None:
    async with serving(limits=replace(QUICK, queries=1_000_000)) as served:
        idle, active = await served.tcp(), await served.tcp()
        closed = asyncio.create_task(idle.is_closed())
        ident = 0
        while not closed.done():
            active.send(query(ident := ident + 1))
            assert await active.message() == response(ident)
        assert served.counters.tcp_expired == 1
        assert ident > 5


@on_loop
async def test_waiting_for_a_late_answer_is_not_idle() -> None:
    async with serving(limits=QUICK) as served:
        waiting, idle = await served.tcp(), await served.tcp()
        waiting.send(query(1, b"late"))
        assert await idle.is_closed()
        served.responder.release.set()
        assert await waiting.message() == response(1, b"late")


@on_loop
async def test_one_client_may_not_have_all_connections() -> None:
    async with serving("0.0.0.0", limits=TcpLimits(per_client=3)) as served:
        held = [await served.tcp() for _ in range(3)]
        await until(lambda: served.counters.tcp_open == 3)
        assert await (await served.tcp()).is_closed()
        assert served.counters.tcp_refused == 1
        other = await served.tcp(source="127.0.0.9")
        other.send(query(1))
        assert await other.message() == response(1)
        held.pop().close()
        await until(lambda: served.counters.tcp_open == 3)
        again = await served.tcp()
        again.send(query(2))
        assert await again.message() == response(2)


@on_loop
async def test_the_longest_idle_makes_room_and_whoever_waits_keeps_its_place() -> None:
    async with serving(limits=TcpLimits(connections=4)) as served:
        waiting, oldest, used = [await served.tcp() for _ in range(3)]
        waiting.send(query(1, b"late"))
        await until(lambda: served.responder.waiting == 1)
        used.send(query(2))
        assert await used.message() == response(2)
        crowd = [await served.tcp() for _ in range(2)]
        assert await oldest.is_closed()
        used.send(query(3))
        assert await used.message() == response(3)
        crowd += [await served.tcp() for _ in range(30)]
        crowd[-1].send(query(4))
        assert await crowd[-1].message() == response(4)
        served.responder.release.set()
        assert await waiting.message() == response(1, b"late")
        assert served.counters.tcp_open <= 4


STARVED = """
import asyncio, json, os, resource, sys
from vpcdns.listen.tcp_limits import TcpLimits
from tests.support.obedient_service import Obedient, listen_on
from vpcdns.listen.service import Service

async def main():
    service = Service(Obedient(), listen_on(("127.0.0.1", 0)), TcpLimits(connections=10_000))
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    port = (await service.start())[0].port
    hoard = []
    try:
        while True:
            hoard.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        for _ in range(4):
            os.close(hoard.pop())
    print(port, flush=True)
    before = resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"cpu": cpu, "errors": service.counters.tcp_accept_errors}), flush=True)
    await service.stop(0)

asyncio.run(main())
"""


@on_loop
async def test_without_descriptors_it_neither_spins_nor_floods_the_log() -> None:
    server = subprocess.Popen(  # noqa: ASYNC220 - it is only read from when it has something to say
        [sys.executable, "-c", STARVED],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=child_environment(),
    )  # fmt: skip
    assert server.stdin is not None
    assert server.stdout is not None
    assert server.stderr is not None
    with server:
        port = int(server.stdout.readline())
        crowd = [await Tcp.connect(port) for _ in range(12)]
        crowd[-1].send(query(1))
        assert await crowd[-1].message() == response(1)
        server.stdin.write("\n")
        server.stdin.flush()
        told = json.loads(server.stdout.readline())
        for client in crowd:
            client.close()
        assert told["errors"] > 0
        assert told["cpu"] < 0.5
        log = server.stderr.read()
        assert log.count("Cannot accept TCP connections") == 1
        assert "Traceback" not in log
    assert server.returncode == 0


PROXY_HEADER = (
    b"\r\n\r\n\0\r\nQUIT\n" + b"\x21\x11\x00\x0c" + bytes((10, 1, 0, 5, 10, 9, 0, 53)) + b"\x30\x39\x00\x35"
)


@on_loop
async def test_a_proxy_header_names_the_client_of_the_whole_connection() -> None:
    async with serving() as served:
        served.responder.trusting = True
        client = await served.tcp()
        for octet in PROXY_HEADER + framed(query(1)):
            client.write(bytes((octet,)))
            await asyncio.sleep(0)
        assert await client.message() == response(1)
        client.send(query(2))
        assert await client.message() == response(2)
        assert [str(address) for address in served.responder.proxied] == ["10.1.0.5", "10.1.0.5"]


@on_loop
async def test_without_a_proxy_header_a_trusted_peer_is_itself() -> None:
    async with serving() as served:
        served.responder.trusting = True
        client = await served.tcp()
        client.send(query(1))
        assert await client.message() == response(1)
        assert served.responder.proxied == [None]


@on_loop
async def test_a_proxy_header_of_an_untrusted_peer_is_no_header() -> None:
    """Its first two octets are a length like any other; the rest is no message that we know."""
    async with serving(limits=QUICK) as served:
        client = await served.tcp()
        client.write(PROXY_HEADER + framed(query(1)))
        assert await client.read() == b""
        assert served.responder.proxied == []


@on_loop
async def test_a_broken_proxy_header_ends_the_connection() -> None:
    async with serving(limits=QUICK) as served:
        served.responder.trusting = True
        client = await served.tcp()
        client.write(PROXY_HEADER.replace(b"\x21\x11", b"\x31\x11") + framed(query(1)))
        assert await client.read() == b""
        assert served.responder.seen == []
