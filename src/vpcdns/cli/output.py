"""How things are printed: results to stdout, everything else to stderr, all of it flushed.

A terminal gets colours and its own width. Anything else gets plain text with one line for each thing,
however long, so that grep and diff see whole lines.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any, Final

from rich.console import Console

from vpcdns.cli.exits import Exit
from vpcdns.model.world import World

UNWRAPPED: Final = 10_000  # columns; more than any line has


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
    words = {"vpcs": "VPC", "custom_domains": "custom domain"}
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
