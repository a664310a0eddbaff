"""Clients that send too much, too slowly or too many at a time; DNS and others are served meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.support.admin_server import Admin, admin
from tests.support.event_loop import on_loop, until
from vpcdns.control import connection
from vpcdns.control.connection import MAX_CONNECTIONS, Connection
from vpcdns.control.errors import refused
from vpcdns.control.guard import MAX_BODY, MAX_HEADERS, Guard


async def closed(reader: asyncio.StreamReader) -> bool:
    try:
        await reader.read()
    except ConnectionResetError:
        return True
    return reader.at_eof()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "deadline", 0.1)


@on_loop
async def test_a_body_whose_length_is_too_much_is_not_read() -> None:
    async with admin() as it:
        answer = await it.ask("/", "POST", content_length=str(MAX_BODY + 1))
        assert (answer.status, answer.json()["Code"]) == (413, "BodyTooLarge")
        answer = await it.ask("/plan", "POST", content_length=str(MAX_BODY + 1))
        assert (answer.status, answer.code) == (413, "body-too-large")
        assert (
            await it.ask("/health", "POST", content_length=str(MAX_BODY), expect="100-continue")
        ).status == 405


@on_loop
async def test_headers_that_are_too_long_are_refused() -> None:
    async with admin() as it:
        assert (await it.ask("/health", x="y" * MAX_HEADERS)).code == "headers-too-large"
        assert (await it.ask(f"/health?{'y' * MAX_HEADERS}")).code == "headers-too-large"
        answer = await it.raw(b"GET /" + b"y" * 100_000)
        assert (answer.status, answer.code, answer.json()["Code"]) == (
            431,
            "headers-too-large",
            "HeadersTooLarge",
        )
        assert (await it.ask("/health")).status == 200


NOT_HTTP = (
    b"\0" * 100 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
)


@on_loop
async def test_what_is_not_http_gets_400_and_the_door() -> None:
    async with admin() as it:
        for octets in NOT_HTTP:
            answer = await it.raw(octets)
            assert (answer.status, answer.code, answer.json()["Code"]) == (400, "bad-request", "BadRequest")
            assert answer.headers["connection"] == "close"
            assert answer.headers["cache-control"] == "no-store"
        assert (await it.ask("/health")).status == 200


@on_loop
async def test_a_request_with_two_lengths_is_refused_and_the_connection_closed() -> None:
    """RFC 9112 §6.1: what follows may be a request that somebody smuggles."""
    two = b"host: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    async with admin() as it:
        for line in (
            b"POST /plan HTTP/1.1\r\n",
            b"POST /?Action=x HTTP/1.1\r\n",
            b"GET /health HTTP/1.1\r\n",
        ):
            answer = await it.raw(line + two + b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert answer.status == 400
            assert b"ok" not in answer.body


@on_loop
async def test_what_breaks_off_in_the_middle_of_an_answered_request_is_no_bug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with admin() as it:
        reader, writer = await it.connect()
        head = b"POST /health HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
        writer.write(head)
        assert b"405" in await reader.readline()
        writer.write(b"no length of a chunk\r\n")
        assert await closed(reader)
        writer.close()
        assert (await it.ask("/health")).status == 200
    assert not caplog.records


CALLS = (
    ("POST", "/"),
    ("POST", "/?Action=DescribeVpcs"),
    ("GET", "/?Action=DescribeVpcs"),
    ("GET", "/?%41ction=DescribeVpcs"),
    ("PUT", "/?Action=DescribeVpcs"),
    ("DELETE", "/?Action=DescribeVpcs"),
)


@on_loop
async def test_whatever_looks_like_a_call_of_the_api_is_refused_in_the_clouds_form() -> None:
    """pop-core takes a body without Code for success."""
    refusals = {
        413: {"content_length": str(MAX_BODY + 1)},
        421: {"host": "evil.example"},
        431: {"x": "y" * MAX_HEADERS},
        400: {"content_length": "1", "transfer_encoding": "chunked"},
    }
    async with admin() as it:
        for status, headers in refusals.items():
            for method, target in CALLS:
                answer = await it.ask(target, method, b"", **headers)
                assert answer.status == status
                assert set(answer.json()) == {"RequestId", "HostId", "Code", "Message", "Recommend"}
            assert (await it.ask("/", "GET", b"", x_acs_action="DescribeVpcs", **headers)).json()["Code"]
            assert (await it.ask("/", "GET", b"", **headers)).json()["error"]
        answer = await it.ask("/?Action=DescribeVpcs", "PUT")
        assert (answer.status, answer.json()["Code"]) == (405, "MethodNotAllowed")


@on_loop
async def test_one_octet_at_a_time_is_given_up(hasty: None) -> None:
    async with admin() as it:
        reader, writer = await it.connect()
        for octet in b"GET /health HTTP/1.1\r\nhost: ":
            writer.write(bytes((octet,)))
        assert await closed(reader)
        writer.close()
        assert (await it.ask("/health")).status == 200


@on_loop
async def test_silence_is_given_up(hasty: None) -> None:
    async with admin() as it:
        reader, writer = await it.connect()
        assert await closed(reader)
        writer.close()


@on_loop
async def test_a_client_that_does_not_read_is_given_up(hasty: None) -> None:
    async with admin() as it:
        reader, writer = await it.connect()
        transport = writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        writer.write(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n" * 2_000)
        http = it.server.http
        assert http is not None
        await until(lambda: bool(http.server_state.connections))
        await until(lambda: not http.server_state.connections)
        assert (await it.ask("/health")).status == 200
        writer.close()
        del reader


@on_loop
async def test_too_many_connections_shut_nobody_out_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "deadline", 0.3)
    async with admin() as it:
        idle = [await it.connect() for _ in range(MAX_CONNECTIONS)]
        reader, writer = await it.connect()
        assert await closed(reader)
        writer.close()
        for reader, writer in idle:
            assert await closed(reader)
            writer.close()
        assert (await it.ask("/health")).status == 200


@on_loop
async def test_one_connection_takes_several_requests() -> None:
    async with admin() as it:
        reader, writer = await it.connect()
        for _ in range(3):
            writer.write(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\nok\n")).startswith(b"HTTP/1.1 200")
        writer.close()


@on_loop
async def test_a_body_is_counted_while_it_is_read() -> None:
    """Nothing here reads bodies yet; whatever does stands behind this guard."""
    read = 0

    async def reader(request: Request) -> PlainTextResponse:
        nonlocal read
        async for chunk in request.stream():
            read += len(chunk)
        return PlainTextResponse("whole")

    app = Starlette(
        routes=[Route("/", reader, methods=["POST"])], exception_handlers={HTTPException: refused}
    )
    server = connection.HttpServer(Guard(app, None, None))
    async with admin() as it:
        await _body_too_large(it, server)
    assert read <= MAX_BODY


async def _body_too_large(it: Admin, server: connection.HttpServer) -> None:
    listening = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    sock = listening.sockets[0].dup()
    port = sock.getsockname()[1]
    listening.close()
    serving = asyncio.create_task(server.serve([sock]))
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    head = b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head + chunk * 17)
    assert (await reader.readline()).split()[1] == b"413"
    writer.close()
    server.should_exit = True
    await serving
