"""The life cycle: start, drain, signals."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import pytest

from tests.support.event_loop import on_loop, until
from tests.support.obedient_service import (
    Obedient,
    Tcp,
    Udp,
    child_environment,
    framed,
    listen_on,
    query,
    response,
    serving,
)
from vpcdns.errors import StartupError
from vpcdns.listen.service import Service
from vpcdns.model.policy import Listen


@on_loop
async def test_bound_is_not_yet_serving() -> None:
    """Privileges can be dropped between the two, and what arrives in between is answered."""
    service = Service(Obedient(), listen_on(("127.0.0.1", 0)))
    port = service.bind()[0].port
    with Udp() as client:
        client.send(query(1), ("127.0.0.1", port))
        assert (await service.start())[0].port == port
        assert (await client.receive())[0] == response(1)
    await service.stop()


@on_loop
async def test_start_that_fails_leaves_nothing() -> None:
    async with serving() as served:
        service = Service(Obedient(), listen_on(("127.0.0.2", 0), ("127.0.0.1", served.port)))
        with pytest.raises(StartupError):
            await service.start()
        await service.stop()
        await served.is_serving()


@on_loop
async def test_stop_drains_what_is_outstanding_and_takes_nothing_more() -> None:
    async with serving() as served:
        client, idle = await served.tcp(), await served.tcp()
        client.send(query(1, b"late"))
        with Udp() as udp:
            udp.send(query(2, b"late"), ("127.0.0.1", served.port))
            await until(lambda: served.responder.waiting == 2)
            stopping = asyncio.create_task(served.service.stop(5))
            assert await idle.is_closed()
            client.send(query(3))
            udp.send(query(4), ("127.0.0.1", served.port))
            with pytest.raises(ConnectionRefusedError):
                await Tcp.connect(served.port)
            served.responder.release.set()
            assert await client.message() == response(1, b"late")
            assert (await udp.receive())[0] == response(2, b"late")
            await stopping
        assert await client.is_closed()
        assert len(served.responder.seen) == 2
        assert served.counters.tcp_open == 0


@on_loop
async def test_grace_has_an_end() -> None:
    async with serving() as served:
        client = await served.tcp()
        client.send(query(1, b"late"))
        await until(lambda: served.responder.waiting == 1)
        await served.service.stop(0.05)
        assert await client.is_closed()


@on_loop
async def test_the_port_is_free_after_stop() -> None:
    async with serving() as served:
        await served.tcp()
        await until(lambda: served.counters.tcp_open == 1)
        await served.service.stop(1)
        again = Service(Obedient(), listen_on(("127.0.0.1", served.port)))
        await again.start()
        await again.stop()


SERVER = """
import asyncio, logging, sys
from tests.support.obedient_service import Obedient, listen_on
from vpcdns.listen.service import Service
from vpcdns.process.signals import serve

class Slow(Obedient):
    async def _late(self, answer, order, pending):
        print("waiting", flush=True)
        await asyncio.sleep(0.2 if order == b"late" else 60)
        pending.deliver(answer)

logging.basicConfig(level="INFO", stream=sys.stdout, format="%(message)s")
service = Service(Slow(), listen_on(("127.0.0.1", 0)))
serving = serve(service.start, service.stop, ready=lambda listens: print(listens[0].port, flush=True),
                hangup=lambda: print("hangup", flush=True))
sys.exit(asyncio.run(serving))
"""


@contextmanager
def process() -> Iterator[tuple[subprocess.Popen[str], int]]:
    with subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", SERVER],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=child_environment(),
    ) as server:  # fmt: skip
        try:
            assert "Listening on 127.0.0.1:" in line(server)
            yield server, int(line(server))
        finally:
            server.kill()


def line(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    return server.stdout.readline().rstrip()


def ended(server: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and standard error."""
    _, errors = server.communicate(timeout=10)
    return server.returncode, errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_exits_0(number: signal.Signals) -> None:
    with process() as (server, port), socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(framed(query(1, b"late")))
        assert line(server) == "waiting"
        server.send_signal(number)
        assert line(server) == f"{number.name}: stopping"
        assert client.recv(100) == framed(response(1, b"late"))
        assert ended(server) == (0, "")


def test_a_second_signal_ends_at_once() -> None:
    with process() as (server, port), socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(framed(query(1, b"late for ever")))
        assert line(server) == "waiting"
        server.send_signal(signal.SIGTERM)
        assert line(server) == "SIGTERM: stopping"
        server.send_signal(signal.SIGINT)
        assert ended(server) == (128 + signal.SIGINT, "")


def test_hangup_is_passed_on_and_serving_goes_on() -> None:
    with process() as (server, port), socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        os.kill(server.pid, signal.SIGHUP)
        assert line(server) == "hangup"
        client.sendall(framed(query(1)))
        assert client.recv(100) == framed(response(1))
        server.terminate()
        assert line(server) == "SIGTERM: stopping"
        assert ended(server) == (0, "")


@on_loop
async def test_a_commit_keeps_adds_and_gives_up_listeners() -> None:
    async with serving("127.0.0.1", "127.0.0.2") as served:
        kept, gone = served.listens
        as_vpc = Listen(kept.address, kept.port, "vpc-a")
        served.service.commit(served.service.prepare([as_vpc, Listen(ip_address("127.0.0.3"), 0)]))
        with Udp() as udp:
            await udp.ask(query(1), ("127.0.0.1", kept.port))
        assert served.responder.seen[-1][3] == as_vpc
        with pytest.raises(ConnectionRefusedError):
            await Tcp.connect(gone.port, "127.0.0.2")
        await served.is_serving()


@on_loop
async def test_nothing_changes_when_a_port_is_taken() -> None:
    async with serving("127.0.0.1") as served:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.2", 0))
            port = taken.getsockname()[1]
            with pytest.raises(StartupError):
                served.service.prepare([Listen(ip_address("127.0.0.2"), port)])
        await served.is_serving()
