"""Exit codes: the one table from what went wrong to what a shell sees."""

from enum import IntEnum
from typing import Final

from vpcdns.errors import (
    ConfigurationError,
    LabError,
    MalformedChange,
    MalformedMessage,
    MalformedName,
    MalformedSource,
    StartupError,
    StateError,
    VpcdnsError,
)


class Exit(IntEnum):
    """What the process ends with; besides, 130 when a command other than `serve` is interrupted."""

    OK = 0
    ERROR = 1  # a configuration, a start, a health check that failed; doctor found a problem; a closed output
    USAGE = 2  # the command line itself, as every getopt-like program has it
    FOUND = 2  # what was looked for: unreachable, changes, expectations that fail; as diff and grep, one up


EXIT_CODES: Final[dict[type[VpcdnsError], Exit]] = {
    ConfigurationError: Exit.ERROR,
    StartupError: Exit.ERROR,
    StateError: Exit.ERROR,
    LabError: Exit.ERROR,
    MalformedChange: Exit.ERROR,
    MalformedSource: Exit.ERROR,
    MalformedMessage: Exit.ERROR,
    MalformedName: Exit.USAGE,  # of the command line; a file's are ConfigurationErrors
}
