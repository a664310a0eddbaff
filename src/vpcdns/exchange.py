"""The life of one query without I/O: (message, where it arrived, world) -> Reply, Forward or Drop.

Knows the order of the checks (security.md §2): form, then identity, then stranger or not, and only
then the name. Holds no state, reads no clock; `server` brings the octets and takes them away.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, Literal

from vpcdns.errors import MalformedMessage, MalformedName
from vpcdns.model.clients import Client, identify, is_trusted
from vpcdns.model.decision import OWN_NAMES, Outcome, Step
from vpcdns.model.dns import ExtendedError, InfoCode, Question, Rcode, Record, RRType
from vpcdns.model.policy import Explain, Listen
from vpcdns.model.resolution import Resolution, resolve
from vpcdns.model.topology import Address
from vpcdns.model.world import World
from vpcdns.wire.proxy import SIGNATURE, read_proxy
from vpcdns.wire.query import OPTION_CLIENT_SUBNET, OPTION_KEEPALIVE, OPTION_NSID, Query, read_query
from vpcdns.wire.relay import (
    Relayed,
    cname_target,
    owner_name,
    without_records_from,
    write_relayed,
)
from vpcdns.wire.response import MAX_TCP_PAYLOAD, Response, udp_limit, write_response
from vpcdns.wire.sound import POINTER_TO_QUESTION

TCP_IDLE_SECONDS: Final = 10  # RFC 7766 §6.2.3, RFC 9210 §4.4; Unbound has 30, BIND 30

STALE_TTL: Final = 30  # seconds, RFC 8767 §4

MAX_CNAMES: Final = 16  # in one response; BIND and Unbound follow 11. Each costs the reading of a name

MAX_OWNERS: Final = 64  # names with records in one response; a referral to the root has 27, a long chain 17

Transport = Literal["udp", "tcp"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a message came: from whom, over what, and whose listener it reached.

    `proxied` is the client that a PROXY header named, if the peer is trusted to name one. `listen` decides
    nothing: it is for whoever tells of the query.
    """

    peer: Address
    transport: Transport = "udp"
    listener_vpc_id: str | None = None
    proxied: Address | None = None
    listen: Listen | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """Octets to send. `resolution` is None when the query could not be resolved, only answered.

    `relayed` is the upstream's response that the octets were made of, if they were.
    """

    octets: bytes
    query: Query
    resolution: Resolution | None = None
    relayed: Relayed | None = None


@dataclass(frozen=True, slots=True)
class Forward:
    """A query to be asked of `resolution.upstreams`; `finish` makes the reply of what they say."""

    query: Query
    arrival: Arrival
    resolution: Resolution
    revision: int

    @property
    def key(self) -> ForwardKey:
        """What makes two forwarded queries the same; never a client's subnet (RebirthDay)."""
        query, edns = self.query, self.query.edns
        bits = query.rd | query.ad << 1 | query.cd << 2
        if edns is not None:
            bits |= 8 | edns.do << 4
        # Without regard to case, but for type and class. Lengths are below 64, hence no letters.
        wire = query.question_wire
        whom = " ".join(map(str, self.resolution.upstreams))
        return wire[:-4].lower() + wire[-4:] + bytes((bits,)) + whom.encode()


ForwardKey = bytes  # octets remember their hash, and every forwarded query looks them up half a dozen times


@dataclass(frozen=True, slots=True)
class Fetched:
    """An upstream's response, `age` seconds old; `stale` when it outlived its TTL (RFC 8767).

    `until` is when it will have aged by a second, on the clock of whoever keeps it.
    """

    relayed: Relayed
    age: int = 0
    stale: bool = False
    until: float = field(default=0.0, compare=False)


class Failure(Enum):
    """Why there is no response from upstream; the table of errors to extended errors (RFC 8914).

    All are SERVFAIL: never NXDOMAIN, never an empty NOERROR (RFC 5625 §6.2).
    """

    SILENT = (InfoCode.NO_REACHABLE_AUTHORITY, "no upstream answered in time")
    UNREACHABLE = (InfoCode.NETWORK_ERROR, "no upstream could be reached")
    UNUSABLE = (InfoCode.NETWORK_ERROR, "upstream's response was unusable")
    REFUSED = (InfoCode.NETWORK_ERROR, "upstream refused")
    REMEMBERED = (InfoCode.CACHED_ERROR, "upstream failed a moment ago")
    OVERLOADED = (InfoCode.OTHER, "too many queries are being forwarded")
    LOOP = (InfoCode.OTHER, "forwarding loop: an upstream asks us what we asked it")

    def __init__(self, info_code: InfoCode, text: str) -> None:
        self.error = ExtendedError(info_code, text)


@dataclass(frozen=True, slots=True)
class Drop:
    """No response: the message is owed none, or policy says so."""

    resolution: Resolution | None = None


def begin(message: bytes, arrival: Arrival, world: World) -> Reply | Forward | Drop:
    """Decides what becomes of a message. Total: any octets give one of the three."""
    query, arrival = _read(message, arrival, world)
    if query is None:
        return Drop()
    if query.fault is not None or query.question is None:
        return fault(query, arrival, query.fault or Rcode.FORMERR)
    return _decide(query, query.question, arrival, world)


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


