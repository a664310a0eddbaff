"""One server for all conformance tests: `vpcdns serve`, a process of its own."""

from collections.abc import Iterator

import pytest

from tests.conformance.names import CONFIG
from tests.support.processes import vpcdns


@pytest.fixture(scope="session")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with vpcdns(CONFIG, tmp_path_factory.mktemp("conformance")) as served:
        yield served
