"""Relaying: what comes out is what came in, but for id, question, TTLs and OPT; and it is well formed.

dnspython reads every response, as an oracle.
"""

from __future__ import annotations

import struct
from typing import Final

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.messages import option
from vpcdns.errors import MalformedMessage
from vpcdns.model.dns import ExtendedError, InfoCode
from vpcdns.wire.query import Query, read_query
from vpcdns.wire.relay import without_records_from, write_relayed, write_upstream_query
from vpcdns.wire.upstream import Relayed, answers_question, read_response

HEADER: Final = struct.Struct("!6H")
QNAME: Final = "www.example.com"
TSIG: Final = b"\3key\0\0\xfa\0\xff\0\0\0\0\0\3abc"


def query(qname: str = QNAME, rtype: str = "A", **edns: object) -> Query:
    message = dns.message.make_query(qname, rtype, **edns)  # type: ignore[arg-type]
    read = read_query(message.to_wire())
    assert read is not None
    assert read.fault is None
    return read


def response(
    *records: str, question: str = QNAME, rtype: str = "A", edns: bool = True
) -> dns.message.Message:
    asked = dns.message.make_query(question, rtype, use_edns=0 if edns else False)
    made = dns.message.make_response(asked)
    for record in records:
        made.answer.append(dns.rrset.from_text(*record.split(" ", 4)))  # type: ignore[arg-type]
    return made


def relay(
    made: dns.message.Message | bytes, asked: Query | None = None, **how: object
) -> dns.message.Message:
    octets = made if isinstance(made, bytes) else made.to_wire(max_size=65_535)
    limit = how.pop("limit", 65_535)
    asked = asked or query()
    assert isinstance(limit, int)
    written = write_relayed(read_response(octets), asked, limit, **how)  # type: ignore[arg-type]
    assert len(written) <= limit
    read = dns.message.from_wire(written)
    assert read.id == asked.id
    assert written[12:].startswith(asked.question_wire)
    return read


def raw(*sections: tuple[bytes, ...], flags: int = 0x8180, name: bytes = b"\3www\7example\3com\0") -> bytes:
    """A response with records as octets: answer, authority, additional."""
    filled = (*sections, (), (), ())[:3]
    counts = [len(section) for section in filled]
    question = name + b"\0\1\0\1"
    return HEADER.pack(7, flags, 1, *counts) + question + b"".join(b"".join(section) for section in filled)


def record(name: bytes, rtype: int, rdata: bytes, ttl: int = 60) -> bytes:
    return name + struct.pack("!HHIH", rtype, 1, ttl, len(rdata)) + rdata


HERE: Final = b"\xc0\x0c"


class TestUpstreamQuery:
    def test_opt_is_our_own(self) -> None:
        options: list[dns.edns.Option] = [
            option(10, b"12345678"),
            dns.edns.ECSOption("10.1.0.5", 32),
            option(11, b""),
            option(12, bytes(32)),
            option(3, b""),
            option(65_001, b"?"),
        ]
        asked = query(use_edns=0, payload=4096, options=options, want_dnssec=True)
        sent = dns.message.from_wire(write_upstream_query(asked, asked.question_wire, 77))
        assert (sent.id, sent.edns, sent.options, sent.payload) == (77, 0, (), 1232)
        assert sent.ednsflags & dns.flags.DO
        assert sent.question[0].to_text() == f"{QNAME}. IN A"

    def test_no_edns_no_opt(self) -> None:
        plain = query(use_edns=False)
        assert dns.message.from_wire(write_upstream_query(plain, plain.question_wire, 1)).edns == -1

    @pytest.mark.parametrize("flags", ["RD", "RD AD", "RD CD", "", "RD AD CD"])
    def test_flags_go_up(self, flags: str) -> None:
        message = dns.message.make_query(QNAME, "A")
        message.flags = dns.flags.from_text(flags)
        asked = read_query(message.to_wire())
        assert asked is not None
        assert (
            dns.message.from_wire(write_upstream_query(asked, asked.question_wire, 1)).flags == message.flags
        )

    def test_the_clients_case_goes_up(self) -> None:
        mixed = query("wWw.eXample.com")
        assert b"\3wWw\7eXample" in write_upstream_query(mixed, mixed.question_wire, 1)


