"""Upstreams' messages, relayed as octets: counted down and cut to size, never rebuilt.

Knows where records and TTLs stand, not what is in them. The id, the question's case and the OPT record,
which is hop by hop (RFC 6891 §6.1.1), are ours.
"""

from collections.abc import Iterable

from vpcdns.model.dns import ExtendedError, Rcode
from vpcdns.wire import format as fmt
from vpcdns.wire.edns import Options, shrinking, write_opt
from vpcdns.wire.query import Query
from vpcdns.wire.response import fitted
from vpcdns.wire.upstream import Relayed, RelayedRecord


def write_upstream_query(query: Query, identity: int) -> bytes:
    """The query that an upstream is sent: our id, the client's question, an OPT of our own.

    The client's cookie, subnet, keepalive and padding stay here; DO, CD, AD and RD go on (RFC 5625 §3).
    """
    flags = query.flags & (fmt.RD | fmt.CD | fmt.AD)
    opt = write_opt(query.edns, Rcode.NOERROR, ())
    return fmt.HEADER.pack(identity, flags, 1, 0, 0, 1 if opt else 0) + query.question_wire + opt


def without_edns(message: bytes, question_wire: bytes) -> bytes:
    """The same upstream query without its OPT record; both `message` and the result have no id."""
    return message[: fmt.HEADER_SIZE - fmt.ID_SIZE - 2] + b"\0\0" + question_wire


def write_relayed(
    relayed: Relayed,
    query: Query,
    limit: int,
    *,
    age: int = 0,
    ttl: int | None = None,
    extended_error: ExtendedError | None = None,
    options: Options = (),
) -> bytes:
    """The response to `query` out of an upstream's, at most `limit` octets.

    TTLs are `age` seconds lower, or all `ttl` where that is given (stale data, RFC 8767 §4).
    """
    body = bytearray(relayed.octets)
    write_ttls(body, relayed.records, age, ttl)
    body[fmt.HEADER_SIZE : relayed.question_end] = query.question_wire
    rcode = Rcode.SERVFAIL if relayed.rcode > 0xF and query.edns is None else relayed.rcode
    theirs = [(fmt.OPTION_EXTENDED_ERROR, data) for data in relayed.extended_errors]
    # RFC 8914 §3: what explains gives way to what answers, the upstream's own text before ours.
    ours = shrinking(extended_error)
    choices = [(*options, *said) for said in ((*theirs, *ours[0]), *ours)]
    ends = [(0, relayed.question_end)] + [(record.section, record.end) for record in relayed.records]
    flags = own_flags(query) | relayed.flags & (fmt.AA | fmt.AD | fmt.TC)
    return fitted(query, rcode, limit, flags, body, ends, choices)


def write_plain(relayed: Relayed, question: bytes, flags: int, opt: bytes) -> bytes:
    """The response to a client, without its id, made of a plain one: question, flags and OPT are ours."""
    octets = relayed.octets
    flags |= relayed.flags & (fmt.AA | fmt.AD) | relayed.rcode
    counts = b"\0\1" + octets[6:10] + (b"\0\1" if opt else b"\0\0")
    return flags.to_bytes(2, "big") + counts + question + octets[relayed.question_end :] + opt


def own_flags(query: Query) -> int:
    """The flags of a relayed response that do not come from the upstream."""
    return fmt.QR | fmt.RA | query.flags & (fmt.RD | fmt.CD)


def write_ttls(body: bytearray, records: Iterable[RelayedRecord], age: int, ttl: int | None = None) -> None:
    """Writes the TTLs, `age` seconds lower than they came, or all `ttl`."""
    for record in records:
        fmt.TTL.pack_into(body, record.ttl_at, max(0, record.ttl - age) if ttl is None else ttl)


def has_all_records(octets: bytes, relayed: Relayed, opt: bool) -> bool:
    """Whether a response has every record of the upstream's, and an OPT record if it should have one."""
    _, flags, _, *counts = fmt.HEADER.unpack_from(octets)
    return not flags & fmt.TC and sum(counts) == len(relayed.records) + opt


def without_records_from(relayed: Relayed, place: int) -> Relayed:
    """The response with only its first `place` records."""
    end = relayed.records[place - 1].end if place else relayed.question_end
    return relayed._replace(octets=relayed.octets[:end], records=relayed.records[:place])
