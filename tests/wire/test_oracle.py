"""Our reading of queries against dnspython's: the same octets, the same meaning, or a reason.

dnspython reads any message; we read queries that may be answered. So most disagreements are rules of ours.
"""

from __future__ import annotations

from collections.abc import Callable

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
from hypothesis import given
from hypothesis import strategies as st

from tests.support.message_strategies import MESSAGES
from tests.support.octets import header, opt, option
from vpcdns.model.dns import Rcode
from vpcdns.wire.edns import MAX_OPTIONS
from vpcdns.wire.query import MAX_ADDITIONAL, Query, read_query

# Octets, our reading -> whether this is why we say FORMERR to what dnspython reads.
STRICTER: dict[str, Callable[[bytes, dns.message.Message], bool]] = {
    "RFC 9619 §4: QDCOUNT is 1": lambda octets, message: octets[4:6] != b"\0\1",
    "a query has no records besides additional ones": lambda octets, message: octets[6:10] != bytes(4),
    "at most an OPT and a TSIG": lambda octets, message: (
        int.from_bytes(octets[10:12], "big") > MAX_ADDITIONAL
    ),
    "nothing stands before the question that a pointer could mean": lambda octets, message: _points(octets),
    "OPT is no type to ask for": lambda octets, message: message.question[0].rdtype == dns.rdatatype.OPT,
    "RFC 7873 §5.2.2: a cookie has 8, or 16 to 40 octets": lambda octets, message: _has(message, 10),
    "RFC 7871 §6: SCOPE is 0 in queries, no bit behind the prefix": lambda octets, message: _has(message, 8),
    "more options than anybody sends": lambda octets, message: len(message.options) > MAX_OPTIONS,
}


def _has(message: dns.message.Message, code: int) -> bool:
    return any(option.otype == code for option in message.options)


def _points(octets: bytes) -> bool:
    offset = 12
    while 0 < octets[offset] <= 63:
        offset += 1 + octets[offset]
    return octets[offset] != 0


def read_by_dnspython(octets: bytes) -> dns.message.Message | None:
    try:
        return dns.message.from_wire(octets, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError, IndexError):
        return None


# dnspython refuses, we answer: parts that we do not look into, as nothing depends on them.
def _unread(octets: bytes, query: Query) -> bool:
    codes = {code for code, _ in query.edns.options} if query.edns else set()
    return bool(
        int.from_bytes(octets[10:12], "big") > (1 if query.edns else 0)  # the record besides the OPT
        or (query.edns and query.edns.fault is Rcode.BADVERS)  # the data of an EDNS version that is not known
        or codes & {15, 18}  # EDE, report channel: no business of a query's
        or query.question is None
    )


@given(MESSAGES)
def test_we_and_dnspython(octets: bytes) -> None:
    """What is good to us, dnspython reads as the same; what it reads, we refuse for a reason."""
    query = read_query(octets)
    if query is None or query.fault is Rcode.NOTIMP:
        return
    message = read_by_dnspython(octets)
    if query.fault is Rcode.FORMERR:
        if message is not None:
            assert any(reason(octets, message) for reason in STRICTER.values()), octets.hex()
    elif message is None:
        assert _unread(octets, query), octets.hex()
    else:
        same_meaning(query, message)


def same_meaning(query: Query, message: dns.message.Message) -> None:
    (question,) = message.question
    assert query.question is not None
    assert question.name.labels == (*query.question.name.labels, b"")
    assert (question.rdtype, question.rdclass) == (query.question.rtype, query.question.rclass)
    assert message.id == query.id
    flags = dns.flags.RD | dns.flags.AD | dns.flags.CD
    assert message.flags & flags == query.flags & flags
    assert (message.edns >= 0) == (query.edns is not None)
    if query.edns is None:
        return
    assert (message.edns != 0, max(512, message.payload)) == (
        query.edns.fault is Rcode.BADVERS,
        query.edns.payload_size,
    )
    assert bool(message.ednsflags & dns.flags.DO) == query.edns.do
    if message.edns == 0:
        first: dict[int, bytes] = {}
        for one in message.options:
            first.setdefault(int(one.otype), one.to_wire() or b"")
        assert set(first) == {code for code, _ in query.edns.options}
        for code, data in query.edns.options:
            assert first[code] == data or code in (8, 15), code  # dnspython normalises what it knows


LABEL = st.binary(min_size=1, max_size=63)


@given(
    st.lists(LABEL, max_size=5),
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.lists(st.binary(max_size=30), max_size=8),
)
def test_good_queries_are_good_to_both(
    labels: list[bytes], rtype: int, rclass: int, values: list[bytes]
) -> None:
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    if len(name) > 255 or rtype == dns.rdatatype.OPT:
        return
    options = b"".join(option(65001 + number, value) for number, value in enumerate(values))
    octets = header(ar=1) + name + rtype.to_bytes(2, "big") + rclass.to_bytes(2, "big") + opt(options)
    query, message = read_query(octets), read_by_dnspython(octets)
    assert query is not None
    assert query.fault is None
    if rclass in (254, 255) and message is None:
        return  # dnspython: such classes belong to updates
    assert message is not None
    same_meaning(query, message)