class TestRelaying:
    @pytest.mark.parametrize(
        "records",
        [
            [f"{QNAME}. 300 IN A 192.0.2.1"],
            [f"{QNAME}. 300 IN CNAME x.example.net.", "x.example.net. 5 IN A 192.0.2.1"],
            [f"{QNAME}. 300 IN TXT {' '.join(['a' * 250] * 40)}"],
            [f"{QNAME}. 300 IN TYPE65432 \\# 5 0102030405"],
            [f"{QNAME}. 300 IN HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.1"],
            [f"{QNAME}. 1 IN SRV 1 2 3 target.example.org.", f"{QNAME}. 1 IN MX 5 mx.example.com."],
            [f"{QNAME}. 60 IN A {'.'.join(['192', '0', '2', str(n)])}" for n in range(200)],
        ],
    )
    def test_records_pass_untouched(self, records: list[str]) -> None:
        made = response(*records)
        assert relay(made).answer == dns.message.from_wire(made.to_wire(max_size=65_535)).answer

    @pytest.mark.parametrize("flag", [dns.flags.AA, dns.flags.AD])
    def test_flags_pass(self, flag: int) -> None:
        made = response(f"{QNAME}. 300 IN A 192.0.2.1")
        assert not relay(made).flags & flag
        made.flags |= flag
        assert relay(made).flags & flag

    def test_rd_cd_are_the_clients_and_ra_is_ours(self) -> None:
        message = dns.message.make_query(QNAME, "A")
        message.flags = dns.flags.Flag(dns.flags.CD)
        asked = read_query(message.to_wire())
        relayed = relay(response(f"{QNAME}. 300 IN A 192.0.2.1"), asked)
        assert relayed.flags == dns.flags.QR | dns.flags.RA | dns.flags.CD

    def test_case_is_the_clients(self) -> None:
        octets = response(f"{QNAME}. 300 IN A 192.0.2.1").to_wire()
        asked = query("WWW.eXaMpLe.cOm")
        written = write_relayed(read_response(octets), asked, 512)
        assert asked.question_wire in written
        assert b"www" not in written  # the owner points to the question

    def test_opt_is_ours(self) -> None:
        made = response(f"{QNAME}. 300 IN A 192.0.2.1")
        made.use_edns(0, payload=4096, options=[option(10, bytes(24))])
        relayed = relay(made, query(use_edns=0, want_dnssec=True, payload=1400))
        assert (relayed.edns, relayed.options, relayed.payload) == (0, (), 1232)
        assert relayed.ednsflags & dns.flags.DO

    @pytest.mark.parametrize("edns", [False, True])
    def test_a_signature_of_the_hop_before_is_let_go(self, edns: bool) -> None:
        """RFC 8945 §5.1: TSIG is between two servers; a client that knows no key refuses the message."""
        octets = bytearray(response(f"{QNAME}. 300 IN A 192.0.2.1", edns=edns).to_wire())
        octets[11] += 1
        assert relay(bytes(octets) + TSIG).answer[0][0].to_text() == "192.0.2.1"

    @pytest.mark.parametrize("rtype", [128, 249, 251, 252, 255])
    @pytest.mark.parametrize("section", [7, 11])
    def test_types_that_no_record_has_are_refused(self, rtype: int, section: int) -> None:
        """RFC 6895 §3.1."""
        octets = bytearray(response(edns=False).to_wire())
        octets[section] += 1
        with pytest.raises(MalformedMessage):
            read_response(bytes(octets) + b"\0" + struct.pack("!HHIH", rtype, 1, 0, 0))

    def test_a_signature_that_is_not_the_last_record_is_refused(self) -> None:
        octets = bytearray(response(edns=False).to_wire())
        octets[11] += 2
        with pytest.raises(MalformedMessage):
            read_response(bytes(octets) + TSIG + b"\0\0\1\0\1\0\0\0\0\0\4\1\2\3\4")

    def test_no_opt_for_a_client_without(self) -> None:
        relayed = relay(response(f"{QNAME}. 300 IN A 192.0.2.1"), query(use_edns=False))
        assert relayed.edns == -1

    def test_the_upstreams_extended_error_passes(self) -> None:
        made = response()
        made.use_edns(0, options=[dns.edns.EDEOption(dns.edns.EDECode.DNSSEC_BOGUS, "bogus")])
        made.set_rcode(dns.rcode.SERVFAIL)
        relayed = relay(made, query(use_edns=0))
        assert [option.to_text() for option in relayed.options] == ["EDE 6 (DNSSEC Bogus): bogus"]
        assert relay(made, query(use_edns=False)).options == ()

    def test_an_extended_error_whose_text_is_no_utf8_loses_it(self) -> None:
        """Clients refuse the whole message for it (RFC 8914 §2)."""
        opt = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 8) + struct.pack("!HHH", 15, 4, 6) + b"\xff\xfe"
        relayed = relay(raw((), (), (opt,)), query(use_edns=0))
        assert [option.to_text() for option in relayed.options] == ["EDE 6 (DNSSEC Bogus)"]

    def test_records_of_another_class_are_malformed(self) -> None:
        """Alone, where addresses are read at once, and behind others."""
        alien = HERE + struct.pack("!HHIH", 1, 3, 60, 4) + bytes(4)
        usual = record(HERE, 1, bytes(4))
        for sections in (((alien,),), ((usual, alien),), ((), (alien,))):
            octets = raw(*sections)
            for question_end in (None, 12 + len(b"\3www\7example\3com\0") + 4):
                with pytest.raises(MalformedMessage):
                    read_response(octets, question_end)

    def test_extended_rcode(self) -> None:
        made = response()
        made.set_rcode(dns.rcode.BADVERS)
        assert relay(made, query(use_edns=0)).rcode() == dns.rcode.BADVERS
        assert relay(made, query(use_edns=False)).rcode() == dns.rcode.SERVFAIL

    def test_opt_need_not_be_last(self) -> None:
        opt = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)
        first, last = record(b"\1a\0", 1, bytes(4)), record(b"\1b\0", 1, bytes(4))
        relayed = relay(raw((), (), (first, opt, last)))
        assert [str(rrset.name) for rrset in relayed.additional] == ["a."]

    @pytest.mark.parametrize(
        "sections",
        [
            ((b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0),),),
            ((), (), (b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0),) * 2),
            ((), (), (b"\1a\0" + struct.pack("!HHIH", 41, 1232, 0, 0),)),
        ],
    )
    def test_opt_elsewhere_is_malformed(self, sections: tuple[tuple[bytes, ...], ...]) -> None:
        with pytest.raises(MalformedMessage):
            read_response(raw(*sections))


