"""The cache as operators set it: TTLs that clients see, what is not kept, and what is flushed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import dns.message
import pytest

from tests.support.event_loop import on_loop, until
from tests.support.example_world import IN_A, IN_B, VPC_A, VPC_B
from tests.support.nameserver import Nameserver, Script, Transport
from tests.support.resolver_and_upstreams import (
    GOOD,
    QNAME,
    A,
    Asked,
    Gated,
    Switch,
    forwarding,
    made,
    saying,
    silent,
    text,
)
from vpcdns.forward.flush import CacheSelection
from vpcdns.model.cache_limits import CacheLimits, TtlLimits
from vpcdns.model.names import Name
from vpcdns.model.policy import ForwardRule

HOUR = "example.org 3600 IN SOA ns.example.org root.example.org 1 2 3 4 3600"
GONE = saying(HOUR, rcode="NXDOMAIN")
OK = f"NOERROR, {QNAME}. 300 192.0.2.1"
ALL = CacheSelection()


def selection(name: str | None = None, *, below: bool = False, vpc_id: str | None = None) -> CacheSelection:
    return CacheSelection(None if name is None else Name.from_text(name), below, vpc_id)


def each(message: bytes, _transport: Transport) -> Iterable[bytes]:
    """An address for every name."""
    name = dns.message.from_wire(message).question[0].name.to_text(omit_final_dot=True)
    yield made(message, f"{name} 300 IN A 192.0.2.1")


async def ways(ask: Asked) -> list[str]:
    """The response that was fetched, the one out of the cache, the one recalled, and another by a route."""
    answers = [await ask() for _ in range(3)]
    assert len(ask.queries) == 1
    answers.append(await ask(f"x{QNAME}"))
    answers.append(await ask(f"y{QNAME}"))
    assert len(ask.queries) == 3
    return [f"{response.rcode():d} {(response.answer or response.authority)[0].ttl}" for response in answers]


@pytest.mark.parametrize(
    ("script", "limits", "seen"),
    [
        (each, CacheLimits(max_ttl=7), "0 7"),
        (each, CacheLimits(min_ttl=400), "0 400"),
        (each, CacheLimits(min_ttl=400, negative_max_ttl=5), "0 400"),
        (GONE, CacheLimits(negative_max_ttl=5), "3 5"),
        (GONE, CacheLimits(max_ttl=6), "3 6"),
        (saying(HOUR), CacheLimits(negative_max_ttl=5), "0 5"),
    ],
)
@on_loop
async def test_clients_see_ttls_within_the_limits(script: Script, limits: CacheLimits, seen: str) -> None:
    async with forwarding(script, limits=limits) as ask:
        assert await ways(ask) == [seen] * 5


@on_loop
async def test_a_raised_ttl_is_kept_and_counts_down() -> None:
    async with forwarding(saying(A.replace("300", "0")), limits=CacheLimits(min_ttl=10)) as ask:
        for age in (0, 3, 6):
            ask.now = 1000.0 + age
            assert text(await ask()) == OK.replace("300", str(10 - age))
        assert len(ask.queries) == 1
        ask.now = 1010.0
        await ask()
        assert len(ask.queries) == 2


@on_loop
async def test_an_nxdomain_of_an_hour_ends_with_its_limit() -> None:
    upstream = Switch(GONE)
    async with forwarding(upstream, limits=CacheLimits(negative_max_ttl=2)) as ask:
        assert text(await ask()) == "NXDOMAIN"
        upstream.script = GOOD
        ask.now += 1.9
        assert text(await ask()) == "NXDOMAIN"
        ask.now += 0.1
        assert text(await ask()) == OK


@pytest.mark.parametrize("off", [False, CacheLimits(max_ttl=0, negative_max_ttl=0)])
@on_loop
async def test_without_a_cache_upstreams_are_asked_every_time(off: CacheLimits | Literal[False]) -> None:
    async with forwarding(GOOD, limits=off) as ask:
        for number in range(1, 5):
            assert text(await ask()) == (OK if off is False else OK.replace("300", "0"))
            assert len(ask.queries) == number
        assert (len(ask.resolver.cache), ask.resolver.remembered.cached_octets) == (0, 0)


@on_loop
async def test_failures_are_not_remembered_without_a_cache() -> None:
    upstream = Switch(saying(rcode="SERVFAIL"))
    async with forwarding(upstream, limits=False) as ask:
        assert text(await ask()).startswith("SERVFAIL")
        upstream.script = GOOD
        assert text(await ask()) == OK


@on_loop
async def test_a_rule_has_limits_of_its_own() -> None:
    with Nameserver(each) as corp:
        rules = (
            ForwardRule(Name.from_text("off.test"), (corp.upstream,), cache=False),
            ForwardRule(Name.from_text("short.test"), (corp.upstream,), cache=TtlLimits(max_ttl=5)),
            ForwardRule(Name.from_text("usual.test"), (corp.upstream,)),
        )
        async with forwarding(each, rules=rules, limits=CacheLimits(max_ttl=60)) as ask:
            for name, ttl, asked in (("off", 300, 2), ("short", 5, 1), ("usual", 60, 1)):
                before = len(corp.queries)
                for _ in range(2):
                    assert text(await ask(f"a.{name}.test")) == f"NOERROR, a.{name}.test. {ttl} 192.0.2.1"
                assert len(corp.queries) - before == asked


@on_loop
async def test_a_rule_may_have_a_cache_where_there_is_none_in_general() -> None:
    with Nameserver(each) as corp:
        rule = ForwardRule(Name.from_text("corp.test"), (corp.upstream,), cache=TtlLimits(max_ttl=5))
        async with forwarding(each, rules=(rule,)) as ask:
            world = ask.state.world
            ask.state.reload(replace(world, forwarding=replace(world.forwarding, cache=False)))
            for _ in range(2):
                assert text(await ask("a.corp.test")) == "NOERROR, a.corp.test. 5 192.0.2.1"
                assert text(await ask("a.test")) == "NOERROR, a.test. 300 192.0.2.1"
            assert (len(corp.queries), len(ask.queries)) == (1, 2)


@on_loop
async def test_two_vpcs_with_the_same_upstream_have_each_its_own_limits() -> None:
    with Nameserver(each) as corp:
        domain, upstreams = Name.from_text("corp.test"), (corp.upstream,)
        rules = (
            ForwardRule(domain, upstreams, frozenset({VPC_A}), TtlLimits(max_ttl=5)),
            ForwardRule(domain, upstreams, frozenset({VPC_B}), False),
        )
        async with forwarding(GOOD, rules=rules) as ask:
            for _ in range(2):
                for peer, ttl in ((IN_A, 5), (IN_B, 300)):
                    assert (
                        text(await ask("a.corp.test", peer=peer)) == f"NOERROR, a.corp.test. {ttl} 192.0.2.1"
                    )
            assert len(corp.queries) == 3


@on_loop
async def test_other_limits_after_a_reload_hold_at_once() -> None:
    async with forwarding(GOOD) as ask:
        assert text(await ask()) == OK
        world = ask.state.world
        limits = CacheLimits(max_ttl=9, size=1 << 21)
        ask.state.reload(replace(world, forwarding=replace(world.forwarding, cache=limits)))
        assert text(await ask()) == OK.replace("300", "9")
        assert ask.resolver.cache.max_octets == 1 << 21


@pytest.mark.parametrize(("limits", "ttl"), [(CacheLimits(), 30), (CacheLimits(max_ttl=5), 5)])
@on_loop
async def test_stale_ttls_are_within_the_limits(limits: CacheLimits, ttl: int) -> None:
    upstream = Switch(GOOD)
    async with forwarding(upstream, deadline=0.3, limits=limits) as ask:
        await ask()
        upstream.script = silent
        ask.now += 400
        assert text(await ask()) == f"{OK}, EDE 3".replace("300", str(ttl))


@on_loop
async def test_a_smaller_cache_is_reached_step_by_step() -> None:
    async with forwarding(each) as ask:
        for number in range(30):
            await ask(f"{number}.example.org")
        ask.resolver.cache.max_octets = 5_000
        await ask("last.example.org")
        assert ask.resolver.cache.octets <= 5_000
        before = len(ask.queries)
        await ask("last.example.org")
        assert len(ask.queries) == before


class TestFlush:
    @on_loop
    async def test_an_nxdomain_of_an_hour_is_gone_at_once(self) -> None:
        upstream = Switch(GONE)
        async with forwarding(upstream) as ask:
            for _ in range(3):  # fetched, out of the cache, recalled
                assert text(await ask()) == "NXDOMAIN"
            assert len(ask.queries) == 1
            upstream.script = GOOD
            assert text(await ask()) == "NXDOMAIN"
            assert await ask.resolver.flush(ALL) == 1
            for _ in range(3):
                assert text(await ask()) == OK
            assert await ask.resolver.flush(ALL) == 1
            assert await ask.resolver.flush(ALL) == 0

    @on_loop
    async def test_a_failure_is_forgotten(self) -> None:
        upstream = Switch(saying(rcode="SERVFAIL"))
        async with forwarding(upstream) as ask:
            assert text(await ask()).startswith("SERVFAIL")
            upstream.script = GOOD
            assert "EDE 13" in text(await ask())
            await ask.resolver.flush(selection("other.test"))
            assert text(await ask()) == OK

    @on_loop
    async def test_nothing_stale_is_left(self) -> None:
        upstream = Switch(GOOD)
        async with forwarding(upstream, deadline=0.3) as ask:
            await ask()
            upstream.script = silent
            ask.now += 400
            assert "EDE 3" in text(await ask())
            await ask.resolver.flush(ALL)
            assert text(await ask()).startswith("SERVFAIL")

    @pytest.mark.parametrize("first", ["decided", "routed"])
    @on_loop
    async def test_what_was_asked_before_is_neither_kept_nor_joined(self, first: str) -> None:
        gated = Gated(saying(A.replace("192.0.2.1", "192.0.2.66")))
        upstream = Switch(each)
        async with forwarding(upstream) as ask:
            if first == "routed":
                for label in "ab":
                    await ask(f"{label}.example.org")
            before = len(ask.queries)
            upstream.script = gated
            early = [asyncio.ensure_future(ask()) for _ in range(3)]
            await until(lambda: len(ask.queries) == before + 1)
            await ask.resolver.flush(ALL)
            late = asyncio.ensure_future(ask())
            await until(lambda: len(ask.resolver.forwarder) == 2)
            upstream.script = GOOD  # the nameserver takes one query after the other
            gated.open.set()
            assert {text(one) for one in await asyncio.gather(*early)} == {OK.replace("0.2.1", "0.2.66")}
            assert text(await late) == OK
            for _ in range(2):
                assert text(await ask()) == OK

    @on_loop
    async def test_again_and_again(self) -> None:
        gated, upstream = Gated(each), Switch(each)
        upstream.script = gated
        async with forwarding(upstream) as ask:
            asked = []
            for number in range(1, 5):
                asked.append(asyncio.ensure_future(ask()))
                await until(lambda number=number: len(ask.resolver.forwarder) == number)  # type: ignore[misc]
                await ask.resolver.flush(ALL)
            gated.open.set()
            assert {text(one) for one in await asyncio.gather(*asked)} == {OK}
            assert (len(ask.resolver.cache), len(ask.resolver.forwarder)) == (0, 0)

    @on_loop
    async def test_by_name_and_below(self) -> None:
        names = ["corp.test", "a.corp.test", "b.a.corp.test", "xcorp.test", "other.test"]

        async with forwarding(each) as ask:

            async def left(chosen: CacheSelection) -> list[str]:
                await ask.resolver.flush(ALL)
                for name in names:
                    await ask(name)
                await ask.resolver.flush(chosen)
                before = len(ask.queries)
                for name in names:
                    await ask(name)
                anew = [dns.message.from_wire(message) for _, message in ask.queries[before:]]
                again = {one.question[0].name.to_text(omit_final_dot=True) for one in anew}
                return [name for name in names if name not in again]

            assert await left(selection("A.corp.TEST")) == ["corp.test", *names[2:]]
            assert await left(selection("corp.test", below=True)) == ["xcorp.test", "other.test"]
            assert await left(selection("none.test", below=True)) == names
            assert await left(selection(".", below=True)) == []
            assert await left(selection()) == []

    @on_loop
    async def test_by_name_takes_aliases_and_every_type(self) -> None:
        chain = (f"{QNAME} 300 IN CNAME db.corp.test", "db.corp.test 300 IN A 192.0.2.7")
        async with forwarding(saying(*chain)) as ask:
            for rtype in ("A", "TXT"):
                await ask(QNAME, rtype)
            assert await ask.resolver.flush(selection("corp.test")) == 0
            assert (
                await ask.resolver.flush(selection("db.corp.test")) == 3
            )  # the end of TXT's chain was asked, too
            await ask()
            assert await ask.resolver.flush(selection("corp.test", below=True)) == 1

    @on_loop
    async def test_by_vpc(self) -> None:
        with Nameserver(each) as corp:
            domain = Name.from_text("corp.test")
            rules = (ForwardRule(domain, (corp.upstream,), frozenset({VPC_A})),)
            async with forwarding(each, rules=rules) as ask:

                async def all_asked() -> list[int]:
                    """How many queries came to both upstreams."""
                    before = len(corp.queries), len(ask.queries)
                    for peer in (IN_A, IN_B):
                        await ask("a.corp.test", peer=peer)
                        await ask("www.test", peer=peer)
                    return [len(corp.queries) - before[0], len(ask.queries) - before[1]]

                assert await all_asked() == [1, 2]
                assert await all_asked() == [0, 0]
                assert await ask.resolver.flush(selection(vpc_id=VPC_A)) == 2  # www.test is shared
                assert await all_asked() == [1, 1]
                assert await ask.resolver.flush(selection("a.corp.test", vpc_id=VPC_B)) == 1
                assert await all_asked() == [0, 1]

    @on_loop
    async def test_queries_are_answered_meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("vpcdns.server.resolver._TURN", 0.0)
        async with forwarding(each) as ask:
            for number in range(50):
                await ask(f"{number}.example.org")
            flushing = asyncio.ensure_future(ask.resolver.flush(ALL))
            turns = 0
            while not flushing.done():
                await asyncio.sleep(0)
                turns += 1
            assert flushing.result() == 50
            assert turns > 40

    @on_loop
    async def test_what_is_decided_here_is_remembered_on(self) -> None:
        async with forwarding(each) as ask:
            await ask("whoami.vpcdns.internal")
            for _ in range(2):
                await ask("localhost")
            memo = [len(view.memo) for view in ask.resolver.remembered.by_client.values()]
            await ask.resolver.flush(ALL)
            assert [len(view.memo) for view in ask.resolver.remembered.by_client.values()] == memo
            assert sum(memo) > 0
