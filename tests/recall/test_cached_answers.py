"""The short way: the very octets of the long way, and only where it may be taken."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import dns.edns
import dns.message
import pytest

from tests.support.event_loop import on_loop
from tests.support.example_world import DEDICATED_NAME, IN_A, IN_B
from tests.support.messages import option
from tests.support.obedient_service import arrived
from tests.support.octets import proxy_header
from tests.support.resolver_and_upstreams import LISTEN, QNAME, A, Asked, forwarding, saying
from vpcdns.forward.cache import Cache
from vpcdns.model.policy import Access, Forwarding
from vpcdns.query import Arrival

SOA = "example.org 900 IN SOA ns.example.org root.example.org 1 2 3 4 60"
MANY = [f"{QNAME} 60 IN A 192.0.2.{n}" for n in range(60)]
ONE_RESPONSE = 2_000  # octets: room in the cache for one, and not for two
CHAIN = (f"{QNAME} 300 IN CNAME x.example.net", "x.example.net 20 IN A 192.0.2.1")


def message(**how: object) -> bytes:
    how.setdefault("use_edns", 0)
    return dns.message.make_query(QNAME, "A", **how).to_wire()  # type: ignore[arg-type]


def entries(ask: Asked) -> int:
    return sum(len(view.cached) for view in ask.resolver.remembered.by_client.values())


@pytest.mark.parametrize("edns", [0, False])
@pytest.mark.parametrize("script", [saying(A), saying(*CHAIN), saying(SOA, rcode="NXDOMAIN"), saying(SOA)])
@on_loop
async def test_it_says_what_the_long_way_says(script: object, edns: object) -> None:
    async with forwarding(script) as ask:  # type: ignore[arg-type]
        query = message(use_edns=edns)
        await ask.octets(query)
        for age in (0.0, 0.9, 0.2, 1.5, 10.0, 6.4):
            ask.now += age
            await ask.octets(query)
            assert entries(ask) == 1
            short = await ask.octets(b"\xab\xcd" + query[2:])
            for view in ask.resolver.remembered.by_client.values():
                view.cached.clear()
            assert short == await ask.octets(b"\xab\xcd" + query[2:])
        assert len(ask.queries) == 1


@on_loop
async def test_it_ends_with_the_response() -> None:
    async with forwarding(saying(*CHAIN)) as ask:
        for _ in range(3):
            await ask.octets(message())
        ask.now += 20
        await ask.octets(message())
        assert (len(ask.queries), entries(ask)) == (2, 0)


@on_loop
async def test_it_ends_with_the_cache() -> None:
    async with forwarding(saying(SOA), cache=Cache(ONE_RESPONSE)) as ask:
        for _ in range(3):
            await ask.octets(message())
        assert (len(ask.queries), entries(ask)) == (1, 1)
        await ask("other.example.org")  # it takes the place in the cache
        ask.now += 1
        await ask.octets(message())
        assert len(ask.queries) == 3


@on_loop
async def test_it_ends_with_the_world() -> None:
    async with forwarding(saying(A)) as ask:
        for _ in range(3):
            await ask.octets(message())
        ask.state.reload(replace(ask.state.world, access=Access(clients=())))
        octets = await ask.octets(message())
        assert octets is not None
        assert dns.message.from_wire(octets).rcode() == dns.rcode.REFUSED
        ask.state.reload(replace(ask.state.world, access=Access(), forwarding=Forwarding()))
        assert dns.message.from_wire(await ask.octets(message()) or b"").rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize(
    ("script", "query"),
    [
        (saying(A), message(options=[option(10, b"12345678")])),
        (saying(A), message(options=[dns.edns.ECSOption("10.1.0.5", 32)])),
        (saying(A), proxy_header(IN_B) + message()),
        (saying(A), proxy_header(IN_B, command=0x20) + message()),  # LOCAL: the proxy itself asks
        (saying(*MANY), message(use_edns=False)),  # cut
        (saying(f"{QNAME} 300 IN CNAME {DEDICATED_NAME}"), message()),  # decided for the client
    ],
)
@on_loop
async def test_what_depends_on_more_is_never_in_it(script: object, query: bytes) -> None:
    async with forwarding(script) as ask:  # type: ignore[arg-type]
        for _ in range(3):
            await ask.octets(query, "127.0.0.9")
        assert entries(ask) == 0


@on_loop
async def test_each_peer_and_each_listener_has_its_own() -> None:
    async with forwarding(saying(A)) as ask:
        for peer in (IN_A, IN_B):
            for listen in (LISTEN, replace(LISTEN, vpc_id="vpc-b")):
                for _ in range(3):
                    await arrived(ask.resolver.respond(message(), Arrival(ip_address(peer), "udp", listen)))
        assert entries(ask) == 4


@on_loop
async def test_what_was_said_over_tcp_is_not_said_over_udp() -> None:
    async with forwarding(saying(*MANY)) as ask:
        for transport, count in (("tcp", 60), ("udp", 29), ("tcp", 60), ("udp", 29)):
            for _ in range(3):
                octets = await ask.octets(message(payload=512), transport=transport)  # type: ignore[arg-type]
                assert octets is not None
                assert len(dns.message.from_wire(octets).answer[0]) == count


@on_loop
async def test_it_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vpcdns.recall.views.CACHED_OCTETS_AT_MOST", 12_000)
    async with forwarding(saying(A)) as ask:
        for ident in range(10):
            flags = message(flags=0x0100 | (ident << 4 & 0x30), payload=512 + ident)
            for _ in range(2):
                await ask.octets(flags)
        assert 1 <= entries(ask) <= 4


@on_loop
async def test_observers_are_told_of_what_is_decided() -> None:
    """Asked of upstreams, taken from the cache and recalled; the listener counts what is recalled."""
    async with forwarding(saying(A)) as ask:
        for told in (1, 2, 2, 2):
            await ask.octets(message())
            assert len(ask.told) == told
