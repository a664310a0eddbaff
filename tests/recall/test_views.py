"""What the hot path remembers, and what it must not."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import dns.edns
import pytest

from tests.support import messages
from tests.support.example_world import (
    CUSTOM,
    DEDICATED,
    DEDICATED_NAME,
    IN_A,
    IN_B,
    ON_INTERNET,
    SERVERLESS_NAME,
    VPC_A,
    example,
)
from vpcdns.model.changes import DisableVpcDomain
from vpcdns.model.dns import RRType
from vpcdns.model.names import Name
from vpcdns.model.policy import Access, Listen
from vpcdns.model.private_zones import PrivateZone, PrivateZones, ZoneRecord
from vpcdns.query import Arrival
from vpcdns.recall import views
from vpcdns.recall.views import KnownResponse, View
from vpcdns.server.observer import Observer, Observers
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

LISTEN = Listen(ip_address("127.0.0.1"), 53)
HERE = "127.0.0.1"
COOKIE = dns.edns.CookieOption(b"12345678", b"")


@pytest.fixture
def resolver() -> Resolver:
    return Resolver(State(example()))


def recalled(
    resolver: Resolver, name: str, client: str = IN_A, rtype: str = "A", **more: Any
) -> KnownResponse | None:
    """What is remembered of a query, without asking."""
    message = messages.query(name, rtype, **more).to_wire()
    view = _view(resolver, client)
    return view.memo.get(message[2:]) or view.recall(message[2:])


def ask(resolver: Resolver, name: str, client: str = IN_A, rtype: str = "A", **more: Any) -> None:
    resolver.respond(
        messages.query(name, rtype, **more).to_wire(), Arrival(ip_address(client), "udp", LISTEN)
    )


def _view(resolver: Resolver, client: str) -> View:
    found = resolver.views(1)
    assert found is not None
    return found.view(ip_address(client), "udp", LISTEN)


@pytest.mark.parametrize(
    "name", [DEDICATED_NAME, SERVERLESS_NAME, CUSTOM, "localhost", "9-vpc.alicloudapi.com"]
)
def test_what_was_answered_is_recalled_in_the_same_vpc_only(resolver: Resolver, name: str) -> None:
    ask(resolver, name)
    assert recalled(resolver, name) is not None
    assert recalled(resolver, name, "10.1.77.7") is not None
    assert recalled(resolver, name, IN_B) is None
    assert recalled(resolver, name, ON_INTERNET) is None


def test_one_answer_serves_all_groups_of_an_instance(resolver: Resolver) -> None:
    other = DEDICATED_NAME.upper()
    ask(resolver, DEDICATED_NAME)
    found = recalled(resolver, other)
    assert found is not None
    assert other.split(".")[0].encode() in found[0]


@pytest.mark.parametrize("apex", ["alicloudapi.com", "com", DEDICATED_NAME])
def test_but_not_where_a_private_zone_may_say_something_else_for_each(apex: str) -> None:
    """Of two groups of one instance, the zone has one; in the other VPC there is no such zone."""
    groups, twin_id = example().groups, "e" * 32
    groups = groups.set(twin_id, replace(groups[DEDICATED], group_id=twin_id))
    record = ZoneRecord(Name.from_text(DEDICATED_NAME), RRType.A, ip_address("10.9.9.9"))
    zone = PrivateZone("z", Name.from_text(apex), frozenset({VPC_A})).with_records([(1, record)])
    resolver = Resolver(State(replace(example(), groups=groups, private_zones=PrivateZones.of([zone]))))
    twin = DEDICATED_NAME.replace(DEDICATED, twin_id)
    for client, shared in ((IN_A, False), (IN_B, True)):
        ask(resolver, DEDICATED_NAME, client)
        assert recalled(resolver, DEDICATED_NAME, client) is not None
        assert (recalled(resolver, twin, client) is not None) is shared


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("whoami.vpcdns.internal", {"rtype": "TXT"}),
        (f"{CUSTOM}.explain.vpcdns.internal", {"rtype": "TXT"}),
        (DEDICATED_NAME, {"options": [COOKIE]}),
        (DEDICATED_NAME, {"options": [dns.edns.GenericOption(dns.edns.OptionType.NSID, b"")]}),
    ],
)
def test_what_depends_on_more_is_not(resolver: Resolver, name: str, more: dict[str, Any]) -> None:
    ask(resolver, name, **more)
    assert recalled(resolver, name, **more) is None


def test_what_a_trusted_peer_asks_for_somebody_else_is_not(resolver: Resolver) -> None:
    ask(resolver, DEDICATED_NAME, HERE, subnet=f"{IN_A}/32")
    assert recalled(resolver, DEDICATED_NAME, HERE, subnet=f"{IN_A}/32") is None
    assert recalled(resolver, DEDICATED_NAME, IN_A, subnet=f"{IN_A}/32") is None


def test_what_a_stranger_gets_is_not() -> None:
    only_here = Access(clients=(ip_network("10.1.0.0/16"),))
    resolver = Resolver(State(replace(example(), access=only_here)))
    ask(resolver, DEDICATED_NAME, IN_B)
    assert recalled(resolver, DEDICATED_NAME, IN_B) is None


def test_nothing_outlives_its_world() -> None:
    state = State(example())
    resolver = Resolver(state)
    ask(resolver, DEDICATED_NAME)
    state.apply(DisableVpcDomain(DEDICATED))
    assert recalled(resolver, DEDICATED_NAME) is None


def test_nothing_is_recalled_while_somebody_must_see_every_query() -> None:
    class Watcher(Observer):
        def must_see(self, count: int) -> bool:
            return count > 10

    resolver = Resolver(State(example()), observer=Observers(Observer(), Watcher()))
    assert resolver.views(10) is not None
    assert resolver.views(11) is None


def test_the_memo_is_bounded_and_emptied_when_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MEMO_AT_MOST", 3)
    memory = views.Views(example(), 0.0)
    resolver = Resolver(State(example()))
    resolver.remembered = memory
    for number in range(5):
        ask(resolver, f"{number}-vpc.alicloudapi.com")
    view = memory.view(ip_address(IN_A), "udp", LISTEN)
    assert len(view.memo) == 3
    memory.now = views.MEMO_KEPT
    ask(resolver, "later-vpc.alicloudapi.com")
    assert len(view.memo) == 1
