"""The import contracts of pyproject.toml hold: DESIGN section 4."""

from pathlib import Path

from importlinter.cli import lint_imports

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def test_imports_point_downward_only() -> None:
    assert lint_imports(config_filename=str(PYPROJECT), no_cache=True) == 0
