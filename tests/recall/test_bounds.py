"""What is remembered is bounded in octets; no client can fill it for good."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from tests.support import messages
from tests.support.example_world import DEDICATED_NAME, IN_A, IN_B, example
from vpcdns.forward.cache import Cache
from vpcdns.model.policy import Forwarding, Listen, Upstream
from vpcdns.model.world import World
from vpcdns.query import Arrival, Fetched, Forward, Response, begin, finish
from vpcdns.recall import forward_routes, views, vpc_answers
from vpcdns.recall.views import View, Views
from vpcdns.server.resolver import Resolver
from vpcdns.state import State
from vpcdns.wire.upstream import read_response

LISTEN = Listen(ip_address("127.0.0.1"), 53)


def arrival(client: str = IN_A) -> Arrival:
    return Arrival(ip_address(client), "udp", LISTEN)


def is_recalled(resolver: Resolver, message: bytes, client: str = IN_A) -> bool:
    found = resolver.views(1)
    assert found is not None
    view = found.view(ip_address(client), "udp", LISTEN)
    return (view.memo.get(message[2:]) or view.recall(message[2:])) is not None


def test_one_client_that_makes_up_kinds_is_no_hindrance_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kinds are forgotten when there are too many, so that new ones can be remembered."""
    monkeypatch.setattr(views, "KINDS_AT_MOST", 20)
    resolver = Resolver(State(example()))
    for number in range(200):
        resolver.respond(messages.query("localhost", f"TYPE{1000 + number}").to_wire(), arrival())
        assert len(resolver.remembered.kinds) <= 20
    message = messages.query(DEDICATED_NAME, "A").to_wire()
    resolver.views(1)  # as the next batch of queries does
    resolver.respond(message, arrival(IN_B))
    assert is_recalled(resolver, message, IN_B)


def test_shapes_of_queries_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vpc_answers, "MAX_SHAPES", 5)
    resolver = Resolver(State(example()))
    for number in range(20):
        message = messages.query(DEDICATED_NAME, f"TYPE{1000 + number}").to_wire()
        resolver.respond(message, arrival())
    other_case = messages.query(DEDICATED_NAME.upper(), f"TYPE{1019}").to_wire()
    assert is_recalled(resolver, other_case)


def test_octets_behind_a_query_are_not_remembered() -> None:
    """They are tolerated, but every number of them would be another key."""
    resolver = Resolver(State(example()))
    message = messages.query(DEDICATED_NAME, "A").to_wire()
    for count in (1, 100, 3_000):
        assert isinstance(resolver.respond(message + bytes(count), arrival()), bytes)
        assert not is_recalled(resolver, message + bytes(count))
    resolver.respond(message, arrival())
    assert is_recalled(resolver, message)


def forwarding_world() -> World:
    return World(forwarding=Forwarding((Upstream(ip_address("192.0.2.1")),)))


def remember(view: View, name: str, octets: int) -> None:
    """An upstream's TXT answer of about so many octets, remembered in the view."""
    world, cache = forwarding_world(), Cache()
    message = messages.query(name, "TXT", payload=4_096).to_wire()
    over_tcp = Arrival(ip_address(IN_A), "tcp", LISTEN)
    forward = begin(message, over_tcp, world)
    assert isinstance(forward, Forward)
    relayed = read_response(messages.txt_response(message, octets))
    cache.keep(forward.key, relayed, 0.0)
    fetched = cache.fresh(forward.key, 0.0)
    assert isinstance(fetched, Fetched)
    response = finish(forward, fetched, world)
    assert isinstance(response, Response)
    view.keep(message[2:], forward, fetched, response, cache)


def test_cached_answers_are_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "CACHED_OCTETS_AT_MOST", 100_000)
    memory = Views(forwarding_world(), 0.0)
    view = memory.view(ip_address(IN_A), "tcp", LISTEN)
    most = 0
    for number in range(100):
        remember(view, f"n{number}.example", 1_000)
        assert memory.cached_octets == sum(cached.weight for cached in view.cached.values()) <= 100_000
        most = max(most, len(view.cached))
    assert most > 10


def test_spellings_do_not_multiply_large_answers() -> None:
    memory = Views(forwarding_world(), 0.0)
    view = memory.view(ip_address(IN_A), "tcp", LISTEN)
    for spelling in ("large.example", "Large.example", "LARGE.example"):
        remember(view, spelling, 60_000)
    assert not view.cached
    assert memory.cached_octets == 0


def test_routes_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward_routes, "ROUTES_AT_MOST", 3)
    world = forwarding_world()
    memory = Views(world, 0.0)
    view = memory.view(ip_address(IN_A), "udp", LISTEN)
    asked = [messages.query(f"a.n{n}.example", f"TYPE{1000 + n}").to_wire() for n in range(10)]
    for message in asked:
        forward = begin(message, arrival(), world)
        assert isinstance(forward, Forward)
        view.routes.learn(message[2:], forward, world)
        assert view.routes.find(message[2:]) is not None
        assert sum(view.routes.find(one[2:]) is not None for one in asked) <= 3
