"""The command line: parses, prints results, and chooses the exit codes of commands.

Knows words for people and what a shell expects. Decides nothing about names: every command loads a
World and asks the layers below.
"""

import os
import sys
from typing import NoReturn

from vpcdns.cli.app import app
from vpcdns.cli.output import Exit, abandon_stdout, complain, exit_code
from vpcdns.errors import VpcdnsError

__all__ = ["main"]


def main() -> NoReturn:
    """The console script; always leaves by SystemExit, and never shows a traceback for what is not a bug."""
    _fill_standard_descriptors()
    try:
        app(prog_name="vpcdns")
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else Exit.ERROR
    except VpcdnsError as error:
        complain(str(error))
        code = exit_code(error)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        abandon_stdout()
        code = code or Exit.ERROR
    raise SystemExit(int(code))


def _fill_standard_descriptors() -> None:
    """A closed one would become a socket: the next one, to which children and libraries would then write."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
