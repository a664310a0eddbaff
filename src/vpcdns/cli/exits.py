"""Exit codes: what a shell sees of how it went."""

from enum import IntEnum

from vpcdns.errors import MalformedName, VpcdnsError


class Exit(IntEnum):
    """What the process ends with; besides, 130 when a command other than `serve` is interrupted."""

    OK = 0
    ERROR = 1  # a configuration, a start, a health check that failed; doctor found a problem; a closed output
    USAGE = 2  # the command line itself, as every getopt-like program has it
    FOUND = 2  # what was looked for: unreachable, changes, expectations that fail; as diff and grep, one up


def exit_code(error: VpcdnsError) -> Exit:
    """A malformed name stood on the command line: one in a file makes a ConfigurationError."""
    return Exit.USAGE if isinstance(error, MalformedName) else Exit.ERROR
