"""What happens to a message: it is read, the client is identified, and the query is decided."""

from dataclasses import replace

from vpcdns.errors import MalformedMessage
from vpcdns.model.clients import Client, identify, is_trusted
from vpcdns.model.decision import Outcome
from vpcdns.model.dns import Question, Rcode
from vpcdns.model.resolution import resolve
from vpcdns.model.topology import Address, Prefix
from vpcdns.model.world import World
from vpcdns.query.responses import error_response, in_turn, response_to
from vpcdns.query.values import Arrival, Drop, Forward, Response
from vpcdns.wire.proxy import SIGNATURE, read_proxy
from vpcdns.wire.query import Query, read_query


def begin(message: bytes, arrival: Arrival, world: World, turn: int = 0) -> Response | Forward | Drop:
    """Decides what becomes of a message. Total: any octets give one of the three.

    RRsets in cyclic order begin with the record whose turn it is.
    """
    query, arrival = _read(message, arrival, world)
    if query is None:
        return Drop()
    if query.fault is not None or query.question is None:
        return error_response(query, arrival, query.fault or Rcode.FORMERR)
    return decide(query, query.question, arrival, world, turn)


def asked_by(message: bytes, arrival: Arrival, world: World) -> tuple[Query, Arrival, Client] | None:
    """What is asked and who asks, undecided; None for what cannot be resolved."""
    query, arrival = _read(message, arrival, world)
    if query is None or query.fault is not None or query.question is None:
        return None
    return query, arrival, _client(query, arrival, world)


def _read(message: bytes, arrival: Arrival, world: World) -> tuple[Query | None, Arrival]:
    """The query, behind the PROXY header that a trusted peer may put before it."""
    if arrival.transport == "udp" and message.startswith(SIGNATURE) and is_trusted(arrival.peer, world):
        try:
            header = read_proxy(message)
        except MalformedMessage:
            header = None
        if header is None:
            return None, arrival
        message, arrival = message[header.size :], replace(arrival, proxied=header.source)
    return read_query(message), arrival


def decide(
    query: Query, question: Question, arrival: Arrival, world: World, turn: int = 0
) -> Response | Forward | Drop:
    """What becomes of a query that could be read."""
    resolution = resolve(question, _client(query, arrival, world), world)
    match resolution.outcome:
        case Outcome.RESPOND:
            return response_to(query, arrival, in_turn(resolution, turn), world)
        case Outcome.FORWARD:
            return Forward(query, arrival, resolution, world.revision, turn)
        case Outcome.DROP:
            return Drop(resolution)


def _client(query: Query, arrival: Arrival, world: World) -> Client:
    """A PROXY header counts before a client subnet: it was added nearer to us (DESIGN §3)."""
    named: Address | Prefix | None = arrival.proxied
    if named is None and query.edns is not None and query.edns.client_subnet is not None:
        named = query.edns.client_subnet.prefix
    vpc_id = None if arrival.listen is None else arrival.listen.vpc_id
    return identify(arrival.peer, world, named=named, listener_vpc_id=vpc_id)
