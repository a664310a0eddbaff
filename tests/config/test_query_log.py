"""`server.log`: what it says, and where its file lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from vpcdns.config.read import loads
from vpcdns.errors import ConfigurationError
from vpcdns.model.policy import QueryLogging, QueryLogMode


def test_it_is_off_unless_it_is_asked_for() -> None:
    assert loads("{}").query_logging == QueryLogging(QueryLogMode.OFF, 100, "-")


def test_a_path_starts_at_the_file() -> None:
    text = "server: {log: {queries: sampled, sample: 10, file: log/queries.json}}"
    logging = loads(text, folder=Path("/etc/vpcdns")).query_logging
    assert logging == QueryLogging(QueryLogMode.SAMPLED, 10, "/etc/vpcdns/log/queries.json")


def test_off_is_a_word_here() -> None:
    assert loads("server: {log: {queries: off}}").query_logging.queries is QueryLogMode.OFF


@pytest.mark.parametrize("log", ["{queries: all}", "{sample: 0}", "{file: ''}", "{path: x}"])
def test_what_makes_no_sense_is_refused(log: str) -> None:
    with pytest.raises(ConfigurationError, match=r"server\.log"):
        loads(f"server: {{log: {log}}}")
