"""Tasks that run as long as the server does: none ends unnoticed."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.event_loop import on_loop
from vpcdns.server.lasting_tasks import LastingTasks


@on_loop
async def test_a_task_that_ends_begins_again_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    begun = asyncio.Queue[int]()
    tasks = LastingTasks(pause=0)

    async def run() -> None:
        begun.put_nowait(1)
        if tasks.restarts["one"] == 0:
            raise RuntimeError("a bug")
        if tasks.restarts["one"] == 2:
            await asyncio.Event().wait()

    tasks.start("one", run)
    for _ in range(3):
        await asyncio.wait_for(begun.get(), 5)
    assert tasks.restarts == {"one": 2}
    assert "The task one has failed" in caplog.text
    assert "a bug" in caplog.text
    assert "The task one has ended" in caplog.text
    tasks.stop()
