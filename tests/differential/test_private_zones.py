"""Private zones and BIND's views of the same zone files: every difference is explained, or a bug."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conformance.names import CONFIG
from tests.differential import peers, private, upstream
from tests.differential.comparing import ask, differing, seen
from tests.differential.differences import BIND, Difference, explained
from tests.differential.private_differences import DIFFERENCES
from tests.support.nameserver import Nameserver
from vpcdns.config import load
from vpcdns.model.names import Name
from vpcdns.testing import Server

pytestmark = pytest.mark.slow

SEED = int(os.environ.get("DIFFERENTIAL_SEED", "1"))


def test_every_difference_is_explained(tmp_path: Path) -> None:
    if not peers.found("named"):
        pytest.skip("BIND is not installed")
    bugs: dict[tuple[object, ...], list[str]] = {}
    used: Counter[Difference] = Counter()
    same = count = 0
    with both(tmp_path) as (ours_at, theirs_at, owners):
        for asked in private.questions(owners, SEED):
            count += 1
            ours, theirs = seen(asked, ask(asked, ours_at)), seen(asked, ask(asked, theirs_at))
            fields = differing(ours, theirs)
            same += not fields
            lines, left = explained(BIND, asked, ours, theirs, fields, DIFFERENCES)
            used.update(lines)
            if left:
                shown = "; ".join(
                    f"{field}: {ours.get(field)} / {theirs.get(field)}" for field in sorted(left)
                )
                bugs.setdefault((asked.kind, *sorted(left)), []).append(f"{asked}\n    {shown}")
    print(f"{count} comparisons, {same} without any difference")  # noqa: T201 - pytest -s shows it
    for difference, times in used.most_common():
        print(f"{times:6} {difference.reason}")  # noqa: T201 - as above
    examples = "\n".join(f"{len(found)} × {found[0]}" for found in bugs.values())
    assert not bugs, f"unexplained, ours / theirs:\n{examples}"
    assert [difference.reason for difference in DIFFERENCES if difference not in used] == []


@contextmanager
def both(folder: Path) -> Iterator[tuple[int, int, set[Name]]]:
    """The ports of vpcdns and BIND, which serve the same files, and the owner names in these."""
    private.write(folder)
    file = folder / "vpcdns.yaml"
    with Nameserver(upstream.answer) as above:
        port = above.upstream.port
        file.write_text(
            CONFIG.replace("upstreams: []", f'upstreams: ["127.0.0.1:{port}"]') + private.configuration()
        )
        world = load(file).world
        zones = world.private_zones.zones.values()
        owners = {record.name for zone in zones for record in zone.records.values()}
        served = peers.named(world, folder, port, private.views(folder), "check-names primary ignore;")
        with Server(file) as server, served as bind:
            yield server.dns[1], bind, owners
