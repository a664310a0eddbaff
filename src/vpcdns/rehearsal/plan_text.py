"""A Plan as text, Markdown and plain data.

Knows how much fits on a page: text and Markdown show the largest sections and a few sources of each row, with
counts for the rest; the data have everything.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, Final

from vpcdns.errors import printable
from vpcdns.rehearsal.cache_window import cache_window, window_text
from vpcdns.rehearsal.fates import Fate
from vpcdns.rehearsal.plan import Plan, Row, Section

SECTIONS: Final = 20
SOURCES: Final = 5
SETTING: Final = 300  # characters of a setting that differs
_SPECIAL: Final = re.compile(r"[\\`*\[<&|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_ACTIVE: Final = re.compile(r"@|://")  # mentions and links, which GitHub and GitLab see behind escapes, too

# What tells more of the ids and names in a text; made anew for each section.
Labels = Callable[[], Callable[[str], str]]


def _plain() -> Callable[[str], str]:
    return printable


def markdown(text: str) -> str:
    """Text of others as it can stand in a line or a table of Markdown: it is only shown."""
    return _ACTIVE.sub("\u200b\\g<0>\u200b", _SPECIAL.sub(r"\\\g<0>", text))


def plan_data(plan: Plan) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "changes": plan.pairs,
        "lost": plan.lost,
        "gained": plan.gained,
        "settings": list(plan.settings),
        "cache_window": asdict(cache_window(plan)),
        "sections": [_section_data(section) for section in plan.sections],
    }


def _section_data(section: Section) -> dict[str, Any]:
    return {
        "instance": section.instance,
        "binding": section.binding,
        "kind": section.flow.kind.value,
        "before": str(section.flow.before),
        "after": str(section.flow.after),
        "names": section.flow.count,
        "samples": list(map(str, section.flow.samples)),
        "rows": [
            {"sources": row.sources, "before": _fate_data(row.before), "after": _fate_data(row.after)}
            for row in section.rows
        ],
    }


def _fate_data(fate: Fate) -> dict[str, Any]:
    return {"answer": fate.answer, "verdict": fate.verdict, "why": fate.why, "records": list(fate.records)}


def plan_text(plan: Plan, labels: Labels = _plain) -> Iterator[str]:
    """Lines for a terminal."""
    yield summary(plan)
    for section in plan.sections[:SECTIONS]:
        told = labels()
        yield from ("", told(f"{_title(section)}: {names_text(section)}"), told(f"  {section.binding}"))
        for row in section.rows:
            yield told(f"    {sources_text(row)}: {row.before} -> {row.after}{_mark(row)}")
            yield from (told(f"        {label}: {why}") for label, why in _reasons(row))
    yield from _rest(plan, printable)


def plan_markdown(plan: Plan, labels: Labels = _plain) -> Iterator[str]:
    """Lines for a pull request."""
    yield f"**{summary(plan)}**"
    for section in plan.sections[:SECTIONS]:
        told = _in_markdown(labels())
        yield from ("", f"### {told(_title(section))}", "")
        yield from (f"{told(names_text(section))}. {told(section.binding)}", "")
        yield from ("| sources | before | after | why |", "|---|---|---|---|")
        for row in section.rows:
            why = "; ".join(f"{label}: {why}" for label, why in _reasons(row))
            cells = told(sources_text(row)), told(row.before), told(row.after) + _mark(row), told(why)
            yield f"| {' | '.join(cells)} |"
    yield from _rest(plan, _in_markdown(printable))


def _in_markdown(tell: Callable[[str], str]) -> Callable[[object], str]:
    return lambda text: markdown(tell(str(text)))


def summary(plan: Plan) -> str:
    if not plan.pairs:
        return (
            "Nothing changes for the names known here." if plan.settings else "Nothing changes for anybody."
        )
    pairs = "pair changes" if plan.pairs == 1 else "pairs change"
    return f"{plan.pairs:,} (source, name) {pairs}: {plan.lost:,} lost, {plan.gained:,} gained."


def _title(section: Section) -> str:
    zone = section.flow.after.zone or section.flow.before.zone
    if zone:
        return f"private zone {zone}"
    return f"instance {section.instance}" if section.instance else "names that are nobody's"


def names_text(section: Section) -> str:
    flow = section.flow
    kind = flow.kind.value + ("" if flow.count == 1 else "s")
    more = ", …" if flow.count > len(flow.samples) else ""
    return f"{flow.count:,} {kind} ({', '.join(map(str, flow.samples))}{more})"


def sources_text(row: Row) -> str:
    shown = ", ".join(row.sources[:SOURCES])
    rest = len(row.sources) - SOURCES
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def _mark(row: Row) -> str:
    if row.before.reachable == row.after.reachable:
        return ""
    return "  (gained)" if row.after.reachable else "  (LOST)"


def _reasons(row: Row) -> list[tuple[str, str]]:
    return [(label, fate.why) for label, fate in (("before", row.before), ("after", row.after)) if fate.why]


def _rest(plan: Plan, told: Callable[[str], str]) -> Iterator[str]:
    if said := list(window_text(cache_window(plan))):
        yield "\n" + "\n".join(said)
    rest = plan.sections[SECTIONS:]
    if rest:
        pairs = sum(section.pairs for section in rest)
        yield f"\n… and {len(rest):,} smaller sections with {pairs:,} pairs; JSON has them all."
    if any(sample.is_wildcard for section in plan.sections[:SECTIONS] for sample in section.flow.samples):
        yield f"\n{told('*.')} stands for all names below that are not listed by themselves."
    if plan.settings:
        yield "\nThese settings differ; what they do to names that are not known here is not in the plan:"
        yield from (f"- {told(_cut(one))}" for one in plan.settings)


def _cut(text: str) -> str:
    return text if len(text) <= SETTING else f"{text[:SETTING]}…"
