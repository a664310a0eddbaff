"""Upstreams by name from end to end: asked when they are known, looked up again when they should be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address

import pytest

from tests.support.event_loop import on_loop, until
from tests.support.nameserver import Nameserver
from tests.support.resolver_and_upstreams import GOOD, QNAME, Asked, Switch, forwarding, silent, text
from vpcdns.forward.upstream_names import UpstreamNames
from vpcdns.model.changes import RenameGroup
from vpcdns.model.names import Name
from vpcdns.model.policy import (
    AnyUpstream,
    Forwarding,
    ForwardRule,
    Listen,
    Upstream,
    UpstreamName,
    addresses_of,
)
from vpcdns.model.topology import Address
from vpcdns.server import upstream_look_ups
from vpcdns.server.upstream_look_ups import UpstreamLookUps
from vpcdns.state import Resolved

OK = f"NOERROR, {QNAME}. 300 192.0.2.1"
HERE = (ip_address("127.0.0.1"),)


class FakeNames(UpstreamNames):
    """What a look-up would find, and how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, tuple[Address, ...]] = {}
        self.looked = 0

    def look_up(self, names: Iterable[UpstreamName], listens: Sequence[Listen], within: float = 0.0) -> None:
        self.looked += 1
        self.addresses = {**self.addresses, **self.found}
        self.problems = {one.host: "unknown" for one in names if one.host not in self.found}


@asynccontextmanager
async def named(
    *scripts: Switch, rules: tuple[ForwardRule, ...] = (), address: str = "127.0.0.1"
) -> AsyncIterator[tuple[Asked, UpstreamLookUps, FakeNames]]:
    """A resolver whose upstream is `dns.corp`, at the port of the first nameserver."""
    async with forwarding(*scripts, deadline=0.5) as ask:
        port = ask.servers[0].upstream.port
        upstreams: tuple[AnyUpstream, ...] = (UpstreamName("dns.corp", port),)
        ask.state.reload(replace(ask.state.world, forwarding=Forwarding(upstreams, rules)))
        names = FakeNames()

        async def silent_ones() -> frozenset[Upstream]:
            return ask.resolver.silent_upstreams()

        yield ask, UpstreamLookUps(ask.state, names, lambda: (), silent_ones), names


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream_look_ups, "_LOOK_EVERY", 0.01)
    monkeypatch.setattr(upstream_look_ups, "AGAIN", 0.02)


@on_loop
async def test_it_is_asked_once_it_is_known() -> None:
    async with named(Switch(GOOD)) as (ask, look_ups, names):
        await look_ups.look_up()
        before = ask.state.world
        for _ in range(2):
            assert text(await ask()) == "SERVFAIL, EDE 22"
        names.found = {"dns.corp": HERE}
        await look_ups.look_up()
        assert ask.state.world.revision == before.revision + 1
        for _ in range(3):
            assert text(await ask()) == OK
        assert len(ask.queries) == 1
        await look_ups.look_up()  # nothing new
        assert ask.state.world.revision == before.revision + 1


@on_loop
async def test_what_it_said_stays_cached_when_its_address_changes() -> None:
    async with named(Switch(GOOD)) as (ask, look_ups, names):
        names.found = {"dns.corp": HERE}
        await look_ups.look_up()
        await ask()
        names.found = {"dns.corp": (ip_address("127.0.0.2"),)}
        await look_ups.look_up()
        assert text(await ask()) == OK
        assert len(ask.queries) == 1
        ask.now += 400
        assert text(await ask()) == f"{OK}, EDE 3".replace("300", "30")


@on_loop
async def test_all_addresses_of_a_name_are_upstreams() -> None:
    with Nameserver(silent, "127.0.0.2"):
        async with named(Switch(GOOD)) as (ask, look_ups, names):
            names.found = {"dns.corp": (ip_address("127.0.0.2"), ip_address("::1"), *HERE)}
            await look_ups.look_up()
            assert text(await ask()) == OK
            assert len(addresses_of(ask.state.world.forwarding.upstreams)) == 3


