"""After a reload nothing refers to the World before: whatever was asked in it, and however it was asked."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.support import example_world, messages
from tests.support.admin_server import admin
from tests.support.event_loop import needs_ipv6, on_loop, until
from vpcdns.model.policy import Forwarding, Listen, Upstream
from vpcdns.model.world import World

NAMES = (example_world.DEDICATED_NAME, example_world.CUSTOM, "localhost", "whoami.vpcdns.internal")


@asynccontextmanager
async def closed(sock: socket.socket) -> AsyncIterator[None]:
    with sock:
        yield


def worlds() -> int:
    gc.collect()
    return sum(isinstance(one, World) for one in gc.get_objects())


@pytest.mark.parametrize("address", ["127.0.0.1", pytest.param("::1", marks=needs_ipv6)])
@pytest.mark.parametrize("by_path", [False, True])
@on_loop
async def test_worlds_do_not_pile_up(address: str, by_path: bool, tmp_path: Path) -> None:
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    async with admin(tmp_path / "admin" if by_path else None) as it, closed(silent):
        await it.service.start()
        it.service.commit(it.service.prepare([Listen(ip_address(address), 0)]))
        (listen,) = it.service.serving
        before = worlds()
        reader, writer = await asyncio.open_connection(address, listen.port)
        loop = asyncio.get_running_loop()
        udp, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=(address, listen.port)
        )
        upstream = Upstream(ip_address("127.0.0.1"), silent.getsockname()[1])
        world = replace(it.state.world, forwarding=Forwarding((upstream,)))
        for number in range(8):
            for name in NAMES:
                query = messages.query(name).to_wire()
                udp.sendto(query)
                writer.write(len(query).to_bytes(2, "big") + query)
                length = int.from_bytes(await reader.readexactly(2), "big")
                await reader.readexactly(length)
            udp.sendto(messages.query(f"n{number}.forwarded.example").to_wire())  # waits for ever
            await it.ask("/explain?name=localhost&from=10.1.0.5")
            it.state.reload(replace(world, revision=it.state.world.revision + 1))
        await until(lambda: worlds() <= before + 3)  # ours, the file's and the current one
        writer.close()
        udp.close()
        it.resolver.close()
