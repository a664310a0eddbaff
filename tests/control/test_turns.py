"""Requests take turns: many at once leave DNS its time, and answers that nobody reads take little memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from tests.support.admin_server import admin
from tests.support.event_loop import on_loop, until
from vpcdns.control import routes as module
from vpcdns.control.connection import GRACE
from vpcdns.control.guard import PAUSE, Guard
from vpcdns.control.long_responses import AT_ONCE, PIECE

UNREAD = 126  # a few fewer than may be open


@on_loop
async def test_answers_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = 0

    async def endless(sources: Any) -> Iterator[str]:
        nonlocal begun
        begun += 1
        return iter(lambda: "x" * PIECE, None)

    monkeypatch.setattr(module, "exposition", endless)
    async with admin() as it:
        opened = [await it.connect() for _ in range(UNREAD)]
        for _, writer in opened:
            writer.write(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n")
        http = it.server.http
        assert http is not None
        await until(lambda: len(http.server_state.tasks) >= UNREAD and begun >= AT_ONCE)
        before = asyncio.get_running_loop().time()
        assert (await it.ask("/decisions")).status == 200
        assert asyncio.get_running_loop().time() - before < 5
        waiting = sum(one.transport.get_write_buffer_size() for one in http.server_state.connections)
        assert begun == AT_ONCE
        assert waiting <= AT_ONCE * 3 * PIECE
        before = asyncio.get_running_loop().time()
        await it.server.stop()
        assert asyncio.get_running_loop().time() - before < GRACE + 1.5
        assert begun == AT_ONCE
        for _, writer in opened:
            writer.close()


@pytest.mark.parametrize("body", [b"", b"{}"])
@on_loop
async def test_between_two_requests_others_go_on(body: bytes) -> None:
    loop, times = asyncio.get_running_loop(), list[tuple[float, float]]()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if body:
            await receive()
        begun = loop.time()
        time.sleep(0.005)  # noqa: ASYNC251 - as a call of the API does
        times.append((begun, loop.time()))

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        raise AssertionError

    length = str(len(body)).encode()
    headers = [(b"host", b"localhost"), (b"content-length", length)]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": headers,
    }
    guard = Guard(app, None, None)
    await asyncio.gather(*(guard(scope, receive, send) for _ in range(10)))
    assert len(times) == 10
    assert all(begun - ended > 0.9 * PAUSE for (_, ended), (begun, _) in pairwise(times))
