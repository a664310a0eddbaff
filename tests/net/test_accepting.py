"""Accepting goes on when descriptors run out: one line in the log, and nothing spins."""

from __future__ import annotations

import errno
import socket
from typing import Any

import pytest

from tests.support.event_loop import on_loop, until
from vpcdns.net import accepting
from vpcdns.net.accepting import Acceptor


class Poor(socket.socket):
    """A listening socket that finds no descriptor so many times."""

    failures = 3
    calls = 0

    def accept(self) -> tuple[socket.socket, Any]:
        self.calls += 1
        if self.failures > 0:
            self.failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


@on_loop
async def test_it_waits_when_descriptors_run_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(accepting, "_PAUSE", 0.05)
    listening, accepted, out = Poor(), list[socket.socket](), list[bool]()
    listening.bind(("127.0.0.1", 0))
    listening.listen(200)
    listening.setblocking(False)
    clients = [socket.create_connection(listening.getsockname()) for _ in range(40)]
    acceptor = Acceptor("connections", out.append)
    acceptor.begin(listening, lambda sock, _: accepted.append(sock))
    await until(lambda: len(accepted) == len(clients))
    acceptor.close()
    assert out == [True] * 3
    assert listening.calls <= 3 + len(clients) + 2
    assert [record.message for record in caplog.records] == [
        "Cannot accept connections: Too many open files; they wait until there is room"
    ]
    assert not any(sock.getblocking() for sock in accepted)
    for sock in (*clients, *accepted):
        sock.close()
