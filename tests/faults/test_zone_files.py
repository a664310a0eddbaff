"""Zone files of a running server: a change of one alone is noticed, and a broken one changes nothing."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.one_group import address, await_address, configuration, serial
from tests.support.server_process import served
from tests.support.waiting import eventually

ONE, TWO = "db.one.test", "db.two.test"


@pytest.fixture
def zones(config: Path) -> Path:
    """A configuration with two zone files; their folder."""
    folder = config.parent / "zones"
    folder.mkdir()
    for zone in ("one", "two"):
        write(folder / f"{zone}.zone", "10.1.0.1")
    config.write_text(configuration() + private_zones("one", "two"))
    return folder


def private_zones(*zones: str) -> str:
    entries = [f"  - {{zone: {zone}.test, vpcs: [vpc-a], file: zones/{zone}.zone}}" for zone in zones]
    return "\n".join(["private_zones:", *entries, ""])


def write(file: Path, where: str) -> None:
    file.write_text(f"$TTL 60\ndb A {where}\n")


def written(file: Path) -> None:
    write(file, "10.1.0.2")


def renamed_onto(file: Path) -> None:
    new = file.with_suffix(".new")
    write(new, "10.1.0.2")
    new.rename(file)


def deleted_and_back(file: Path) -> None:
    file.unlink()
    write(file, "10.1.0.2")


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one process", "two workers"])
@pytest.mark.parametrize("change", [written, renamed_onto, deleted_and_back])
def test_a_change_of_one_alone_is_noticed(
    config: Path, zones: Path, change: Callable[[Path], None], options: tuple[str, ...]
) -> None:
    with served(config, options=options) as server:
        for name in (ONE, TWO):
            assert address(server.port, name=name) == "10.1.0.1"
        before = serial(server.port)
        change(zones / "two.zone")
        await_address(server.port, "10.1.0.2", TWO)
        assert address(server.port, name=ONE) == "10.1.0.1"
        assert serial(server.port) > before
        server.await_output("Reloaded, .*two.test")
        change(zones / "one.zone")
        await_address(server.port, "10.1.0.2", ONE)


def test_one_that_is_touched_changes_nothing(config: Path, zones: Path) -> None:
    with served(config) as server:
        before = serial(server.port)
        os.utime(zones / "one.zone", (1, 1))
        write(zones / "two.zone", "10.1.0.2")
        await_address(server.port, "10.1.0.2", TWO)
        assert serial(server.port) == before + 1


def test_a_signal_reads_them_again(config: Path, zones: Path) -> None:
    with served(config) as server:
        # The file looks as it did; only what is in it is another.
        status, text = (zones / "one.zone").stat(), (zones / "one.zone").read_text()
        (zones / "one.zone").write_text(text.replace("10.1.0.1", "10.1.0.2"))
        os.utime(zones / "one.zone", ns=(status.st_atime_ns, status.st_mtime_ns))
        server.process.send_signal(signal.SIGHUP)
        await_address(server.port, "10.1.0.2", ONE)


def test_the_end_does_not_wait_for_one_that_takes_long(config: Path, zones: Path) -> None:
    with served(config, options=("--workers", "2")) as server:
        many = "".join(f"$GENERATE 0-65535 h{number}-$ A 10.1.0.1\n" for number in range(100))
        (zones / "one.zone").write_text("$TTL 60\n" + many)
        before = cpu_ticks(server.pid)
        eventually(lambda: cpu_ticks(server.pid) > before + 50, within=20)  # it is being read
        started = time.monotonic()
        code, _ = server.end()
        assert code == 0
        assert time.monotonic() - started < 5  # of some 15 s and more that reading it takes


def cpu_ticks(pid: int) -> int:
    """Hundredths of a second of CPU time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def gone(file: Path) -> None:
    file.unlink()


def folder_gone(file: Path) -> None:
    shutil.rmtree(file.parent)


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def binary(file: Path) -> None:
    file.write_bytes(bytes(range(256)))


def half_written(file: Path) -> None:
    file.write_text("$TTL 60\ndb A 10.1.0.2\nxy TXT ( a")


@pytest.mark.parametrize("spoil", [gone, folder_gone, a_folder, a_pipe, binary, half_written])
def test_a_broken_one_changes_nothing_and_the_next_good_one_does(
    config: Path, zones: Path, spoil: Callable[[Path], None]
) -> None:
    file = zones / "one.zone"
    with served(config) as server:
        before = serial(server.port)
        spoil(file)
        server.await_output(r"Not reloaded(.|\n)*one\.zone")
        assert (serial(server.port), address(server.port, name=ONE)) == (before, "10.1.0.1")
        if file.is_dir():
            file.rmdir()
        elif file.exists():
            file.unlink()
        zones.mkdir(exist_ok=True)
        if not (zones / "two.zone").exists():
            write(zones / "two.zone", "10.1.0.1")
        write(file, "10.1.0.3")
        await_address(server.port, "10.1.0.3", ONE)
        code, log = server.end()
    assert (code, "Traceback" in log) == (0, False)
    assert log.count("Not reloaded") <= 3, "once for each look of the files, not at every look"


def test_one_that_a_changed_configuration_names_may_come_later(config: Path, zones: Path) -> None:
    with served(config) as server:
        config.write_text(configuration("10.1.8.33") + private_zones("one", "two", "three"))
        server.await_output(r"Not reloaded(.|\n)*three\.zone")
        assert address(server.port) == "10.1.8.20"
        write(zones / "three.zone", "10.1.0.4")
        await_address(server.port, "10.1.0.4", "db.three.test")
        assert address(server.port) == "10.1.8.33"
        write(zones / "three.zone", "10.1.0.5")
        await_address(server.port, "10.1.0.5", "db.three.test")


def test_one_that_is_named_no_more_is_not_missed(config: Path, zones: Path) -> None:
    with served(config) as server:
        config.write_text(configuration("10.1.8.33") + private_zones("two"))
        await_address(server.port, "10.1.8.33")
        (zones / "one.zone").unlink()
        write(zones / "two.zone", "10.1.0.2")
        await_address(server.port, "10.1.0.2", TWO)
        code, log = server.end()
    assert (code, "Not reloaded" in log) == (0, False)
