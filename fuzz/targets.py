"""What is fuzzed: each target is a function of octets, its docstring the one sentence that must hold.

Knows nothing of the fuzzer, so that the kept corpus can be replayed by an ordinary test. A target raises
AssertionError when its sentence is wrong. An exception that it expects is caught where it may occur, with the
reason; every other one is a finding, and so is a growing process (-rss_limit_mb in `run`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from ipaddress import ip_address

from tests.support.example_world import IN_A, STRANGER, example
from tests.support.messages import well_formed
from vpcdns.config import loads
from vpcdns.errors import ConfigurationError, MalformedMessage
from vpcdns.model.policy import Transport
from vpcdns.query import Arrival, Drop, Fetched, Forward, Response, begin, finish, servfail
from vpcdns.wire.format import HEADER, MAX_TCP_PAYLOAD
from vpcdns.wire.proxy import HEADER_SIZE, MAX_SIZE, SIGNATURE, read_proxy
from vpcdns.wire.query import read_query
from vpcdns.wire.response import udp_limit
from vpcdns.wire.upstream import answers_question, read_response

WORLD = example()
# Over UDP from whoever is believed when it names another client; over TCP from a client, and from nobody.
ARRIVALS = (
    Arrival(ip_address("127.0.0.1"), "udp"),
    Arrival(ip_address(IN_A), "tcp"),
    Arrival(ip_address(STRANGER), "udp"),
)
QUESTION = b"\3www\7example\3org\0\0\1\0\1"
LONGEST_QUERY, LONGEST_FILE = 4_096, 20_000


def _judge(result: Response | Forward | Drop, message: bytes, transport: Transport) -> None:
    """Well-formed as dnspython sees it; not of family 0, which `dig +subnet=0` sends and we echo."""
    edns = result.query.edns if isinstance(result, Response) else None
    if edns is None or edns.client_subnet is None or edns.client_subnet.option[:2] != b"\0\0":
        well_formed(result, message, transport)


def query(octets: bytes) -> None:
    """Any octets give a well-formed response to them, a query to forward, or silence."""
    message = octets[:LONGEST_QUERY]
    for arrival in ARRIVALS:
        result = begin(message, arrival, WORLD)
        if arrival.transport == "tcp" or not message.startswith(SIGNATURE):
            _judge(result, message, arrival.transport)
    failed = servfail(message)
    assert (failed is None) == (read_query(message) is None)


def opt(octets: bytes) -> None:
    """Whatever an OPT record holds, its query is answered, with an OPT, in no more than it allows."""
    head, rdata = octets[:6].ljust(6, b"\0"), octets[6 : LONGEST_QUERY - 64]
    record = b"\0\0\x29" + head + len(rdata).to_bytes(2, "big") + rdata
    message = b"\x12\x34\1\0\0\1\0\0\0\0\0\1\x0balicloudapi\3com\0\0\6\0\1" + record
    for arrival in ARRIVALS:
        result = begin(message, arrival, WORLD)
        assert isinstance(result, Response)
        assert result.query.edns is not None
        _judge(result, message, arrival.transport)


def proxy(octets: bytes) -> None:
    """A PROXY header is read whole, or not yet, or refused; what follows is answered as if alone."""
    octets = octets[:LONGEST_QUERY]
    try:
        header = read_proxy(octets)
    except MalformedMessage:  # a header that cannot be used: its connection ends
        header = None
    if header is not None:
        assert HEADER_SIZE <= header.size <= min(len(octets), MAX_SIZE)
        assert octets.startswith(SIGNATURE)
        rest = octets[header.size :]
        result = begin(octets, ARRIVALS[0], WORLD)
        alone = begin(rest, Arrival(ARRIVALS[0].peer, "tcp", proxied=header.source), WORLD)
        if not rest.startswith(SIGNATURE):
            assert type(result) is type(alone)
        if isinstance(result, Response):
            _judge(result, rest, "udp")


def _forwards() -> list[Forward]:
    found = []
    for arrival, additional in ((ARRIVALS[0], b"\0\0\x29\x04\xd0\0\0\0\0\0\0"), (ARRIVALS[1], b"")):
        message = struct.pack("!6H", 7, 0x0100, 1, 0, 0, bool(additional)) + QUESTION + additional
        result = begin(message, arrival, WORLD)
        assert isinstance(result, Forward)
        found.append(result)
    return found


FORWARDS = _forwards()


def upstream(octets: bytes) -> None:
    """Whatever upstream says, the client gets its id and question, and no more than it takes."""
    message = b"\0\7" + octets[:10].ljust(10, b"\0") + QUESTION + octets[10:]
    if not answers_question(message, 7, QUESTION):
        return
    try:
        relayed = read_response(message, HEADER.size + len(QUESTION))
    except MalformedMessage:  # a response that is not used: the next upstream is asked
        return
    for forward in FORWARDS:
        for fetched in (Fetched(relayed), Fetched(relayed, 2**31), Fetched(relayed, 5, stale=True)):
            result = finish(forward, fetched, WORLD)
            if not isinstance(result, Response):
                continue
            limit = udp_limit(forward.query) if forward.arrival.transport == "udp" else MAX_TCP_PAYLOAD
            assert len(result.octets) <= limit
            assert result.octets[:2] == b"\0\7"
            assert result.octets[2] & 0xF8 == 0x80
            assert result.octets[4:6] == b"\0\1"
            assert result.octets[12:].startswith(QUESTION)


def config(octets: bytes) -> None:
    """Any octets are a World, or problems that each say where, what and the way out."""
    octets = octets[:LONGEST_FILE]
    try:
        loads(octets, "fuzz.yaml")
    except ConfigurationError as error:  # what a broken file is: exit code 1
        problems = error.problems
    else:
        return
    lines = len(octets.decode(errors="replace").splitlines()) + 1
    assert problems
    for problem in problems:
        assert problem.what
        assert problem.way_out
        assert 0 <= problem.line <= lines
        assert str(problem).isprintable()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "query": query,
    "opt": opt,
    "proxy": proxy,
    "upstream": upstream,
    "config": config,
}
