"""The pytest plugin: a server for a test session, and a client of it that starts afresh in each test.

pytest loads it wherever vpcdns is installed, so it imports what it needs when that is used.
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
    """A file, YAML text, or a dictionary. Override this fixture, or set `vpcdns_config` in pytest.ini."""
    return Path(pytestconfig.rootpath, str(pytestconfig.getini("vpcdns_config")))


@pytest.fixture(scope="session")
def vpcdns_server(vpcdns_config: Path | str | dict[str, object]) -> Iterator[Server]:
    """A server in a process of its own, on free ports of loopback, for the whole session."""
    from vpcdns.testing import Server  # noqa: PLC0415 - see above

    with Server(vpcdns_config) as server:
        yield server


@pytest.fixture
def vpcdns(vpcdns_server: Server) -> Client:
    """A client of the session's server, which is as the file says, without faults and past queries."""
    client = vpcdns_server.client
    client.reset()
    return client
