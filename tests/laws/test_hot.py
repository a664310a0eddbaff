"""The fast path knows no rule that the slow one does not: the same octets, whatever was asked before.

Both listeners do what `hot_answer` here does: look into the view's memo, then into its tables, and ask only
then. That they do so over sockets is for tests/server/test_batches.py.
"""

from __future__ import annotations

from ipaddress import IPv4Address

from hypothesis import given
from hypothesis import strategies as st

from tests import asking
from tests.laws.strategies import ADDRESSES, CHANGES, CUSTOM, GROUPS, worlds
from tests.worlds import HZ, SH
from vpcdns.exchange import Arrival, Reply, Transport, begin
from vpcdns.model.changes import Change
from vpcdns.model.policy import Listen
from vpcdns.model.topology import Address, unmapped
from vpcdns.model.world import World
from vpcdns.server.hot import recollected
from vpcdns.server.resolver import Resolver
from vpcdns.state import State

LISTENS = (Listen(IPv4Address("127.0.0.1"), 53), Listen(IPv4Address("127.0.0.1"), 54, "vpc-1"))
LABELS = [f"{group}-{region}-vpc" for group in (*GROUPS, "9" * 32) for region in (HZ, SH)]
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
CASES = st.sampled_from([str.lower, str.upper, str.swapcase, str.title])


@st.composite
def queries(draw: st.DrawFn) -> bytes:
    """Messages from plain to odd; few enough that the same one comes again."""
    name = draw(CASES)(draw(NAMES))
    subnet = draw(st.sampled_from([None, None, None, "10.1.0.5/32"]))
    edns: int | bool = draw(st.sampled_from([False, 0, 0, 1])) if subnet is None else 0
    message = asking.query(
        name,
        draw(st.sampled_from(["A", "A", "A", "AAAA", "HTTPS", "ANY", "TXT", "AXFR"])),
        rclass=draw(st.sampled_from(["IN", "IN", "IN", "CH"])),
        edns=edns,
        payload=draw(st.sampled_from([512, 1232, 4096])),
        do=draw(st.booleans()) if edns is not False else False,
        subnet=subnet,
        flags=draw(st.sampled_from([0x0100, 0x0100, 0, 0x0110, 0x0120, 0x0140, 0x0300])),
        identity=draw(st.sampled_from([0, 1, 0xFFFF])),
    ).to_wire()
    cut = draw(st.sampled_from([0, 0, 0, 0, 0, 1, 5]))
    return message[: len(message) - cut] + draw(st.sampled_from([b"", b"", b"", b"\0"]))


def hot_answer(
    resolver: Resolver, message: bytes, peer: Address, transport: Transport, listen: Listen
) -> bytes | None:
    """What a listener sends: what can be recalled, else what the resolver says."""
    hot = resolver.hot(1)
    assert hot is not None
    view = hot.view(peer, transport, listen)
    recalled = view.memo.get(message[2:]) or view.recall(message[2:])
    if recalled is None:
        answer = resolver.respond(message, peer, 4711, transport, listen)
        assert answer is None or isinstance(answer, bytes)
        return answer
    arrival, again = recollected((0.0, view, message[2:], peer))
    assert isinstance(again, Reply)
    assert again.octets[2:] == recalled[0]
    assert arrival.peer == peer
    return message[:2] + recalled[0]


def slow_answer(
    world: World, message: bytes, peer: Address, transport: Transport, listen: Listen
) -> bytes | None:
    result = begin(message, Arrival(peer, transport, listen.vpc_id, listen=listen), world)
    return result.octets if isinstance(result, Reply) else None


@given(
    worlds(),
    st.lists(
        st.tuples(
            queries(),
            ADDRESSES,
            st.sampled_from(["udp", "tcp"]),
            st.sampled_from(LISTENS),
            st.none() | st.none() | CHANGES,
        ),
        min_size=5,
        max_size=40,
    ),
)
def test_what_is_recalled_is_what_would_be_decided(
    world: World, asked: list[tuple[bytes, Address, Transport, Listen, Change | None]]
) -> None:
    """Invariant: a recalled response is octet for octet the one that the World of now gives."""
    state = State(world)
    resolver = Resolver(state)
    for message, address, transport, listen, change in asked * 2:
        peer = unmapped(address)
        slow = slow_answer(state.world, message, peer, transport, listen)
        if slow is None:
            continue  # forwarded, dropped, or owed nothing: never recalled, and not to be sent from here
        assert hot_answer(resolver, message, peer, transport, listen) == slow
        if change is not None:
            state.apply(change)
