"""Where in the text a path stands.

A second pass over the parser's events, made only when there is something to report: a good file pays
nothing for positions. Follows the wanted paths alone, so that the cost in memory is theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
    StreamEndEvent,
)

from vpcdns.config.document import EVENTS, spot
from vpcdns.config.problems import Finding, Path

_Spot = tuple[int, int]  # line and column, from 1


@dataclass(slots=True)
class _Wanted:
    """A node of the tree of wanted paths, and where it was seen."""

    below: dict[str | int, _Wanted] = field(default_factory=dict)
    value: _Spot | None = None
    key: _Spot | None = None


@dataclass(slots=True)
class _Open:
    """An open collection; `wanted` is None where nothing below it is."""

    wanted: _Wanted | None
    is_mapping: bool
    key: _Wanted | None = None
    at_value: bool = False
    count: int = 0


def located(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """The findings with the line and the column of each, in the order of the text.

    A path that is not in the text has the place of the nearest node above it that is.
    """
    findings = list(findings)
    top = _Wanted(value=(1, 1))
    for finding in findings:
        if not finding.line:
            _want(top, finding.path)
    if top.below:
        _find(text, top)
    placed = [finding if finding.line else _placed(finding, top) for finding in findings]
    return sorted(placed, key=lambda finding: (finding.line, finding.column))


def _want(top: _Wanted, path: Path) -> None:
    node = top
    for part in path:
        node = node.below.setdefault(part, _Wanted())


def _placed(finding: Finding, top: _Wanted) -> Finding:
    node, place = top, top.value or (1, 1)
    for depth, part in enumerate(finding.path, start=1):
        node = node.below[part]
        if node.value is None:
            break
        wants_key = finding.at_key and depth == len(finding.path)
        place = (node.key if wants_key else None) or node.value
    return replace(finding, line=place[0], column=place[1])


def _find(text: str, top: _Wanted) -> None:
    parser = EVENTS(text)
    # The stream itself is a list of documents; ours is its item 0.
    stack = [_Open(_Wanted(below={0: top}), is_mapping=False)]
    try:
        while not isinstance(event := parser.get_event(), StreamEndEvent):
            if isinstance(event, ScalarEvent | AliasEvent):
                _enter(stack[-1], event)
            elif isinstance(event, CollectionStartEvent):
                wanted = _enter(stack[-1], event)
                stack.append(_Open(wanted, isinstance(event, MappingStartEvent)))
            elif isinstance(event, CollectionEndEvent):
                stack.pop()
    except yaml.YAMLError:
        return  # JSON that is not YAML, e.g. a key of over 1,024 characters; what was found will do
    finally:
        parser.dispose()


def _enter(parent: _Open, event: Event) -> _Wanted | None:
    """What is wanted of the node that `event` begins; notes where it is."""
    if parent.wanted is None:
        return None
    here = spot(event)
    if not parent.is_mapping:
        node = parent.wanted.below.get(parent.count)
        parent.count += 1
    elif not parent.at_value:
        parent.at_value = True
        parent.key = parent.wanted.below.get(event.value) if isinstance(event, ScalarEvent) else None
        if parent.key is not None and parent.key.key is None:
            parent.key.key = here
        return None
    else:
        parent.at_value = False
        node = parent.key
    if node is not None and node.value is None:
        node.value = here
    return node
