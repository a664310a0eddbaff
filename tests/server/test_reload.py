"""Reloading: what makes it happen, what it tells, and that a bad file changes nothing."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.doubles import on_loop, until
from tests.support.worlds import example
from vpcdns.errors import ConfigurationError, Problem, StartupError
from vpcdns.model.policy import Answers, Listen
from vpcdns.model.world import World
from vpcdns.server.reload import Fresh, Reloader
from vpcdns.state import State

LOOK = 0.01


class Files:
    """A file that says its TTL, and what loading it gives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.loads = 0
        path.write_text("60")

    def load(self) -> Fresh:
        self.loads += 1
        text = self.path.read_text()
        if not text.isdigit():
            raise ConfigurationError([Problem(str(self.path), 1, 1, "", "no number", "write one")])
        return Fresh(replace(example(), answers=Answers(ttl=int(text))), (), text)


class Taken:
    """A Service that finds its next port taken."""

    def prepare(self, listens: Sequence[Listen]) -> None:
        raise StartupError("the port is taken")


def reloading(files: Files, **how: object) -> tuple[State, Reloader]:
    state = State(files.load().world)
    return state, Reloader(state, files.load, [files.path], source_hash="60", look_every=LOOK, **how)  # type: ignore[arg-type]


def ttl(state: State) -> int:
    return state.world.answers.ttl


def written(path: Path) -> None:
    path.write_text("30")


def renamed_onto(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_text("30")
    other.rename(path)


def deleted_and_back(path: Path) -> None:
    path.unlink()
    path.write_text("30")


@pytest.mark.parametrize("change", [written, renamed_onto, deleted_and_back])
@on_loop
async def test_a_changed_file_is_read(tmp_path: Path, change: Callable[[Path], None]) -> None:
    files = Files(tmp_path / "vpcdns.yaml")
    state, reloader = reloading(files)
    task = asyncio.create_task(reloader.run())
    await asyncio.sleep(0)
    before = state.world.revision
    change(files.path)
    await until(lambda: ttl(state) == 30)
    assert state.world.revision > before
    assert (reloader.status.successes, reloader.status.problem) == (1, None)
    task.cancel()


@on_loop
async def test_a_link_that_is_swapped_is_followed(tmp_path: Path) -> None:
    """As Kubernetes does it with a ConfigMap: ..data points to another folder."""
    for name, text in (("one", "60"), ("two", "30")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vpcdns.yaml").write_text(text)
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / "vpcdns.yaml").symlink_to("..data/vpcdns.yaml")
    files = Files(tmp_path / "vpcdns.yaml")
    state, reloader = reloading(files)
    task = asyncio.create_task(reloader.run())
    await asyncio.sleep(0)
    (tmp_path / "..data_new").symlink_to("two")
    os.replace(tmp_path / "..data_new", tmp_path / "..data")  # noqa: PTH105 - what Kubernetes calls
    await until(lambda: ttl(state) == 30)
    task.cancel()


@on_loop
async def test_a_touched_file_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, prepared = Files(tmp_path / "vpcdns.yaml"), list[World]()
    state, reloader = reloading(files)
    monkeypatch.setattr(state, "prepare", prepared.append)
    task = asyncio.create_task(reloader.run())
    await asyncio.sleep(0)
    before = state.world
    files.path.touch()
    await until(lambda: files.loads == 2)
    await asyncio.sleep(LOOK)
    assert state.world is before
    assert not prepared, "nothing is written down that does not take effect"
    task.cancel()
    assert await reloader.reload()
    assert len(prepared) == 1


@on_loop
async def test_a_bad_file_is_told_and_the_old_world_serves_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = Files(tmp_path / "vpcdns.yaml")
    state, reloader = reloading(files)
    before = state.world
    files.path.write_text("sixty")
    assert not await reloader.reload()
    assert state.world is before
    assert reloader.status.failures == 1
    assert "vpcdns.yaml:1:1: no number; write one" in caplog.text
    files.path.write_text("30")
    assert await reloader.reload()
    assert (ttl(state), reloader.status.problem) == (30, None)


@on_loop
async def test_listeners_that_cannot_move_keep_the_old_world(tmp_path: Path) -> None:
    files = Files(tmp_path / "vpcdns.yaml")
    state, reloader = reloading(files, service=Taken())
    before = state.world
    files.path.write_text("30")
    assert not await reloader.reload()
    assert state.world is before


@on_loop
async def test_many_requests_at_once_are_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vpcdns.reload")
    files = Files(tmp_path / "vpcdns.yaml")
    _, reloader = reloading(files)
    task = asyncio.create_task(reloader.run())
    for _ in range(100):
        reloader.request()
    await until(lambda: reloader.status.successes == 1)
    await asyncio.sleep(3 * LOOK)
    assert files.loads <= 3
    assert "nothing changed" in caplog.text
    task.cancel()


@on_loop
async def test_the_log_line_says_what_changed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vpcdns.reload")
    files = Files(tmp_path / "vpcdns.yaml")
    _, reloader = reloading(files)
    files.path.write_text("30")
    await reloader.reload()
    assert "answers.ttl: 60 -> 30" in caplog.text
