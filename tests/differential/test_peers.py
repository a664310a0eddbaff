"""The same thousands of questions to vpcdns, BIND and Unbound: every difference is explained, or a bug."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.differential.comparing import ask, differing, seen
from tests.differential.conftest import Side
from tests.differential.differences import BIND, DIFFERENCES, UNBOUND, Difference, explained
from tests.differential.queries import questions

pytestmark = pytest.mark.slow

COUNT = int(os.environ.get("DIFFERENTIAL_QUERIES", "6000"))
SEED = int(os.environ.get("DIFFERENTIAL_SEED", "1"))


def test_every_difference_is_explained(sides: Side) -> None:
    bugs: dict[tuple[object, ...], list[str]] = {}
    used: Counter[Difference] = Counter()
    same = 0
    for asked in questions(COUNT, SEED):
        ours = seen(asked, ask(asked, sides.vpcdns))
        assert ours["response"] == "one", asked
        for peer, port in ((BIND, sides.bind), (UNBOUND, sides.unbound)):
            theirs = seen(asked, ask(asked, port))
            fields = differing(ours, theirs)
            same += not fields
            lines, left = explained(peer, asked, ours, theirs, fields)
            used.update(lines)
            if left:
                shown = "; ".join(
                    f"{field}: {ours.get(field)} / {theirs.get(field)}" for field in sorted(left)
                )
                bugs.setdefault((peer, asked.kind, *sorted(left)), []).append(f"{asked}\n    {shown}")
    print(f"{2 * COUNT} comparisons, {same} without any difference")  # noqa: T201
    for difference, count in used.most_common():
        print(f"{count:6} {difference.reason}")  # noqa: T201
    examples = "\n".join(f"{len(found)} × {found[0]}" for found in bugs.values())
    assert not bugs, f"unexplained, ours / theirs:\n{examples}"
    assert [difference.reason for difference in DIFFERENCES if difference not in used] == []
