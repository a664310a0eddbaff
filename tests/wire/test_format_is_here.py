"""Only `wire` knows how DNS messages lie in octets: the law of its `__init__`, and of `wire/format.py`.

Elsewhere nothing packs or unpacks structs but what speaks to the kernel or to a process of ours, no offset
into octets is a number (but 2: the id's size, and that of TCP's length), and no literal holds octets that
are no text. Whoever needs an offset imports it from `wire/format.py`, under its name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import vpcdns

SOURCE = Path(vpcdns.__file__).parent
# Rooms in which messages are looked at. `listen` passes over lengths, ids and the kernel's addresses alone.
ROOMS = ("query", "forward", "recall", "server", "testing", "stub")
KERNEL = ("net", "process", "lab", "wire")


def modules(rooms: tuple[str, ...]) -> Iterator[Path]:
    for room in rooms:
        yield from (SOURCE / room).rglob("*.py")
        if (SOURCE / f"{room}.py").exists():
            yield SOURCE / f"{room}.py"


def numbers_as_offsets(tree: ast.AST) -> Iterator[int]:
    """Lines where a part of something is taken at an offset that is a number above 2."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            for part in ast.walk(node.slice):
                if isinstance(part, ast.Constant) and isinstance(part.value, int) and part.value > 2:
                    yield node.lineno


def octets_as_literals(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=bytes() as octets) if not octets.decode("latin-1").isprintable():
                yield node.lineno


def faults(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    lines = [*numbers_as_offsets(tree), *octets_as_literals(tree)]
    return [f"{path.relative_to(SOURCE)}:{line}" for line in lines]


def test_no_other_room_knows_offsets_or_octets_of_messages() -> None:
    found = [fault for path in modules(ROOMS) for fault in faults(path)]
    assert not found, found


def test_no_other_room_lays_out_structs() -> None:
    for path in SOURCE.rglob("*.py"):
        room = path.relative_to(SOURCE).parts[0]
        imports = {
            alias.name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert room in KERNEL or "struct" not in imports, path


@pytest.mark.parametrize(
    "fault", ["query[10:]", "octets[6:10]", "x = b'\\xc0\\x0c'", "octets[end - 4 : end]"]
)
def test_what_would_be_found(fault: str) -> None:
    tree = ast.parse(fault)
    assert [*numbers_as_offsets(tree), *octets_as_literals(tree)]
