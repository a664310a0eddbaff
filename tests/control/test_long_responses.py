"""Long answers over HTTP: made in pieces or in threads, few at a time, so that queries go on."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator

from starlette.responses import StreamingResponse

from tests.support.event_loop import on_loop
from vpcdns.control.long_responses import AT_ONCE, LongResponses


@on_loop
async def test_what_is_made_in_threads_is_made_few_at_a_time() -> None:
    long, lock, running, most = LongResponses(), threading.Lock(), 0, 0
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    may_end = threading.Event()

    def make() -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        loop.call_soon_threadsafe(begun.set)
        assert may_end.wait(10)
        with lock:
            running -= 1
        return "{}"

    made = [asyncio.ensure_future(long.made(make)) for _ in range(3 * AT_ONCE)]
    await asyncio.wait_for(begun.wait(), 10)
    may_end.set()
    assert {bytes((await one).body) for one in made} == {b"{}"}
    assert 1 <= most <= AT_ONCE


@on_loop
async def test_pieces_leave_turns_to_others() -> None:
    def pieces() -> Iterator[str]:
        return iter(["[", *["1,"] * 98, "1]"])

    response = LongResponses().in_pieces(pieces, {"etag": '"7"'})
    assert isinstance(response, StreamingResponse)
    turns, found = 0, list[str]()

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(others())
    async for piece in response.body_iterator:
        found.append(str(piece))
    counting.cancel()
    assert json.loads("".join(found)) == [1] * 99
    assert turns >= 99
    assert response.headers["etag"] == '"7"'
