"""Queries written and responses read by dnspython, the second opinion on every octet that we write."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from vpcdns.model.policy import Listen, Transport
from vpcdns.model.world import World
from vpcdns.query import Arrival, Drop, Forward, Response, begin
from vpcdns.wire.format import MAX_TCP_PAYLOAD
from vpcdns.wire.query import read_query
from vpcdns.wire.response import udp_limit


def query(
    name: str | dns.name.Name,
    rtype: str = "A",
    *,
    rclass: str = "IN",
    edns: int | bool = 0,
    payload: int = 1232,
    options: Iterable[dns.edns.Option] = (),
    subnet: str | None = None,
    do: bool = False,
    flags: int = dns.flags.RD,
    identity: int = 0x1234,
) -> dns.message.QueryMessage:
    """A query, with EDNS unless `edns` is False; `subnet` is a client subnet such as 10.1.0.5/32."""
    asked = list(options)
    if subnet is not None:
        asked.append(dns.edns.ECSOption.from_text(f"ECS {subnet}"))
    message = dns.message.make_query(
        name,
        rtype,
        rclass,
        use_edns=edns,
        want_dnssec=do,
        ednsflags=dns.flags.DO if do else 0,
        payload=payload,
        options=asked or None,
        id=identity,
        flags=flags,
    )
    if edns is False:
        message.use_edns(False)
    return message


def txt_response(message: bytes, octets: int) -> bytes:
    """An upstream's response to `message`: a TXT record of about so many octets, for 600 seconds."""
    asked = dns.message.from_wire(message)
    response = dns.message.make_response(asked)
    texts = " ".join(f'"{"x" * min(255, octets - at)}"' for at in range(0, octets, 256))
    response.answer.append(dns.rrset.from_text(asked.question[0].name, 600, "IN", "TXT", texts))
    return response.to_wire(max_size=MAX_TCP_PAYLOAD)


def option(code: int, octets: bytes) -> dns.edns.GenericOption:
    """An option that dnspython does not look into."""
    return dns.edns.GenericOption(dns.edns.OptionType.make(code), octets)


def exchanged(
    world: World,
    message: bytes | dns.message.Message,
    client: str,
    *,
    transport: Transport = "udp",
    listener: str | None = None,
) -> Response | Forward | Drop:
    octets = message if isinstance(message, bytes) else message.to_wire()
    return begin(
        octets, Arrival(ip_address(client), transport, Listen(ip_address("127.0.0.1"), 53, listener)), world
    )


def answered(
    world: World,
    message: bytes | dns.message.Message,
    client: str,
    *,
    transport: Transport = "udp",
    listener: str | None = None,
) -> dns.message.Message:
    """The response, read strictly."""
    result = exchanged(world, message, client, transport=transport, listener=listener)
    assert isinstance(result, Response), result
    return read(result.octets)


def read(octets: bytes) -> dns.message.Message:
    """Reads a response: no octet may be left, no record in a section where it cannot stand."""
    message = dns.message.from_wire(octets)
    assert message.flags & dns.flags.QR
    assert len(message.question) <= 1
    return message


def ede(message: dns.message.Message) -> tuple[int, str] | None:
    """The extended error of a response; it may have one."""
    found = [option for option in message.options if isinstance(option, dns.edns.EDEOption)]
    assert len(found) <= 1
    return (int(found[0].code), found[0].text or "") if found else None


def data(message: dns.message.Message) -> list[str]:
    return [rdata.to_text() for rrset in message.answer for rdata in rrset]


def soa(message: dns.message.Message) -> str | None:
    """The owner of the SOA in the authority section."""
    owners = [
        rrset.name.to_text(omit_final_dot=True)
        for rrset in message.authority
        if rrset.rdtype == dns.rdatatype.SOA
    ]
    assert len(owners) == len(message.authority)
    return owners[0] if owners else None


def well_formed(result: Response | Forward | Drop, message: bytes, transport: Transport) -> None:
    """Whatever was asked: if there is a response, it is one to this message, and of a size that fits."""
    if not isinstance(result, Response):
        return
    found = read(result.octets)
    asked = read_query(message)
    assert asked is not None
    assert result.octets[:2] == message[:2]
    assert dns.opcode.from_flags(int(found.flags)) == message[2] >> 3 & 0xF
    assert bool(found.question) == bool(asked.question_wire)
    assert result.octets[12:].startswith(asked.question_wire)
    assert (found.edns == 0) == (asked.edns is not None)
    assert len(result.octets) <= (udp_limit(asked) if transport == "udp" else MAX_TCP_PAYLOAD)
