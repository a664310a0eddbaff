"""The life of one query without I/O: (message, where it arrived, world) -> Reply, Forward or Drop.

Knows the order of the checks (security.md §2): form, then identity, then stranger or not, and only
then the name. Holds no state, reads no clock; `server` brings the octets and takes them away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from vpcdns.model.clients import Client, identify, is_trusted
from vpcdns.model.decision import Outcome
from vpcdns.model.dns import ExtendedError, InfoCode, Rcode
from vpcdns.model.policy import Explain
from vpcdns.model.resolution import Resolution, resolve
from vpcdns.model.topology import Address
from vpcdns.model.world import World
from vpcdns.wire.query import OPTION_CLIENT_SUBNET, OPTION_KEEPALIVE, OPTION_NSID, Query, read_query
from vpcdns.wire.response import MAX_TCP_PAYLOAD, Response, udp_limit, write_response

TCP_IDLE_SECONDS: Final = 10  # RFC 7766 §6.2.3, RFC 9210 §4.4; Unbound has 30, BIND 30

Transport = Literal["udp", "tcp"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a message came: from whom, over what, and whose listener it reached."""

    peer: Address
    transport: Transport = "udp"
    listener_vpc_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """Octets to send. `resolution` is None when the query could not be resolved, only answered."""

    octets: bytes
    query: Query
    resolution: Resolution | None = None


@dataclass(frozen=True, slots=True)
class Forward:
    """A query to be asked of `resolution.upstreams`."""

    message: bytes
    query: Query
    resolution: Resolution


@dataclass(frozen=True, slots=True)
class Drop:
    """No response: the message is owed none, or policy says so."""

    resolution: Resolution | None = None


def begin(message: bytes, arrival: Arrival, world: World) -> Reply | Forward | Drop:
    """Decides what becomes of a message. Total: any octets give one of the three."""
    query = read_query(message)
    if query is None:
        return Drop()
    if query.fault is not None or query.question is None:
        return fault(query, arrival, query.fault or Rcode.FORMERR)
    subnet = None if query.edns is None else query.edns.client_subnet
    named = None if subnet is None else subnet.address
    client = identify(arrival.peer, world, named=named, listener_vpc_id=arrival.listener_vpc_id)
    resolution = resolve(query.question, client, world)
    match resolution.outcome:
        case Outcome.RESPOND:
            return reply(query, arrival, resolution, world)
        case Outcome.FORWARD:
            return Forward(message, query, resolution)
        case Outcome.DROP:
            return Drop(resolution)


def reply(query: Query, arrival: Arrival, resolution: Resolution, world: World) -> Reply:
    """The response that renders a Resolution."""
    response = Response(
        resolution.rcode,
        resolution.answers,
        () if resolution.soa is None else (resolution.soa,),
        authoritative=resolution.authoritative,
        recursion_available=_forwards(world),
        extended_error=_explained(resolution.extended_error, world.answers.explain),
        options=_options(query, arrival, resolution.client, world),
    )
    return Reply(write_response(query, response, _limit(query, arrival)), query, resolution)


def fault(query: Query, arrival: Arrival, rcode: Rcode) -> Reply:
    """The response to a query that cannot be resolved."""
    return Reply(write_response(query, Response(rcode), _limit(query, arrival)), query)


def servfail(message: bytes) -> bytes | None:
    """What a query is owed when answering it raised: SERVFAIL, no details; None when it is owed nothing."""
    query = read_query(message)
    if query is None:
        return None
    error = ExtendedError(InfoCode.OTHER)
    return write_response(query, Response(Rcode.SERVFAIL, extended_error=error), udp_limit(query))


def _limit(query: Query, arrival: Arrival) -> int:
    return udp_limit(query) if arrival.transport == "udp" else MAX_TCP_PAYLOAD


def _forwards(world: World) -> bool:
    return bool(world.forwarding.upstreams or world.forwarding.rules)


def _explained(error: ExtendedError | None, explain: Explain) -> ExtendedError | None:
    match explain:
        case Explain.FULL:
            return error
        case Explain.CODE:
            return None if error is None else ExtendedError(error.info_code)
        case Explain.OFF:
            return None


def _options(query: Query, arrival: Arrival, client: Client, world: World) -> tuple[tuple[int, bytes], ...]:
    """EDNS options that the query asked for. A stranger gets none: nothing of ours, and nothing longer."""
    if query.edns is None or not client.allowed:
        return ()
    options: list[tuple[int, bytes]] = []
    if query.edns.has(OPTION_NSID):
        options.append((OPTION_NSID, world.identity.server_id.encode()))
    if query.edns.client_subnet is not None and is_trusted(arrival.peer, world):
        options.append((OPTION_CLIENT_SUBNET, query.edns.client_subnet.echo()))
    if arrival.transport == "tcp" and query.edns.has(OPTION_KEEPALIVE):
        options.append((OPTION_KEEPALIVE, (TCP_IDLE_SECONDS * 10).to_bytes(2, "big")))  # RFC 7828 §3.1
    return tuple(options)
