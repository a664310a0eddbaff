"""Queries that take a route from end to end: which do, what comes back, and what happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import dns.flags
import dns.message
import pytest

from tests.support.event_loop import on_loop, until
from tests.support.example_world import CUSTOM, DEDICATED, DEDICATED_NAME, IN_A, example
from tests.support.nameserver import Nameserver, Script, Transport
from tests.support.obedient_service import Udp
from tests.support.resolver_and_upstreams import (
    GOOD,
    LISTEN,
    NEVER,
    Asked,
    Gated,
    forwarding,
    made,
    saying,
    text,
    with_loopback,
)
from tests.support.resolver_service import listening
from tests.support.wrong_responses import WRONG
from vpcdns.forward.forwarder import Forwarder
from vpcdns.listen.service import Service
from vpcdns.model.changes import AddCustomDomain, DisableVpcDomain
from vpcdns.model.names import Name
from vpcdns.model.policy import Forwarding, Listen
from vpcdns.observe.query_counts import QueryCounts, count_of
from vpcdns.observe.recent_decisions import RecentDecisions
from vpcdns.server.observer import Observer, Observers
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

SOA = "example.org 900 IN SOA ns.example.org root.example.org 1 2 3 4 60"


def by_name(scripts: dict[str, Script]) -> Script:
    """Each name has its own script, by its first label; the others get an address, or NXDOMAIN."""

    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        qname = dns.message.from_wire(message).question[0].name
        first = qname.labels[0].decode().lower()
        if first in scripts:
            return scripts[first](message, transport)
        name = qname.to_text(omit_final_dot=True)
        if first.startswith("none"):
            return [made(message, SOA, rcode="NXDOMAIN")]
        return [made(message, f"{name} 300 IN A 192.0.2.1")]

    return script


async def taught(ask: Asked, use_edns: Any = 0) -> None:
    """From here on names below example.org have a route, and both usual RCODEs are known."""
    for first in ("teach0", "teach1", "none0", "none1"):
        await ask(f"{first}.example.org", use_edns=use_edns)
    view = ask.resolver.remembered.view(ip_address(IN_A), "udp", LISTEN)
    query = dns.message.make_query("taught.example.org", "A", use_edns=use_edns).to_wire()[2:]
    assert view.routes.find(query) is not None


SCRIPTS: dict[str, Script] = {
    "an address": saying("www.example.org 300 IN A 192.0.2.1"),
    "no such name": saying(SOA, rcode="NXDOMAIN"),
    "no such type": saying(SOA),
    "no SOA": saying(rcode="NXDOMAIN"),
    "SERVFAIL": saying(rcode="SERVFAIL"),
    "REFUSED": saying(rcode="REFUSED"),
    "FORMERR": saying(rcode="FORMERR"),
    "a chain": saying("www.example.org 300 IN CNAME x.example.net", "x.example.net 20 IN A 192.0.2.1"),
    "a chain to us": saying(
        f"www.example.org 300 IN CNAME {DEDICATED_NAME}", f"{DEDICATED_NAME} 9 IN A 192.0.2.1"
    ),
    "a custom domain beside": saying("www.example.org 300 IN A 192.0.2.1", f"{CUSTOM} 300 IN A 192.0.2.66"),
    "more than fits": saying(*(f"www.example.org 60 IN A 192.0.2.{n}" for n in range(90))),
    "authenticated": saying("www.example.org 300 IN A 192.0.2.1", flags=int(dns.flags.AD | dns.flags.AA)),
    "a large TTL": lambda m, _: [
        made(m, "www.example.org 1 IN A 192.0.2.1").replace(b"\0\0\0\1\0\4", b"\x80\0\0\0\0\4")
    ],
    **{name: lambda m, _, wrong=wrong: [wrong(m), *GOOD(m, "udp")] for name, wrong in WRONG.items()},  # type: ignore[misc]
}


@pytest.mark.parametrize("edns", [0, False])
@pytest.mark.parametrize("name", SCRIPTS)
@on_loop
async def test_it_says_what_the_slow_way_says(name: str, edns: object) -> None:
    """The very octets, whatever the upstream says; the id is the client's."""
    query = dns.message.make_query("www.example.org", "A", use_edns=edns, id=7).to_wire()  # type: ignore[arg-type]
    async with forwarding(SCRIPTS[name]) as ask:
        slow = await ask.octets(query)
    async with forwarding(by_name({"www": SCRIPTS[name]})) as ask:
        await taught(ask, use_edns=edns)
        told = len(ask.told)
        short = await ask.octets(query)
        gone_short = len(ask.told) == told  # observers hear of what was decided
    assert short == slow
    if name in ("an address", "no such name", "authenticated"):
        assert gone_short


@on_loop
async def test_a_query_that_is_in_flight_is_joined() -> None:
    gated = Gated(saying("www.example.org 300 IN A 192.0.2.1"))
    async with forwarding(by_name({"www": gated})) as ask:
        await taught(ask)
        asked = len(ask.queries)
        answers = [asyncio.ensure_future(ask(qname)) for qname in ("www.example.org", "WWW.example.org")]
        await until(lambda: len(ask.queries) > asked)
        gated.open.set()
        assert {text(answer) for answer in await asyncio.gather(*answers)} == {
            "NOERROR, www.example.org. 300 192.0.2.1",
            "NOERROR, WWW.example.org. 300 192.0.2.1",
        }
        assert len(ask.queries) == asked + 1
        assert ask.resolver.forwarder.counters.joined == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (DisableVpcDomain(DEDICATED), "NOERROR, www.example.org. 300 192.0.2.1"),
        (
            AddCustomDomain(DEDICATED, Name.from_text("www.example.org")),
            f"NOERROR, www.example.org. 60 {DEDICATED_NAME}.",
        ),
    ],
)
@on_loop
async def test_a_change_on_the_way_holds(change: Any, expected: str) -> None:
    """Decided in the current World, in which the name may be ours."""
    gated = Gated(saying("www.example.org 300 IN A 192.0.2.1"))
    async with forwarding(by_name({"www": gated})) as ask:
        await taught(ask)
        answer = asyncio.ensure_future(ask())
        await until(lambda: len(ask.queries) == 5)
        ask.state.apply(change)
        gated.open.set()
        assert text(await answer).startswith(expected)