class TestTtls:
    def test_they_are_counted_down(self) -> None:
        made = response(f"{QNAME}. 300 IN A 192.0.2.1", "x.example. 5 IN A 192.0.2.1")
        assert [rrset.ttl for rrset in relay(made, age=10).answer] == [290, 0]

    def test_stale_ones_are_all_alike(self) -> None:
        made = response(f"{QNAME}. 300 IN A 192.0.2.1", "x.example. 5 IN A 192.0.2.1")
        assert [rrset.ttl for rrset in relay(made, age=900, ttl=30).answer] == [30, 30]

    def test_the_top_bit_counts_as_0(self) -> None:
        octets = raw((record(HERE, 1, bytes(4), ttl=0x80000001),))
        assert [rrset.ttl for rrset in relay(octets).answer] == [0]


class TestSize:
    MANY: Final = [f"{QNAME}. 60 IN A 192.0.2.{n}" for n in range(100)]

    def test_as_many_records_as_fit_and_tc(self) -> None:
        relayed = relay(response(*self.MANY), query(use_edns=False), limit=512)
        assert relayed.flags & dns.flags.TC
        assert len(relayed.answer[0]) == (512 - 12 - len(QNAME) - 2 - 4) // 16
        assert relayed.question

    def test_opt_stays(self) -> None:
        relayed = relay(response(*self.MANY), query(use_edns=0), limit=512)
        assert relayed.flags & dns.flags.TC
        assert relayed.edns == 0

    def test_additional_records_go_without_tc(self) -> None:
        additional = tuple(record(b"\1a\0", 16, bytes([200]) + b"t" * 200) for _ in range(5))
        relayed = relay(raw((record(HERE, 1, bytes(4)),), (), additional), limit=512)
        assert not relayed.flags & dns.flags.TC
        assert relayed.answer
        assert len(relayed.additional[0]) < 5

    def test_the_extended_error_goes_before_records(self) -> None:
        made = response(*self.MANY[:26])
        error = ExtendedError(InfoCode.STALE_ANSWER, "x" * 100)
        relayed = relay(made, query(use_edns=0), limit=512, extended_error=error)
        assert not relayed.flags & dns.flags.TC
        assert [option.to_text() for option in relayed.options] == ["EDE 3 (Stale Answer)"]

    def test_the_upstreams_tc_passes(self) -> None:
        made = response(self.MANY[0])
        made.flags |= dns.flags.TC
        assert relay(made).flags & dns.flags.TC


