"""The locks pin what pyproject.toml asks for, for every supported Python, and say nothing else."""

import re
import tomllib

import pytest

from tests.support.repository import ROOT

LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-dev.lock", "requirements-fuzz.lock")


def pins(lock: str) -> dict[str, str]:
    """Map each distribution that a lock names to its version."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", (ROOT / lock).read_text(), re.MULTILINE))


def names(requirements: list[object]) -> set[str]:
    """Return the normalized names (PEP 503) of requirements; an included group is not one."""
    found = (re.match(r"[\w.-]+", entry) for entry in requirements if isinstance(entry, str))
    return {re.sub(r"[-_.]+", "-", match[0]).lower() for match in found if match}


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_pins_and_hashes_only(lock: str) -> None:
    line = re.compile(r"[a-z0-9-]+==[\w.]+( ; [\w\s.'<>=!()]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    odd = [text for text in (ROOT / lock).read_text().splitlines() if not line.fullmatch(text)]
    assert odd == []


def test_locks_hold_what_pyproject_asks_for() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    run, build, dev, fuzz = (pins(lock) for lock in LOCKS)
    groups = pyproject["dependency-groups"]
    assert names(pyproject["project"]["dependencies"]) <= run.keys(), "make lock"
    assert names(groups["build"]) <= build.keys(), "make lock"
    assert names(groups["dev"]) <= dev.keys(), "make lock"
    assert names(groups["fuzz"]) <= fuzz.keys(), "make lock"
    assert {**run, **build}.items() <= dev.items(), "make lock"
