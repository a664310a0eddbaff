"""What is wrong in a configuration, at a path into its data, and the words for it.

`read` turns a path into a line and a column. Knows nothing of YAML or of pydantic.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from vpcdns.model.rules import Refusal

Path = tuple[str | int, ...]

MAX_PARTS: Final = 8  # of a path; ours have 7
MAX_SHOWN: Final = 60  # characters of a value or a key; more of it helps nobody


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something wrong at a path, or at the key there with `at_key`. A line of 0 is not known yet."""

    path: Path
    what: str
    way_out: str
    at_key: bool = False
    line: int = 0
    column: int = 0


class Mistakes(list[Mistake]):
    """All that is found wrong, as it is found."""

    def add(self, path: Path, what: str, way_out: str) -> None:
        self.append(Mistake(path, what, way_out))

    def add_missing(self, path: Path, what: str, section: str) -> None:
        """A reference to something that is not there."""
        self.add(path, f"there is no {what}", f"add it under `{section}`, or correct the id")

    def add_refusals(self, path: Path, refusals: Iterable[Refusal]) -> None:
        """Refusals of the object at `path`, each about one of its fields."""
        for refusal in refusals:
            what = f"{refusal.subject}: {refusal.problem} ({refusal.rule})"
            self.add((*path, *refusal.where), what, refusal.way_out)


def cut(text: str) -> str:
    """The beginning of a long text."""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def dotted(path: Path) -> str:
    """A path as people write it: `instances[1].binding.vswitch_id`."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{cut(part)}" for part in path[:MAX_PARTS]]
    return "".join(parts).removeprefix(".") + ("…" if len(path) > MAX_PARTS else "")


def described(value: object) -> str:
    """What was found, for "expected text, found …"."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int():
            return f"the number {value}" if abs(value) < 10**40 else "a very long number"
        case float():
            return "a number with a fraction or an exponent"
        case str():
            return f"`{cut(value)}`" if value else "an empty text"
        case _:
            return "a list" if isinstance(value, list) else "a mapping"


def mistyped(expected: str, value: object, way_out: str = "") -> tuple[str, str]:
    """What is wrong, and the way out, where `value` is not of the kind expected."""
    if not way_out:
        quoted = isinstance(value, bool | int | float)
        way_out = "put quotes around it" if quoted else "correct the value, in quotes if it holds a colon"
    return f"expected {expected}, found {described(value)}", way_out


def suggestion(word: str, known: Iterable[str]) -> str:
    """The way out for a word that is not known: the nearest one, or all of them."""
    words = sorted(known)
    close = get_close_matches(cut(word).lower(), words, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(words)}"
