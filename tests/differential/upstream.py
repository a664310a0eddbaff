"""What all three forward to: its answer follows from the question alone, so it is always the same."""

from __future__ import annotations

from collections.abc import Iterable

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.support.nameserver import Transport

SOA = "ns.example. hostmaster.example. 7 3600 600 86400 3000"
TTL = 3_000  # as MINIMUM: RFC 2308 §5 has resolvers take the lower of the two


def answer(octets: bytes, transport: Transport) -> Iterable[bytes]:
    """`nx…` does not exist, `nodata…` has no records; every other name has an address, and two strings."""
    message = dns.message.from_wire(octets)
    response = dns.message.make_response(message, recursion_available=True)
    question = message.question[0]
    first = question.name.labels[0].lower()
    data = {dns.rdatatype.A: ["192.0.2.7", "192.0.2.8"], dns.rdatatype.TXT: ['"one" "two"']}
    # RFC 8482 §4.1. To say that there is nothing would let BIND know of every type that it is not there.
    rtype = dns.rdatatype.A if question.rdtype == dns.rdatatype.ANY else question.rdtype
    found = data.get(rtype, [])
    if first.startswith((b"nx", b"nodata")) or not found:
        name = question.name
        if question.rdtype == dns.rdatatype.DS and len(name) > 1:
            name = name.parent()  # RFC 4035 §3.1.4.1
        apex = name if len(name) < 3 else dns.name.Name(name.labels[-3:])
        response.authority.append(dns.rrset.from_text(apex, TTL, "IN", "SOA", SOA))
        response.set_rcode(dns.rcode.NXDOMAIN if first.startswith(b"nx") else dns.rcode.NOERROR)
    else:
        response.answer.append(dns.rrset.from_text(question.name, TTL, "IN", rtype, *found))
    yield response.to_wire()
