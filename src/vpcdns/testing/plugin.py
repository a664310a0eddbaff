"""The pytest plugin: a server for a test session, and a client of it that is clean for each test.

Loaded by pytest wherever vpcdns is installed, so what it needs is imported when it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from vpcdns.testing import Client, Server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "vpcdns_config", "the configuration that the `vpcdns` fixture serves", default="vpcdns.yaml"
    )


@pytest.fixture(scope="session")
def vpcdns_config(pytestconfig: pytest.Config) -> object:
    """What is served: a file, YAML text, or a dictionary. Override it, or set `vpcdns_config` in pytest's."""
    return Path(pytestconfig.rootpath, str(pytestconfig.getini("vpcdns_config")))


@pytest.fixture(scope="session")
def vpcdns_server(vpcdns_config: Path | str | dict[str, object]) -> Iterator[Server]:
    """A server in a process of its own, on free ports of loopback, for the whole session."""
    from vpcdns.testing import Server  # noqa: PLC0415 - see above

    with Server(vpcdns_config) as server:
        yield server


@pytest.fixture
def vpcdns(vpcdns_server: Server) -> Client:
    """A client of the session's server, with what the file says, no faults and no queries."""
    client = vpcdns_server.client
    client.reset()
    return client
