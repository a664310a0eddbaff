"""The files that a configuration is made of, and how each looked before it was read.

Knows nothing of what is in them. A file that changes while it is read looks different afterwards, so it is
read once more (docs/decisions/0005).
"""

from pathlib import Path

Look = tuple[int, int, int, int] | None


class WatchedFiles:
    """Those that are always read, and those that they name. `read` says how they looked when they were.

    Files that cannot be read are watched too: the configuration is read again when they can be.
    """

    def __init__(self, *always: Path) -> None:
        self._always = always
        self.read: dict[Path, Look] = {}

    def begin(self) -> None:
        """Everything is about to be read anew, and may name other files."""
        self.read = {path: _look(path) for path in self._always}

    def add(self, path: Path) -> None:
        """A file that is named is about to be read."""
        self.read.setdefault(path, _look(path))

    def look(self) -> dict[Path, Look]:
        """How they look now."""
        return {path: _look(path) for path in self.read}


def _look(path: Path) -> Look:
    """What changes when a file is written, renamed onto, or linked anew; links are followed."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