def _decide(query: Query, question: Question, arrival: Arrival, world: World) -> Reply | Forward | Drop:
    resolution = resolve(question, _client(query, arrival, world), world)
    match resolution.outcome:
        case Outcome.RESPOND:
            return reply(query, arrival, resolution, world)
        case Outcome.FORWARD:
            return Forward(query, arrival, resolution, world.revision)
        case Outcome.DROP:
            return Drop(resolution)


def _client(query: Query, arrival: Arrival, world: World) -> Client:
    """PROXY header before client subnet: the nearer witness (DESIGN §3)."""
    named = arrival.proxied
    if named is None and query.edns is not None and query.edns.client_subnet is not None:
        named = query.edns.client_subnet.address
    return identify(arrival.peer, world, named=named, listener_vpc_id=arrival.listener_vpc_id)


def reply(query: Query, arrival: Arrival, resolution: Resolution, world: World) -> Reply:
    """The response that renders a Resolution."""
    response = Response(
        resolution.rcode,
        resolution.answers,
        () if resolution.soa is None else (resolution.soa,),
        authoritative=resolution.authoritative,
        # A stranger is offered nothing, so neither is recursion (docs/decisions/0009).
        recursion_available=_forwards(world) and resolution.client.allowed,
        extended_error=_explained(resolution.extended_error, world.answers.explain),
        options=_options(query, arrival, resolution.client, world),
    )
    limit = _limit(query, arrival, resolution.client, world)
    return Reply(write_response(query, response, limit), query, resolution)


def finish(forward: Forward, result: Fetched | Failure, world: World) -> Reply | Forward | Drop:
    """The reply to a forwarded query, out of what the upstreams said.

    Decided in `world`, the current one: a query that was on its way during a change is decided anew, and
    is a Forward again if the change wants other upstreams asked.
    """
    query, arrival, resolution = forward.query, forward.arrival, forward.resolution
    if world.revision != forward.revision:
        anew = _decide(query, resolution.question, arrival, world)
        if not isinstance(anew, Forward) or anew.resolution.upstreams != resolution.upstreams:
            return anew
        resolution = anew.resolution
    if isinstance(result, Failure):
        return _failed(query, arrival, resolution, result, world)
    try:
        if result.relayed.truncated and arrival.transport == "tcp":
            raise MalformedMessage("truncated, with nowhere left to ask for the rest")
        own = _own_hop(result, resolution, world)
    except (MalformedMessage, MalformedName):
        return _failed(query, arrival, resolution, Failure.UNUSABLE, world)
    if own is not None:
        return Drop(own) if own.outcome is Outcome.DROP else reply(query, arrival, own, world)
    relayed = _unowned(_less_explained(result.relayed, world.answers.explain), resolution, world)
    octets = write_relayed(
        relayed,
        query,
        _limit(query, arrival, resolution.client, world),
        age=result.age,
        ttl=STALE_TTL if result.stale else None,
        extended_error=_explained(_fetched_error(result), world.answers.explain),
        options=_options(query, arrival, resolution.client, world),
    )
    return Reply(octets, query, _relayed_resolution(resolution, relayed), relayed)


def _failed(query: Query, arrival: Arrival, resolution: Resolution, failure: Failure, world: World) -> Reply:
    servfail = replace(
        resolution, outcome=Outcome.RESPOND, rcode=Rcode.SERVFAIL, extended_error=failure.error
    )
    return reply(query, arrival, servfail, world)


def _own_hop(fetched: Fetched, resolution: Resolution, world: World) -> Resolution | None:
    """Follows an upstream's CNAMEs; the first that leads to a name of ours is decided for this client.

    Nothing that the upstream says about such a name, or behind it, is passed on (CVE-2026-26017).
    """
    question, relayed = resolution.question, fetched.relayed
    if relayed.plain or question.rtype in (RRType.CNAME, RRType.ANY):
        return None
    cnames = [record for record in relayed.records if record.section == 0 and record.rtype == RRType.CNAME]
    if not cnames:
        return None
    if len(cnames) > MAX_CNAMES:
        raise MalformedMessage("more CNAMEs than any resolver follows")
    targets = {owner_name(relayed, record): record for record in cnames}
    if len(targets) < len(cnames):
        # RFC 2181 §10.1: one CNAME for a name. Of two, a client might follow the one that we do not.
        raise MalformedMessage("two CNAMEs at one name")
    name, chain = question.name, list[Record]()
    while (record := targets.pop(name, None)) is not None:
        target = cname_target(relayed, record)
        ttl = STALE_TTL if fetched.stale else max(0, record.ttl - fetched.age)
        chain.append(Record(name, RRType.CNAME, ttl, target))
        hop = resolve(Question(target, question.rtype), resolution.client, world)
        if hop.reason in OWN_NAMES:
            return replace(
                hop,
                question=question,
                answers=(*chain, *hop.answers),
                steps=(*resolution.steps, Step("cname", f"upstream says CNAME {target}"), *hop.steps[1:]),
                authoritative=False,  # RFC 6604 §2: the first name is not ours
            )
        name = target
    return None


