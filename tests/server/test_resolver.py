"""The whole of forwarding: what is kept, what is stale, what is decided for whom, and loops."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterable
from dataclasses import replace

import dns.edns
import dns.flags
import dns.message
import pytest

from tests.support.event_loop import on_loop, until
from tests.support.example_world import (
    CUSTOM,
    DEDICATED_NAME,
    ENDPOINT,
    IN_A,
    IN_B,
    ON_INTERNET,
    SERVERLESS_NAME,
    STRANGER,
    VPC_A,
    VPC_B,
    example,
)
from tests.support.nameserver import Nameserver, Transport
from tests.support.obedient_service import Udp
from tests.support.octets import proxy_header
from tests.support.resolver_and_upstreams import (
    GOOD,
    QNAME,
    SOON,
    Gated,
    Switch,
    forwarding,
    made,
    saying,
    silent,
    text,
    with_loopback,
)
from tests.support.resolver_service import listening
from vpcdns.forward.forwarder import Forwarder
from vpcdns.model.gateway import Binding
from vpcdns.model.names import Name
from vpcdns.model.policy import Answers, Denied, Explain, Forwarding, ForwardRule, Upstream
from vpcdns.model.world import World
from vpcdns.query import Response
from vpcdns.server.resolver import Resolver
from vpcdns.state import State
from vpcdns.wire.buffer import write_name

OK = f"NOERROR, {QNAME}. 300 192.0.2.1"
SOA = "example.org 900 IN SOA ns.example.org root.example.org 1 2 3 4 60"
SERVFAIL = saying(rcode="SERVFAIL")
CHAIN = (
    f"{QNAME} 300 IN CNAME hop.example.net",
    f"hop.example.net 200 IN CNAME {DEDICATED_NAME}",
    f"{DEDICATED_NAME} 100 IN A 203.0.113.66",
)


def rebound(world: World) -> World:
    """The dedicated instance moved to the other VPC."""
    instances = world.instances
    for key, instance in instances.items():
        if instance.binding is not None:
            instances = instances.set(key, replace(instance, binding=Binding(VPC_B, "vsw-1", ENDPOINT)))
    return replace(world, instances=instances)


class TestKeeping:
    @on_loop
    async def test_a_second_query_is_answered_from_the_cache_and_ages(self) -> None:
        async with forwarding(GOOD) as ask:
            await ask()
            ask.now += 10.5
            assert text(await ask(QNAME.upper())) == f"NOERROR, {QNAME.upper()}. 290 192.0.2.1"
            assert text(await ask(peer=IN_B, transport="tcp")) == f"NOERROR, {QNAME}. 290 192.0.2.1"
            assert len(ask.queries) == 1
            ask.now += 290
            assert text(await ask()) == OK
            assert len(ask.queries) == 2

    @pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR"])
    @on_loop
    async def test_denials_are_kept_by_their_soa(self, rcode: str) -> None:
        async with forwarding(saying(SOA, rcode=rcode)) as ask:
            await ask()
            ask.now += 59
            answer = await ask()
            assert text(answer) == rcode
            assert answer.authority[0].ttl == 841
            assert len(ask.queries) == 1
            ask.now += 1
            await ask()
            assert len(ask.queries) == 2

    @pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR", "FORMERR", "NOTIMP"])
    @on_loop
    async def test_without_a_soa_they_pass_but_are_not_kept(self, rcode: str) -> None:
        async with forwarding(saying(rcode=rcode)) as ask:
            for _ in range(2):
                assert text(await ask(use_edns=False)) == rcode
            assert len(ask.queries) == 2

    @on_loop
    async def test_the_cut_for_one_client_is_not_what_is_kept(self) -> None:
        many = [f"{QNAME} 60 IN A 192.0.2.{n}" for n in range(60)]
        async with forwarding(saying(*many)) as ask:
            assert (await ask(payload=512)).flags & dns.flags.TC
            whole = await ask(payload=1232)
            assert not whole.flags & dns.flags.TC
            assert len(whole.answer[0]) == 60
            assert len(ask.queries) == 1


class TestFailures:
    @pytest.mark.parametrize("script", [SERVFAIL, silent])
    @on_loop
    async def test_they_are_remembered_for_a_moment(self, script: object) -> None:
        async with forwarding(script, deadline=SOON) as ask:  # type: ignore[arg-type]
            await ask()
            asked = len(ask.queries)
            assert text(await ask()) == "SERVFAIL, EDE 13"
            assert len(ask.queries) == asked
            ask.now += 5
            assert text(await ask()) != "SERVFAIL, EDE 13"

    @pytest.mark.parametrize("script", [SERVFAIL, silent])
    @pytest.mark.parametrize(
        ("good", "stale"),
        [
            (GOOD, f"NOERROR, {QNAME}. 30 192.0.2.1, EDE 3"),
            (saying(SOA, rcode="NXDOMAIN"), "NXDOMAIN, EDE 19"),
        ],
    )
    @on_loop
    async def test_what_is_stale_is_said_instead(self, script: object, good: object, stale: str) -> None:
        switch = Switch(good)  # type: ignore[arg-type]
        async with forwarding(switch, deadline=SOON) as ask:
            await ask()
            switch.script = script  # type: ignore[assignment]
            ask.now += 1000
            assert text(await ask()) == stale
            asked = len(ask.queries)
            assert text(await ask()) == stale  # at once: the failure is remembered
            assert len(ask.queries) == asked
            switch.script = good  # type: ignore[assignment]
            ask.now += 5
            assert "EDE" not in text(await ask())

    @on_loop
    async def test_stale_data_does_not_wait_for_the_deadline(self) -> None:
        switch = Switch(GOOD)
        async with forwarding(switch, stale_after=0.05) as ask:
            await ask()
            gated = Gated(GOOD)
            switch.script = gated
            ask.now += 1000
            assert text(await ask()) == f"NOERROR, {QNAME}. 30 192.0.2.1, EDE 3"
            assert len(ask.resolver.forwarder) == 1
            gated.open.set()
            await until(lambda: len(ask.resolver.forwarder) == 0)
            assert text(await ask()) == OK  # what came late was kept

    @pytest.mark.parametrize(("explain", "options"), [(Explain.CODE, [""]), (Explain.OFF, [])])
    @on_loop
    async def test_as_much_is_explained_as_is_wanted(self, explain: Explain, options: list[str]) -> None:
        def bogus(message: bytes, transport: Transport) -> Iterable[bytes]:
            response = dns.message.make_response(dns.message.from_wire(message))
            response.set_rcode(dns.rcode.SERVFAIL)
            response.use_edns(0, options=[dns.edns.EDEOption(dns.edns.EDECode.DNSSEC_BOGUS, "why")])
            return [response.to_wire()]

        async with forwarding(bogus, world=example(Answers(explain=explain))) as ask:
            got = (await ask()).options
            assert [option.text or "" for option in got if isinstance(option, dns.edns.EDEOption)] == options


class TestOurNames:
    @pytest.mark.parametrize("rtype", ["A", "AAAA", "HTTPS"])
    @on_loop
    async def test_a_cname_into_a_vpc_domain_is_decided_for_the_client(self, rtype: str) -> None:
        async with forwarding(saying(*CHAIN)) as ask:
            start = f"{QNAME}. 300 hop.example.net., hop.example.net. 200 {DEDICATED_NAME}."
            in_a = await ask(rtype=rtype)
            address = f", {DEDICATED_NAME}. 60 {ENDPOINT}" if rtype == "A" else ""
            assert text(in_a) == f"NOERROR, {start}{address}"
            for peer in (IN_B, ON_INTERNET):
                closed = await ask(rtype=rtype, peer=peer)
                assert text(closed) == f"NXDOMAIN, {start}, EDE 18"
                assert str(ENDPOINT) not in closed.to_text()
                assert "203.0.113.66" not in closed.to_text()
            assert text(await ask(rtype=rtype)) == text(in_a)
            assert len(ask.queries) == 1  # one response in the cache serves them all

    @pytest.mark.parametrize(
        ("denied", "expected"),
        [(Denied.NXDOMAIN, "NXDOMAIN"), (Denied.NODATA, "NOERROR"), (Denied.REFUSED, "REFUSED")],
    )
    @on_loop
    async def test_closed_as_the_operator_wants(self, denied: Denied, expected: str) -> None:
        async with forwarding(saying(*CHAIN), world=example(Answers(denied=denied))) as ask:
            answer = await ask(peer=IN_B)
            assert text(answer).startswith(f"{expected}, {QNAME}. 300 hop.example.net.")
            assert "203.0.113.66" not in answer.to_text()

    @on_loop
    async def test_closed_by_silence(self) -> None:
        async with forwarding(saying(*CHAIN), world=example(Answers(denied=Denied.DROP))) as ask:
            query = dns.message.make_query(QNAME, "A").to_wire()
            assert await ask.octets(query, IN_B) is None
            assert await ask.octets(query, IN_A) is not None

    @pytest.mark.parametrize(
        "target", [CUSTOM, SERVERLESS_NAME, f"x.{DEDICATED_NAME}", "whoami.vpcdns.internal"]
    )
    @on_loop
    async def test_other_names_of_ours(self, target: str) -> None:
        script = saying(f"{QNAME} 300 IN CNAME {target}", f"{target} 9 IN A 203.0.113.66")
        async with forwarding(script) as ask:
            for peer in (IN_A, IN_B):
                answer = await ask(peer=peer)
                assert "203.0.113.66" not in answer.to_text()
                assert answer.rcode() == (await ask(target, peer=peer)).rcode()
            assert len(ask.queries) == 1

    @pytest.mark.parametrize("rtype", ["CNAME", "ANY", "MX", "TXT"])
    @on_loop
    async def test_nothing_is_said_about_them_unasked(self, rtype: str) -> None:
        def script(message: bytes, transport: Transport) -> Iterable[bytes]:
            octets = bytearray(made(message, f"{QNAME} 300 IN {mine[rtype]}", edns=False))
            spoof = write_name(Name.from_text(DEDICATED_NAME))
            spoof += struct.pack("!HHIH4s", 1, 1, 9, 4, b"\xcb\0qB")
            for place in (6, 10):  # once as an answer, once as an additional record
                octets[place : place + 2] = (int.from_bytes(octets[place : place + 2], "big") + 1).to_bytes(
                    2, "big"
                )
            yield bytes(octets) + spoof * 2

        mine = {
            "CNAME": f"CNAME {DEDICATED_NAME}",
            "ANY": "TXT x",
            "MX": f"MX 1 {DEDICATED_NAME}",
            "TXT": "TXT x",
        }
        async with forwarding(script) as ask:
            answer = await ask(rtype=rtype)
            assert len(answer.answer) == 1
            assert not answer.additional
            assert not answer.flags & dns.flags.TC

    @pytest.mark.parametrize(("rtype", "rdata"), [(1, b"\xcb\0qB"), (2, b"\0")])
    @on_loop
    async def test_nothing_is_said_about_them_in_authority(self, rtype: int, rdata: bytes) -> None:
        """An address, or a name server, of a name that is ours."""

        def script(message: bytes, transport: Transport) -> Iterable[bytes]:
            octets = bytearray(made(message, f"{QNAME} 300 IN A 192.0.2.1", edns=False))
            octets[9] += 1
            owner = write_name(Name.from_text(DEDICATED_NAME))
            yield bytes(octets) + owner + struct.pack("!HHIH", rtype, 1, 9, len(rdata)) + rdata

        async with forwarding(script) as ask:
            answer = await ask()
            assert len(answer.answer) == 1
            assert not answer.authority

    @on_loop
    async def test_the_suffix_may_deny_names_that_are_not_ours(self) -> None:
        soa = "alicloudapi.com 900 IN SOA ns.example.org root.example.org 1 2 3 4 60"
        async with forwarding(saying(soa, rcode="NXDOMAIN")) as ask:
            assert (await ask("public.alicloudapi.com")).authority

    @on_loop
    async def test_two_cnames_at_one_name_are_unusable(self) -> None:
        """A client might follow the one that nothing was decided about."""

        def script(message: bytes, transport: Transport) -> Iterable[bytes]:
            cnames = b"".join(
                b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 60, len(target)) + target
                for target in (write_name(Name.from_text(DEDICATED_NAME)), b"\1x\0")
            )
            question = message[12 : 12 + len(QNAME) + 6]
            yield message[:2] + b"\x81\x80\0\1\0\2\0\0\0\0" + question + cnames

        async with forwarding(script) as ask:
            assert text(await ask()) == "SERVFAIL, EDE 23"

    @pytest.mark.parametrize(
        "qname",
        [DEDICATED_NAME, f"x.{DEDICATED_NAME}", CUSTOM, "localhost", "x.onion", "5.1.10.in-addr.arpa"],
    )
    @pytest.mark.parametrize("peer", [IN_A, IN_B, STRANGER])
    @on_loop
    async def test_they_never_leave(self, qname: str, peer: str) -> None:
        async with forwarding(GOOD) as ask:
            for rtype in ("A", "AAAA", "HTTPS", "NS", "TXT"):
                await ask(qname, rtype, peer)
            assert ask.queries == []

    @on_loop
    async def test_a_rule_gives_a_special_use_name_away(self) -> None:
        with Nameserver(saying("5.0.0.10.in-addr.arpa 60 IN PTR host.corp.example")) as corp:
            domain = Name.from_text("10.in-addr.arpa")
            async with forwarding(GOOD, rules=(ForwardRule(domain, (corp.upstream,)),)) as ask:
                assert "host.corp.example" in text(await ask("5.0.0.10.in-addr.arpa", "PTR"))
                assert ask.queries == []


class TestRules:
    @on_loop
    async def test_two_vpcs_with_different_upstreams_never_share_an_answer(self) -> None:
        name = "host.corp.example"
        with (
            Nameserver(saying(f"{name} 300 IN A 10.0.0.1")) as first,
            Nameserver(saying(f"{name} 300 IN A 10.0.0.2")) as second,
        ):
            domain = Name.from_text("corp.example")
            rules = (
                ForwardRule(domain, (first.upstream,), frozenset({VPC_A})),
                ForwardRule(domain, (second.upstream,), frozenset({VPC_B})),
            )
            async with forwarding(saying(f"{name} 300 IN A 10.0.0.3"), rules=rules) as ask:
                for _ in range(2):
                    for peer, last in ((IN_A, 1), (IN_B, 2), (ON_INTERNET, 3)):
                        assert text(await ask(name, peer=peer)) == f"NOERROR, {name}. 300 10.0.0.{last}"
                answers = await asyncio.gather(*(ask(f"x.{name}", peer=peer) for peer in (IN_A, IN_B)))
                assert [len(server.queries) for server in (first, second)] == [2, 2]
                assert len(answers) == 2


class TestChanges:
    @on_loop
    async def test_a_rebind_in_flight_is_decided_in_the_new_world(self) -> None:
        gated = Gated(saying(*CHAIN))
        async with forwarding(gated) as ask:
            in_a, in_b = (asyncio.ensure_future(ask(peer=peer)) for peer in (IN_A, IN_B))
            await until(lambda: len(ask.queries) == 1)
            ask.state.reload(rebound(ask.state.world))
            gated.open.set()
            assert text(await in_a).startswith("NXDOMAIN")
            assert text(await in_b).endswith(f"{DEDICATED_NAME}. 60 {ENDPOINT}")

    @on_loop
    async def test_a_name_that_becomes_ours_in_flight_is_answered_as_ours(self) -> None:
        gated = Gated(GOOD)
        async with forwarding(gated) as ask:
            answer = asyncio.ensure_future(ask())
            await until(lambda: len(ask.queries) == 1)
            world = ask.state.world
            group_id = DEDICATED_NAME[:32]
            ask.state.reload(
                replace(world, custom_domains=world.custom_domains.put(Name.from_text(QNAME), group_id))
            )
            gated.open.set()
            assert DEDICATED_NAME in text(await answer)

    @on_loop
    async def test_other_upstreams_in_flight_are_asked_anew(self) -> None:
        gated = Gated(saying(f"{QNAME} 300 IN A 203.0.113.66"))
        with Nameserver(GOOD) as new:
            async with forwarding(gated) as ask:
                answer = asyncio.ensure_future(ask())
                await until(lambda: len(ask.queries) == 1)
                ask.state.reload(replace(ask.state.world, forwarding=Forwarding((new.upstream,))))
                gated.open.set()
                assert text(await answer) == OK

    @on_loop
    async def test_no_upstreams_any_more_is_refused(self) -> None:
        gated = Gated(GOOD)
        async with forwarding(gated) as ask:
            answer = asyncio.ensure_future(ask())
            await until(lambda: len(ask.queries) == 1)
            ask.state.reload(replace(ask.state.world, forwarding=Forwarding()))
            gated.open.set()
            assert text(await answer) == "REFUSED, EDE 20"


class TestProxy:
    @on_loop
    async def test_a_trusted_peer_names_the_client(self) -> None:
        async with forwarding(saying(*CHAIN)) as ask:
            query = dns.message.make_query(QNAME, "A").to_wire()
            for source, rcode in ((IN_A, 0), (IN_B, 3)):
                octets = await ask.octets(proxy_header(source) + query, "127.0.0.9")
                assert octets is not None
                assert dns.message.from_wire(octets).rcode() == rcode

    @on_loop
    async def test_nobody_else_does(self) -> None:
        async with forwarding(GOOD) as ask:
            octets = await ask.octets(proxy_header(IN_A) + dns.message.make_query(QNAME, "A").to_wire(), IN_B)
            assert octets is None or octets[3] & 0xF == dns.rcode.NOTIMP
            assert ask.queries == []

    @on_loop
    async def test_a_broken_header_is_dropped(self) -> None:
        async with forwarding(GOOD) as ask:
            assert await ask.octets(proxy_header(IN_A)[:20], "127.0.0.9") is None


class TestLoops:
    @pytest.mark.parametrize("between", [False, True])
    @on_loop
    async def test_asking_ourselves_ends(self, between: bool) -> None:
        """Directly, or through another forwarder of our kind."""
        states = [State(with_loopback(example())) for _ in range(2)]
        ours, other = (Resolver(state, forwarder=Forwarder(deadline=SOON)) for state in states)
        async with listening(ours) as (service, at), listening(other) as (_, other_at):
            us, other_us = Upstream(at.address, at.port), Upstream(other_at.address, other_at.port)
            for state, upstream in zip(states, (other_us if between else us, us), strict=True):
                state.reload(replace(state.world, forwarding=Forwarding((upstream,))))
            with Udp() as client:
                query = dns.message.make_query(QNAME, "A", use_edns=0)
                answer = dns.message.from_wire((await client.ask(query.to_wire(), us.socket_address))[0])
                assert text(answer) in ("SERVFAIL, EDE 0", "SERVFAIL, EDE 22", "SERVFAIL, EDE 23")
            assert service.counters.udp_received < 12
            assert ours.forwarder.counters.loops == 1

    @pytest.mark.parametrize("another", [False, True])
    @on_loop
    async def test_a_loop_through_another_forwarder_is_named(
        self, another: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The upstream asks us what we have asked it; with another one besides, that one answers."""
        with Nameserver(silent, "127.0.0.9") as waits_for_us, Nameserver(GOOD) as other:
            upstreams = (waits_for_us.upstream, other.upstream)[: 1 + another]
            async with forwarding(upstreams=upstreams) as ask:
                first = asyncio.ensure_future(ask())
                await until(lambda: len(waits_for_us.queries) == 1)
                expected = f"NOERROR, {QNAME}. 300 192.0.2.1" if another else "SERVFAIL, EDE 0"
                assert text(await ask(peer="127.0.0.9")) == "SERVFAIL, EDE 0"
                assert text(await first) == expected
                assert ask.resolver.forwarder.counters.loops == 1
        assert "a forwarding loop" in caplog.text

    @pytest.mark.parametrize(("host", "peer"), [("127.0.0.1", "127.0.0.1"), ("127.0.0.9", "127.0.0.1")])
    @on_loop
    async def test_where_clients_are_too_a_loop_is_named_when_nobody_has_answered(
        self, host: str, peer: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A client of 127.0.0.1 may well ask the same; forwarders ask from there, wherever they listen."""
        with Nameserver(silent, host) as waits_for_us:
            async with forwarding(upstreams=(waits_for_us.upstream,), deadline=SOON) as ask:
                first = asyncio.ensure_future(ask())
                await until(lambda: len(waits_for_us.queries) == 1)
                assert text(await ask(peer=peer)) == text(await first) == "SERVFAIL, EDE 0"
        assert "a forwarding loop" in caplog.text

    @on_loop
    async def test_a_loop_of_other_flags_is_one(self, caplog: pytest.LogCaptureFixture) -> None:
        """A validator asks with DO what it was asked without, again and again, and fails in the end."""
        gated = Gated(saying(rcode="SERVFAIL"))
        with Nameserver(gated, "127.0.0.9") as validator:
            async with forwarding(upstreams=(validator.upstream,)) as ask:
                first = asyncio.ensure_future(ask())
                again = asyncio.ensure_future(ask(peer="127.0.0.9", want_dnssec=True))
                await until(lambda: len(ask.resolver.forwarder) == 2)
                assert text(await ask(peer="127.0.0.9", want_dnssec=True)) == "SERVFAIL, EDE 0"
                assert [text(await one) for one in (first, again)] == ["SERVFAIL, EDE 0"] * 2
                gated.open.set()
        assert caplog.text.count("a forwarding loop") == 1


@on_loop
async def test_a_fault_while_finishing_reaches_the_catch_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    async with forwarding(GOOD) as ask:
        monkeypatch.setattr(ask.observer, "decided", broken)
        with pytest.raises(ZeroDivisionError):
            await ask()


@on_loop
async def test_observers_hear_of_every_decision() -> None:
    async with forwarding(GOOD) as ask:
        await ask()
        await ask()
        await ask(DEDICATED_NAME)
        kinds = [
            result.resolution.reason.value
            for _, result in ask.told
            if isinstance(result, Response) and result.resolution
        ]
        assert kinds == ["forwarded", "forwarded", "dedicated-bound-vpc"]
