"""Faults: for whom they happen, how often, and that nothing is in the way while there are none."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import dns.flags
import dns.message
import dns.rcode
import pytest

from tests.support.example_world import CUSTOM, DEDICATED_NAME, IN_A, IN_B, SERVERLESS_NAME, VPC_A, example
from tests.support.messages import data, ede, query
from tests.support.obedient_service import arrived
from vpcdns.listen.responder import PendingResponse
from vpcdns.model.names import Name
from vpcdns.model.policy import Listen, Transport
from vpcdns.query import Arrival
from vpcdns.server.faults import FaultKind, Faults, InjectedFault
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

LISTEN = Listen(ip_address("127.0.0.1"), 53)


class Bench:
    def __init__(self) -> None:
        self.now = 0.0
        self.state = State(example())
        self.resolver = Resolver(self.state)
        self.faults = Faults(self.resolver, self.state, clock=lambda: self.now)

    def ask(
        self, name: str, client: str = IN_A, transport: Transport = "udp", **options: str
    ) -> dns.message.Message | PendingResponse | None:
        message = query(name, **options).to_wire()  # type: ignore[arg-type]
        answer = self.faults.respond(message, Arrival(ip_address(client), transport, LISTEN, 5353))
        return dns.message.from_wire(answer) if isinstance(answer, bytes) else answer

    def told(
        self, name: str, client: str = IN_A, transport: Transport = "udp", **options: str
    ) -> dns.message.Message:
        answer = self.ask(name, client, transport, **options)
        assert isinstance(answer, dns.message.Message), answer
        return answer


@pytest.fixture
def bench() -> Bench:
    return Bench()


def fault(kind: FaultKind, name: str | None = None, **parts: object) -> InjectedFault:
    return InjectedFault(0, kind, None if name is None else Name.from_text(name), **parts)  # type: ignore[arg-type]


def test_without_faults_nothing_is_in_the_way(bench: Bench) -> None:
    assert bench.faults.respond == bench.resolver.respond
    assert bench.faults.views == bench.resolver.views
    added = bench.faults.add(fault(FaultKind.DROP))
    assert bench.faults.views(1) is None, "nothing is recalled past a fault"
    assert bench.faults.remove(added.fault_id)
    assert not bench.faults.remove(added.fault_id)
    assert bench.faults.respond == bench.resolver.respond


def test_servfail_for_one_name_in_any_case(bench: Bench) -> None:
    bench.faults.add(fault(FaultKind.SERVFAIL, SERVERLESS_NAME.upper()))
    answer = bench.told(SERVERLESS_NAME)
    assert answer.rcode() == dns.rcode.SERVFAIL
    assert ede(answer) == (0, "fault 1, which a test asked for")
    assert data(bench.told(DEDICATED_NAME)) == ["10.1.8.20"]


def test_a_wildcard_is_what_lies_below(bench: Bench) -> None:
    bench.faults.add(fault(FaultKind.DROP, "*.example.com"))
    assert bench.ask(CUSTOM) is None
    assert bench.ask("a.b.example.com") is None
    assert isinstance(bench.ask(SERVERLESS_NAME), dns.message.Message)


def test_for_one_vpc_however_it_asks(bench: Bench) -> None:
    bench.faults.add(fault(FaultKind.DROP, vpc_id=VPC_A))
    assert bench.ask(SERVERLESS_NAME, IN_A) is None
    assert bench.ask(SERVERLESS_NAME, "127.0.0.1", subnet=f"{IN_A}/32") is None
    assert data(bench.told(SERVERLESS_NAME, IN_B))


def test_truncated_over_udp_and_whole_over_tcp(bench: Bench) -> None:
    bench.faults.add(fault(FaultKind.TRUNCATE))
    answer = bench.told(SERVERLESS_NAME)
    assert answer.flags & dns.flags.TC
    assert not answer.answer
    assert data(bench.told(SERVERLESS_NAME, transport="tcp"))


def test_a_delay(bench: Bench) -> None:
    async def asked() -> float:
        loop = asyncio.get_running_loop()
        started = loop.time()
        answer = bench.ask(SERVERLESS_NAME)
        assert not isinstance(answer, dns.message.Message)
        assert answer is not None
        octets = await arrived(answer)
        assert octets is not None
        assert data(dns.message.from_wire(octets))
        return loop.time() - started

    bench.faults.add(fault(FaultKind.DELAY, delay=0.05))
    assert asyncio.run(asked()) >= 0.05


def test_so_many_times(bench: Bench) -> None:
    bench.faults.add(fault(FaultKind.SERVFAIL, times=2))
    codes = [bench.told(SERVERLESS_NAME).rcode() for _ in range(3)]
    assert codes == [dns.rcode.SERVFAIL, dns.rcode.SERVFAIL, dns.rcode.NOERROR]
    assert bench.faults.respond == bench.resolver.respond


def test_for_so_long(bench: Bench) -> None:
    bench.faults.add(fault(FaultKind.SERVFAIL, until=10.0))
    bench.now = 9.9
    assert bench.told(SERVERLESS_NAME).rcode() == dns.rcode.SERVFAIL
    assert [one.happened for one in bench.faults.current()] == [1]
    bench.now = 10.0
    assert bench.told(SERVERLESS_NAME).rcode() == dns.rcode.NOERROR
    assert not bench.faults.current()


def test_what_is_no_query_passes(bench: Bench) -> None:
    bench.faults.add(fault(FaultKind.DROP))
    peer = ip_address(IN_A)
    assert bench.faults.respond(b"", Arrival(peer, "udp", LISTEN)) is None
    malformed = bench.faults.respond(b"\0" * 12, Arrival(peer, "udp", LISTEN))
    assert isinstance(malformed, bytes)
    assert malformed[3] & 0xF == dns.rcode.FORMERR
