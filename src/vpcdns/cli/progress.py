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
    line = _Line(f"Reading {path}", stream, clock)
    try:
        yield line.show
    finally:
        line.erase()


class _Line:
    def __init__(self, title: str, stream: TextIO, clock: Callable[[], float]) -> None:
        self._title = title
        self._stream = stream
        self._clock = clock
        self._next = clock() + PATIENCE
        self._is_there = False

    def show(self, groups: int) -> None:
        now = self._clock()
        if now >= self._next:
            self._next = now + UPDATE_EVERY
            self._is_there = True
            self._stream.write(f"{_ERASE}{self._title}: {groups:,} groups")
            self._stream.flush()

    def erase(self) -> None:
        if self._is_there:
            self._stream.write(_ERASE)
            self._stream.flush()
