"""A resolver in front of scripted nameservers, asked without sockets; dnspython reads the answers."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Final, Literal

import dns.edns
import dns.message
import dns.name
import dns.rcode
import dns.rrset

from tests.support.event_loop import until
from tests.support.example_world import IN_A, example
from tests.support.nameserver import Nameserver, Script, Transport
from tests.support.obedient_service import arrived
from vpcdns.forward.cache import Cache
from vpcdns.forward.forwarder import Forwarder
from vpcdns.listen.responder import Answer
from vpcdns.model.cache_limits import DEFAULT_CACHE, CacheLimits
from vpcdns.model.policy import Access, Forwarding, ForwardRule, Listen, Upstream
from vpcdns.model.world import World
from vpcdns.query import Arrival, Drop, Response
from vpcdns.server.observer import Observer
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

QNAME: Final = "www.example.org"
NEVER: Final = 9.0  # a deadline that a test must not reach
SOON: Final = 0.4  # one that it waits for
LISTEN: Final = Listen(ip_address("127.0.0.1"), 5300)
_idents = itertools.count(1)


def made(message: bytes, *records: str, rcode: str = "NOERROR", flags: int = 0, edns: bool = True) -> bytes:
    """A right response; records in zone-file form."""
    response = dns.message.make_response(dns.message.from_wire(message))
    response.set_rcode(dns.rcode.from_text(rcode))
    response.flags |= flags
    if not edns:
        response.use_edns(False)
    for record in records:
        name, ttl, rclass, rtype, rdata = record.split(" ", 4)
        section = response.authority if rtype in ("SOA", "NS") else response.answer
        section.append(
            dns.rrset.from_text_list(
                f"{name}.", int(ttl), rclass, rtype, [rdata], origin=dns.name.root, relativize=False
            )
        )
    return response.to_wire(max_size=65_535)


def saying(*records: str, rcode: str = "NOERROR", flags: int = 0) -> Script:
    def script(message: bytes, transport: Transport) -> Iterable[bytes]:
        yield made(message, *records, rcode=rcode, flags=flags)

    return script


def silent(message: bytes, transport: Transport) -> Iterable[bytes]:
    return ()


class Gated:
    """A script that waits until it is opened, in the nameserver's thread."""

    def __init__(self, script: Script) -> None:
        self.open = threading.Event()
        self._script = script

    def __call__(self, message: bytes, transport: Transport) -> Iterable[bytes]:
        assert self.open.wait(20)
        return self._script(message, transport)


class Switch:
    """A script that can be changed."""

    def __init__(self, script: Script) -> None:
        self.script = script

    def __call__(self, message: bytes, transport: Transport) -> Iterable[bytes]:
        return self.script(message, transport)


A: Final = f"{QNAME} 300 IN A 192.0.2.1"
GOOD: Final = saying(A)


class Told(Observer):
    """Keeps what was decided."""

    def __init__(self) -> None:
        self.told: list[tuple[Arrival, Response | Drop]] = []

    def decided(self, arrival: Arrival, result: Response | Drop, took: float) -> None:
        self.told.append((arrival, result))


