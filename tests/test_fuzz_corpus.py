"""The kept corpus of the fuzzer, replayed without it: what was once found is not found again."""

import pytest

from fuzz.targets import TARGETS
from tests.support.repository import ROOT

CORPUS = ROOT / "fuzz" / "corpus"


@pytest.mark.parametrize("target", TARGETS)
def test_replay(target: str) -> None:
    files = sorted((CORPUS / target).iterdir())
    assert files
    for file in files:
        TARGETS[target](file.read_bytes())