def _unowned(relayed: Relayed, resolution: Resolution, world: World) -> Relayed:
    """Without what the upstream says unasked about names of ours, and what follows it.

    Such records come behind a CNAME that was itself asked for, or as additional ones: nobody needs them.
    Authority stays: the SOA above a denied name may be the suffix's. A record is cut off with all that
    follow, as those may point into it. Owners that are the question's name, which is not ours, are
    nearly all there are, and cost nothing; behind more than MAX_OWNERS others nothing is passed on.
    """
    if relayed.plain:
        return relayed
    decided = {resolution.question.name}
    for place, record in enumerate(relayed.records):
        owner = relayed.octets[record.name_at : record.name_at + 2]
        if owner == POINTER_TO_QUESTION or record.section == 1:
            continue
        name = owner_name(relayed, record)
        if name in decided:
            continue
        decided.add(name)
        if (
            len(decided) > MAX_OWNERS
            or resolve(Question(name, RRType.A), resolution.client, world).reason in OWN_NAMES
        ):
            return without_records_from(relayed, place)
    return relayed


def _relayed_resolution(resolution: Resolution, relayed: Relayed) -> Resolution:
    rcode = Rcode(relayed.rcode) if relayed.rcode in Rcode.__members__.values() else Rcode.SERVFAIL
    return replace(resolution, outcome=Outcome.RESPOND, rcode=rcode)


def _fetched_error(fetched: Fetched) -> ExtendedError | None:
    relayed = fetched.relayed
    if fetched.stale:
        code = InfoCode.STALE_NXDOMAIN_ANSWER if relayed.rcode == Rcode.NXDOMAIN else InfoCode.STALE_ANSWER
        return ExtendedError(code, "upstreams do not answer")
    if relayed.rcode == Rcode.SERVFAIL and not relayed.extended_errors:
        return ExtendedError(InfoCode.NETWORK_ERROR, "upstream answered SERVFAIL")
    return None


def fault(
    query: Query,
    arrival: Arrival,
    rcode: Rcode,
    error: ExtendedError | None = None,
    *,
    truncated: bool = False,
) -> Reply:
    """The response to a query that cannot, or shall not, be resolved: without `error` no longer than it."""
    response = Response(rcode, extended_error=error, truncated=truncated)
    limit = MAX_TCP_PAYLOAD
    if arrival.transport == "udp":
        limit = query.size if error is None else udp_limit(query)
    return Reply(write_response(query, response, limit), query)


def over_tcp_please(query: Query, resolution: Resolution | None = None) -> Reply:
    """Nothing but "ask again over TCP", which no spoofed source can: never longer than the query."""
    response = Response(Rcode.NOERROR, truncated=True)
    return Reply(write_response(query, response, query.size), query, resolution)


def servfail(message: bytes) -> bytes | None:
    """What a query is owed when answering it raised: SERVFAIL, no details; None when it is owed nothing.

    Who asked is not known here, so it is never longer than the query.
    """
    query = read_query(message)
    if query is None:
        return None
    return write_response(query, Response(Rcode.SERVFAIL), query.size)


def _limit(query: Query, arrival: Arrival, client: Client, world: World) -> int:
    """A stranger's address may be spoofed, but over TCP, and for peers trusted not to be (decisions/0009)."""
    if arrival.transport == "tcp":
        return MAX_TCP_PAYLOAD
    limit = udp_limit(query)
    return limit if client.allowed or is_trusted(arrival.peer, world) else min(limit, query.size)


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


def _less_explained(relayed: Relayed, explain: Explain) -> Relayed:
    """The upstream's extended errors are said as ours are."""
    if explain is Explain.FULL or not relayed.extended_errors:
        return relayed
    errors = tuple(data[:2] for data in relayed.extended_errors) if explain is Explain.CODE else ()
    return relayed._replace(extended_errors=errors)


def _options(query: Query, arrival: Arrival, client: Client, world: World) -> tuple[tuple[int, bytes], ...]:
    """EDNS options that the query asked for. A stranger gets none: nothing of ours, and nothing longer."""
    if query.edns is None or not client.allowed:
        return ()
    options: list[tuple[int, bytes]] = []
    if query.edns.has(OPTION_NSID):
        options.append((OPTION_NSID, world.identity.server_id.encode()))
    subnet_used = arrival.proxied is None and is_trusted(arrival.peer, world)
    if query.edns.client_subnet is not None and subnet_used:
        options.append((OPTION_CLIENT_SUBNET, query.edns.client_subnet.echo()))
    if arrival.transport == "tcp" and query.edns.has(OPTION_KEEPALIVE):
        options.append((OPTION_KEEPALIVE, (TCP_IDLE_SECONDS * 10).to_bytes(2, "big")))  # RFC 7828 §3.1
    return tuple(options)
