"""One decided query as a value, and as the plain data that the log and the admin server show.

Knows what an exchange results in. Everything that a client or an upstream chose is cut to a length.
"""

import socket
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from vpcdns.errors import MalformedMessage, MalformedName
from vpcdns.model.dns import Question, Rcode, Record, RRType, type_text
from vpcdns.model.rendering import steps_data
from vpcdns.model.resolution import Resolution
from vpcdns.query import Arrival, Drop, Response
from vpcdns.wire.upstream import Relayed, RelayedRecord

MAX_ANSWERS: Final = 8
MAX_TEXT: Final = 300  # a name has at most 255 octets, and few need escapes

# Reasons of responses to queries that were never resolved.
UNRESOLVED: Final = {
    Rcode.FORMERR: "malformed",
    Rcode.NOTIMP: "opcode-not-implemented",
    Rcode.BADVERS: "edns-version",
}
MALFORMED: Final = "malformed"


class QueryRecord(NamedTuple):
    """A query and its fate.

    `at` is in Unix seconds, `took` in seconds, `revision` the World's when it was answered. `fault` is the
    RCODE of a query that could not be resolved, None also for one that was dropped.
    """

    at: float
    took: float
    revision: int
    arrival: Arrival
    resolution: Resolution | None
    question: Question | None
    fault: Rcode | None
    relayed: Relayed | None
    dropped: bool


def record_of(
    at: float, took: float, revision: int, arrival: Arrival, result: Response | Drop
) -> QueryRecord:
    resolution = result.resolution
    question = None if resolution is None else resolution.question
    if isinstance(result, Drop):
        return QueryRecord(at, took, revision, arrival, resolution, question, None, None, dropped=True)
    relayed, query = result.relayed, result.query
    question = question or query.question
    return QueryRecord(at, took, revision, arrival, resolution, question, query.fault, relayed, dropped=False)


def log_data(query: QueryRecord) -> dict[str, Any]:
    """A line of the query log. The keys are always the same; what is unknown is null."""
    resolution, question = query.resolution, query.question
    client = None if resolution is None else resolution.client
    error = None if resolution is None else resolution.extended_error
    return {
        "time": time_text(query.at),
        "client": str(query.arrival.peer if client is None else client.address),
        "vpc_id": None if client is None else client.vpc_id,
        "network_id": None if client is None else client.network_id,
        "protocol": query.arrival.transport,
        "qname": None if question is None else cut(str(question.name)),
        "qtype": None if question is None else type_text(question.rtype),
        "rcode": _rcode_text(query),
        "reason": _reason_text(query),
        "answers": _answers(query),
        "duration_ms": round(query.took * 1e3, 3),
        "revision": query.revision,
        "extended_error": None if error is None else int(error.info_code),
    }


def decision_data(query: QueryRecord) -> dict[str, Any]:
    """What the admin server shows of a query: the log's fields, and the steps of the decision."""
    steps = () if query.resolution is None else query.resolution.steps
    return {**log_data(query), "steps": steps_data(steps)}


def time_text(at: float) -> str:
    """RFC 3339, in UTC, with milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _rcode_text(query: QueryRecord) -> str | None:
    if query.dropped:
        return None
    if query.relayed is not None and query.relayed.rcode not in _RCODES:
        return f"RCODE{query.relayed.rcode}"  # RFC 6895 §2.3 has no form of its own; as RFC 3597 has TYPE
    rcode = query.fault if query.resolution is None else query.resolution.rcode
    return None if rcode is None else rcode.name


def _reason_text(query: QueryRecord) -> str:
    if query.resolution is not None:
        return query.resolution.reason.value
    return MALFORMED if query.fault is None else UNRESOLVED.get(query.fault, MALFORMED)


def _answers(query: QueryRecord) -> list[str]:
    """The answer section, without owner names."""
    if query.relayed is not None:
        found = [record for record in query.relayed.records if record.section == 0]
        texts = [_relayed_text(query.relayed, record) for record in found[:MAX_ANSWERS]]
        count = len(found)
    elif query.resolution is not None:
        texts = [_record_text(record) for record in query.resolution.answers[:MAX_ANSWERS]]
        count = len(query.resolution.answers)
    else:
        return []
    return texts if count <= MAX_ANSWERS else [*texts, f"and {count - MAX_ANSWERS} more"]


def _record_text(record: Record) -> str:
    return cut(f"{type_text(record.rtype)} {record.rdata_text(final_dots=False)}")


def _relayed_text(relayed: Relayed, record: RelayedRecord) -> str:
    """Addresses and CNAME targets; of other records the type only, for their data is not read."""
    kind = type_text(record.rtype)
    address = relayed.address(record)
    if address is not None:
        family = socket.AF_INET if record.rtype == RRType.A else socket.AF_INET6
        return f"{kind} {socket.inet_ntop(family, address)}"
    if record.rtype == RRType.CNAME:
        try:
            return cut(f"{kind} {relayed.name(record.rdata_at)}")
        except (MalformedMessage, MalformedName):
            return kind
    return kind


_RCODES: Final = frozenset(int(rcode) for rcode in Rcode)
