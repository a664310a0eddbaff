"""What the program says to a case: the only module here that knows the program's own names.

An outcome is one line of text, its octets in hexadecimal: `reply OCTETS`, `forward UPSTREAMS OCTETS` with
the query as upstreams are asked it, `drop`, `none` for what is owed no response, `refused` for upstreams'
messages that are no answer to our question, `malformed` for those that cannot be read, `accepted` for those
that can. `raised ERROR OCTETS` is what a query gets whose answering raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final

from tests.corpus.messages import UPSTREAM_ID
from tests.corpus.recording import Case, Configuration, Kind
from vpcdns.config import loads
from vpcdns.errors import MalformedMessage
from vpcdns.model.dns import ExtendedError, InfoCode, Rcode
from vpcdns.model.policy import Listen, ServerIdentity
from vpcdns.model.world import World
from vpcdns.query import (
    Arrival,
    Drop,
    Failure,
    Fetched,
    Forward,
    Response,
    begin,
    error_response,
    finish,
    servfail,
    truncated_response,
)
from vpcdns.wire.format import HEADER
from vpcdns.wire.query import read_query
from vpcdns.wire.relay import write_upstream_query
from vpcdns.wire.upstream import answers_question, read_response

_FIRST_REVISION: Final = 1_700_000_000


def worlds(configurations: Sequence[Configuration]) -> list[World]:
    """The World of each configuration; no two have one revision."""
    return [
        loads(
            configuration.text,
            configuration.name,
            revision=_FIRST_REVISION + number,
            identity=ServerIdentity(configuration.version, configuration.server_id),
        ).world
        for number, configuration in enumerate(configurations)
    ]


def outcome(case: Case, known: Sequence[World]) -> str:
    """What becomes of one case; `known` are the Worlds of all configurations."""
    match case.kind:
        case Kind.READ:
            return _reading(case.query)
        case Kind.SERVFAIL:
            octets = servfail(case.query)
            return "none" if octets is None else f"reply {octets.hex()}"
        case Kind.OVER_TCP | Kind.NOT_READY:
            return _without_world(case)
        case Kind.ASK | Kind.RELAY | Kind.FAILED:
            try:
                return _exchanged(case, known)
            except Exception as error:  # noqa: BLE001 - as the listeners' catch-all
                return f"raised {type(error).__name__} {(servfail(case.query) or b'').hex()}"


def _exchanged(case: Case, known: Sequence[World]) -> str:
    result = begin(case.query, _arrival(case), known[case.configuration])
    if isinstance(result, Forward) and case.kind is not Kind.ASK:
        fetched = _fetched(case, result)
        if isinstance(fetched, str):
            return fetched
        result = finish(result, fetched, known[case.finished_in])
    return _said(result)


def _arrival(case: Case) -> Arrival:
    arrival = case.arrival
    proxied = ip_address(arrival.proxied) if arrival.proxied else None
    return Arrival(
        ip_address(arrival.client),
        arrival.transport,
        Listen(ip_address("127.0.0.1"), 53, arrival.listener or None),
        proxied=proxied,
    )


def _said(result: Response | Forward | Drop) -> str:
    match result:
        case Response():
            return f"reply {result.octets.hex()}"
        case Forward():
            upstreams = ",".join(map(str, result.resolution.upstreams))
            asked = write_upstream_query(result.query, result.question_wire, UPSTREAM_ID)
            return f"forward {upstreams} {asked.hex()}"
        case Drop():
            return "drop"


def _fetched(case: Case, forward: Forward) -> Fetched | Failure | str:
    """What came from upstreams, or the outcome when it counts as no response."""
    if case.kind is Kind.FAILED:
        return Failure[case.failure]
    question_wire = forward.query.question_wire
    if not answers_question(case.upstream, UPSTREAM_ID, question_wire):
        return "refused"
    try:
        relayed = read_response(case.upstream, HEADER.size + len(question_wire))
    except MalformedMessage:
        return "malformed"
    return Fetched(relayed, case.age, case.stale)


def _reading(octets: bytes) -> str:
    try:
        read_response(octets)
    except MalformedMessage:
        return "malformed"
    return "accepted"


def _without_world(case: Case) -> str:
    query = read_query(case.query)
    if query is None:
        return "none"
    if case.kind is Kind.OVER_TCP:
        return _said(truncated_response(query))
    error = ExtendedError(InfoCode.NOT_READY, "the server is starting")
    return _said(error_response(query, _arrival(case), Rcode.SERVFAIL, error))
