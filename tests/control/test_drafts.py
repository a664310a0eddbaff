"""Changes that are worked out in a thread: each on what holds, or again; all of it in place, or nothing."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.event_loop import on_loop
from tests.support.example_world import OFF, example
from vpcdns.control.drafts import Drafts
from vpcdns.errors import StateError
from vpcdns.model.changes import EnableVpcDomain, RenameGroup
from vpcdns.state import Commit, Contents, Journal, State


class Full(Journal):
    """A disk that is full."""

    def append(self, commit: Commit, contents: Contents) -> None:
        raise StateError("no space left")


def renamed(state: State, suffix: str) -> str:
    name = state.world.groups[OFF].name + suffix
    state.apply(RenameGroup(OFF, name), "me")
    return name


@on_loop
async def test_what_is_committed_to_the_draft_is_in_place_afterwards() -> None:
    state = State(example())
    seen: list[str] = []
    state.subscribe(lambda old, new: seen.append(new.groups[OFF].name))
    before = state.world.revision
    name = await Drafts(state).make(lambda draft: renamed(draft, "1"))
    assert seen == [name] == [state.world.groups[OFF].name]
    assert state.world.revision == before + 1


@on_loop
async def test_each_begins_with_what_the_one_before_it_made() -> None:
    state = State(example())
    drafts, name = Drafts(state), state.world.groups[OFF].name
    await asyncio.gather(*(drafts.make(lambda draft: renamed(draft, "+")) for _ in range(20)))
    assert state.world.groups[OFF].name == name + "+" * 20


@on_loop
async def test_it_is_worked_out_again_when_something_else_has_changed_the_state() -> None:
    state = State(example())
    loop, begun = asyncio.get_running_loop(), list[str]()

    def work(draft: State) -> str:
        begun.append(draft.world.groups[OFF].name)
        if len(begun) == 1:
            asyncio.run_coroutine_threadsafe(interfere(), loop).result(10)
        return renamed(draft, "!")

    async def interfere() -> None:
        state.apply(RenameGroup(OFF, "other"))
        state.apply(EnableVpcDomain(OFF))

    assert await Drafts(state).make(work) == "other!"
    assert begun[1:] == ["other"]
    assert state.world.groups[OFF].vpc_domain
    assert state.world.groups[OFF].name == "other!"


@on_loop
async def test_what_raises_changes_nothing_and_holds_up_nobody() -> None:
    state = State(example())
    before, drafts = state.contents, Drafts(state)

    def broken(draft: State) -> str:
        renamed(draft, "?")
        raise LookupError

    with pytest.raises(LookupError):
        await drafts.make(broken)
    assert state.contents is before
    state.journal = Full()
    with pytest.raises(StateError, match="no space"):
        await drafts.make(lambda draft: renamed(draft, "?"))
    assert state.contents is before
    state.journal = Journal()
    assert await drafts.make(lambda draft: renamed(draft, "")) == before.world.groups[OFF].name
