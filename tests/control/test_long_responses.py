"""Long answers over HTTP: made in threads as clients read them, few at a time, so that queries go on."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator

import pytest
from starlette.types import Message

from tests.support.event_loop import on_loop, until
from vpcdns.control.long_responses import AT_ONCE, PIECE, LongResponse, room
from vpcdns.errors import MalformedName
from vpcdns.model.names import Name


class Client:
    """Gets what a response sends; reads a piece whenever it is told to, and never hangs up by itself."""

    def __init__(self, reads: int = 1_000_000) -> None:
        self.messages: list[Message] = []
        self.reads = asyncio.Semaphore(reads)
        self.gone = asyncio.Event()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await self.reads.acquire()
        self.messages.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


SCOPE = {"type": "http"}


@on_loop
async def test_a_thread_has_its_place_until_it_ends() -> None:
    """Whose client has gone goes on to its next piece: clients that come and go do not add up."""
    long, at_work, go_on = room(), list[int](), threading.Event()

    def pieces(number: int) -> Iterator[str]:
        at_work.append(number)
        assert go_on.wait(20)
        yield "x"

    def ask(number: int, client: Client) -> asyncio.Task[None]:
        return asyncio.create_task(
            LongResponse(long, lambda: pieces(number))(SCOPE, client.receive, client.send)
        )

    gone = [Client() for _ in range(4 * AT_ONCE)]
    tasks = [ask(number, client) for number, client in enumerate(gone)]
    await until(lambda: len(at_work) == AT_ONCE)
    for client in gone:
        client.gone.set()
    await asyncio.wait(tasks)
    after = Client()
    last = ask(99, after)
    await asyncio.sleep(0.05)
    assert len(at_work) == AT_ONCE
    go_on.set()
    await last
    assert (after.body, at_work[-1]) == (b"x", 99)


@on_loop
async def test_few_are_made_at_a_time_and_those_whose_clients_have_gone_are_not() -> None:
    long, begun = room(), list[int]()

    def ask(number: int, client: Client) -> asyncio.Task[None]:
        async def make() -> Iterator[str]:
            begun.append(number)
            return iter(["x" * PIECE] * 10)

        return asyncio.create_task(LongResponse(long, make)(SCOPE, client.receive, client.send))

    clients = [Client(reads=2) for _ in range(4 * AT_ONCE)]
    asked = [ask(number, client) for number, client in enumerate(clients)]
    while any(len(client.messages) < 2 for client in clients[:AT_ONCE]):  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(0.001)
    assert begun == list(range(AT_ONCE))
    assert sum(map(len, (client.body for client in clients))) == AT_ONCE * PIECE
    for client in clients[:-1]:
        client.gone.set()
    clients[-1].reads.release()
    for _ in range(20):
        clients[-1].reads.release()
    await asyncio.wait_for(asyncio.gather(*asked), 10)
    assert begun == [*range(AT_ONCE), len(clients) - 1]
    assert len(clients[-1].body) == 10 * PIECE


@on_loop
async def test_pieces_are_made_in_threads_and_even() -> None:
    threads = set[threading.Thread]()

    async def make() -> Iterator[str]:
        assert threading.current_thread() is threading.main_thread()

        def pieces() -> Iterator[str]:
            threads.add(threading.current_thread())
            yield from ["[", *["1," * 100] * 998, "1," * 10 * PIECE, "1]"]

        return pieces()

    client = Client()
    await LongResponse(room(), make, {"etag": '"7"'})(SCOPE, client.receive, client.send)
    assert threading.main_thread() not in threads
    start, *pieces = client.messages
    assert dict(start["headers"])[b"etag"] == b'"7"'
    assert json.loads(client.body) == [1] * (99_800 + 10 * PIECE + 1)
    assert all(len(piece.get("body", b"")) <= PIECE for piece in pieces)
    assert len(pieces) < 40


@on_loop
async def test_what_is_wrong_is_found_before_anything_is_sent() -> None:
    async def make() -> Iterator[str]:
        return map(str, map(Name.from_text, ["a..b"]))

    client = Client()
    with pytest.raises(MalformedName):
        await LongResponse(room(), make)(SCOPE, client.receive, client.send)
    assert client.messages == []
