"""Where in the text a path stands.

A second pass over the text, made only when there is something to report: a good file pays nothing for
positions.
"""

from collections.abc import Iterable
from dataclasses import replace

from vpcdns.config import document
from vpcdns.config.mistakes import Mistake, Path, dotted
from vpcdns.errors import ConfigurationError, Problem


def located(text: str | bytes, mistakes: Iterable[Mistake]) -> list[Mistake]:
    """The mistakes with the line and the column of each, in the order of the text.

    A path that is not in the text has the place of the nearest node above it that is.
    """
    mistakes = list(mistakes)
    paths = {mistake.path for mistake in mistakes if not mistake.line}
    wanted = {path[:depth] for path in paths for depth in range(1, len(path) + 1)}
    spots = document.spots(text, wanted) if wanted else {}
    placed = [mistake if mistake.line else _placed(mistake, spots) for mistake in mistakes]
    return sorted(placed, key=lambda mistake: (mistake.line, mistake.column))


def _placed(mistake: Mistake, spots: dict[tuple[Path, bool], document.Spot]) -> Mistake:
    path = mistake.path
    candidates = [(path, mistake.at_key), *((path[:depth], False) for depth in range(len(path), 0, -1))]
    line, column = next((spots[one] for one in candidates if one in spots), (1, 1))
    return replace(mistake, line=line, column=column)


def error_of(file: str, text: str | bytes, mistakes: Iterable[Mistake]) -> ConfigurationError:
    """All that is wrong in a file, as people read it."""
    return ConfigurationError(
        Problem(file, one.line, one.column, dotted(one.path), one.what, one.way_out)
        for one in located(text, mistakes)
    )
