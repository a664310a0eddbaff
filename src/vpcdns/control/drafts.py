"""Changes that are worked out in a thread, while queries are answered, and put in place in the event loop."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from vpcdns.server.threads import Place
from vpcdns.state import Commit, Contents, State

T = TypeVar("T")


class Drafts:
    """One at a time: each begins with what the one before it has made."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._turn = asyncio.Lock()

    async def make(self, work: Callable[[State], T]) -> T:
        """What `work` returns; what it commits to the State that it is given is committed here.

        It is called again when something else has changed the State meanwhile, so it may do nothing but
        commit. Raises what it raises, with nothing changed, and StateError.
        """
        async with Place(self._turn) as place:
            while True:
                draft = _Draft(self._state)
                made = await place.work(partial(work, draft))
                if self._state.contents is draft.begun_with:
                    for commit, contents in draft.commits:
                        self._state.keep(commit, contents)
                    return made


class _Draft(State):
    """A copy of a State in memory, which notes its commits."""

    def __init__(self, state: State) -> None:
        super().__init__(state.file, contents=state.contents)
        self.begun_with = state.contents
        self.commits: list[tuple[Commit, Contents]] = []

    def keep(self, commit: Commit, contents: Contents) -> None:
        super().keep(commit, contents)
        self.commits.append((commit, contents))
