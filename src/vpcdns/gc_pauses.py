"""Keeps Python's garbage collector from walking again and again over objects that stay.

Hardly anything that loading and serving make is part of a cycle. But what is loaded or cached looks like a
growing heap, and the collector walks all of it each time that it has grown by a quarter.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# Objects made until the young ones are walked (CPython: 700), and how many such walks make one of the older
# ones, twice. Measured: forwarding new names, some objects of each of which are cached, costs 1 µs less.
_THRESHOLDS: Final = (10_000, 10, 10)

# To ask `gc` whether anything is frozen takes 0.7 s when a million groups are, with every thread stopped.
_settled = False


def settle() -> None:
    """For a server: all that is here stays for good, and so does what is made in `paused` from now on.

    Collects once before. To be called before a fork and before serving.
    """
    global _settled  # noqa: PLW0603 - there is one collector in a process
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    _settled = True


@contextmanager
def paused() -> Iterator[None]:
    """Does not collect while much is made that lives on.

    What is there at the end counts as old, without having been walked: of 100,000 groups that takes 0.1 s.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()
            if not _settled:
                gc.unfreeze()
            gc.enable()
