"""Rule 5 of DESIGN §1: a dedicated instance's address reaches the VPC that it is bound to, and no other."""

from __future__ import annotations

import re
from ipaddress import IPv4Address

import dns.message
import dns.name
import dns.rrset
from hypothesis import given
from hypothesis import strategies as st

from tests.support.messages import read
from tests.support.world_strategies import ADDRESSES, TYPES, VPCS, worlds
from vpcdns.model.clients import Client, identify
from vpcdns.model.names import Name
from vpcdns.model.policy import Listen, Transport
from vpcdns.model.topology import Address
from vpcdns.model.world import World
from vpcdns.query import Arrival, Fetched, Forward, Response, begin, finish
from vpcdns.wire.buffer import write_name
from vpcdns.wire.upstream import read_response

INTERNAL = (b"vpcdns", b"internal")
LISTENERS = st.sampled_from([None, *VPCS])
TRANSPORTS: st.SearchStrategy[Transport] = st.sampled_from(["udp", "tcp"])
TELLING = st.one_of(st.sampled_from([1, 16, 255]), TYPES)


@st.composite
def telling_names(draw: st.DrawFn, world: World) -> Name:
    """A name from which an endpoint could be learnt: a VPC domain, a custom domain, or what explains it."""
    owned = [world.vpc_domain(group) for group in world.groups.values()] + list(world.custom_domains.values)
    name = draw(st.sampled_from(owned)) if owned else Name((b"example",))
    if name.is_wildcard:
        name = Name((b"any", *name.labels[1:]))
    labels = name.labels
    for _ in range(draw(st.integers(0, 2))):
        labels = (*labels, b"explain", *INTERNAL)
    return draw(st.sampled_from([Name(labels), Name((b"whoami", *INTERNAL)), Name((*labels, b"search"))]))


def query(name: Name, rtype: int) -> bytes:
    question = write_name(name) + rtype.to_bytes(2, "big") + b"\0\1"
    return b"\0\0\1\0\0\1\0\0\0\0\0\1" + question + b"\0\0\x29\x04\xd0\0\0\0\0\0\0"


def shown(octets: bytes, address: IPv4Address) -> bool:
    text = re.escape(str(address).encode())
    return address.packed in octets or re.search(rb"(?<!\d)" + text + rb"(?!\d)", octets) is not None


def leaks(octets: bytes, client: Client, world: World) -> list[IPv4Address]:
    """Endpoints that a response shows to a client of a VPC that has none of that address.

    Its own address and source network, which whoami tells back, are no secret to the client.
    """
    own = {address for vpc_id, address in world.endpoints if vpc_id == client.vpc_id}
    told = f"{client.address} {client.matched} ".encode() + client.address.packed
    others = {address for _, address in world.endpoints} - own - {client.address}
    return [address for address in others if shown(octets, address) and not shown(told, address)]


@given(st.data(), worlds(), ADDRESSES, LISTENERS, TELLING, TRANSPORTS)
def test_an_endpoint_is_shown_to_no_other_vpc(
    data: st.DataObject, world: World, peer: Address, listener: str | None, rtype: int, transport: Transport
) -> None:
    """In no octet of any response: not by a CNAME, explain, whoami, an extended error or a denial."""
    result = begin(
        query(data.draw(telling_names(world)), rtype),
        Arrival(peer, transport, Listen(peer, 53, listener)),
        world,
    )
    client = identify(peer, world, listener_vpc_id=listener)
    if isinstance(result, Response):
        assert leaks(result.octets, client, world) == []


@given(st.data(), worlds(), ADDRESSES)
def test_the_bound_vpc_gets_the_endpoint_and_only_that(
    data: st.DataObject, world: World, peer: Address
) -> None:
    """An A record of a dedicated group's VPC domain is there exactly for clients of the bound VPC."""
    client = identify(peer, world)
    for group in world.groups.values():
        binding = world.instance_of(group).binding
        if binding is None:
            continue
        result = begin(query(world.vpc_domain(group), 1), Arrival(peer), world)
        answers = read(result.octets).answer if isinstance(result, Response) else []
        told = [rdata.to_text() for rrset in answers for rdata in rrset]
        is_open = client.allowed and group.vpc_domain and client.vpc_id == binding.vpc_id
        assert told == ([str(binding.address)] if is_open else [])


@given(st.data(), worlds(), ADDRESSES, TRANSPORTS)
def test_an_upstream_cannot_show_one_either(
    data: st.DataObject, world: World, peer: Address, transport: Transport
) -> None:
    """An upstream's CNAME to a private name is decided for this client; what it says behind it is dropped."""
    asked, target = Name((b"www", b"test")), data.draw(telling_names(world))
    result = begin(query(asked, 1), Arrival(peer, transport), world)
    if not isinstance(result, Forward) or target.labels[-1] == b"search":
        return
    client = identify(peer, world)
    response = dns.message.make_response(dns.message.from_wire(query(asked, 1)))
    owner, alias = (dns.name.Name((*name.labels, b"")) for name in (asked, target))
    response.answer.append(dns.rrset.from_text(owner, 60, "IN", "CNAME", alias.to_text()))
    for _, address in world.endpoints:
        response.answer.append(dns.rrset.from_text(alias, 60, "IN", "A", str(address)))
    final = finish(result, Fetched(read_response(response.to_wire())), world)
    if isinstance(final, Response):
        assert leaks(final.octets, client, world) == []
