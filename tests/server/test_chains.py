"""A CNAME starts again from the top for the same client, whoever said it (DESIGN §1.11)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from ipaddress import ip_address

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from tests.support.event_loop import on_loop
from tests.support.example_world import IN_A, IN_B, VPC_A, example
from tests.support.nameserver import Nameserver, Script, Transport
from tests.support.resolver_and_upstreams import QNAME, forwarding, made, saying, text
from vpcdns.model.dns import RRType
from vpcdns.model.names import Name
from vpcdns.model.policy import ForwardRule
from vpcdns.model.private_zones import PrivateZone, PrivateZones, ZoneRecord

CORP = "db.corp.test"
TO_CORP = f"{QNAME} 300 IN CNAME {CORP}."


def by_name(**records: str) -> Script:
    """Says what it has for the name asked, its dots written as underscores."""

    def script(message: bytes, transport: Transport) -> list[bytes]:
        name = dns.message.from_wire(message).question[0].name.to_text(omit_final_dot=True)
        said = records.get(name.replace(".", "_"), "")
        return [made(message, *filter(None, said.split("|")))]

    return script


def corp(*vpcs: str, server: Nameserver) -> tuple[ForwardRule, ...]:
    return (ForwardRule(Name.from_text("corp.test"), (server.upstream,), frozenset(vpcs)),)


def asked_names(server: Nameserver) -> list[str]:
    return [dns.message.from_wire(query).question[0].name.to_text(True) for _, query in server.queries]


@pytest.mark.parametrize("said", [TO_CORP, f"{TO_CORP}|{CORP} 300 IN A 203.0.113.66"])
@on_loop
async def test_a_cname_into_a_rule_asks_its_upstreams(said: str) -> None:
    """Whatever the first upstream says about the target, which is not its to say."""
    with Nameserver(saying(f"{CORP} 60 IN A 10.9.9.9")) as corporate:
        async with forwarding(by_name(www_example_org=said), rules=corp(server=corporate)) as ask:
            for again in range(2):  # the second time out of the cache
                found = await ask()
                assert text(found) == f"NOERROR, {QNAME}. 300 {CORP}., {CORP}. 60 10.9.9.9", again
                assert not found.flags & dns.flags.AA
            assert [len(ask.queries), len(corporate.queries)] == [1, 1]


@on_loop
async def test_each_client_gets_its_own_case() -> None:
    """RFC 4343 §4: not that of whoever asked first."""
    with Nameserver(saying(f"{CORP} 60 IN A 10.9.9.9")) as corporate:
        async with forwarding(saying(TO_CORP), rules=corp(server=corporate)) as ask:
            for name in ("wWw.example.org", QNAME, "WWW.EXAMPLE.ORG"):
                assert (await ask(name)).answer[0].name.to_text(True) == name


@on_loop
async def test_an_rrset_behind_an_upstreams_cname_takes_turns() -> None:
    """As it does when it is asked for directly."""
    addresses = [ZoneRecord(Name.from_text(CORP), RRType.A, ip_address(f"10.1.0.{n}")) for n in (9, 10, 11)]
    zone = PrivateZone("z", Name.from_text("corp.test"), frozenset({VPC_A})).with_records(
        enumerate(addresses)
    )
    world = replace(example(), private_zones=PrivateZones.of([zone]))
    async with forwarding(saying(TO_CORP), world=world) as ask:
        first = {(await ask()).answer[-1][0].to_text() for _ in range(6)}
        assert first == {"10.1.0.9", "10.1.0.10", "10.1.0.11"}


@on_loop
async def test_a_bare_cname_is_followed_at_the_same_upstream() -> None:
    """Stub resolvers take it for a failure."""
    names = {
        "www_example_org": f"{QNAME} 300 IN CNAME b.example.net.",
        "b_example_net": "b.example.net 9 IN A 192.0.2.9",
    }
    async with forwarding(by_name(**names)) as ask:
        assert text(await ask()) == f"NOERROR, {QNAME}. 300 b.example.net., b.example.net. 9 192.0.2.9"
        assert text(await ask(transport="tcp")) == text(await ask())
        assert asked_names(ask.servers[0]) == [QNAME, "b.example.net"]


@on_loop
async def test_each_client_has_its_own_way_on() -> None:
    with Nameserver(saying(f"{CORP} 60 IN A 10.9.9.9")) as corporate:
        default = by_name(www_example_org=TO_CORP, db_corp_test=f"{CORP} 60 IN A 192.0.2.77")
        async with forwarding(default, rules=corp("vpc-a", server=corporate)) as ask:
            assert "10.9.9.9" in text(await ask(peer=IN_A))
            assert "192.0.2.77" in text(await ask(peer=IN_B))


@on_loop
async def test_a_chain_without_data_ends_as_its_last_name_does() -> None:
    """RFC 6604 §3: the RCODE is that of the last name."""

    def nonexistent(message: bytes, transport: Transport) -> list[bytes]:
        soa = "corp.test 30 IN SOA ns.corp.test. root.corp.test. 1 2 3 4 5"
        return [made(message, soa, rcode="NXDOMAIN")]

    with Nameserver(nonexistent) as corporate:
        async with forwarding(by_name(www_example_org=TO_CORP), rules=corp(server=corporate)) as ask:
            found = await ask()
            assert text(found) == f"NXDOMAIN, {QNAME}. 300 {CORP}."
            assert [rrset.to_text() for rrset in found.authority] == [
                "corp.test. 30 IN SOA ns.corp.test. root.corp.test. 1 2 3 4 5"
            ]


@on_loop
async def test_no_data_behind_a_cname_is_no_bare_one() -> None:
    soa = "example.org 30 IN SOA ns.example.org. root.example.org. 1 2 3 4 5"
    async with forwarding(by_name(www_example_org=f"{QNAME} 300 IN CNAME b.example.org.|{soa}")) as ask:
        assert text(await ask(rtype="AAAA")) == f"NOERROR, {QNAME}. 300 b.example.org."
        assert len(ask.queries) == 1


@pytest.mark.parametrize("length", [2, 3, 40])
@on_loop
async def test_a_chain_that_has_no_end_is_a_failure(length: int) -> None:
    """Around in a circle, or on and on: bounded, and said to be one."""

    def next_one(message: bytes, transport: Transport) -> list[bytes]:
        name = dns.message.from_wire(message).question[0].name.to_text(omit_final_dot=True)
        number = int(name.partition(".")[0].removeprefix("n"))
        return [made(message, f"{name} 60 IN CNAME n{(number + 1) % length}.example.org.")]

    async with forwarding(next_one) as ask:
        found = await asyncio.wait_for(ask("n0.example.org"), 5)
        assert found.rcode() == dns.rcode.SERVFAIL
        assert len(ask.queries) <= 17


@on_loop
async def test_types_of_any_form_come_through() -> None:
    """Names in their data are written out: pointers into another message would lead astray."""

    def mx(message: bytes, transport: Transport) -> list[bytes]:
        return [made(message, f"{CORP} 60 IN MX 10 mail.{CORP}.", f'{CORP} 60 IN TXT "a b"')]

    with Nameserver(mx) as corporate:
        async with forwarding(by_name(www_example_org=TO_CORP), rules=corp(server=corporate)) as ask:
            assert f"10 mail.{CORP}." in text(await ask(rtype="MX"))


@on_loop
async def test_upstreams_that_fail_behind_a_cname_are_a_failure() -> None:
    with Nameserver(saying(rcode="SERVFAIL")) as corporate:
        async with forwarding(by_name(www_example_org=TO_CORP), rules=corp(server=corporate)) as ask:
            found = await ask()
            assert (found.rcode(), found.answer) == (dns.rcode.SERVFAIL, [])


@on_loop
async def test_signatures_of_the_cname_stay_with_it() -> None:
    signature = "CNAME 8 3 300 20300101000000 20200101000000 1 example.org. AAAA"
    said = f"{TO_CORP}|{QNAME} 300 IN RRSIG {signature}"
    with Nameserver(saying(f"{CORP} 60 IN A 10.9.9.9")) as corporate:
        async with forwarding(by_name(www_example_org=said), rules=corp(server=corporate)) as ask:
            found = await ask(want_dnssec=True)
            assert [str(dns.rdatatype.to_text(rrset.rdtype)) for rrset in found.answer] == [
                "CNAME",
                "RRSIG",
                "A",
            ]


@on_loop
async def test_with_nobody_else_to_ask_the_upstream_is_believed() -> None:
    """A closed lab: only one domain has upstreams, and their CNAMEs may lead out of it."""
    said = "app.corp.test 60 IN CNAME cdn.example.|cdn.example 60 IN A 192.0.2.3"
    with Nameserver(
        by_name(app_corp_test=said, bare_corp_test="bare.corp.test 60 IN CNAME x.example.")
    ) as corporate:
        async with forwarding(upstreams=(), rules=corp(server=corporate)) as ask:
            assert "192.0.2.3" in text(await ask("app.corp.test"))
            assert (await ask("bare.corp.test")).rcode() == dns.rcode.REFUSED
