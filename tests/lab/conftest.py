"""Labs import pyroute2, which sets up loggers of its own; other tests find logging as it was."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


def _loggers() -> list[logging.Logger]:
    known = logging.root.manager.loggerDict.values()
    return [one for one in known if isinstance(one, logging.Logger)]


@pytest.fixture(autouse=True, scope="package")
def logging_as_it_was() -> Iterator[None]:
    before = {one.name: (one.level, one.handlers[:], one.propagate, one.disabled) for one in _loggers()}
    yield
    for one in _loggers():
        level, one.handlers, one.propagate, one.disabled = before.get(
            one.name, (logging.NOTSET, [], True, False)
        )
        one.setLevel(level)
