"""The laws of the house: what CONTRIBUTING promises about its files, and how long they may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.repository import ROOT

PACKAGE, TESTS = ROOT / "src" / "vpcdns", ROOT / "tests"
MODULE_LINES, FUNCTION_LINES = 300, 40  # what can be read in one sitting

ROOMS = sorted(
    folder for folder in PACKAGE.rglob("*") if folder.is_dir() and (folder / "__init__.py").exists()
)
MODULES = sorted(PACKAGE.rglob("*.py"))
TEST_FILES = sorted([*TESTS.rglob("*.py"), *(ROOT / "fuzz").rglob("*.py")])


def imported(text: str, package: Sequence[str]) -> Iterator[str]:
    """The modules that a file in `package` imports, with the names that it takes from them."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = [*above, *filter(None, [node.module])]
            yield from (".".join([*module, alias.name]) for alias in node.names)


def is_of_a_test_module(name: str) -> bool:
    return name.startswith("tests.") and any(part.startswith("test_") for part in name.split("."))


def too_long(module: Path) -> Iterator[str]:
    """The module and the functions in it that have more lines than they may."""
    text, name = module.read_text(), module.relative_to(PACKAGE)
    if len(text.splitlines()) > MODULE_LINES:
        yield str(name)
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LINES:
            yield f"{name}: {node.name}"


def test_the_rooms_and_modules_are_found() -> None:
    """The laws below are about something."""
    assert len(ROOMS) > 15
    assert len(MODULES) > 150
    assert len(TEST_FILES) > 100


def test_no_test_module_imports_from_another() -> None:
    """What tests share stands in tests/support (CONTRIBUTING.md)."""
    offenders = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in TEST_FILES
        for name in imported(file.read_text(), file.relative_to(ROOT).parent.parts)
        if is_of_a_test_module(name)
    ]
    assert offenders == []


@pytest.mark.parametrize(
    ("statement", "is_found"),
    [
        ("from tests.net.test_stream import Peer", True),
        ("from tests.net import test_stream", True),
        ("import tests.net.test_stream as stream", True),
        ("from .test_stream import Peer", True),
        ("from . import test_stream", True),
        ("from ..net.test_stream import Peer", True),
        ("from tests.support.messages import query", False),
        ("from .. import support", False),
    ],
)
def test_such_an_import_is_seen(statement: str, is_found: bool) -> None:
    assert any(map(is_of_a_test_module, imported(statement, ("tests", "net")))) is is_found


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(PACKAGE)))
def test_each_room_has_tests(room: Path) -> None:
    """The tests of a room stand in the folder of its name."""
    assert list((TESTS / room.relative_to(PACKAGE)).glob("test_*.py"))


def test_each_room_has_a_readme() -> None:
    without = {str(room.relative_to(PACKAGE)) for room in ROOMS if not (room / "README.md").exists()}
    assert without == set()


def test_modules_and_functions_are_short() -> None:
    assert {offender for module in MODULES for offender in too_long(module)} == set()


def test_each_module_says_what_it_does() -> None:
    silent = [
        str(module.relative_to(PACKAGE))
        for module in MODULES
        if ast.get_docstring(ast.parse(module.read_text())) is None
    ]
    assert silent == []