class TestQuestion:
    QUERY: Final = b"\0\7\x81\x80" + bytes(8)

    @pytest.mark.parametrize(
        ("octets", "fits"),
        [
            (b"\0\7\x81\x80" + bytes(8) + b"\3wWw\0\0\1\0\1", True),
            (b"\0\6\x81\x80" + bytes(8) + b"\3wWw\0\0\1\0\1", False),  # id
            (b"\0\7\x01\x80" + bytes(8) + b"\3wWw\0\0\1\0\1", False),  # QR=0
            (b"\0\7\x81\x80" + bytes(8) + b"\3www\0\0\1\0\1", True),  # case (RFC 4343)
            (b"\0\7\x81\x80" + bytes(8) + b"\3wWw\0\0\x1c\0\1", False),  # type
            (b"\0\7\x81\x80" + bytes(8) + b"\3wWw\0\0\1\0\3", False),  # class
            (b"\0\7\x81\x80" + bytes(8) + b"\3wWw\0\0\1", False),
            (b"\0\7\x81", False),
            (b"", False),
        ],
    )
    def test_only_the_very_question_is_answered(self, octets: bytes, fits: bool) -> None:
        assert answers_question(octets, 7, b"\3wWw\0\0\1\0\1") is fits


class TestMalformed:
    @pytest.mark.parametrize(
        "octets",
        [
            b"",
            b"\0\7\x81\x80" + bytes(8),  # no question
            raw()[:-1],
            raw(flags=0x0180),  # QR=0
            raw(flags=0xA980),  # an opcode
            raw((record(HERE, 1, bytes(4))[:-1],)),
            raw((record(HERE, 1, bytes(3)),)),  # an A record of three octets
            raw((record(HERE, 28, bytes(4)),)),
            raw((record(b"\xc0\x21", 1, bytes(4)),)),  # points to itself
            raw((record(b"\xc0\x23", 1, bytes(4)),)),  # forward
            raw((record(b"\xc0\x02", 1, bytes(4)),)),  # into the header
            raw((record(b"\x40", 1, bytes(4)),)),  # an unknown label type
            raw((record(b"\1a" * 130 + b"\0", 1, bytes(4)),)),  # a name of 261 octets
            raw((record(HERE, 5, b"\xff\xff"),)),
            raw((record(HERE, 5, b"\1a\0\0"),)),  # octets behind the name
            raw((record(HERE, 15, b"\0"),)),
            raw((record(HERE, 6, HERE * 2 + bytes(19)),)),
            raw((record(HERE, 5, b"\1a\xc0\x2d"),)),  # a loop in the data
        ],
    )
    def test_is_told(self, octets: bytes) -> None:
        with pytest.raises(MalformedMessage):
            read_response(octets)

    def test_no_pointer_into_a_ttl_that_is_rewritten(self) -> None:
        """The TTL would be a name now, and something else a second later."""
        first = record(HERE, 1, bytes(4), ttl=0x01610000)
        ttl_at = 12 + 21 + 2 + 4
        with pytest.raises(MalformedMessage):
            read_response(raw((first, record(struct.pack("!H", 0xC000 | ttl_at), 1, bytes(4)))))

    def test_pointers_into_data_of_unknown_form_are_fine(self) -> None:
        """BIND compresses against names that stand in any record's data."""
        first = record(HERE, 65_432, b"\0\0\3foo\0")
        pointer = struct.pack("!H", 0xC000 | 12 + 21 + 12 + 2)
        relayed = read_response(raw((first, record(pointer, 1, bytes(4)))))
        assert str(relayed.name(relayed.records[1].name_at)) == "foo"

    def test_long_chains_of_pointers_cost_little(self) -> None:
        """CVE-2024-8508: each name is walked once, however many point to it."""
        names = [b"\1a" + HERE] + [b"\1a" + struct.pack("!H", 0xC000 | 33 + 18 * n) for n in range(110)]
        relayed = read_response(raw(tuple(record(name, 1, bytes(4)) for name in names)))
        assert len(relayed.records) == 111


