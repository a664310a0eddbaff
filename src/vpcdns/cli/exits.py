"""Exit codes: the one table from what went wrong to what a shell sees."""

from enum import IntEnum
from typing import Final

from vpcdns import errors


class Exit(IntEnum):
    """What the process ends with; besides, 130 when a command other than `serve` is interrupted."""

    OK = 0
    ERROR = 1  # a configuration, a start, a health check that failed; doctor found a problem; a closed output
    USAGE = 2  # the command line itself, as every getopt-like program has it
    FOUND = 2  # what was looked for: unreachable, changes, expectations that fail; as diff and grep, one up


EXIT_CODES: Final[dict[type[errors.VpcdnsError], Exit]] = {
    errors.ConfigurationError: Exit.ERROR,
    errors.StartupError: Exit.ERROR,
    errors.StateError: Exit.ERROR,
    errors.LabError: Exit.ERROR,
    errors.MalformedChange: Exit.ERROR,
    errors.MalformedSource: Exit.ERROR,
    errors.MalformedMessage: Exit.ERROR,
    errors.MalformedName: Exit.USAGE,  # of the command line; a file's are ConfigurationErrors
}