@on_loop
async def test_a_rule_has_names_too_and_another_serves_beside_one_that_is_unknown() -> None:
    async with forwarding(Switch(GOOD)) as ask:
        (server,) = ask.servers
        mixed: tuple[AnyUpstream, ...] = (UpstreamName("gone.corp"), server.upstream)
        rules = (
            ForwardRule(Name.from_text("example.org"), mixed),
            ForwardRule(Name.from_text("none.test"), mixed[:1]),
        )
        ask.state.reload(replace(ask.state.world, forwarding=Forwarding((), rules)))
        assert text(await ask()) == OK
        assert text(await ask("a.none.test")) == "SERVFAIL, EDE 22"


@pytest.mark.usefixtures("quick")
@on_loop
async def test_an_unknown_one_is_tried_again() -> None:
    async with named(Switch(GOOD)) as (ask, look_ups, names):
        running = asyncio.ensure_future(look_ups.run())
        await until(lambda: names.looked >= 3)
        names.found = {"dns.corp": HERE}
        await until(lambda: bool(addresses_of(ask.state.world.forwarding.upstreams)))
        assert text(await ask()) == OK
        await asyncio.sleep(0.1)
        looked = names.looked
        await asyncio.sleep(0.1)
        assert names.looked == looked
        running.cancel()


@pytest.mark.usefixtures("quick")
@on_loop
async def test_one_that_fails_is_looked_up_again() -> None:
    upstream = Switch(GOOD)
    async with named(upstream) as (ask, look_ups, names):
        names.found = {"dns.corp": (ip_address("127.0.0.3"),)}  # nobody is there
        await look_ups.look_up()
        running = asyncio.ensure_future(look_ups.run())
        await asyncio.sleep(0.1)
        assert names.looked == 1
        assert text(await ask()).startswith("SERVFAIL")
        names.found = {"dns.corp": HERE}
        await until(lambda: next(ask.state.world.forwarding.names).addresses == HERE)
        assert text(await ask("other.example.org")) == "NOERROR, www.example.org. 300 192.0.2.1"
        running.cancel()


@pytest.mark.usefixtures("quick")
@on_loop
async def test_every_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream_look_ups, "EVERY", 0.05)
    async with named(Switch(GOOD)) as (_, look_ups, names):
        names.found = {"dns.corp": HERE}
        await look_ups.look_up()
        running = asyncio.ensure_future(look_ups.run())
        await until(lambda: names.looked >= 3)
        running.cancel()


@pytest.mark.usefixtures("quick")
@on_loop
async def test_a_late_answer_and_a_reload_with_earlier_addresses_are_put_right() -> None:
    async with named(Switch(GOOD)) as (ask, look_ups, names):
        running, unknown = asyncio.ensure_future(look_ups.run()), ask.state.world
        names.addresses = {"dns.corp": HERE}
        await until(lambda: next(ask.state.world.forwarding.names).addresses == HERE)
        ask.state.reload(unknown)
        assert next(ask.state.world.forwarding.names).addresses == ()
        await until(lambda: next(ask.state.world.forwarding.names).addresses == HERE)
        running.cancel()


@on_loop
async def test_addresses_outlive_changes_and_resets_and_workers_follow() -> None:
    async with named(Switch(GOOD)) as (ask, _, _names):
        seen: list[object] = []
        state = ask.state
        state.replicate(lambda step, world: seen.append((step, world.revision)))
        step = Resolved({"dns.corp": HERE})
        revision = state.resolve(step).revision
        assert seen == [(step, revision)]
        group = next(iter(state.world.groups))
        state.apply(RenameGroup(group, "renamed"))
        assert next(state.world.forwarding.names).addresses == HERE
        assert state.contents.unfiled == 1
        state.reset()
        assert next(state.world.forwarding.names).addresses == HERE
        state.replay(Resolved({"dns.corp": ()}))
        assert next(state.world.forwarding.names).addresses == ()
