"""A Resolver behind listeners of its own, on a free port of loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

from vpcdns.listen.service import Service
from vpcdns.model.policy import Listen
from vpcdns.server.resolver import Resolver

FREE_PORT = Listen(ip_address("127.0.0.1"), 0)


@asynccontextmanager
async def listening(
    resolver: Resolver, listen: Listen = FREE_PORT, *, batches: bool | None = None
) -> AsyncIterator[tuple[Service, Listen]]:
    """The service and where it listens. Ends with everything closed, the Resolver too."""
    service = Service(resolver, [listen], batches=batches)
    (bound,) = await service.start()
    try:
        yield service, bound
    finally:
        await service.stop(0)
        resolver.close()
