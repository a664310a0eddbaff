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


class Told(asyncio.BufferedProtocol):
    """Writes down what it is told; keeps a half-closed connection open when `keeps` says so."""

    def __init__(self, *, keeps: bool = False, broken: bool = False) -> None:
        self.told: list[str] = []
        self.octets = bytearray()
        self._buffer = memoryview(bytearray(1000))
        self._keeps = keeps
        self._broken = broken

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._broken:
            raise RuntimeError("a bug")
        self.octets += self._buffer[:nbytes]

    def eof_received(self) -> bool:
        self.told.append("eof")
        return self._keeps

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append("made")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append("lost" if exc is None else "reset")


@contextmanager
def streaming(protocol: Told) -> Iterator[tuple[Stream, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    watch = Watch()
    stream = Stream(ours, protocol, watch)
    stream.start()
    try:
        yield stream, theirs
    finally:
        stream.abort()
        theirs.close()
        watch.close()
        ours.close()


@on_loop
async def test_octets_come_and_go() -> None:
    protocol = Told()
    with streaming(protocol) as (stream, peer):
        peer.send(b"question")
        await until(lambda: protocol.octets == b"question")
        stream.write(b"answer")
        assert peer.recv(100) == b"answer"
        peer.close()
        await until(lambda: protocol.told == ["made", "eof", "lost"])
        assert stream.is_closing()


@on_loop
async def test_what_the_kernel_does_not_take_is_sent_later_and_then_it_closes() -> None:
    protocol = Told()
    with streaming(protocol) as (stream, peer):
        octets = bytes(range(256)) * 8_000
        stream.write(octets)
        stream.write(b"end")
        assert protocol.told == ["made", "pause"]
        stream.close()
        stream.write(b"too late")
        got = bytearray()
        while not got.endswith(b"end"):
            await asyncio.sleep(0)
            try:
                got += peer.recv(1 << 16)
            except BlockingIOError:
                continue
        await until(lambda: protocol.told == ["made", "pause", "resume", "lost"])
        assert got == octets + b"end"
        assert peer.recv(10) == b""


@on_loop
async def test_a_half_closed_peer_can_be_answered() -> None:
    protocol = Told(keeps=True)
    with streaming(protocol) as (stream, peer):
        peer.send(b"question")
        peer.shutdown(socket.SHUT_WR)
        await until(lambda: protocol.told == ["made", "eof"])
        stream.write(b"answer")
        stream.write_eof()
        assert (peer.recv(100), peer.recv(100)) == (b"answer", b"")
        assert not stream.is_closing()


@on_loop
async def test_nothing_is_read_while_reading_is_paused_and_a_failure_does_not_spin() -> None:
    protocol = Told()
    with streaming(protocol) as (stream, peer):
        stream.pause_reading()
        peer.send(b"question")
        peer.close()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not protocol.octets
        assert protocol.told == ["made"]
        stream.resume_reading()
        await until(lambda: protocol.told == ["made", "eof", "lost"])
        assert protocol.octets == b"question"


@on_loop
async def test_a_bug_ends_one_connection_and_is_told() -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
    broken = Told(broken=True)
    with streaming(broken) as (_, peer):
        peer.send(b"question")
        await until(lambda: broken.told == ["made", "lost"])
        assert peer.recv(10) == b""
    assert [str(fault) for fault in told] == ["a bug"]


@on_loop
async def test_a_peer_that_is_gone_is_told_once() -> None:
    protocol = Told()
    with streaming(protocol) as (stream, peer):
        peer.close()
        stream.write(b"answer")  # EPIPE
        stream.write(b"again")
        stream.abort()
        await until(lambda: len(protocol.told) == 2)
        assert protocol.told == ["made", "reset"]
        with pytest.raises(OSError, match=r"."):
            peer.recv(1)