def test_records_can_be_cut_off() -> None:
    relayed = read_response(raw(tuple(record(HERE, 1, bytes([n] * 4)) for n in range(3))))
    assert (
        len(dns.message.from_wire(write_relayed(without_records_from(relayed, 1), query(), 512)).answer[0])
        == 1
    )
    assert dns.message.from_wire(write_relayed(without_records_from(relayed, 0), query(), 512)).answer == []


def mutated(octets: bytes, changes: list[tuple[int, int]], length: int) -> bytes:
    changed = bytearray(octets)
    for place, octet in changes:
        changed[place % len(changed)] = octet
    return bytes(changed[:length])


SEEDS: Final = [
    response(f"{QNAME}. 300 IN CNAME x.example.net.", "x.example.net. 5 IN A 192.0.2.1").to_wire(),
    response(f"{QNAME}. 1 IN SRV 1 2 3 target.example.org.", f"{QNAME}. 1 IN MX 5 mx.{QNAME}.").to_wire(),
    response(
        f"{QNAME}. 1 IN SOA a.{QNAME}. b.{QNAME}. 1 2 3 4 5", f"{QNAME}. 1 IN TYPE65432 \\# 1 01"
    ).to_wire(),
]
OCTETS = st.one_of(
    st.binary(max_size=200),
    st.builds(
        mutated,
        st.sampled_from(SEEDS),
        st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=6),
        st.integers(0, 300),
    ),
)


@settings(max_examples=1500, deadline=None)
@given(OCTETS, st.integers(0, 400), st.sampled_from([512, 1232, 65_535]), st.booleans())
def test_any_octets_give_a_well_formed_response_or_malformed(
    octets: bytes, age: int, limit: int, edns: bool
) -> None:
    """Invariant: what is not malformed is relayed as a message that dnspython reads.

    Except for the data of types whose form we do not know, and of classes other than IN (an A of class CH
    is a name and a number): dnspython checks more of them than we do.
    """
    try:
        relayed: Relayed = read_response(octets)
    except MalformedMessage:
        return
    question = relayed.octets[12 : relayed.question_end]
    asked = Query(7, dns.flags.RD, None, question, query(use_edns=0).edns if edns else None)
    written = write_relayed(relayed, asked, limit, age=age)
    assert len(written) <= limit
    again = read_response(written)
    assert len(again.records) <= len(relayed.records)
    message = dns.message.from_wire(written, continue_on_error=True)
    known = {"AAAA", "A", "CNAME", "MX", "SRV", "SOA"}
    for error in message.errors:
        at = next((r for r in again.records if r.end >= error.offset), None)
        foreign = at is None or again.octets[at.ttl_at - 2 : at.ttl_at] != b"\0\1"
        name = "" if at is None or foreign else dns.rdatatype.to_text(dns.rdatatype.RdataType(at.rtype))
        assert name not in known, f"{error.exception!r} in {written.hex()}"


def test_a_question_for_all_classes_has_answers_of_any() -> None:
    octets = raw((record(HERE, 1, bytes(4)),))
    any_class = octets.replace(b"\0\1\0\1" + HERE, b"\0\1\0\xff" + HERE)
    assert len(read_response(any_class).records) == 1
