"""One socket's octets, in the order that asyncio's transports keep; for peers see test_tcp.py."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.event_loop import on_loop, until
from vpcdns.net.epoll import Watch
from vpcdns.net.stream import Stream


class Told(Stream):
    """Writes down what it is told; keeps a half-closed connection open when `keeps` says so."""

    def __init__(
        self, sock: socket.socket, watch: Watch, *, keeps: bool = False, broken: bool = False
    ) -> None:
        super().__init__(sock, watch, memoryview(bytearray(1_000)))
        self.told: list[str] = []
        self.octets = b""
        self._keeps = keeps
        self._broken = broken

    def data_received(self, octets: bytes) -> None:
        if self._broken:
            raise RuntimeError("a bug")
        self.octets += octets

    def eof_received(self) -> None:
        self.told.append("eof")
        if not self._keeps:
            self.close()

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self) -> None:
        self.told.append("lost")


@pytest.fixture(autouse=True, params=["epoll", "no epoll"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without epoll(7), all is the same."""
    if request.param == "no epoll":
        monkeypatch.delattr("vpcdns.net.epoll.select.epoll", raising=False)


@contextmanager
def streaming(*, keeps: bool = False, broken: bool = False) -> Iterator[tuple[Told, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    watch = Watch()
    stream = Told(ours, watch, keeps=keeps, broken=broken)
    try:
        yield stream, theirs
    finally:
        stream.abort()
        theirs.close()
        watch.close()
        ours.close()


@on_loop
async def test_octets_come_and_go() -> None:
    with streaming() as (stream, peer):
        peer.send(b"question")
        await until(lambda: stream.octets == b"question")
        stream.write(b"answer")
        assert peer.recv(100) == b"answer"
        peer.close()
        await until(lambda: stream.told == ["eof", "lost"])
        assert stream.closing


@on_loop
async def test_what_the_kernel_does_not_take_is_sent_later_and_then_it_closes() -> None:
    with streaming() as (stream, peer):
        octets = bytes(range(256)) * 8_000
        stream.write(octets)
        stream.write(b"end")
        assert stream.told == ["pause"]
        stream.close()
        stream.write(b"too late")
        got = bytearray()
        while not got.endswith(b"end"):
            await asyncio.sleep(0)
            try:
                got += peer.recv(1 << 16)
            except BlockingIOError:
                continue
        await until(lambda: stream.told == ["pause", "resume", "lost"])
        assert got == octets + b"end"
        assert peer.recv(10) == b""


@on_loop
async def test_a_half_closed_peer_can_be_answered() -> None:
    with streaming(keeps=True) as (stream, peer):
        peer.send(b"question")
        peer.shutdown(socket.SHUT_WR)
        await until(lambda: stream.told == ["eof"])
        stream.write(b"answer")
        stream.write_eof()
        assert (peer.recv(100), peer.recv(100)) == (b"answer", b"")
        assert not stream.closing


@on_loop
async def test_nothing_is_read_while_reading_is_paused_and_a_failure_does_not_spin() -> None:
    with streaming() as (stream, peer):
        stream.pause_reading()
        peer.send(b"question")
        peer.close()
        for _ in range(20):
            await asyncio.sleep(0)
        assert (bytes(stream.octets), stream.told) == (b"", [])
        stream.resume_reading()
        await until(lambda: stream.told == ["eof", "lost"])
        assert stream.octets == b"question"


@on_loop
async def test_a_bug_ends_one_connection_and_is_told() -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
    with streaming(broken=True) as (stream, peer):
        peer.send(b"question")
        await until(lambda: stream.told == ["lost"])
        assert peer.recv(10) == b""
    assert [str(fault) for fault in told] == ["a bug"]


@on_loop
async def test_a_peer_that_is_gone_is_told_once() -> None:
    with streaming() as (stream, peer):
        peer.close()
        stream.write(b"answer")  # EPIPE
        stream.write(b"again")
        stream.abort()
        await until(lambda: bool(stream.told))
        assert stream.told == ["lost"]
        with pytest.raises(OSError, match=r"."):
            peer.recv(1)
