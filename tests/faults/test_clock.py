"""Clocks that jump: what is kept and counted goes by the monotonic one, and revisions never go back."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.event_loop import on_loop
from tests.support.example_world import CUSTOM, example
from tests.support.resolver_and_upstreams import A, forwarding, saying
from vpcdns.process.source import Source
from vpcdns.state import State

DAY = 86_400.0


@pytest.mark.parametrize("jump", [-DAY, DAY, -time.time()])
@on_loop
async def test_answers_and_the_cache_do_not_notice(monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    async with forwarding(saying(A)) as ask:
        before = [await ask(), await ask(CUSTOM)]
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + jump)
        after = [await ask(), await ask(CUSTOM)]
        assert [message.answer for message in before] == [message.answer for message in after]
        assert len(ask.queries) == 1


def test_the_serial_does_not_go_back_with_the_clock() -> None:
    """A load takes its revision from the clock (DESIGN §3); one that was set back gives a lower one."""
    ahead, back = int(time.time()), int(time.time() - DAY)
    state = State(replace(example(), revision=ahead))
    serials = [state.reload(replace(example(), revision=back + number)).revision for number in range(2)]
    assert serials == [ahead + 1, ahead + 2]


@on_loop
async def test_the_soa_carries_the_revision_of_now() -> None:
    async with forwarding(saying(A)) as ask:
        serials = []
        for _ in range(2):
            response = await ask("alicloudapi.com", "SOA")
            serials.append(response.answer[0][0].serial)
            ask.state.reload(replace(ask.state.world, revision=1))
        assert serials[1] == serials[0] + 1


def test_a_clock_that_is_behind_the_file_is_not_believed_at_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "vpcdns.yaml"
    config.write_text("forward: {upstreams: []}\n")
    written = int(config.stat().st_mtime)
    monkeypatch.setattr(time, "time", lambda: written - DAY)
    assert Source(config).load().world.revision == written
    monkeypatch.setattr(time, "time", lambda: written + DAY)
    assert Source(config).load().world.revision == written + DAY
