"""Queries decided as the Resolver decides them, told to observers."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import dns.name

from tests.support import example_world, messages
from vpcdns.model.policy import Listen, Transport
from vpcdns.query import Arrival, Drop, Fetched, Forward, Response, begin, finish
from vpcdns.server.observer import Observer
from vpcdns.state import State
from vpcdns.wire.upstream import read_response

LISTEN = Listen(ip_address("127.0.0.1"), 5300)
HOSTILE = dns.name.Name(
    (b'<img src=x onerror="alert(1)">', b"a\nb\\\"'{}", b"\x00\xff\x1b[31m\xe2\x80\xa8", b"localhost", b"")
)


def state() -> State:
    return State(example_world.example())


def arrival(
    client: str = example_world.IN_A, transport: Transport = "udp", listen: Listen = LISTEN
) -> Arrival:
    return Arrival(ip_address(client), transport, listen=listen)


def decided(
    holder: State,
    name: str | dns.name.Name = example_world.DEDICATED_NAME,
    rtype: str = "A",
    client: str = example_world.IN_A,
    message: bytes | None = None,
    transport: Transport = "udp",
) -> tuple[Arrival, Response | Drop]:
    came = arrival(client, transport)
    result = begin(message or messages.query(name, rtype).to_wire(), came, holder.world)
    assert not isinstance(result, Forward)
    return came, result


def relayed(holder: State, name: str, *records: str, rcode: int = 0) -> tuple[Arrival, Response | Drop]:
    """A query that was forwarded, and answered with those records."""
    from tests.support.nameserver import answering

    world = replace(holder.world, forwarding=example_world.FORWARDING)
    message = messages.query(name).to_wire()
    came = arrival()
    forward = begin(message, came, world)
    assert isinstance(forward, Forward)
    (response,) = answering(*records, rcode=rcode)(message, "udp")
    result = finish(forward, Fetched(read_response(response)), world)
    assert not isinstance(result, Forward)
    return came, result


def tell(observer: Observer, told: tuple[Arrival, Response | Drop], took: float = 0.0004) -> None:
    observer.decided(*told, took)
