"""Responses that take long to make: in a thread or piece by piece, few at a time, so that queries go on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Final

from starlette.responses import Response, StreamingResponse

from vpcdns.server.threads import in_thread

AT_ONCE: Final = 2  # the others wait; each piece is a millisecond's work in the event loop


class LongResponses:
    """One for all routes that need it."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(AT_ONCE)

    async def made(self, make: Callable[[], str]) -> Response:
        """JSON that `make` gives, in a thread."""
        async with self._room:
            return Response(await in_thread(make), media_type="application/json")

    def in_pieces(self, make: Callable[[], Iterator[str]], headers: Mapping[str, str]) -> Response:
        """JSON in pieces: the iterator is made in a thread, and asked for more when the client has read."""
        return StreamingResponse(self._pieces(make), headers=headers, media_type="application/json")

    async def _pieces(self, make: Callable[[], Iterator[str]]) -> AsyncIterator[str]:
        async with self._room:
            for piece in await in_thread(make):
                yield piece
                await asyncio.sleep(0)
