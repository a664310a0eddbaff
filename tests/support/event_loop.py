"""Tests that run in an event loop of their own, and wait for what happens in it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec

import pytest

DEADLINE = 30.0  # seconds; a machine that runs several suites at once stands still for some


P = ParamSpec("P")


def on_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Runs a test in an event loop of its own, with a deadline."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), DEADLINE))

    return run


async def until(condition: Callable[[], bool]) -> None:
    """Returns when `condition` holds; the test's deadline is the limit."""
    while not condition():  # noqa: ASYNC110 - the server has no event for each thing a test may wait for
        await asyncio.sleep(0.002)


def ipv6_is_on() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not ipv6_is_on(), reason="IPv6 is off on this host")


async def settled(value: Callable[[], int]) -> int:
    """The value once it has not changed for a quarter of a second; the test's deadline is the limit."""
    loop = asyncio.get_running_loop()
    seen, since = value(), loop.time()
    while loop.time() - since < 0.25:
        await asyncio.sleep(0.005)
        if value() != seen:
            seen, since = value(), loop.time()
    return seen
