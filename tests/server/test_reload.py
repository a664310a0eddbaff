"""Reloading: what makes it happen, what it tells, and that a bad file changes nothing."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.support.event_loop import on_loop, settled, until
from tests.support.example_world import VPC_A, example
from tests.support.journals import FullJournal
from tests.support.obedient_service import Obedient, Tcp, Udp, query, serving
from vpcdns.config import Loaded, WatchedFiles
from vpcdns.errors import ConfigurationError, Problem, StartupError
from vpcdns.listen.service import Service
from vpcdns.model.policy import Answers, Forwarding, Listen, QueryLogging, Upstream
from vpcdns.model.world import World
from vpcdns.server.lasting_tasks import LastingTasks
from vpcdns.server.reload import Reloader
from vpcdns.server.reload import Replicas as NoReplicas
from vpcdns.state import State

LOOK = 0.01


def loaded(world: World, listens: tuple[Listen, ...], source_hash: str) -> Loaded:
    return Loaded(world, listens, None, QueryLogging(), True, source_hash)


class Files:
    """A file that says its TTL, and what loading it gives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.loads = 0
        self.instead: Loaded | None = None
        path.write_text("60")

    def load(self) -> Loaded:
        self.loads += 1
        if self.instead is not None:
            return self.instead
        text = self.path.read_text()
        if not text.isdigit():
            raise ConfigurationError([Problem(str(self.path), 1, 1, "", "no number", "write one")])
        return loaded(replace(example(), answers=Answers(ttl=int(text))), (), text)


class Replicas(NoReplicas):
    """Other processes: one that has no room, or notes the revision it is to come to."""

    def __init__(self, problem: str | None = None) -> None:
        self.problem = problem
        self.seen: list[object] = []

    async def prepare(self, file: World, listens: tuple[Listen, ...]) -> None:
        self.seen.append(listens)
        if self.problem is not None:
            raise StartupError(self.problem)

    def commit(self, world: World) -> None:
        self.seen.append(world.revision)

    def abandon(self) -> None:
        self.seen.append("abandoned")


def reloading(files: Files) -> tuple[State, Reloader]:
    watched = WatchedFiles(files.path)
    watched.begin()
    state = State(files.load().world)
    service, replicas = Service(Obedient(), ()), NoReplicas()
    return state, Reloader(state, service, replicas, files.load, watched, source_hash="60", look_every=LOOK)


def reloading_once(state: State, service: Service, replicas: Replicas, file: Loaded) -> Reloader:
    return Reloader(state, service, replicas, lambda: file, WatchedFiles(), source_hash="")


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
    monkeypatch.setattr(state.journal, "prepare", lambda contents, file: prepared.append(file))
    task = asyncio.create_task(reloader.run())
    await asyncio.sleep(0)
    before, reloader.status.problem = state.world, "of the reload before"
    files.path.touch()
    await until(lambda: reloader.status.problem is None)
    assert files.loads == 2
    assert state.world is before
    assert not prepared, "nothing is written down that does not take effect"
    task.cancel()
    await reloader.reload()
    assert len(prepared) == 1


@on_loop
async def test_a_bad_file_is_told_and_the_old_world_serves_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = Files(tmp_path / "vpcdns.yaml")
    state, reloader = reloading(files)
    before = state.world
    files.path.write_text("sixty")
    await reloader.reload()
    assert state.world is before
    assert reloader.status.failures == 1
    assert "vpcdns.yaml:1:1: no number; write one" in caplog.text
    files.path.write_text("30")
    await reloader.reload()
    assert (ttl(state), reloader.status.problem) == (30, None)


@on_loop
async def test_the_world_and_the_listeners_change_together(tmp_path: Path) -> None:
    async with serving("127.0.0.1") as served:
        (listen,) = served.listens
        moved, replicas = replace(listen, vpc_id=VPC_A), Replicas()
        state = State(example())
        fresh = loaded(example(Answers(ttl=5)), (moved,), "other")
        reloader = reloading_once(state, served.service, replicas, fresh)
        at_the_change: list[tuple[Listen, ...]] = []
        state.subscribe(lambda old, new: at_the_change.append(served.service.serving))
        await reloader.reload()
        assert at_the_change == [(moved,)]
        assert replicas.seen == [(moved,), state.world.revision]


@pytest.mark.parametrize("why", ["a port that is taken", "no room in a worker", "no room for the journal"])
@on_loop
async def test_a_reload_that_fails_leaves_the_world_and_the_listeners(tmp_path: Path, why: str) -> None:
    async with serving("127.0.0.1") as served:
        (listen,) = served.listens
        replicas = Replicas(why if "worker" in why else None)
        state = State(example(), journal=FullJournal() if "journal" in why else None)
        with socket.socket() as taken, socket.socket() as free:
            taken.bind(("127.0.0.2", 0))
            free.bind(("127.0.0.2", 0))
            port = (taken if "port" in why else free).getsockname()[1]
            free.close()
            listens = replace(listen, vpc_id=VPC_A), Listen(ip_address("127.0.0.2"), port)
            fresh, before = loaded(example(Answers(ttl=5)), listens, "other"), state.world
            reloader = reloading_once(state, served.service, replicas, fresh)
            await reloader.reload()
        assert reloader.status.problem
        assert state.world is before
        assert served.service.serving == (listen,)
        assert replicas.seen[-1] == "abandoned"
        with pytest.raises(ConnectionRefusedError):
            await Tcp.connect(port, "127.0.0.2")
        with Udp() as udp:
            await udp.ask(query(1), ("127.0.0.1", listen.port))
        assert served.responder.seen[-1][3] == listen
        await served.is_serving()


@on_loop
async def test_upstreams_that_changed_are_taken_although_the_file_is_the_same(tmp_path: Path) -> None:
    """As when resolv.conf changes."""
    files = Files(tmp_path / "vpcdns.yaml")
    state, reloader = reloading(files)
    changed = replace(example(), forwarding=Forwarding((Upstream(ip_address("192.0.2.7"), 53),)))
    files.instead = loaded(changed, (), "60")
    await reloader.reload(requested=False)
    assert state.world.forwarding == changed.forwarding


@on_loop
async def test_a_bug_in_a_reload_is_told_and_the_next_one_works(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = Files(tmp_path / "vpcdns.yaml")
    state, reloader = reloading(files)
    files.instead = loaded(None, (), "")  # type: ignore[arg-type]  # the bug: there is no World
    tasks = LastingTasks(pause=0.01)
    tasks.start("reload", reloader.run)
    reloader.request()
    await until(lambda: reloader.status.failures == 1)
    await until(lambda: tasks.restarts["reload"] == 1)
    assert "The task reload has failed, and begins again" in caplog.text
    assert "AttributeError" in str(reloader.status.problem)
    files.instead = None
    files.path.write_text("30")
    reloader.request()
    await until(lambda: ttl(state) == 30)
    tasks.stop()


@on_loop
async def test_many_requests_at_once_are_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vpcdns.reload")
    files = Files(tmp_path / "vpcdns.yaml")
    _, reloader = reloading(files)
    task = asyncio.create_task(reloader.run())
    for _ in range(100):
        reloader.request()
    await until(lambda: reloader.status.successes == 1)
    assert await settled(lambda: files.loads) == 2
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
