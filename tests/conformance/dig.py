"""What dig says about a response, taken apart."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass

import pytest

needs_dig = pytest.mark.skipif(shutil.which("dig") is None, reason="dig is not installed")


@dataclass(frozen=True)
class Dug:
    """`edns` is the version of the response's OPT, if it has one; `mbz`: a bit that must be zero is set."""

    opcode: str
    status: str
    flags: frozenset[str]
    counts: tuple[int, ...]  # question, answer, authority, additional
    edns: int | None
    edns_flags: frozenset[str]
    mbz: bool
    text: str

    def records(self, section: str) -> list[list[str]]:
        """The records of a section: owner, TTL, class, type, data."""
        _, _, rest = self.text.partition(f";; {section} SECTION:\n")
        return [line.split(None, 4) for line in rest.partition("\n\n")[0].splitlines()]


def dig(port: int, *arguments: str, source: str = "127.0.0.1") -> Dug:
    """One query, one try; fails when there is no response."""
    command = ["dig", "-b", source, "@127.0.0.1", "-p", str(port), "+time=5", "+tries=1", "+noall"]
    command += ["+comments", "+question", "+answer", "+authority", "+additional", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return taken_apart(done.stdout)


def taken_apart(text: str) -> Dug:
    head = re.search(r"opcode: (\w+), status: (\w+), id: \d+", text)
    flags = re.search(r";; flags:([ \w]*);( MBZ: \w+;)? QUERY: (\d+).*: (\d+).*: (\d+).*: (\d+)", text)
    assert head, text
    assert flags, text
    edns = re.search(r"; EDNS: version: (\d+), flags:([ \w]*);( MBZ: \w+)?", text)
    return Dug(
        head[1],
        head[2],
        frozenset(flags[1].split()),
        tuple(int(flags[number]) for number in range(3, 7)),
        None if edns is None else int(edns[1]),
        frozenset() if edns is None else frozenset(edns[2].split()),
        "MBZ" in text,
        text,
    )
