"""Memory and descriptors of all processes of the server together, and its admin server at work."""

import asyncio
import os
import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final

from tests.soak.server import WORKERS, AdminError, Server
from tests.support.repository import ROOT

MIB: Final = 1 << 20
PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_GROWN_UP: Final = 5.0  # seconds after which a process counts as one that serves
_MINUTE: Final = 60.0
_FLAT: Final = 1.05
_GROWTH_AT_MOST: Final = 12 * MIB * WORKERS  # in runs that are too short to compare minutes
_DESCRIPTORS_AT_MOST: Final = 40  # connections and queries to upstreams come and go
_DOCUMENT: Final = ROOT / "docs" / "reliability.md"
_LISTENERS: Final = 3


def documented_bounds() -> int:
    """The octets of the table "Limits", for all processes together."""
    table = _DOCUMENT.read_text().partition("## Limits")[2].partition("And in time")[0]
    each = shared = 0
    for row in re.findall(r"^\|.*\|$", table, re.MULTILINE):
        octets = row.split("|")[3]
        mebibytes = sum(map(int, re.findall(r"(\d+) MiB", octets)))
        if "and failures" in row:  # the cache, which the processes divide
            shared += mebibytes
        else:
            each += mebibytes * (_LISTENERS if "a listener" in octets else 1)
    return (WORKERS * each + shared) * MIB


@dataclass(frozen=True, slots=True)
class Sample:
    life: int  # how often the server had been started
    age: float  # seconds since then
    rss: int
    descriptors: int


class Measure:
    """Looks once a second until `over`."""

    def __init__(self, server: Server, over: asyncio.Event) -> None:
        self.samples: list[Sample] = []
        self.done: Counter[str] = Counter()
        self.slowest = 0.0
        self.problems: list[str] = []
        self._server = server
        self._over = over
        self._since: dict[int, float] = {}

    async def run(self) -> None:
        await asyncio.gather(self._look(), self._scrape())

    async def _look(self) -> None:
        life, born = 0, 0.0
        while not self._over.is_set():
            now = time.monotonic()
            if life != self._server.starts:
                life, born = self._server.starts, now
            pids = [self._server.pid, *self._server.workers()]
            self._since = {pid: self._since.get(pid, now) for pid in pids}
            if len(pids) == WORKERS and now - max(self._since.values()) > _GROWN_UP:
                try:
                    rss, descriptors = sum(map(_rss, pids)), sum(map(_descriptors, pids))
                except OSError:
                    continue  # one has just been killed
                self.samples.append(Sample(life, now - born, rss, descriptors))
            await asyncio.sleep(1)

    async def _scrape(self) -> None:
        """What monitoring does; the server may be down, but nothing else is an excuse."""
        while not self._over.is_set():
            for path in ("/metrics", "/ready", "/world", "/decisions?limit=50"):
                started = time.monotonic()
                try:
                    await asyncio.to_thread(self._server.get, path)
                except AdminError as error:
                    if self._server.up_since < started:
                        self.problems.append(str(error))
                else:
                    self.done["scrapes"] += 1
                    self.slowest = max(self.slowest, time.monotonic() - started)
            await asyncio.sleep(1)

    def judge(self) -> list[str]:
        """What is wrong with the memory and the descriptors."""
        wrong = list(self.problems)
        if not self.samples:
            return [*wrong, "nothing was measured"]
        for life in sorted({sample.life for sample in self.samples}):
            lived = [sample for sample in self.samples if sample.life == life]
            wrong += _growth(lived, f"start {life}")
        if max(sample.rss for sample in self.samples) > self.bound:
            wrong.append("more memory than the documented bounds allow")
        return wrong

    @property
    def bound(self) -> int:
        """What the server needs at first, and what it may keep at most by its documentation."""
        return min(sample.rss for sample in self.samples) + documented_bounds()

    def __str__(self) -> str:
        lines = []
        for life in sorted({sample.life for sample in self.samples}):
            lived = [sample for sample in self.samples if sample.life == life]
            early, late = _early_and_late(lived)
            lines.append(
                f"start {life}: {fmean(s.rss for s in early) / MIB:.1f} MiB early,"
                f" {fmean(s.rss for s in late) / MIB:.1f} late"
            )
        return "; ".join(lines)


def _early_and_late(lived: list[Sample]) -> tuple[list[Sample], list[Sample]]:
    """The minute after the first and the last one; of short lives the first half and the second."""
    end = lived[-1].age
    early = [sample for sample in lived if _MINUTE <= sample.age < 2 * _MINUTE]
    late = [sample for sample in lived if sample.age > max(end - _MINUTE, 2 * _MINUTE)]
    if early and late:
        return early, late
    return lived[: len(lived) // 2 + 1], lived[len(lived) // 2 :]


def _growth(lived: list[Sample], where: str) -> list[str]:
    early, late = _early_and_late(lived)
    before, after = fmean(sample.rss for sample in early), fmean(sample.rss for sample in late)
    is_long = early[0].age >= _MINUTE
    wrong = []
    if after > before * _FLAT if is_long else after > before + _GROWTH_AT_MOST:
        wrong.append(f"{where}: memory grew from {before / MIB:.1f} to {after / MIB:.1f} MiB")
    if fmean(s.descriptors for s in late) > fmean(s.descriptors for s in early) + _DESCRIPTORS_AT_MOST:
        wrong.append(f"{where}: descriptors grew")
    return wrong


def _rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def _descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - names alone are counted
