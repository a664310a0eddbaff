"""The fast path knows no rule that the slow one does not: the same octets, whatever was asked before.

Both listeners do what `hot_answer` here does: look into the view's memo, then into its tables, and ask only
then. That they do so over sockets is for tests/server/test_batches.py.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support import messages
from tests.support.example_world import HZ, SH
from tests.support.world_strategies import ADDRESSES, CHANGES, CUSTOM, GROUPS, worlds
from vpcdns.model.changes import Change
from vpcdns.model.policy import Listen, Transport
from vpcdns.model.topology import Address, unmapped
from vpcdns.model.world import World
from vpcdns.query import Arrival, Response, begin
from vpcdns.recall.views import decided_again
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

TRUSTED = (IPv4Address("127.0.0.1"), IPv4Address("127.0.0.2"))
LISTENS = (Listen(IPv4Address("127.0.0.1"), 53), Listen(IPv4Address("127.0.0.1"), 54, "vpc-1"))
LABELS = [f"{group}-{region}-vpc" for group in (*GROUPS, "9" * 32) for region in (HZ, SH)]
VPC_DOMAINS = st.sampled_from([f"{label}.alicloudapi.com" for label in LABELS])
NAMES = st.sampled_from(
    [
        *(f"{label}.alicloudapi.com" for label in LABELS),
        f"x.{LABELS[0]}.alicloudapi.com",
        f"{LABELS[0]}.alicloudapi.com.corp.example",
        "1-vpc.alicloudapi.com",
        "alicloudapi.com",
        "whoami.vpcdns.internal",
        f"{LABELS[0]}.alicloudapi.com.explain.vpcdns.internal",
        "localhost",
        "www.debian.org",
        *(str(name).replace("*", "star") for name in CUSTOM),
    ]
)
SHAPES = st.fixed_dictionaries(
    {
        "rtype": st.sampled_from(["A", "A", "A", "AAAA", "HTTPS", "ANY", "TXT", "AXFR"]),
        "rclass": st.sampled_from(["IN"] * 7 + ["CH"]),
        "edns": st.sampled_from([False, 0, 0, 0, 1]),
        "payload": st.sampled_from([512, 1232, 4096]),
        "subnet": st.sampled_from([None] * 5 + ["10.1.0.5/32"]),
        "flags": st.sampled_from([0x0100, 0x0100, 0, 0x0110, 0x0120, 0x0140, 0x0300]),
    }
)
Asked = tuple[bytes, Address, Transport, Listen]


def _written(name: str, shape: dict[str, Any], identity: int) -> bytes:
    if shape["subnet"] is not None:
        shape = {**shape, "edns": 0}
    return messages.query(name, identity=identity, **shape).to_wire()


@st.composite
def sessions(draw: st.DrawFn) -> list[Asked]:
    """Queries of a few shapes from a few clients, so that what is remembered is asked for again."""
    shape = draw(SHAPES)
    shapes = [shape, draw(st.one_of(SHAPES, st.just({**shape, "flags": 0})))]
    peers = [*draw(st.lists(ADDRESSES, min_size=1, max_size=4)), *TRUSTED]
    few = st.sampled_from([*draw(st.lists(VPC_DOMAINS, min_size=2, max_size=5, unique=True)), draw(NAMES)])
    messages = st.builds(
        lambda case, name, shape, identity: _written(case(name), shape, identity),
        st.sampled_from([str.lower, str.lower, str.lower, str.upper, str.title]),
        few,
        st.sampled_from(shapes),
        st.sampled_from([0, 1, 0xFFFF]),
    )
    odd = st.builds(lambda message, cut: message[:-cut] or message, messages, st.sampled_from([1, 5]))
    asked = st.tuples(
        st.one_of(messages, messages, messages, odd),
        st.sampled_from(peers).map(unmapped),
        st.sampled_from(draw(st.sampled_from([["udp"], ["udp", "tcp"]]))),
        st.sampled_from(draw(st.sampled_from([LISTENS[:1], LISTENS]))),
    )
    return draw(st.lists(asked, min_size=20, max_size=60))


def hot_answer(
    resolver: Resolver, message: bytes, peer: Address, transport: Transport, listen: Listen
) -> bytes | None:
    """What a listener sends: what can be recalled, else what the resolver says."""
    views = resolver.views(1)
    assert views is not None
    view = views.view(peer, transport, listen)
    recalled = view.memo.get(message[2:]) or view.recall(message[2:])
    if recalled is None:
        answer = resolver.respond(message, Arrival(peer, transport, listen, 4711))
        assert answer is None or isinstance(answer, bytes)
        return answer
    told = decided_again((0.0, view, message[2:], peer))
    assert told is not None
    arrival, again = told
    assert isinstance(again, Response)
    assert again.octets[2:] == recalled[0]
    assert arrival.peer == peer
    return message[:2] + recalled[0]


def slow_answer(
    world: World, message: bytes, peer: Address, transport: Transport, listen: Listen
) -> bytes | None:
    result = begin(message, Arrival(peer, transport, listen), world)
    return result.octets if isinstance(result, Response) else None


@given(worlds(), sessions(), st.lists(CHANGES, max_size=2))
def test_what_is_recalled_is_what_would_be_decided(
    world: World, asked: list[Asked], changes: list[Change]
) -> None:
    """Invariant: a recalled response is octet for octet the one that the current World gives."""
    state = State(world)
    resolver = Resolver(state)
    for change in (None, *changes):
        if change is not None:
            state.apply(change)
        for message, peer, transport, listen in asked:
            slow = slow_answer(state.world, message, peer, transport, listen)
            if slow is None:
                continue  # forwarded, dropped, or owed nothing: nothing that is sent at once
            assert hot_answer(resolver, message, peer, transport, listen) == slow
