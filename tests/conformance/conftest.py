"""One server for all conformance tests: `vpcdns serve`, a process of its own."""

from collections.abc import Iterator

import pytest

from tests.conformance.names import CONFIG
from vpcdns.testing import Server


@pytest.fixture(scope="session")
def port() -> Iterator[int]:
    with Server(CONFIG) as server:
        yield server.dns[1]
