"""The one tree of errors; each says what it means at a boundary.

    VpcdnsError
    ├── MalformedMessage     a query that breaks the wire format: FORMERR, or no response at all
    ├── MalformedName        text that is no domain name
    ├── MalformedSource      text that is no VPC, network or address: exit code 1
    ├── MalformedChange      words or JSON that make no change: exit code 1, HTTP 400, a damaged journal
    ├── LabError             namespaces cannot be made, e.g. without root: exit code 1
    ├── AccountError         a cloud account that cannot be asked: exit code 1
    ├── ConfigurationError   a file that cannot be used: exit code 1, or a reload refused
    ├── StateError           a state that cannot be used or written: exit code 1, HTTP 503
    └── StartupError         the server cannot start, e.g. a port is taken: exit code 1

Decisions are values, not errors: a denial is a `Resolution`, a broken rule a `Refusal`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

MAX_PROBLEMS: Final = 100  # nobody mends more of them from one reading


class VpcdnsError(Exception):
    """Anything vpcdns raises on purpose."""


class MalformedMessage(VpcdnsError):
    """Octets that are not a query that may be answered in full."""


class MalformedName(VpcdnsError, ValueError):
    """Text that is not a domain name (RFC 1035 §2.3.4: labels of 1 to 63 octets, 255 in all)."""


class MalformedSource(VpcdnsError, ValueError):
    """A source that is nobody; its text lists who there is."""


class LabError(VpcdnsError):
    """A lab that cannot be built, or is not there."""


class AccountError(VpcdnsError):
    """A cloud account of which nothing can be asked; its text says why, and the way out."""


class MalformedChange(VpcdnsError, ValueError):
    """Words or JSON that make no change of the model; its text says why, and the way out."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a configuration, and the way out.

    `line` and `column` count from 1; 0 where there is no text to point into. `where` is a path such
    as `instances[1].binding.vswitch_id`, empty at the top.
    """

    file: str
    line: int
    column: int
    where: str
    what: str
    way_out: str

    def __str__(self) -> str:
        """`file:line:column: where: what; way out`, on one line."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        where = f"{self.where}: " if self.where else ""
        return printable(f"{place}: {where}{self.what}; {self.way_out}")


class ConfigurationError(VpcdnsError):
    """A configuration that cannot be used: the first 100 `problems`, one a line, and how many `more`."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        remaining = iter(problems)
        self.problems: tuple[Problem, ...] = tuple(islice(remaining, MAX_PROBLEMS))
        self.more = sum(1 for _ in remaining)
        super().__init__(self.problems)

    def __str__(self) -> str:
        lines = list(map(str, self.problems))
        if self.more:
            lines.append(f"and {self.more} more")
        return "\n".join(lines)


class StateError(VpcdnsError):
    """A state file that is damaged, somebody else's, or cannot be written; it is left as it is."""


class StartupError(VpcdnsError):
    """The server cannot start; its text names the cause and the ways out."""


def printable(text: str) -> str:
    """`text` with control characters and the like escaped, so that no input can draw on a terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