@on_loop
async def test_other_upstreams_are_asked_when_the_world_says_so_meanwhile() -> None:
    gated = Gated(GOOD)
    with Nameserver(saying("www.example.org 60 IN A 192.0.2.99")) as other:
        async with forwarding(by_name({"www": gated})) as ask:
            await taught(ask)
            answer = asyncio.ensure_future(ask())
            await until(lambda: len(ask.queries) == 5)
            ask.state.reload(replace(ask.state.world, forwarding=Forwarding((other.upstream,))))
            gated.open.set()
            assert text(await answer) == "NOERROR, www.example.org. 60 192.0.2.99"


@on_loop
async def test_what_raises_is_servfail(monkeypatch: pytest.MonkeyPatch) -> None:
    async with routing(by_name({})) as (resolver, listen, service):
        with Udp() as client:
            await ask_all(client, listen, [f"teach{n}.example.org" for n in range(2)])
            monkeypatch.setattr(resolver.cache, "keep", broken)
            message = dns.message.make_query("www.example.org", "A", id=9).to_wire()
            octets, _ = await client.ask(message, ("127.0.0.1", listen.port))
        assert dns.message.from_wire(octets).rcode() == dns.rcode.SERVFAIL
        assert service.counters.responder_exceptions == 1


def broken(*_: object) -> None:
    raise RuntimeError("a bug")


@asynccontextmanager
async def routing(
    script: Script, observer: Observer | None = None
) -> AsyncIterator[tuple[Resolver, Listen, Service]]:
    with Nameserver(script) as upstream:
        world = replace(example(), forwarding=Forwarding((upstream.upstream,)))
        resolver = Resolver(
            State(with_loopback(world)), observer=observer or Observer(), forwarder=Forwarder(deadline=NEVER)
        )
        async with listening(resolver, batches=True) as (service, listen):
            yield resolver, listen, service


async def ask_all(client: Udp, listen: Listen, names: list[str]) -> dict[int, dns.message.Message]:
    """All at once; the responses by id."""
    for number, name in enumerate(names):
        message = dns.message.make_query(name, "A", id=number).to_wire()
        client.send(message, ("127.0.0.1", listen.port))
    found = {}
    for _ in names:
        octets, source = await client.receive()
        assert source == "127.0.0.1"
        response = dns.message.from_wire(octets)
        found[response.id] = response
    return found


@on_loop
async def test_many_at_once_over_sockets() -> None:
    query_counts, state = QueryCounts(), State(example())
    decisions = RecentDecisions(state)
    async with routing(by_name({}), Observers(query_counts, decisions)) as (resolver, listen, service):
        with Udp() as client:
            await ask_all(client, listen, ["teach0.example.org"])
            await ask_all(client, listen, ["teach1.example.org"])
            names = [f"{'none' if n % 3 == 0 else 'n'}{n}.example.org" for n in range(100)]
            found = await ask_all(client, listen, names)
        for number, name in enumerate(names):
            assert found[number].question[0].name.to_text() == f"{name}."
            assert found[number].rcode() == (dns.rcode.NXDOMAIN if number % 3 == 0 else dns.rcode.NOERROR)
        rows = query_counts.counts()()
        assert sum(map(count_of, rows.values())) == 102
        assert {(labels.reason, labels.rcode) for labels in rows} == {
            ("forwarded", "NOERROR"),
            ("forwarded", "NXDOMAIN"),
        }
        told = list(decisions.latest(200))
        assert len(told) == 102
        assert {str(one.question.name) for one in told if one.question} >= set(names)
        assert all(one.took > 0 for one in told)
        assert service.counters.udp_answered == 102
        assert resolver.forwarder.counters.queries.popitem()[1] == 102


@on_loop
async def test_stopping_waits_for_it() -> None:
    gated = Gated(saying("www.example.org 300 IN A 192.0.2.1"))
    async with routing(by_name({"www": gated})) as (resolver, listen, service):
        with Udp() as client:
            await ask_all(client, listen, ["teach0.example.org"])
            client.send(dns.message.make_query("www.example.org", "A").to_wire(), ("127.0.0.1", listen.port))
            await until(lambda: len(resolver.forwarder) == 1)
            stopping = asyncio.ensure_future(service.stop(NEVER))
            await asyncio.sleep(0)
            assert not stopping.done()
            gated.open.set()
            octets, _ = await client.receive()
            await stopping
        assert text(dns.message.from_wire(octets)) == "NOERROR, www.example.org. 300 192.0.2.1"


@pytest.mark.parametrize(
    ("qname", "how"),
    [
        (
            "www.example.org",
            {"options": [dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"12345678")]},
        ),  # a cookie: an option
        ("www.example.org", {"rdclass": "CH"}),
        (CUSTOM, {}),
        ("localhost", {}),
    ],
)
@on_loop
async def test_what_has_no_route_goes_the_slow_way(qname: str, how: dict[str, Any]) -> None:
    async with forwarding(by_name({})) as ask:
        await taught(ask)
        told = len(ask.told)
        await ask(qname, peer=IN_A, **how)
        assert len(ask.told) == told + 1
