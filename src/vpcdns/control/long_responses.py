"""Responses that take long: made in threads while clients read them, few at a time, so that queries go on.

A request that waits holds nothing; one whose client has gone is given up.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from starlette.responses import StreamingResponse
from starlette.types import Send

from vpcdns.server.threads import Place

AT_ONCE: Final = 2  # of the routes that share a room; the others wait
PIECE: Final = 1 << 16  # characters; a client that does not read has two pieces waiting for it, and no more

room = partial(asyncio.Semaphore, AT_ONCE)


class LongResponse(StreamingResponse):
    """`make` is called in the event loop when there is room, and the iterator is used in a thread.

    What is wrong with a request may be raised until the first piece is there.
    """

    def __init__(
        self,
        room: asyncio.Semaphore,
        make: Callable[[], Iterator[str] | Awaitable[Iterator[str]]],
        headers: Mapping[str, str] | None = None,
        media_type: str = "application/json",
    ) -> None:
        super().__init__((), headers=headers, media_type=media_type)
        self._room = room
        self._make = make

    async def stream_response(self, send: Send) -> None:
        """Called in a task that is cancelled when the client has gone."""
        async with Place(self._room) as place:
            made = self._make()
            pieces = _even(made if isinstance(made, Iterator) else await made)
            piece = await place.work(partial(next, pieces, b""))
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while piece:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                piece = await place.work(partial(next, pieces, b""))
            await send({"type": "http.response.body"})


def _even(pieces: Iterator[str]) -> Iterator[bytes]:
    """Neither so small that each costs more than what is in it, nor larger than a PIECE."""
    text = ""
    for piece in pieces:
        text += piece
        if len(text) >= PIECE:
            yield from (text[at : at + PIECE].encode() for at in range(0, len(text), PIECE))
            text = ""
    if text:
        yield text.encode()


def listed(key: str, items: Iterable[Any]) -> Iterator[str]:
    """A JSON object with a list. ASCII only: whatever a name holds, no reader mistakes it."""
    yield f'{{"{key}": ['
    for number, item in enumerate(items):
        yield ", " * bool(number) + json.dumps(item)
    yield "]}\n"
