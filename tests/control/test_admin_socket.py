"""The admin server's TCP socket."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

import pytest

from tests.support.event_loop import ipv6_is_on, on_loop
from vpcdns.control.admin_socket import bind
from vpcdns.model.policy import Listen


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@on_loop
async def test_responses_do_not_wait_for_acknowledgements(address: str) -> None:
    """With TCP_NODELAY: without it a request on a connection that stays open takes 44 ms instead of 0.6."""
    if address == "::1" and not ipv6_is_on():
        pytest.skip("IPv6 is off on this host")
    accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        accepted.set_result(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    sock, listen = bind(Listen(ip_address(address), 0))
    assert isinstance(listen, Listen)
    async with await asyncio.start_server(connected, sock=sock):
        _, writer = await asyncio.open_connection(address, listen.port)
        assert await accepted == 1
        writer.close()
        await writer.wait_closed()
