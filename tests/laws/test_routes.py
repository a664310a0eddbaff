"""The short way writes what the slow path writes, or nothing: to upstreams and back."""

from __future__ import annotations

from ipaddress import IPv4Address

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
from hypothesis import given
from hypothesis import strategies as st

from tests.support.example_world import IN_B, example
from tests.support.message_strategies import responses
from tests.support.messages import query
from vpcdns.errors import MalformedMessage
from vpcdns.forward.attempt import upstream_query_of
from vpcdns.model.policy import Listen
from vpcdns.query import Arrival, Fetched, Forward, Response, begin, finish
from vpcdns.recall.forward_routes import Routes
from vpcdns.wire.upstream import read_response

WORLD = example()
LISTEN = Listen(IPv4Address("127.0.0.1"), 53)
PARENT = "eXample.org"
FIRST = st.sampled_from(["www", "WwW", "a", "x" * 63, "n1", "a.b", "A.b.C"])
SHAPES = st.fixed_dictionaries(
    {
        "rtype": st.sampled_from(["A", "A", "AAAA", "CNAME", "ANY", "TXT", "HTTPS"]),
        "edns": st.sampled_from([False, 0]),
        "payload": st.sampled_from([512, 600, 1232, 4096]),
        "flags": st.sampled_from([0x0100, 0, 0x0110, 0x0120, 0x0130]),
        "dnssec": st.booleans(),
    }
)


def forwarded(message: bytes) -> Forward:
    found = begin(message, Arrival(IPv4Address(IN_B), listen=LISTEN), WORLD)
    assert isinstance(found, Forward)
    return found


def written(first: str, shape: dict[str, object], identity: int) -> bytes:
    how = {key: value for key, value in shape.items() if key != "dnssec"}
    asked = query(f"{first}.{PARENT}", identity=identity, **how)  # type: ignore[arg-type]
    if shape["dnssec"] and shape["edns"] == 0:
        asked.want_dnssec()
    return asked.to_wire()


@st.composite
def plain_responses(draw: st.DrawFn, asked: dns.message.Message) -> bytes:
    """What upstreams send nearly always: addresses, or a SOA; sometimes more than fits."""
    response = dns.message.make_response(asked)
    response.flags |= draw(st.sampled_from([0, int(dns.flags.RA), int(dns.flags.AA), int(dns.flags.AD)]))
    owner = asked.question[0].name.to_text()
    count = draw(st.sampled_from([0, 1, 2, 29, 70, 90]))
    for number in range(count):
        ttl = draw(st.sampled_from([0, 60, 2**31 - 1, 2**31]))
        response.answer.append(dns.rrset.from_text(owner, 60, "IN", "A", f"192.0.2.{number}"))
        response.answer[-1].ttl = ttl
    if not count:
        response.set_rcode(draw(st.sampled_from([dns.rcode.NOERROR, dns.rcode.NXDOMAIN])))
        soa = "ns.example.org. root.example.org. 1 2 3 4 60"
        response.authority.append(dns.rrset.from_text(f"{PARENT}.", 900, "IN", "SOA", soa))
    return response.to_wire(max_size=65535)


@given(st.data(), SHAPES, FIRST, FIRST)
def test_the_short_way_says_what_the_slow_path_says(
    data: st.DataObject, shape: dict[str, object], first: str, second: str
) -> None:
    """Invariant: what a route writes, for a name of the family it was learned from, is the slow path's."""
    routes = Routes()
    learned, message = written(first, shape, 1), written(second, shape, 0xABCD)
    routes.learn(learned[2:], forwarded(learned), WORLD)
    found = routes.find(message[2:])
    assert found is not None
    (route, labels), forward = found, forwarded(message)
    assert route.upstream_query(labels) == upstream_query_of(forward, forward.key)
    asked = dns.message.from_wire(message)
    octets = data.draw(st.one_of(plain_responses(asked), responses(asked)))
    try:
        relayed = read_response(octets)
    except MalformedMessage:
        return
    short = route.response(labels, relayed)
    slow = finish(forward, Fetched(relayed), WORLD)
    if short is not None:
        assert isinstance(slow, Response)
        assert message[:2] + short == slow.octets


def test_ordinary_responses_go_the_short_way() -> None:
    """Or the law above would say nothing."""
    routes = Routes()
    for edns in (False, 0):
        message = query("www.example.org", edns=edns).to_wire()
        routes.learn(message[2:], forwarded(message), WORLD)
        found = routes.find(message[2:])
        assert found is not None
        route, labels = found
        response = dns.message.make_response(dns.message.from_wire(message))
        response.answer.append(dns.rrset.from_text("www.example.org.", 60, "IN", "A", "192.0.2.1"))
        assert route.response(labels, read_response(response.to_wire())) is not None


@given(SHAPES, st.binary(max_size=80), st.integers(0, 60))
def test_other_octets_find_no_route_but_to_a_well_formed_name(
    shape: dict[str, object], label: bytes, length: int
) -> None:
    """Invariant: a query that finds a route is one that the slow path forwards, to the same upstreams."""
    routes = Routes()
    learned = written("www", shape, 1)
    routes.learn(learned[2:], forwarded(learned), WORLD)
    query_octets = learned[2:12] + bytes((length,)) + label + learned[16:]
    found = routes.find(query_octets)
    if found is not None:
        assert forwarded(b"\0\0" + query_octets).resolution.upstreams == found[0].upstreams


def test_a_name_that_is_too_long_finds_none() -> None:
    parent = ".".join(("y" * 63, "z" * 63, "w" * 62))
    routes = Routes()
    learned = query(f"a.{parent}").to_wire()
    routes.learn(learned[2:], forwarded(learned), WORLD)
    assert routes.find(learned[2:]) is not None
    for length, fits in ((62, True), (63, False)):
        octets = learned[2:12] + bytes((length,)) + b"b" * length + learned[14:]
        assert (routes.find(octets) is not None) is fits
