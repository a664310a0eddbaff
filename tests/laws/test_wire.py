"""Any octets from anyone: a well-formed response, a query to forward, or silence; never an exception."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from tests.support.example_world import IN_B, STRANGER, example
from tests.support.message_strategies import MESSAGES
from tests.support.messages import read, well_formed
from vpcdns.model.policy import Transport
from vpcdns.query import Arrival, Forward, Response, begin, servfail, truncated_response

WORLD = example()
CLIENTS = st.sampled_from(["127.0.0.1", IN_B, STRANGER, "fd00:1::5", "::1"]).map(ip_address)
TRANSPORTS: st.SearchStrategy[Transport] = st.sampled_from(["udp", "tcp"])


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
