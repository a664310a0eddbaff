"""Reloading: what makes it happen, what it tells, and that a bad file changes nothing."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.doubles import on_loop, until
from tests.support.worlds import example
from vpcdns.errors import ConfigurationError, Problem, StartupError
from vpcdns.model.policy import Answers, Listen
from vpcdns.model.world import World
from vpcdns.server.file_watch import Folders
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
    async def taken(listens: tuple[Listen, ...]) -> None:
        raise StartupError("the port is taken")

    files = Files(tmp_path / "vpcdns.yaml")
    state, reloader = reloading(files, relisten=taken)
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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux's")
@pytest.mark.parametrize("change", [written, renamed_onto, deleted_and_back])
@on_loop
async def test_a_folder_tells_of_a_change(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """Long before the next look is due."""
    files = Files(tmp_path / "vpcdns.yaml")
    state, reloader = reloading(files)
    reloader._look_every = 600.0
    task = asyncio.create_task(reloader.run())
    await asyncio.sleep(0)
    change(files.path)
    await until(lambda: ttl(state) == 30)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@on_loop
async def test_where_nothing_tells_looking_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_watches(folders: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vpcdns.server.file_watch._watching", no_watches)
    monkeypatch.setattr("sys.platform", "linux")
    files = Files(tmp_path / "vpcdns.yaml")
    state, reloader = reloading(files)
    task = asyncio.create_task(reloader.run())
    await asyncio.sleep(0)
    written(files.path)
    await until(lambda: ttl(state) == 30)
    assert "found by looking" in caplog.text
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@on_loop
async def test_a_folder_that_is_not_there_is_no_matter(tmp_path: Path) -> None:
    told: list[None] = []
    folders = Folders([tmp_path / "gone" / "vpcdns.yaml", tmp_path / "here.yaml"], lambda: told.append(None))
    (tmp_path / "here.yaml").touch()
    await until(lambda: bool(told))
    folders.close()
    folders.close()
