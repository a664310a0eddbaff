"""What a shell sees: results on stdout, everything else on stderr, all of it flushed, and an exit code.

A terminal gets colours and its own width. Anything else gets plain text with one line for each thing,
however long, so that grep and diff see whole lines.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from vpcdns.config import Progress
from vpcdns.errors import MalformedName, VpcdnsError
from vpcdns.model.world import World

UNWRAPPED: Final = 10_000  # columns; more than any line has
PATIENCE: Final = 1.0  # seconds without a word
UPDATE_EVERY: Final = 0.2


class Exit(IntEnum):
    """What the process ends with; besides, 130 when a command other than `serve` is interrupted."""

    OK = 0
    ERROR = 1  # a configuration, a start, a health check that failed; doctor found a problem; a closed output
    USAGE = 2  # the command line itself, as every getopt-like program has it
    FOUND = (
        3  # what was looked for: unreachable, changes, expectations that fail; no mistyped option gives it
    )


def exit_code(error: VpcdnsError) -> Exit:
    """A malformed name stood on the command line: one in a file makes a ConfigurationError."""
    return Exit.USAGE if isinstance(error, MalformedName) else Exit.ERROR


def say(text: str = "") -> None:
    """Lines of result, at once even when piped. A full disk is reported plainly; a gone reader is EPIPE."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        complain(f"cannot write the output: {error.strerror}")
        abandon_stdout()
        raise SystemExit(Exit.ERROR) from None


def summary(world: World) -> str:
    """`3 VPCs, 1 network, …`."""
    words = {"vpcs": "VPC", "custom_domains": "custom domain", "private_zones": "private zone"}
    counted = ((words.get(key, key.removesuffix("s")), count) for key, count in world.object_counts().items())
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counted)


def say_json(value: Any) -> None:
    say(json.dumps(value, indent=2))


def say_rendered(draw: Callable[[Console], None]) -> None:
    """What `draw` prints to a rich console that adds nothing of its own: no markup, no guessed colours."""
    width = None if sys.stdout is not None and sys.stdout.isatty() else UNWRAPPED
    console = Console(markup=False, highlight=False, emoji=False, width=width)
    with console.capture() as captured:
        draw(console)
    say("\n".join(line.rstrip() for line in captured.get().splitlines()))


def complain(text: str) -> None:
    """Something for the person at the terminal, beside the results."""
    print(text, file=sys.stderr, flush=True)


def abandon_stdout() -> None:
    """After the reader has gone: nothing that is still buffered may raise at interpreter exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def overwrite(text: str = "") -> None:
    """`text` in place of what it printed last, where somebody watches: on a terminal."""
    if sys.stderr is not None and sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


@contextmanager
def reading(path: Path, clock: Callable[[], float] = time.monotonic) -> Iterator[Progress]:
    """Something to call with the number of groups read so far, which tells of what takes long."""
    due = clock() + PATIENCE

    def show(groups: int) -> None:
        nonlocal due
        if clock() >= due:
            due = clock() + UPDATE_EVERY
            overwrite(f"Reading {path}: {groups:,} groups")

    try:
        yield show
    finally:
        overwrite()
