"""Records the corpus anew: `python -m tests.corpus.record`, for when a change of answers is meant."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from tests.corpus.asked import asked
from tests.corpus.configurations import configurations
from tests.corpus.program import outcome, worlds
from tests.corpus.recording import FILE, Recording, write
from tests.corpus.relayed import relayed


def main(file: Path = FILE) -> None:
    parts = configurations()
    cases = list(dict.fromkeys((*asked(parts), *relayed(parts))))
    known = worlds(parts)
    outcomes = [outcome(case, known) for case in cases]
    write(Recording(parts, cases, outcomes), file)
    counts = Counter(
        f"{case.kind.value}: {said.split()[0]}" for case, said in zip(cases, outcomes, strict=True)
    )
    lines = [f"{len(cases)} cases, {file.stat().st_size} octets", *map(str, sorted(counts.items()))]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
