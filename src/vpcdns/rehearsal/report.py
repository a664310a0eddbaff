"""A scenario's Result as one HTML file: drawings, checks and the matrix, with nothing to be fetched.

Knows how it looks. Everything that comes out of a file is escaped.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Final

from vpcdns.model.names import Name
from vpcdns.rehearsal.cache_window import cache_window, window_text
from vpcdns.rehearsal.drawing import svg
from vpcdns.rehearsal.effects import Effect, effects, surprises
from vpcdns.rehearsal.fates import Fate
from vpcdns.rehearsal.plan_text import names_text, summary
from vpcdns.rehearsal.run import Check, Result, StepResult, matrix
from vpcdns.rehearsal.scenario import BadFile

SHOWN: Final = 8  # rows of a step, and sources of a row, that are seen at once


def report(results: Sequence[Result | BadFile]) -> str:
    """The page about one scenario or several."""
    style = (files("vpcdns.rehearsal") / "report.css").read_text(encoding="utf-8")
    title = _title(results[0]) if len(results) == 1 else f"{len(results)} rehearsals"
    body = "".join(part for result in results for part in _part(result))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · vpcdns rehearse</title><style>{style}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _title(result: Result | BadFile) -> str:
    return result.rehearsal.title if isinstance(result, Result) else result.file.name


def _part(result: Result | BadFile) -> Iterator[str]:
    if isinstance(result, Result):
        yield from _scenario(result)
        return
    yield f"<header><h1>{escape(_title(result))}</h1><p class='lead'>"
    yield '<strong class="bad">it cannot be read</strong></p></header><section>'
    yield from (f'<p class="failure">{escape(line)}</p>' for line in result.why.splitlines())
    yield "</section>"


def _scenario(result: Result) -> Iterator[str]:
    checks = [check for step in result.steps for check in step.checks]
    failed = sum(bool(check.failures) for check in checks) + sum(bool(step.failures) for step in result.steps)
    verdict = f"{failed} failed" if failed else "passed"
    yield f"<header><h1>{escape(result.rehearsal.title)}</h1>"
    yield f'<p class="lead">{escape(result.rehearsal.file.name)} · {_count(len(result.steps), "step")}, '
    yield f"{_count(len(checks), 'expectation')} · "
    yield f'<strong class="{"bad" if failed else "good"}">{verdict}</strong></p></header>'
    yield from _matrix(matrix(result), [step.step.title for step in result.steps])
    for number, step in enumerate(result.steps, 1):
        yield from _step(number, step)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _step(number: int, step: StepResult) -> Iterator[str]:
    yield f"<section><h2><span>{number}</span>{escape(step.step.title)}</h2>"
    for change in step.step.changes:
        refused = ' <em class="bad">refused</em>' if step.step.refused else ""
        yield f"<p class='change'><code>{escape(change)}</code>{refused}</p>"
    for failure in step.failures:
        yield f'<p class="failure">{escape(failure)}</p>'
    yield f"<figure>{svg(step.after, [check.path for check in step.checks if check.path])}</figure>"
    if step.checks:
        yield '<table class="checks"><thead><tr><th></th><th>from</th><th>name</th><th>gets</th></tr></thead>'
        yield "<tbody>"
        for check in step.checks:
            yield from _check(check)
        yield "</tbody></table>"
    yield from _effects(step)
    yield "</section>"


def _effects(step: StepResult) -> Iterator[str]:
    """Whom a step affects; beyond the first rows, opened by a click."""
    if step.plan is None:
        return
    found = effects(step)
    lost = surprises(found)
    said = f' <b class="bad">No expectation is about {lost:,} of the lost.</b>' if lost else ""
    yield f"<h3>What this changes</h3><p>{escape(summary(step.plan))}{said}</p>"
    yield from _effects_table(found[:SHOWN])
    if rest := found[SHOWN:]:
        yield f"<details><summary>{_count(len(rest), 'more row')}</summary>"
        yield from _effects_table(rest)
        yield "</details>"
    for line in (*(f"Setting: {one}" for one in step.plan.settings), *window_text(cache_window(step.plan))):
        yield f'<p class="soft">{_prose(line)}</p>'


def _effects_table(found: Sequence[Effect]) -> Iterator[str]:
    if not found:
        return
    yield '<table class="effects"><thead><tr>'
    yield from (f"<th>{title}</th>" for title in ("", "from", "names", "before", "after"))
    yield "</tr></thead><tbody>"
    for one in found:
        kind = {"LOST": "bad", "gained": "good"}.get(one.kind, "")
        yield f'<tr><td class="{kind}">{_prose(one.label)}</td><td>{_sources(one.row.sources)}</td>'
        yield f'<td class="dns">{escape(names_text(one.section))}</td><td>{escape(str(one.row.before))}</td>'
        yield f"<td>{escape(str(one.row.after))}<p>{escape(one.row.after.why)}</p></td></tr>"
    yield "</tbody></table>"


def _prose(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))


def _sources(sources: Sequence[str]) -> str:
    """The first ones; the others are opened by a click."""
    first, rest = ", ".join(sources[:SHOWN]), sources[SHOWN:]
    if not rest:
        return escape(first)
    more = f"<details><summary>and {len(rest):,} more</summary>{escape(', '.join(rest))}</details>"
    return f"{escape(first)} {more}"


def _check(check: Check) -> Iterator[str]:
    mark = '<td class="bad">✗</td>' if check.failures else '<td class="good">✓</td>'
    name = escape(str(check.expectation.name))
    yield f"<tr>{mark}<td>{escape(check.expectation.source)}</td><td class='dns'>{name}</td><td>"
    if check.path is not None:
        answer = ", ".join(map(str, check.path.addresses)) or "no address"
        kind = "good" if check.path.reachable else "bad"
        yield f'{escape(answer)} <b class="{kind}">{check.path.verdict.value}</b>'
        for problem in check.path.problems:
            yield f"<p>{escape(problem.detail)}<br><i>{escape(problem.remedy)}</i></p>"
    for failure in check.failures:
        yield f'<p class="failure">{escape(failure)}</p>'
    yield "</td></tr>"


def _matrix(found: Mapping[Name, Mapping[str, Sequence[Fate]]], titles: Sequence[str]) -> Iterator[str]:
    if not found:
        return
    yield '<section><h2>Who gets what</h2><div class="wide"><table class="matrix"><thead><tr><th>name</th>'
    yield "<th>from</th><th>before</th>"
    yield from (f"<th>{number}. {escape(title)}</th>" for number, title in enumerate(titles, 1))
    yield "</tr></thead><tbody>"
    for name, rows in found.items():
        for position, (source, fates) in enumerate(rows.items()):
            yield "<tr>"
            if not position:
                yield f'<th rowspan="{len(rows)}" class="dns">{escape(_short(name))}</th>'
            yield f"<th>{escape(source)}</th>"
            yield from _cells(fates)
            yield "</tr>"
    yield "</tbody></table></div></section>"


def _cells(fates: Sequence[Fate]) -> Iterator[str]:
    before: Fate | None = None
    for fate in fates:
        kind = "yes" if fate.reachable else "no"
        kept = " same" if fate == before else ""
        verdict = "" if fate.verdict == "not_resolved" else f"<small>{fate.verdict}</small>"
        yield f'<td class="{kind}{kept}" title="{escape(fate.why)}">{escape(fate.answer)}{verdict}</td>'
        before = fate


def _short(name: Name) -> str:
    """A VPC domain with the middle of its group_id left out."""
    text = str(name)
    return f"{text[:6]}…{text[28:]}" if len(text) > 45 else text
