"""Private zones: what is recalled is what would be decided, whatever has been changed or reloaded before.

As tests/laws/test_hot.py has it for the rest; here records take turns, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address, ip_address

from hypothesis import given
from hypothesis import strategies as st

from tests.support import messages
from tests.support.example_world import (
    CUSTOM,
    DEDICATED_NAME,
    HZ,
    IN_A,
    IN_B,
    IN_C,
    ON_INTERNET,
    ON_PREMISES,
    SERVERLESS_NAME,
    UNKNOWN_NAME,
    VPC_A,
    VPC_B,
    VPC_C,
    example,
)
from vpcdns.model.changes import Change, CreateGroup
from vpcdns.model.dns import Octets, Rdata, RRType
from vpcdns.model.gateway import Group
from vpcdns.model.names import Name
from vpcdns.model.policy import Listen
from vpcdns.model.private_zone_changes import (
    AddZone,
    AddZoneRecord,
    BindZone,
    DeleteZone,
    DeleteZoneRecord,
    SetFallThrough,
    UpdateZoneRecord,
)
from vpcdns.model.private_zones import RRsetOrder, ZoneRecord
from vpcdns.model.world import World
from vpcdns.query import Arrival, Forward, Response, begin, turns_of
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

HERE = Listen(IPv4Address("127.0.0.1"), 53)
TWIN = "e" * 32  # another group of the dedicated instance
TWIN_NAME = f"{TWIN}-{HZ}-vpc.alicloudapi.com"
ZONES = {
    f"z{number}": zone
    for number, zone in enumerate(
        ["corp.test", "db.corp.test", "corp.test", "alicloudapi.com", DEDICATED_NAME, "example.com", "test"]
    )
}
OWNERS = ["@", "db", "x.db", "*", "*.db", "a.b.db", "api", "www", "alias", TWIN_NAME.partition(".")[0]]
TARGETS = ["db.corp.test", "alias.corp.test", "www.example.org", DEDICATED_NAME, CUSTOM, "nothing.test"]
ASKED = [
    *("corp.test", "db.corp.test", "x.db.corp.test", "y.z.db.corp.test", "alias.corp.test", "www.corp.test"),
    *("q.corp.test", "b.db.corp.test", "test", "db.test", "other.test", "www.example.org", "example.com"),
    *(CUSTOM, DEDICATED_NAME, TWIN_NAME, SERVERLESS_NAME, UNKNOWN_NAME, "alicloudapi.com"),
    *("www.alicloudapi.com", f"www.{DEDICATED_NAME}"),
]
PEERS = [ip_address(one) for one in (IN_A, IN_A, IN_B, IN_C, ON_PREMISES, ON_INTERNET)]


def _named(zone: str, owner: str) -> Name:
    return Name.from_text(zone if owner == "@" else f"{owner}.{zone}")


DATA: dict[int, st.SearchStrategy[Rdata]] = {
    RRType.A: st.integers(1, 9).map(lambda low: IPv4Address(0x0A090900 | low)),
    RRType.TXT: st.sampled_from([(b"one",), (b"x" * 200, b"y" * 200), (b"z" * 250,) * 3]),
    RRType.CNAME: st.sampled_from([Name.from_text(target) for target in TARGETS]),
    RRType.MX: st.just(Octets(b"\x00\x0a\x04mail\x00", "10 mail.")),
    65280: st.just(Octets(b"\x0a\x00\x00\x01", "")),
}


@st.composite
def zone_records(draw: st.DrawFn, zone: str) -> ZoneRecord:
    rtype = draw(st.sampled_from([1, 1, 1, *DATA]))
    ttl = draw(st.sampled_from([None, 0, 60, 0x7FFFFFFF]))
    name = _named(zone, draw(st.sampled_from(OWNERS)))
    return ZoneRecord(name, rtype, draw(DATA[rtype]), ttl, draw(st.booleans() | st.just(True)))


@st.composite
def zone_changes(draw: st.DrawFn) -> Change:
    zone_id = draw(st.sampled_from(sorted(ZONES)))
    record = draw(zone_records(ZONES[zone_id]))
    record_id = draw(st.integers(0, 5))
    vpcs = draw(st.sets(st.sampled_from([VPC_A, VPC_A, VPC_B, VPC_C])))
    return draw(
        st.sampled_from(
            [
                AddZoneRecord(zone_id, record_id, record),
                AddZoneRecord(zone_id, record_id, record),
                UpdateZoneRecord(zone_id, record_id, record),
                DeleteZoneRecord(zone_id, record_id),
                BindZone(zone_id, tuple(vpcs)),
                SetFallThrough(zone_id, draw(st.booleans())),
                DeleteZone(zone_id),
                AddZone(zone_id, Name.from_text(ZONES[zone_id])),
            ]
        )
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    world = example()
    world = _tried(world, CreateGroup(Group(TWIN, "apigateway-bound", HZ, vpc_domain=True)))
    for zone_id in draw(st.sets(st.sampled_from(sorted(ZONES)), min_size=1)):
        zone = ZONES[zone_id]
        world = _tried(world, AddZone(zone_id, Name.from_text(zone), draw(st.booleans())))
        world = _tried(world, BindZone(zone_id, (VPC_A, *draw(st.sets(st.sampled_from([VPC_B, VPC_C]))))))
        for number, record in enumerate(draw(st.lists(zone_records(zone), max_size=8))):
            world = _tried(world, AddZoneRecord(zone_id, number, record))
    for made in world.private_zones.zones.values():
        order: RRsetOrder = draw(st.sampled_from(["cyclic", "cyclic", "fixed"]))
        zones = world.private_zones.with_zone(replace(made, rrset_order=order))
        world = replace(world, private_zones=zones)
    return world


def _tried(world: World, change: Change) -> World:
    after = change.apply(world)
    return after if isinstance(after, World) else world


@st.composite
def questions(draw: st.DrawFn) -> bytes:
    case = draw(st.sampled_from([str.lower, str.lower, str.upper]))
    return messages.query(
        case(draw(st.sampled_from(ASKED))),
        draw(st.sampled_from(["A", "A", "A", "TXT", "CNAME", "ANY", "DS", "SOA", "NS", "TYPE65280"])),
        edns=draw(st.sampled_from([False, 0])),
        payload=draw(st.sampled_from([512, 1232])),
    ).to_wire()


class Asking:
    """A resolver that is asked as a listener does, and compared with what the current World says."""

    def __init__(self, world: World) -> None:
        self.state = State(world)
        self.resolver = Resolver(self.state)
        self.recalled = 0

    def recall(self, message: bytes, arrival: Arrival) -> bytes | None:
        views = self.resolver.views(1)
        assert views is not None
        view = views.view(arrival.peer, arrival.transport, HERE)
        assert (
            not isinstance(self.decided(message, arrival), Response) or view.routes.find(message[2:]) is None
        )
        known = view.memo.get(message[2:]) or view.recall(message[2:])
        return None if known is None else message[:2] + known[0]

    def decided(self, message: bytes, arrival: Arrival, turn: int = 0) -> Response | Forward:
        result = begin(message, arrival, self.state.world, turn)
        assert isinstance(result, Response | Forward)
        return result

    def ask(self, message: bytes, arrival: Arrival) -> None:
        """Twice: the second time the answer is recalled, if anything may be."""
        decided = self.decided(message, arrival)
        if isinstance(decided, Forward):
            assert self.recall(message, arrival) is None
            view = self.resolver.remembered.view(arrival.peer, arrival.transport, HERE)
            view.routes.learn(message[2:], decided, self.state.world)
            return
        turns = 1 if decided.resolution is None else turns_of(decided.resolution)
        orders = [decided, *(self.decided(message, arrival, turn) for turn in range(1, turns))]
        expected = {order.octets for order in orders if isinstance(order, Response)}
        first = self.recall(message, arrival) or self.resolver.respond(message, arrival)
        assert first in expected
        if decided.resolution is None or decided.resolution.personal:
            return
        again = [self.recall(message, arrival) for _ in range(turns)]
        assert set(again) == expected, "as they take turns, all of them come"
        self.recalled += 1


@given(
    worlds(),
    st.lists(st.tuples(questions(), st.sampled_from(PEERS)), min_size=3, max_size=10),
    st.lists(zone_changes(), max_size=4),
    worlds(),
)
def test_what_is_recalled_is_what_would_be_decided(
    world: World, asked: list[tuple[bytes, IPv4Address]], changes: Sequence[Change], reloaded: World
) -> None:
    """Invariant: a recalled response is octet for octet one of those that the current World gives."""
    asking = Asking(world)
    steps: list[Callable[[], object]] = [lambda: None]
    steps += [partial(asking.state.apply, change) for change in changes]
    steps += [lambda: asking.state.reload(reloaded), asking.state.reset]
    for step in steps:
        step()
        for message, peer in asked:
            asking.ask(message, Arrival(peer, "udp", HERE))
