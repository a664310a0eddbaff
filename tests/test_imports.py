"""The import contracts of pyproject.toml hold: DESIGN section 4."""

from importlinter.cli import lint_imports

from tests.support.repository import ROOT

PYPROJECT = ROOT / "pyproject.toml"


def test_imports_point_downward_only() -> None:
    assert lint_imports(config_filename=str(PYPROJECT), no_cache=True) == 0
