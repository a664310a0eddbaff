"""Reloads under load, and what can happen to a file between two looks at it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.load import Load
from tests.support.one_group import NAME, address, await_address, configuration, serial
from tests.support.server_process import served


@pytest.mark.slow
def test_no_query_is_lost_during_100_reloads_under_load(config: Path) -> None:
    """Each reload is waited for, so that there are 100; every answer is that of one World or the other.

    Waited for by what is answered, not by the serial alone: where the file was found by looking before the
    signal came, the signal loads the same once more, and moves the serial a second time.
    """
    addresses = ("10.1.8.20", "10.1.8.21")
    with served(config) as server:
        with Load(server.port, NAME) as load:
            for number in range(1, 101):
                before, expected = serial(server.port), addresses[number % 2]
                renamed(config, configuration(expected))
                server.process.send_signal(signal.SIGHUP)
                await_address(server.port, expected)
                assert serial(server.port) > before
        code, log = server.end()
    assert (code, "Traceback" in log) == (0, False)
    assert log.count("Reloaded") >= 100, "a change may be found by looking, too"
    assert load.lost == 0
    assert load.count > 1_000
    assert set(load.answers) == {("NOERROR", one) for one in addresses} | {("NXDOMAIN", "")}


@pytest.mark.slow
def test_a_storm_of_sighups(config: Path) -> None:
    with served(config) as server, Load(server.port, NAME) as load:
        for _ in range(1_000):
            server.process.send_signal(signal.SIGHUP)
        config.write_text(configuration("10.1.8.99"))
        server.process.send_signal(signal.SIGHUP)
        await_address(server.port, "10.1.8.99")
        code, log = server.end()
    assert (code, "Traceback" in log) == (0, False)
    assert load.count > 0
    assert log.count("eloaded, revision") < 1_000, "many requests at once are one"


def renamed(config: Path, text: str) -> None:
    new = config.with_name("new")
    new.write_text(text)
    new.rename(config)


def deleted_and_back(config: Path, text: str) -> None:
    config.unlink()
    config.write_text(text)


def written_in_pieces(config: Path, text: str) -> None:
    with config.open("w") as file:
        for start in range(0, len(text), 50):
            file.write(text[start : start + 50])
            file.flush()


@pytest.mark.parametrize("change", [renamed, deleted_and_back, written_in_pieces])
def test_a_change_is_found_by_looking(config: Path, change: Callable[[Path, str], None]) -> None:
    with served(config) as server:
        change(config, configuration("10.1.8.77"))
        await_address(server.port, "10.1.8.77")


def test_a_config_map_is_swapped_by_its_link(tmp_path: Path) -> None:
    """As Kubernetes does it: the file is a link into `..data`, and `..data` is one that is renamed onto."""
    for number, place in ((1, "10.1.8.20"), (2, "10.1.8.21")):
        folder = tmp_path / f"..{number}"
        folder.mkdir()
        (folder / "vpcdns.yaml").write_text(configuration(place))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "vpcdns.yaml").symlink_to("..data/vpcdns.yaml")
    with served(tmp_path / "vpcdns.yaml") as server:
        assert address(server.port) == "10.1.8.20"
        (tmp_path / "..data_tmp").symlink_to("..2")
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")
        await_address(server.port, "10.1.8.21")


def half_written(config: Path) -> None:
    config.write_text(configuration()[:300])


def gone(config: Path) -> None:
    config.unlink()


def a_folder(config: Path) -> None:
    config.unlink()
    config.mkdir()


def binary(config: Path) -> None:
    config.write_bytes(os.urandom(1_000))


def a_pipe(config: Path) -> None:
    config.unlink()
    os.mkfifo(config)


@pytest.mark.parametrize("spoil", [half_written, gone, a_folder, binary, a_pipe])
def test_a_file_that_cannot_be_used_changes_nothing_and_the_next_good_one_does(
    config: Path, spoil: Callable[[Path], None]
) -> None:
    with served(config) as server:
        before = serial(server.port)
        spoil(config)
        server.process.send_signal(signal.SIGHUP)
        server.await_log("Not reloaded")
        assert (serial(server.port), address(server.port)) == (before, "10.1.8.20")
        if config.is_dir():
            config.rmdir()
        renamed(config, configuration("10.1.8.33"))
        await_address(server.port, "10.1.8.33")
        code, log = server.end()
    assert (code, "Traceback" in log) == (0, False)
