"""What upstreams say about www.example.com, read as the forwarder reads it."""

from __future__ import annotations

import dns.message
import dns.rcode
import dns.rrset

from vpcdns.wire.upstream import Relayed, read_response

A = "www.example.com. 300 IN A 192.0.2.1"
CNAME = "www.example.com. 200 IN CNAME x.example.net."
SIGNATURE = "www.example.com. 200 IN RRSIG CNAME 8 3 200 20300101000000 20200101000000 1 example.com. AAAA"
SOA = "example.com. 900 IN SOA ns.example.com. root.example.com. 1 2 3 4 60"


def said(answer: list[str], authority: list[str] | None = None, rcode: str = "NOERROR") -> Relayed:
    made = dns.message.make_response(dns.message.make_query("www.example.com", "A"))
    made.set_rcode(dns.rcode.from_text(rcode))
    made.answer = [dns.rrset.from_text(*record.split(" ", 4)) for record in answer]  # type: ignore[arg-type]
    for record in authority or []:
        made.authority.append(dns.rrset.from_text(*record.split(" ", 4)))  # type: ignore[arg-type]
    return read_response(made.to_wire(max_size=65_535))
