"""Any octets from anyone: a well-formed response, a query to forward, or silence; never an exception."""

from __future__ import annotations

import struct
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from tests.support.asking import query, read, well_formed
from tests.support.world_strategies import LABELS, TYPES
from tests.support.worlds import CUSTOM, DEDICATED_NAME, IN_B, STRANGER, example
from vpcdns.model.policy import Transport
from vpcdns.query import Arrival, Forward, Response, begin, servfail, truncated_response

WORLD = example()
CLIENTS = st.sampled_from(["127.0.0.1", IN_B, STRANGER, "fd00:1::5", "::1"]).map(ip_address)
TRANSPORTS: st.SearchStrategy[Transport] = st.sampled_from(["udp", "tcp"])
SEEDS = [
    query(name, rtype, subnet=subnet).to_wire()
    for name in (DEDICATED_NAME, CUSTOM, "whoami.vpcdns.internal", f"{CUSTOM}.explain.vpcdns.internal")
    for rtype, subnet in (("A", None), ("TXT", "10.1.0.0/16"))
]


@st.composite
def likely(draw: st.DrawFn) -> bytes:
    """A message made of parts that fit, mostly."""
    counts = draw(st.tuples(*[st.sampled_from([0, 1, 1, 2, 65535])] * 4))
    header = struct.pack("!6H", draw(st.integers(0, 65535)), draw(st.integers(0, 0x7FFF)), *counts)
    if draw(st.booleans()):
        header = header[:2] + b"\1\0\0\1\0\0\0\0" + header[10:]
    labels = draw(st.lists(LABELS | st.just(b"alicloudapi") | st.just(b"com"), max_size=8))
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    question = name + struct.pack("!HH", draw(TYPES), draw(st.sampled_from([1, 1, 3, 255])))
    options = b"".join(
        struct.pack("!HH", code, len(value)) + value
        for code, value in draw(st.lists(st.tuples(st.integers(0, 20), st.binary(max_size=24)), max_size=4))
    )
    opt = b"\0\0\x29" + draw(st.binary(min_size=6, max_size=6)) + struct.pack("!H", len(options)) + options
    return header + question + opt + draw(st.binary(max_size=8))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good query with some octets changed, cut out or put in."""
    octets = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(octets)))
        octets[start : start + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(octets)


MESSAGES = st.one_of(st.binary(max_size=600), likely(), damaged())


@given(MESSAGES, CLIENTS, TRANSPORTS)
def test_any_octets(message: bytes, client: object, transport: Transport) -> None:
    """The response, if there is one, has the message's id, opcode and question, and fits the client."""
    arrival = Arrival(ip_address(str(client)), transport)
    result = begin(message, arrival, WORLD)
    assert result == begin(message, arrival, WORLD)
    well_formed(result, message, transport)


@given(MESSAGES)
def test_any_octets_may_be_answered_with_servfail(message: bytes) -> None:
    octets = servfail(message)
    if octets is not None:
        assert read(octets).id == int.from_bytes(message[:2], "big")


@given(MESSAGES)
def test_a_stranger_gets_no_more_than_it_sent(message: bytes) -> None:
    """Over UDP the amplification of any response to a stranger is at most 1 (docs/decisions/0009)."""
    result = begin(message, Arrival(ip_address(STRANGER)), WORLD)
    assert not isinstance(result, Forward)
    if isinstance(result, Response):
        assert len(result.octets) <= len(message)
        assert len(truncated_response(result.query).octets) <= len(message)


@given(MESSAGES, CLIENTS)
def test_no_error_is_longer_than_the_query(message: bytes, client: object) -> None:
    result = begin(message, Arrival(ip_address(str(client))), WORLD)
    if isinstance(result, Response) and result.query.fault is not None:
        assert len(result.octets) <= len(message)
    assert len(servfail(message) or b"") <= len(message)
