"""Responses to queries that are decided here: how long they may be, their options and extended errors."""

from dataclasses import replace
from typing import Final

from vpcdns.model.clients import Client, is_trusted
from vpcdns.model.decision import Outcome
from vpcdns.model.dns import ExtendedError, Rcode, Record
from vpcdns.model.policy import Explain
from vpcdns.model.resolution import Resolution
from vpcdns.model.world import World
from vpcdns.query.values import Arrival, Failure, Response
from vpcdns.wire.edns import Options, keepalive
from vpcdns.wire.format import (
    AA,
    MAX_TCP_PAYLOAD,
    OPTION_CLIENT_SUBNET,
    OPTION_KEEPALIVE,
    OPTION_NSID,
    RA,
    TC,
)
from vpcdns.wire.query import Query, read_query
from vpcdns.wire.response import udp_limit, write_response

TCP_IDLE_SECONDS: Final = 10  # RFC 7766 §6.2.3, RFC 9210 §4.4: a few; BIND 30, Unbound 30, Knot DNS 10


def response_to(query: Query, arrival: Arrival, resolution: Resolution, world: World) -> Response:
    """The response that renders a Resolution."""
    allowed, forwarding = resolution.client.allowed, world.forwarding
    # A stranger is offered nothing, so neither is recursion (docs/decisions/0009).
    recursion = allowed and (forwarding.upstreams or forwarding.rules)
    octets = write_response(
        query,
        resolution.rcode,
        limit_of(query, arrival, resolution.client, world),
        resolution.answers,
        resolution.proofs if resolution.soa is None else (*resolution.proofs, resolution.soa),
        flags=(AA if resolution.authoritative else 0) | (RA if recursion else 0),
        extended_error=explained(resolution.extended_error, world.answers.explain),
        options=options_of(query, arrival, resolution.client, world),
    )
    return Response(octets, query, resolution)


def in_turn(resolution: Resolution, turn: int) -> Resolution:
    """The Resolution with its last RRset turned by so many places, if that is in cyclic order."""
    if not turn or not resolution.cyclic:
        return resolution
    before, last = _last_rrset(resolution)
    first = turn % len(last)
    return replace(resolution, answers=(*before, *last[first:], *last[:first]))


def turns_of(resolution: Resolution) -> int:
    """In how many orders it comes."""
    return len(_last_rrset(resolution)[1]) if resolution.cyclic else 1


def _last_rrset(resolution: Resolution) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """The answers before the last name's, and those."""
    last = resolution.answers[-1].name
    before = tuple(record for record in resolution.answers if record.name != last)
    return before, tuple(record for record in resolution.answers if record.name == last)


def error_response(
    query: Query,
    arrival: Arrival,
    rcode: Rcode,
    error: ExtendedError | None = None,
    *,
    truncated: bool = False,
) -> Response:
    """The response to a query that is not resolved. Without `error` it is no longer than the query."""
    limit = MAX_TCP_PAYLOAD
    if arrival.transport == "udp":
        limit = query.size if error is None else udp_limit(query)
    flags = TC if truncated else 0
    return Response(write_response(query, rcode, limit, flags=flags, extended_error=error), query)


def truncated_response(query: Query, resolution: Resolution | None = None) -> Response:
    """Says only "ask again over TCP", which a spoofed client cannot do; never longer than the query."""
    return Response(write_response(query, Rcode.NOERROR, query.size, flags=TC), query, resolution)


def failed(resolution: Resolution, failure: Failure) -> Resolution:
    """SERVFAIL instead of what the Resolution says."""
    return replace(
        resolution,
        outcome=Outcome.RESPOND,
        rcode=Rcode.SERVFAIL,
        answers=(),
        authoritative=False,
        extended_error=failure.error,
    )


def servfail(message: bytes) -> bytes | None:
    """SERVFAIL without details, for a query whose answering raised an error; None if it gets no response.

    Who asked is not known here, so it is never longer than the query.
    """
    query = read_query(message)
    return None if query is None else write_response(query, Rcode.SERVFAIL, query.size)


def limit_of(query: Query, arrival: Arrival, client: Client, world: World) -> int:
    """How many octets a response may have.

    A stranger's address may be spoofed, but over TCP, and for peers trusted not to be (decisions/0009).
    """
    if arrival.transport == "tcp":
        return MAX_TCP_PAYLOAD
    limit = udp_limit(query)
    return limit if client.allowed or is_trusted(arrival.peer, world) else min(limit, query.size)


def explained(error: ExtendedError | None, explain: Explain) -> ExtendedError | None:
    """As much of an extended error as `answers.explain` allows."""
    if error is None or explain is Explain.OFF:
        return None
    return error if explain is Explain.FULL else ExtendedError(error.info_code)


def options_of(query: Query, arrival: Arrival, client: Client, world: World) -> Options:
    """EDNS options that the query asked for. A stranger gets none: nothing of ours, and nothing longer."""
    if query.edns is None or not client.allowed:
        return ()
    options: list[tuple[int, bytes]] = []
    if query.edns.has(OPTION_NSID):
        options.append((OPTION_NSID, world.identity.server_id.encode()))
    subnet_used = arrival.proxied is None and is_trusted(arrival.peer, world)
    if query.edns.client_subnet is not None and subnet_used:
        options.append((OPTION_CLIENT_SUBNET, query.edns.client_subnet.echo(client.prefix_needed)))
    if arrival.transport == "tcp" and query.edns.has(OPTION_KEEPALIVE):
        options.append(keepalive(TCP_IDLE_SECONDS))
    return tuple(options)
