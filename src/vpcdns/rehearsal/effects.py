"""What a step of a rehearsal changes for whom, above all for those of whom its expectations say nothing.

Knows a step's plan and its expectations. Whether a step passes is not decided here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from vpcdns.model.routing import source_of
from vpcdns.rehearsal.cache_window import cache_window, window_text
from vpcdns.rehearsal.plan import Row, Section
from vpcdns.rehearsal.plan_text import SOURCES, names_text, sources_text, summary
from vpcdns.rehearsal.run import StepResult

MOST: Final = 5  # lines of a step that a terminal shows


@dataclass(frozen=True, slots=True)
class Effect:
    """Sources for which the names of a section change alike; `surprising` if they lose one of which the
    step expects nothing.
    """

    section: Section
    row: Row
    surprising: bool

    @property
    def kind(self) -> str:
        if self.row.before.reachable == self.row.after.reachable:
            return "changed"
        return "gained" if self.row.after.reachable else "LOST"

    @property
    def label(self) -> str:
        return f"{self.kind}, not in `expect`" if self.surprising else self.kind

    @property
    def pairs(self) -> int:
        return self.section.flow.count * len(self.row.sources)


_ORDER: Final = ("LOST", "gained", "changed")


def effects(step: StepResult) -> list[Effect]:
    """All that a step changes: surprises first, then what is lost, gained and changed."""
    expected = set(_expected(step))
    found = [
        Effect(section, part, surprising)
        for section in (step.plan.sections if step.plan is not None else ())
        for row in section.rows
        for part, surprising in _parts(section, row, expected)
    ]
    return sorted(found, key=lambda one: (not one.surprising, _ORDER.index(one.kind)))


def _expected(step: StepResult) -> Iterator[tuple[str, str]]:
    """Of whom a step expects something for which name: an address stands for where it is."""
    for one in step.step.expect:
        for world in (step.before, step.after):
            source = source_of(one.source, world)
            if source is not None:
                yield source.node or source.text, str(one.name).lower()


def _parts(section: Section, row: Row, expected: set[tuple[str, str]]) -> Iterator[tuple[Row, bool]]:
    """A row that loses in two: sources of which nothing is expected for one of the names, and others."""
    if row.after.reachable or not row.before.reachable:
        yield row, False
        return
    names = [str(name).lower() for name in section.flow.samples]
    is_whole = section.flow.count == len(names)
    named = [one for one in row.sources if is_whole and all((one, name) in expected for name in names)]
    others = [one for one in row.sources if one not in set(named)]
    for sources, surprising in ((others, True), (named, False)):
        if sources:
            yield replace(row, sources=sources), surprising


def surprises(found: list[Effect]) -> int:
    """The (source, name) pairs that are lost although nobody expects anything of them."""
    return sum(one.pairs for one in found if one.surprising)


def step_text(step: StepResult) -> Iterator[str]:
    """Lines for a terminal: the plan's sum, its largest effects, and for how long caches keep what was."""
    if step.plan is None:
        return
    found = effects(step)
    lost = surprises(found)
    yield summary(step.plan) + (f" No expectation is about {lost:,} of the lost." if lost else "")
    for one in found[:MOST]:
        whom = f"{sources_text(one.row)}: {names_text(one.section)}"
        yield f"{one.label}: {whom}: {one.row.before} -> {_after(one)}"
    if rest := found[MOST:]:
        pairs = sum(one.pairs for one in rest)
        yield f"… and {len(rest):,} more such lines with {pairs:,} pairs; --json and --html have them all"
    elif any(len(one.row.sources) > SOURCES for one in found):
        yield "--json and --html name all of them"
    yield from (f"setting: {one}" for one in step.plan.settings[:MOST])
    yield from islice(window_text(cache_window(step.plan)), 1)


def _after(one: Effect) -> str:
    """What sources get now; if they lose by it, with the reason."""
    after, why = str(one.row.after), one.row.after.why
    if one.kind != "LOST" or not why:
        return after
    return why if why.startswith(after) else f"{after}: {why}"


def effect_data(one: Effect) -> dict[str, Any]:
    """For programs, with all sources."""
    return {
        "effect": one.kind.lower(),
        "expected": not one.surprising,
        "sources": one.row.sources,
        "names": one.section.flow.count,
        "samples": list(map(str, one.section.flow.samples)),
        "before": str(one.row.before),
        "after": str(one.row.after),
    }
