"""A line on the terminal for what takes longer than a second; nothing where nobody watches."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from vpcdns.config import Progress

PATIENCE: Final = 1.0  # seconds without a word
UPDATE_EVERY: Final = 0.2
_ERASE: Final = "\r\x1b[K"


@contextmanager
def reading(
    path: Path, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Progress | None]:
    """Something to call with the number of groups read so far; None where stderr is no terminal."""
    stream = sys.stderr if stream is None else stream
    if stream is None or not stream.isatty():  # a closed stderr is None
        yield None
        return
    due = clock() + PATIENCE

    def show(groups: int) -> None:
        nonlocal due
        if clock() >= due:
            due = clock() + UPDATE_EVERY
            print(f"{_ERASE}Reading {path}: {groups:,} groups", end="", file=stream, flush=True)

    try:
        yield show
    finally:
        print(end=_ERASE, file=stream, flush=True)
