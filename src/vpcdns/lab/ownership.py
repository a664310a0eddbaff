"""Which namespaces are whose: a file for each lab, with its owner's process and the namespaces that it made.

The owner has the file locked for as long as it lives. A namespace is removed by its owner only, or, once
nobody has the lock, by whoever takes the lab over.
"""

import fcntl
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vpcdns.errors import LabError

RUN: Final = Path("/run/vpcdns-lab")
_SUFFIX: Final = ".owner"


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab that is up, or was when its owner crashed."""

    name: str
    pid: int
    namespaces: tuple[str, ...]

    @property
    def is_owned(self) -> bool:
        """Whether its owner lives."""
        with suppress(FileNotFoundError), (RUN / f"{self.name}{_SUFFIX}").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False


def check_name(lab: str) -> None:
    """Raises LabError for what cannot be a lab's name: it is part of file names."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", lab):
        way_out = "use letters, digits, `_`, `.` and `-`, at most 100"
        raise LabError(f"{lab!r} cannot be a lab's name: {way_out}")


def prefix_of(lab: str) -> str:
    """What its namespaces begin with; `+` is in no lab's name, so no prefix is another's."""
    return f"vpcdns+{lab}+"


def trusted_file(lab: str) -> Path:
    """The certificate of a lab's authority."""
    return RUN / f"{lab}.ca.pem"


def labs() -> list[Lab]:
    """The labs that are known of."""
    found = []
    for file in sorted(RUN.glob(f"*{_SUFFIX}")):
        with suppress(FileNotFoundError):
            pid, *namespaces = file.read_text().split() or ["0"]
            found.append(Lab(file.name.removesuffix(_SUFFIX), int(pid), tuple(namespaces)))
    return found


class Ownership:
    """A lab of this process, with the namespaces that it has or that a crash has left."""

    def __init__(self, lab: str) -> None:
        """Raises LabError when another owner has it."""
        check_name(lab)
        RUN.mkdir(exist_ok=True)
        self._lab, self._path, linked = lab, RUN / f"{lab}{_SUFFIX}", 0
        while not linked:  # the owner before may be about to remove the file that was opened
            self._file = self._path.open("a+")
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._file.close()
                raise LabError(f"lab {lab} is up already; first: vpcdns lab down --name {lab}") from None
            linked = os.fstat(self._file.fileno()).st_nlink
        self._file.seek(0)
        self.namespaces = self._file.read().split()[1:]
        self._file.truncate(0)
        for line in (str(os.getpid()), *self.namespaces):
            self._write(line)

    def add(self, namespace: str) -> None:
        """Makes a note of a namespace that is about to be made."""
        self.namespaces.append(namespace)
        self._write(namespace)

    def _write(self, line: str) -> None:
        self._file.write(f"{line}\n")
        self._file.flush()

    def end(self) -> None:
        """Gives the lab up, its namespaces being removed."""
        if not self._file.closed:
            trusted_file(self._lab).unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)
            self._file.close()