class Asked:
    """A resolver, the nameservers behind it, and what its observers were told."""

    def __init__(
        self, resolver: Resolver, state: State, servers: list[Nameserver], observer: Told, clock: list[float]
    ) -> None:
        self.resolver = resolver
        self.state = state
        self.servers = servers
        self._clock = clock
        self.observer = observer
        self.told = observer.told

    @property
    def now(self) -> float:
        """The Resolver's clock."""
        return self._clock[0]

    @now.setter
    def now(self, now: float) -> None:
        self._clock[0] = now

    @property
    def queries(self) -> list[tuple[Transport, bytes]]:
        return self.servers[0].queries

    async def octets(
        self, message: bytes, peer: str = IN_A, transport: Transport = "udp", port: int = 40_000
    ) -> bytes | None:
        """What a listener sends: recalled, by way of a route, or as the resolver responds."""
        address = ip_address(peer)
        views = self.resolver.views(1)
        assert views is not None
        view = views.view(address, transport, LISTEN)
        recalled = view.memo.get(message[2:]) or view.recall(message[2:])
        if recalled is not None:
            return message[:2] + recalled[0]
        found = view.routes.find(message[2:]) if transport == "udp" else None
        answer: Answer = None if found is None else self.resolver.relay(message, view, address, found)
        if answer is None:
            answer = self.resolver.respond(message, Arrival(address, transport, LISTEN, port))
        return await arrived(answer)

    async def __call__(
        self, qname: str = QNAME, rtype: str = "A", peer: str = IN_A, transport: Transport = "udp", **how: Any
    ) -> dns.message.Message:
        """The response, which must be well formed and to the very question."""
        how.setdefault("use_edns", 0)
        asked = dns.message.make_query(qname, rtype, id=next(_idents), **how)
        octets = await self.octets(asked.to_wire(), peer, transport)
        assert octets is not None, "no response"
        read = dns.message.from_wire(octets)
        assert read.id == asked.id
        assert octets[12:].startswith(asked.to_wire()[12 : 12 + len(qname) + 2 + 4]), (
            "the question in its case"
        )
        if transport == "udp":
            assert len(octets) <= (asked.payload if asked.edns == 0 else 512)
        assert (read.edns >= 0) == (asked.edns >= 0)
        return read


def text(response: dns.message.Message) -> str:
    """RCODE, answers and extended errors in one line."""
    parts = [dns.rcode.to_text(response.rcode())]
    parts += [f"{rrset.name} {rrset.ttl} {rdata}" for rrset in response.answer for rdata in rrset]
    parts += [f"EDE {o.code:d}" for o in response.options if isinstance(o, dns.edns.EDEOption)]
    return ", ".join(parts)


def descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0  # noqa: PTH208


@asynccontextmanager
async def forwarding(
    *scripts: Script,
    rules: tuple[ForwardRule, ...] = (),
    world: World | None = None,
    deadline: float = NEVER,
    max_outstanding: int = 1_000,
    stale_after: float = NEVER,
    upstreams: tuple[Upstream, ...] | None = None,
    cache: Cache | None = None,
    limits: CacheLimits | Literal[False] = DEFAULT_CACHE,
) -> AsyncIterator[Asked]:
    """Ends with no descriptor, task or flight left over."""
    before, tasks = descriptors(), asyncio.all_tasks()
    with ExitStack() as entered:
        servers = [entered.enter_context(Nameserver(script)) for script in scripts]
        chosen = tuple(server.upstream for server in servers) if upstreams is None else upstreams
        world = replace(world or example(), forwarding=Forwarding(chosen, rules, cache=limits))
        state = State(with_loopback(world))
        observer, clock = Told(), [1000.0]
        resolver = Resolver(
            state,
            observer=observer,
            clock=lambda: clock[0],
            cache=Cache() if cache is None else cache,
            forwarder=Forwarder(deadline=deadline, max_outstanding=max_outstanding),
            stale_after=stale_after,
        )
        try:
            yield Asked(resolver, state, servers, observer, clock)
        finally:
            for script in scripts:
                if isinstance(script, Gated):
                    script.open.set()
            resolver.close()
            assert len(resolver.forwarder) == 0
    if left := asyncio.all_tasks() - tasks:
        _, pending = await asyncio.wait(left, timeout=1)
        assert not pending
    # A double in a thread of its own lets go of its end when it hears that we have; one of an earlier test
    # may only have done so since this one began.
    await until(lambda: descriptors() <= before)


def with_loopback(world: World) -> World:
    """Everybody may ask, and 127.0.0.9 names clients."""
    return replace(
        world, access=Access((ip_network("0.0.0.0/0"), ip_network("::/0")), (ip_network("127.0.0.9/32"),))
    )
