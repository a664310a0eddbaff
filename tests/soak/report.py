"""The figures of a run, and what is wrong with them. A run in which something did not happen is not good."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.soak.checkers import Score
from tests.soak.lost_workers import LostWorkers
from tests.soak.measure import MIB, Measure, documented_bounds
from tests.soak.operator import Operator
from tests.soak.upstreams import MISDEEDS

_ASKED = (
    "UDP",
    "TCP",
    "IPv4",
    "IPv6",
    "IPv6, client subnet",
    "per-VPC listener",
    "forwarded",
    "mixed",
    "elsewhere",
)
_OPERATED = (
    "reloads",
    "rebinds with their listener",
    "reloads beside API changes",
    "bad files",
    "resolv.conf changes",
    "API changes",
    "kills of the server",
    "facts found again",
)
_LOST = ("killed", "stopped for good", "stopped for a moment", "replaced")
_PEERS = ("datagrams", "connections", "greedy connections")
_LONG = 120.0  # seconds in which each kind of loss comes up


@dataclass(slots=True)
class Report:
    seconds: float
    score: Score
    operator: Operator
    lost: LostWorkers
    measure: Measure
    peers: Counter[str]
    misdeeds: Counter[str]
    exit_code: int | None = None
    tracebacks: int = 0
    log: str = field(default="", repr=False)

    def ended(self, exit_code: int, log: str) -> None:
        self.exit_code = exit_code
        self.tracebacks = log.count("Traceback")
        self.log = log

    @property
    def faults(self) -> list[str]:
        """Everything that is wrong."""
        found = [*self.operator.problems, *self.lost.problems, *self.measure.judge()]
        for what, count in (
            ("wrong", self.score.wrong),
            ("lost", self.score.lost),
            ("tracebacks", self.tracebacks),
            ("faults of the soak itself", self.score.own_faults),
        ):
            if count:
                found.append(f"{count} {what}")
        if self.exit_code:
            found.append(f"exit code {self.exit_code}")
        counted = (
            (self.score.kinds, _ASKED),
            (self.operator.done, _OPERATED),
            (self.peers, _PEERS),
            (self.misdeeds, MISDEEDS),
            (self.measure.done, ("scrapes",)),
            (self.lost.done, _LOST if self.seconds >= _LONG else ()),
        )
        found += [f"no {name}" for counts, names in counted for name in names if not counts[name]]
        if not self.lost.done:
            found.append("no worker was hit")
        return found

    def __str__(self) -> str:
        score, measure, lost = self.score, self.measure, self.lost
        done = self.operator.done
        rss, descriptors = [s.rss / MIB for s in measure.samples], [s.descriptors for s in measure.samples]
        figures = {
            "seconds": f"{self.seconds:.0f}",
            "answers checked": f"{score.rcodes.total()} ({_counts(score.rcodes, sorted(score.rcodes))})",
            "  asked over": _counts(score.kinds, _ASKED[:6]),
            "  forwarded": _counts(score.kinds, _ASKED[6:]),
            "wrong answers": score.wrong,
            "lost queries": f"{score.lost}; {score.second_tries} were answered at the second try,"
            f" {score.third_tries} later (power cuts, slow upstreams)",
            "file": _counts(done, _OPERATED[:4]),
            "resolv.conf": f"{done['resolv.conf changes']} changes",
            "API": f"{done['API changes']} changes acknowledged over a UNIX socket;"
            f" {measure.done['scrapes']} scrapes, the slowest {measure.slowest:.2f} s",
            "server": f"{done['kills of the server']} kills, down for {_most(self.operator.down_for)};"
            f" {done['facts found again']} facts found again",
            "workers": f"{_counts(lost.done, _LOST)}; lost within {_most(lost.lost_after)},"
            f" replaced within {_most(lost.replaced_after)}",
            "hostile peers": _counts(self.peers, _PEERS),
            "hostile upstream": f"{_counts(self.misdeeds, MISDEEDS)}; {score.hostile} harmless responses",
            "RSS": f"{measure}",
            "RSS at most": f"{max(rss, default=0):.1f} MiB; allowed are {measure.bound / MIB:.0f}, of them"
            f" {documented_bounds() / MIB:.0f} by the documented limits",
            "descriptors": f"{descriptors[0]} at the start, {descriptors[-1]} at the end,"
            f" {max(descriptors)} at most",
            "tracebacks": self.tracebacks,
            "exit code": self.exit_code,
            "faults": "; ".join(self.faults) or "none",
        }
        lines = [f"{name:16}  {figure}" for name, figure in figures.items()]
        if self.faults:
            lines += [*score.examples, self.log[-5_000:]]
        return "\n".join(lines)


def _counts(counts: Counter[str], names: Iterable[str]) -> str:
    return ", ".join(f"{counts[name]} {name}" for name in names)


def _most(seconds: list[float]) -> str:
    return f"{max(seconds, default=0):.1f} s"
