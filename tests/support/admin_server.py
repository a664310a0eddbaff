"""An admin server on a free port, and a client that can be as rude as a test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from tests.support import example_world
from vpcdns.control.admin_server import AdminServer
from vpcdns.listen.service import Service
from vpcdns.model.names import Name
from vpcdns.model.policy import Listen, QueryLogging
from vpcdns.observe.metrics import Sources
from vpcdns.observe.query_counts import QueryCounts
from vpcdns.observe.querylog import QueryLog
from vpcdns.observe.recent_decisions import RecentDecisions
from vpcdns.server.observer import Observers
from vpcdns.server.reload import ReloadStatus
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

DEADLINE = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a refusal."""
        code: str = self.json()["error"]["code"]
        return code


@dataclass(slots=True)
class Admin:
    """A running admin server, and a DNS service that need not run."""

    server: AdminServer
    service: Service
    resolver: Resolver
    state: State
    decisions: RecentDecisions
    status: ReloadStatus
    at: Listen | Path

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.at, Path):
            return await asyncio.open_unix_connection(str(self.at))
        return await asyncio.open_connection("127.0.0.1", self.at.port)

    async def raw(self, octets: bytes) -> Answer:
        """Sends octets, and reads one response up to the end of the connection."""
        reader, writer = await self.connect()
        writer.write(octets)
        response = await reader.read()
        writer.close()
        head, _, body = response.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("transfer-encoding") == "chunked":
            body = b"".join(_chunks(body))
        return Answer(int(status.split()[1]), headers, body)

    async def ask(self, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
        given = {"host": "127.0.0.1", "connection": "close", **headers}
        if body:
            given.setdefault("content-length", str(len(body)))
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
        return await self.raw(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)


def _chunks(body: bytes) -> Iterator[bytes]:
    """What is in a whole body that came in chunks (RFC 9112 §7.1)."""
    while body:
        size, _, rest = body.partition(b"\r\n")
        yield rest[: int(size, 16)]
        body = rest[int(size, 16) :].removeprefix(b"\r\n")


def idle_sources(state: State) -> Sources:
    """Of a server that answers nothing."""
    resolver = Resolver(state)
    status = ReloadStatus("ab" * 32, 1_700_000_000.0, 2, 1, "it is wrong")
    query_log = QueryLog(state, QueryLogging())
    return Sources(state, QueryCounts(), Service(resolver, ()), resolver, status, query_log)


@asynccontextmanager
async def admin(
    listen: Listen | Path | None = None, token: str | None = None, hosts: tuple[str, ...] = ()
) -> AsyncIterator[Admin]:
    state = State(example_world.example())
    query_counts, decisions = QueryCounts(), RecentDecisions(state)
    resolver = Resolver(state, observer=Observers(query_counts, decisions))
    service = Service(resolver, [Listen(ip_address("127.0.0.1"), 0)])
    status, query_log = ReloadStatus("ab" * 32, 1_700_000_000.0), QueryLog(state, QueryLogging())
    sources = Sources(state, query_counts, service, resolver, status, query_log)
    at_default = Listen(ip_address("127.0.0.1"), 0)
    names = tuple(map(Name.from_text, hosts))
    server = AdminServer(listen or at_default, sources, decisions, token, hosts=names)
    at = await server.start()
    try:
        yield Admin(server, service, resolver, state, decisions, status, at)
    finally:
        await service.stop(0)
        await server.stop()
