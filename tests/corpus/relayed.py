"""Upstreams' responses to record, to queries that are forwarded: good ones, odd ones and broken ones.

Every list is made the same each time: chance comes from seeds.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import Final

from tests.corpus.asked import DEDICATED, GOOD_EDNS, MANY, OFF, SUBNETS, SUFFIX
from tests.corpus.configurations import FORWARDING
from tests.corpus.messages import (
    AA,
    AD,
    CD,
    COOKIE,
    EXTENDED_ERROR,
    KEEPALIVE,
    NSID,
    PADDING,
    QR,
    RA,
    RD,
    RR,
    TC,
    UPSTREAM_ID,
    Answer,
    Z,
    flipped,
    header,
    opt,
    option,
    pointer,
    query,
    question,
    wire,
)
from tests.corpus.recording import Arrival, Case, Configuration, Kind

WWW: Final = "www.example.org"
ZONE: Final = "example.org"
_SOA_TAIL: Final = struct.pack("!5I", 2024010101, 7200, 3600, 1209600, 300)
_FAILURES: Final = ("SILENT", "UNREACHABLE", "UNUSABLE", "REFUSED", "REMEMBERED", "OVERLOADED", "LOOP")

# Data of each type, by its parts; names between octets are compressed where they may be.
_DATA: Final[dict[str | int, tuple[tuple[bytes | str, ...], ...]]] = {
    "A": ((b"\xc0\0\2\1",), (b"\xc0\0\2\2",), (b"\xc6\x33\x64\7",)),
    "AAAA": ((bytes.fromhex("20010db8") + bytes(11) + b"\1",), (bytes(15) + b"\1",)),
    "NS": (("ns1.example.org",), ("ns2.example.net",), ("",)),
    "CNAME": (("web.example.org",), ("cdn.example.net",)),
    "DNAME": (("example.net",),),
    "SOA": (("ns1.example.org", "hostmaster.example.org", _SOA_TAIL),),
    "PTR": (("host.example.org",), ("www.example.org",)),
    "MB": (("mb.example.org",),),
    "MD": (("md.example.org",),),
    8: (("mg.example.org",),),
    9: (("mr.example.org",),),
    4: (("mf.example.org",),),
    "MINFO": (("r.example.org", "e.example.org"),),
    "RP": (("mail.example.org", "txt.example.org"),),
    "MX": ((b"\0\x0a", "mail.example.org"), (b"\0\0", "")),
    "AFSDB": ((b"\0\1", "afs.example.org"),),
    "RT": ((b"\0\1", "rt.example.org"),),
    "KX": ((b"\0\1", "kx.example.org"),),
    "PX": ((b"\0\1", "map822.example.org", "mapx400.example.org"),),
    "SRV": ((b"\0\1\0\2\0\x50", "www.example.org"), (b"\0\0\0\0\0\0", "")),
    "NAPTR": ((b"\0\1\0\2\1S\7SIP+D2U\0", wire("_sip._udp.example.org")),),
    "TXT": ((b"\x0bhello world",), (b"\0",), (b"\3one\3two",), (b"\xff" + b"t" * 255,)),
    "SPF": ((b"\x0bv=spf1 -all",),),
    "HINFO": ((b"\3CPU\2OS",),),
    "NULL": ((b"anything",), (b"",)),
    "LOC": ((bytes.fromhex("00121613") + bytes(12),),),
    "DS": ((b"\x30\x39\x0d\2" + b"d" * 32,),),
    "DNSKEY": ((b"\1\1\3\x0d" + b"k" * 64,),),
    "RRSIG": ((struct.pack("!HBBIIIH", 1, 13, 3, 300, 2**31, 2**30, 12345), wire(ZONE), b"s" * 64),),
    "NSEC": ((wire("x.example.org"), b"\0\6\x40\0\0\0\0\3"),),
    "NSEC3": ((b"\1\0\0\0\0\x14" + b"h" * 20 + b"\0\1\x40",),),
    "TLSA": ((b"\3\1\1" + b"t" * 32,),),
    "SSHFP": ((b"\1\1" + b"f" * 20,),),
    "SVCB": ((b"\0\1", wire("svc.example.org"), b"\0\1\0\3\2h2"),),
    "HTTPS": ((b"\0\1\0\0\1\0\3\2h2\0\4\0\4\xc0\0\2\1",), (b"\0\0", wire("cdn.example.net"))),
    "CAA": ((b"\0\5issueca.example",),),
    "URI": ((b"\0\1\0\1https://example.org/",),),
    65280: ((b"unknown data",), (b"",), (b"\xc0\x0c",)),
}


@dataclass(frozen=True, slots=True)
class Way:
    """How a query that is forwarded comes, and what becomes of its answer until it is finished."""

    edns: bytes = opt()
    flags: int = RD
    client: str = "10.1.0.5"
    tcp: bool = False
    age: int = 0
    stale: bool = False
    configuration: str = FORWARDING[0]
    finished_in: str = ""


_WAYS: Final = (
    Way(),
    Way(b""),
    Way(opt(size=512, do=True), RD | CD, age=1),
    Way(opt(size=4096), RD | AD, "10.2.0.5", age=299),
    Way(opt(option(NSID) + SUBNETS[1]), 0, "127.0.0.1", age=300),
    Way(opt(option(NSID) + option(KEEPALIVE)), tcp=True, age=301),
    Way(b"", CD, tcp=True, age=2**31),
    Way(opt(), stale=True, age=5),
    Way(b"", stale=True),
    Way(opt(size=0), configuration=FORWARDING[1], stale=True),
    Way(opt(option(COOKIE, b"8 octets") + option(PADDING, bytes(20))), configuration=FORWARDING[1]),
    Way(opt(do=True), configuration=FORWARDING[2]),
    Way(opt(), client="192.168.0.5", finished_in=FORWARDING[2]),
    Way(opt(SUBNETS[0]), client="::1", tcp=True, configuration=FORWARDING[3]),
)


class _Maker:
    """Makes cases of responses and ways; knows the configurations' numbers."""

    def __init__(self, configurations: Sequence[Configuration]) -> None:
        self._numbers = {configuration.name: number for number, configuration in enumerate(configurations)}

    def case(self, answer: Answer, way: Way, octets: bytes | None = None) -> Case:
        """`octets` come instead of the answer's own."""
        upstream = answer.octets(UPSTREAM_ID) if octets is None else octets
        asking = query(answer.name, answer.rtype, way.edns, rclass=answer.rclass, flags=way.flags)
        number = self._numbers[way.configuration]
        return Case(
            Kind.RELAY,
            asking,
            number,
            Arrival(way.client, "tcp" if way.tcp else "udp"),
            upstream,
            way.age,
            way.stale,
            self._numbers[way.finished_in] if way.finished_in else number,
        )

    def failed(self, failure: str, way: Way, name: str = WWW) -> Case:
        number = self._numbers[way.configuration]
        finished = self._numbers[way.finished_in] if way.finished_in else number
        octets = query(name, "A", way.edns, flags=way.flags)
        arrival = Arrival(way.client, "tcp" if way.tcp else "udp")
        return Case(Kind.FAILED, octets, number, arrival, finished_in=finished, failure=failure)


def relayed(configurations: Sequence[Configuration]) -> Iterator[Case]:
    """All cases of this module."""
    maker, rng = _Maker(configurations), Random("relayed")
    for place, answer in enumerate(_good(rng)):
        for way in _WAYS if place % 3 == 0 else rng.sample(_WAYS, 6):
            yield maker.case(answer, way)
        yield Case(Kind.READ, answer.octets(UPSTREAM_ID))
    yield from _forms(maker)
    yield from _leading_to_us(maker)
    yield from _long(maker, rng)
    yield from _odd(maker)
    yield from _broken(maker, rng)
    for failure in _FAILURES:
        for way in _WAYS:
            yield maker.failed(failure, way)
        for configuration in FORWARDING:
            for name in (WWW, "mail.corp.example", "5.0.2.10.in-addr.arpa", SUFFIX):
                way = Way(configuration=configuration, finished_in=FORWARDING[0])
                yield maker.failed(failure, replace(way, finished_in=configuration), name)
                yield maker.failed(failure, way, name)


def _rr(owner: str | bytes, rtype: str | int, place: int = 0, ttl: int = 300) -> RR:
    data = _DATA[rtype]
    return RR(owner, rtype, data[place % len(data)], ttl)


def _good(rng: Random) -> Iterator[Answer]:
    """Responses as servers send them: every type, alone, among others, with and without EDNS."""
    soa = _rr(ZONE, "SOA", ttl=3600)
    for rtype in _DATA:
        for squeeze in (0, 1, 2):
            yield Answer(WWW, rtype, (_rr(WWW, rtype),), squeeze=squeeze)
        several = tuple(_rr(WWW, rtype, place, 60 * place) for place in range(5))
        yield Answer(WWW, rtype, several, (_rr(ZONE, "NS"), _rr(ZONE, "NS", 1)), edns=opt(size=4096))
        yield Answer(WWW, "A", (_rr(WWW, "A"), _rr(WWW, rtype)), (), (_rr("x.example.org", rtype),))
    for flags in (QR, QR | RD, QR | RD | RA | AA, QR | RD | RA | AD, QR | RD | RA | CD | AD | Z, QR | TC):
        for records in ((), (_rr(WWW, "A"), _rr(WWW, "A", 1)), (_rr(WWW, "TXT"),)):
            yield Answer(WWW, "A", records, flags=flags)
            yield Answer(WWW, "A", records, flags=flags | TC, edns=opt())
    for rcode in range(16):
        for edns in (b"", opt(), *(opt(rcode=high) for high in (1, 2, 0xFF))):
            yield Answer(WWW, "A", (), (soa,), flags=QR | RD | RA | rcode, edns=edns)
        yield Answer(WWW, "A", (_rr(WWW, "A"),), flags=QR | RD | RA | rcode)
    for ttl in (0, 1, 59, 299, 300, 301, 2**31 - 1, 2**31, 2**32 - 1):
        yield Answer(WWW, "A", (_rr(WWW, "A", ttl=ttl), _rr(WWW, "A", 1, 60)))
        yield Answer(WWW, "MX", (), (_rr(ZONE, "SOA", ttl=ttl),), (_rr("m.example.org", "A", ttl=ttl),))
    for text in (b"", b"\0", b"\0\x16", b"\0\x16no route", b"\xff\xff" + b"x" * 200, b"\0\6\xff\xfe"):
        for rcode in (0, 2, 3):
            options = option(EXTENDED_ERROR, text)
            yield Answer(WWW, "A", (), (soa,), flags=QR | RD | RA | rcode, edns=opt(options))
    for options in (
        option(EXTENDED_ERROR, b"\0\x09" + b"y" * 306),
        option(EXTENDED_ERROR, b"\0\x09" + b"y" * 307),
        option(EXTENDED_ERROR, b"\0\x09one") + option(EXTENDED_ERROR, b"\0\x0atwo"),
        option(NSID, b"theirs") + option(COOKIE, bytes(16)) + option(EXTENDED_ERROR, b"\0\x09bogus"),
        option(EXTENDED_ERROR, b"\0\x09bogus") + b"\0",
        option(65001) * 17,
    ):
        for flags in (QR | RA, QR | RA | 2):
            yield Answer(WWW, "A", (_rr(WWW, "A"),), edns=opt(options), flags=flags)
    for size in (1, 2, 3, 10, 30):
        yield Answer(WWW, "A", tuple(_rr(WWW, "A", place) for place in range(size)), squeeze=1)
        yield Answer(WWW, "A", tuple(_rr("o.example.org", "A", place) for place in range(size)))
    for name in (
        "Www.eXample.ORG",
        "mail.corp.example",
        "",
        "com",
        ".".join(["a"] * 120),
        "\xff\x00.example",
    ):
        for squeeze in (0, 2):
            yield Answer(
                name, "A", (_rr(name, "A"),), (_rr("", "NS", 1),), (_rr("ns.net", "A"),), squeeze=squeeze
            )
    referral = tuple(RR("", "NS", (f"{letter}.root-servers.net",), 518400) for letter in "abcdefghijklm")
    glue = tuple(
        _rr(f"{letter}.root-servers.net", "A", place) for place, letter in enumerate("abcdefghijklm")
    )
    yield Answer("", "NS", referral, (), glue, edns=opt())
    yield Answer(WWW, "A", (), referral, glue)
    for _ in range(240):
        yield _mixed(rng)


def _mixed(rng: Random) -> Answer:
    owners = (WWW, WWW, ZONE, "web.example.org", "cdn.example.net", "", "WWW.example.org")

    def records(most: int) -> tuple[RR, ...]:
        types = list(_DATA)
        return tuple(
            _rr(rng.choice(owners), rng.choice(types), rng.randint(0, 5), rng.choice((0, 5, 60, 300, 86400)))
            for _ in range(rng.randint(0, most))
        )

    options = rng.choice((b"", option(EXTENDED_ERROR, b"\0\x03stale"), option(NSID, b"up")))
    return Answer(
        WWW,
        rng.choice(("A", "AAAA", "MX", "CNAME", "ANY", "TXT")),
        records(6),
        records(3),
        records(4),
        rng.choice((b"", opt(options, 4096, do=rng.random() < 0.5))),
        squeeze=rng.choice((0, 1, 2, 2)),
        flags=QR | RD | RA | rng.choice((0, 0, 0, 2, 3)) | rng.choice((0, AA, AD)),
    )


def _forms(maker: _Maker) -> Iterator[Case]:
    """One response to every form of EDNS that a query may have."""
    error = opt(option(EXTENDED_ERROR, b"\0\x16no route"))
    answers = (
        Answer(WWW, "A", (_rr(WWW, "A"),)),
        Answer(WWW, "A", (), (_rr(ZONE, "SOA"),), edns=error, flags=QR | RA | 2),
        Answer(WWW, "A", (), (_rr(ZONE, "SOA"),), flags=QR | RA | 2),
        Answer(WWW, "A", (), (_rr(ZONE, "SOA"),), flags=QR | RA | 7, edns=opt(rcode=1)),
    )
    for edns in GOOD_EDNS:
        for answer in answers:
            for client, tcp in (("127.0.0.1", False), ("127.0.0.1", True), ("10.2.0.5", False)):
                yield maker.case(answer, Way(edns, client=client, tcp=tcp))
    for flags in range(128):
        bits = (flags >> 1) << 4 | (flags & 1) << 8
        for answer in answers[:2]:
            yield maker.case(answer, Way(flags=bits))
        yield maker.case(replace(answers[0], flags=QR | bits | (flags & 3) << 9), Way())


def _leading_to_us(maker: _Maker) -> Iterator[Case]:
    """CNAMEs and owners that are names of ours, or lead to one, or nowhere."""
    ours = (DEDICATED, MANY, OFF, SUFFIX, f"www.{SUFFIX}", "api.example.com", "x.wild.example.com")
    others = ("localhost", "x.onion", "whoami.vpcdns.internal", "off.example.com", "5.0.1.10.in-addr.arpa")
    stray = (
        f"{DEDICATED}.corp.example",
        "Api.Example.COM",
        "web.example.org",
        "mail.corp.example",
        "many.example.com",
    )
    for target in (*ours, *others, *stray):
        one = RR(WWW, "CNAME", (target,), 120)
        chain = (RR(WWW, "CNAME", ("a.example.net",), 120), RR("a.example.net", "CNAME", (target,), 30))
        answers = (
            Answer(WWW, "A", (one, RR(target, "A", (b"\xcb\0\x71\7",)))),
            Answer(WWW, "A", (*chain, _rr(target, "A")), (_rr(ZONE, "NS"),), edns=opt()),
            Answer(WWW, "AAAA", (chain[1], chain[0])),
            Answer(WWW, "CNAME", (one, _rr(target, "A"))),
            Answer(WWW, "ANY", (one, _rr(WWW, "TXT"))),
            Answer(WWW, "MX", (_rr(WWW, "MX"),), (), (_rr("mail.example.org", "A"), _rr(target, "A"))),
            Answer(WWW, "A", (_rr(WWW, "A"),), (_rr(target, "SOA"),)),
            Answer(WWW, "A", (_rr(WWW, "A"), _rr(target, "A"), _rr("z.example.org", "A")), squeeze=0),
        )
        for answer in answers:
            for configuration in FORWARDING:
                yield maker.case(answer, Way(configuration=configuration, age=20))
            yield maker.case(answer, Way(b"", client="10.2.0.5"))
            yield maker.case(answer, Way(client="10.2.0.5", configuration=FORWARDING[5], tcp=True))
            yield maker.case(answer, Way(opt(option(NSID)), client="10.3.0.5", stale=True))
            yield maker.case(answer, Way(client="10.2.0.5", finished_in=FORWARDING[3], age=200))
            yield maker.case(answer, Way(client="10.2.0.5", finished_in=FORWARDING[4], age=200))
    for finished in ("config/vpcdns.yaml", "tests/conformance/vpcdns.yaml", "special-use", "wildcards"):
        for name in (WWW, "mail.corp.example", "host3.example", "5.0.2.10.in-addr.arpa", SUFFIX):
            for client in ("10.1.0.5", "10.2.0.5", "127.0.0.1"):
                yield maker.case(
                    Answer(name, "A", (_rr(name, "A"),)), Way(client=client, finished_in=finished)
                )


def _long(maker: _Maker, rng: Random) -> Iterator[Case]:
    """More than the client takes, and just as much, at every place where something has to go."""
    soa, error = _rr(ZONE, "SOA"), opt(option(EXTENDED_ERROR, b"\0\x16" + b"no route to any server" * 3))
    glue = tuple(_rr(f"g{place}.example.org", "A", place) for place in range(8))
    addresses = tuple(_rr(WWW, "A", place) for place in range(24))
    for size in range(512, 720, 3):
        for answer in (
            Answer(WWW, "A", addresses, (soa,), glue, error),
            Answer(WWW, "A", addresses + addresses[:4]),
            Answer(WWW, "TXT", (_rr(WWW, "TXT", 3), _rr(WWW, "TXT", 3)), (), glue),
        ):
            yield maker.case(answer, Way(opt(size=size)))
            yield maker.case(
                answer, Way(opt(option(NSID) + SUBNETS[0], size), client="127.0.0.1", stale=True)
            )
    for length in range(380, 511, 2):
        text = b"".join(
            bytes((len(part),)) + part for part in (b"t" * (length // 2), b"t" * (length - length // 2))
        )
        answer = Answer(WWW, "TXT", (RR(WWW, "TXT", (text,)),), edns=error, flags=QR | RA | 2)
        for way in (Way(b""), Way(opt(size=512)), Way(opt(option(NSID), size=512), stale=True)):
            yield maker.case(answer, way)
            yield maker.case(replace(answer, edns=b""), replace(way, configuration=FORWARDING[1]))
    for count in (10, 30, 60, 75, 76, 77, 78, 200):
        for squeeze in (0, 1):
            plain = Answer(WWW, "A", tuple(_rr(WWW, "A", place) for place in range(count)), squeeze=squeeze)
            signed = replace(plain, answers=(*plain.answers, _rr(WWW, "RRSIG")), edns=opt(do=True))
            for answer in (plain, signed):
                for way in rng.sample(_WAYS, 6):
                    yield maker.case(answer, way)
    texts = tuple(RR(WWW, "TXT", (b"\xff" + b"t" * 255,)) for _ in range(231))
    behind = tuple(RR("far.example.org", "MX", (b"\0\1", "far.example.net")) for _ in range(6))
    over = Answer(WWW, "TXT", (*texts, *texts[:30]))
    yield maker.case(over, Way(tcp=True), over.octets(UPSTREAM_ID)[:65535])
    for room in range(0, 60, 6):
        filler = RR(WWW, "TXT", (bytes((room,)) + b"r" * room,))
        full = Answer(WWW, "TXT", (*texts, filler, *behind))
        for way in (Way(tcp=True), Way(opt(option(NSID)), tcp=True, stale=True), Way(b"", tcp=True), Way()):
            yield maker.case(full, way)


def _odd(maker: _Maker) -> Iterator[Case]:
    """Responses at the bounds of what is followed, and beside the question."""
    hop = tuple(RR(f"h{place}.example.org", "CNAME", (f"h{place + 1}.example.org",)) for place in range(20))
    loop = (RR(WWW, "CNAME", ("a.example.org",)), RR("a.example.org", "CNAME", (WWW,)))
    twice = (RR(WWW, "CNAME", ("a.example.org",)), RR(WWW, "CNAME", (DEDICATED,)))
    answers = [Answer("h0.example.org", "A", hop[:count]) for count in (1, 2, 15, 16, 17, 20)]
    answers += [Answer(WWW, "A", loop), Answer(WWW, "A", twice), Answer(WWW, "A", twice[::-1])]
    answers += [Answer(WWW, "A", (RR("wWw.example.org", "CNAME", (DEDICATED,)),))]
    for count in (26, 62, 63, 64, 65, 80):
        owners = tuple(_rr(f"o{place}.example.org", "A", place) for place in range(count))
        answers += [Answer(WWW, "A", (_rr(WWW, "A"),), (), owners), Answer(WWW, "A", owners)]
    root = _rr("", "TXT")
    extra = RR("x.example.org", "A", (b"\1\2\3\4",))
    answers += [
        Answer(WWW, "A", (_rr(WWW, "A"),), edns=opt(), behind=(extra,)),
        Answer(WWW, "A", (_rr(WWW, "A"),), (), (extra,), opt(), (RR(WWW, 250, (b"tsig",), 0, 255),)),
        Answer(WWW, "A", (_rr(WWW, "A"),), (), (RR(b"\0", "OPT", (b"",), 0, 1232),), opt()),
        Answer(WWW, "A", (RR(b"\0", "OPT", (b"",), 0, 1232),)),
        Answer(WWW, "A", (), (RR(b"\0", "OPT", (b"",), 0, 1232),)),
        Answer(WWW, "A", (_rr(WWW, "A"),), edns=opt(owner=b"\1x\0")),
        Answer(WWW, "A", (_rr(WWW, "A"),), edns=opt(owner=pointer(12))),
        Answer(WWW, "A", (_rr(WWW, "A"),), edns=opt(version=1, size=0, z=0x7FFF)),
        Answer(WWW, "A", (_rr(WWW, "A"),), edns=opt(b"\0\x0f\0\xff")),
        Answer(WWW, "A", (replace(_rr(WWW, "A"), rclass=3), replace(_rr(WWW, "A"), rclass=255), root)),
        Answer(WWW, "A", (_rr(WWW, "A"),), rclass=3),
    ]
    for answer in answers:
        for way in _WAYS[::2]:
            yield maker.case(answer, way)
        yield Case(Kind.READ, answer.octets(UPSTREAM_ID))
    good = Answer(WWW, "A", (_rr(WWW, "A"), _rr(WWW, "A", 1)))
    octets = good.octets(UPSTREAM_ID)
    beside = [
        octets[:-1] + bytes(20),
        b"\x7a\x7b" + octets[2:],
        octets[:2] + b"\1" + octets[3:],
        *(octets[:2] + bytes((0x81 | opcode << 3,)) + octets[3:] for opcode in range(16)),
        *(octets[:4] + struct.pack("!H", count) + octets[6:] for count in (0, 2, 65535)),
        *(octets[:6] + struct.pack("!H", count) + octets[8:] for count in (0, 1, 3, 65535)),
        *(octets[:8] + struct.pack("!2H", *counts) + octets[12:] for counts in ((1, 0), (0, 1), (9, 9))),
        *(Answer(name, "A", good.answers).octets(UPSTREAM_ID) for name in ("wwW.example.org", ZONE, "")),
        *(Answer(WWW, rtype, good.answers).octets(UPSTREAM_ID) for rtype in ("AAAA", "ANY")),
        Answer(WWW, "A", good.answers, rclass=3).octets(UPSTREAM_ID),
        query(WWW, "A", identity=UPSTREAM_ID),
        header(UPSTREAM_ID, QR, 0),
        b"",
    ]
    for octets in beside:
        for way in _WAYS[:8]:
            yield maker.case(good, way, octets)
        yield Case(Kind.READ, octets)


def _broken(maker: _Maker, rng: Random) -> Iterator[Case]:
    """Names, pointers, lengths and data that are not as they should be."""
    chain = (RR(WWW, "CNAME", ("web.example.org",)), _rr("web.example.org", "A"))
    full = Answer(
        WWW, "A", chain, (_rr(ZONE, "SOA"),), (_rr("ns1.example.org", "AAAA"),), opt(option(NSID, b"x"))
    )
    mail = Answer(
        WWW, "MX", (_rr(WWW, "MX"), _rr(WWW, "SRV")), (_rr(ZONE, "NS"),), (_rr("mail.example.org", "A"),)
    )
    plain = Answer(WWW, "A", (_rr(WWW, "A"), _rr(WWW, "A", 1)))
    for answer in (full, mail, plain):
        octets = answer.octets(UPSTREAM_ID)
        question_end = 12 + len(question(answer.name, answer.rtype))
        for end in range(len(octets)):
            yield maker.case(answer, _WAYS[end % 3], octets[:end])
            yield Case(Kind.READ, octets[:end])
        for bit in range(len(octets) * 8):
            if bit < 16 or (96 <= bit < question_end * 8 and bit % 7):
                continue
            changed = flipped(octets, (bit,))
            yield maker.case(answer, _WAYS[bit % 9], changed)
            if bit % 3 == 0:
                yield Case(Kind.READ, changed)
        for _ in range(250):
            changed = flipped(octets, rng.sample(range(question_end * 8, len(octets) * 8), rng.randint(2, 5)))
            yield maker.case(answer, rng.choice(_WAYS), changed)
    for rtype, samples in _DATA.items():
        data = b"".join(part if isinstance(part, bytes) else wire(part) for part in samples[0])
        for changed in (
            data[:-1],
            data + b"\0",
            b"",
            data[:1],
            data * 2,
            pointer(12) + data[2:],
            data[:-2] + pointer(12),
        ):
            answer = Answer(WWW, rtype, (RR(WWW, rtype, (changed,)), _rr(WWW, "A")))
            yield maker.case(answer, Way())
            yield maker.case(answer, Way(b"", age=100))
            yield Case(Kind.READ, answer.octets(UPSTREAM_ID))
    owners = [
        *(pointer(offset) for offset in (0, 2, 11, 12, 13, 15, 16, 24, 28, 29, 30, 33, 35, 43, 0x3FFF)),
        *(b"\1x" + pointer(offset) for offset in (12, 16, 28, 33, 35, 36, 60)),
        *(bytes((first, 12)) for first in (0x40, 0x7F, 0x80, 0xBF)),
        *(b"\x3f" + b"l" * 63 for _ in range(1)),
        *(b"\x3f" + b"l" * 63 + b"\0" for _ in range(1)),
        *(
            b"".join(bytes((63,)) + b"m" * 63 for _ in range(3)) + bytes((last,)) + b"m" * last + b"\0"
            for last in (61, 62)
        ),
        *(
            b"".join(bytes((63,)) + b"m" * 63 for _ in range(3)) + bytes((last,)) + b"m" * last + pointer(12)
            for last in (43, 45, 46, 47)
        ),
        b"\xc0",
        b"\0",
    ]
    for owner in owners:
        for rtype in ("A", "CNAME", "TXT"):
            answer = Answer(WWW, "A", (_rr(WWW, "A"), replace(_rr(WWW, rtype), owner=owner)))
            for way in (Way(), Way(opt(size=512), age=60)):
                yield maker.case(answer, way)
            first = Answer(WWW, "A", (replace(_rr(WWW, rtype), owner=owner),))
            yield maker.case(first, Way())
            yield Case(Kind.READ, first.octets(UPSTREAM_ID))
        target = Answer(WWW, "A", (RR(WWW, "CNAME", (owner,)), _rr(WWW, "NS"), _rr("a.example.org", "A")))
        yield maker.case(target, Way())
        yield Case(Kind.READ, target.octets(UPSTREAM_ID))
    for count in (1, 2, 63, 64, 65, 120):
        chain_of = b"".join(
            b"\1p" + pointer(33 + 12 + 4 * place - (4 if place else 33)) for place in range(count)
        )
        records = (RR(WWW, "NULL", (chain_of,)), RR(pointer(33 + 12 + 4 * (count - 1)), "A", (b"\1\2\3\4",)))
        for way in islice(_WAYS, 3):
            yield maker.case(Answer(WWW, "A", records), way)
        yield Case(Kind.READ, Answer(WWW, "A", records).octets(UPSTREAM_ID))
    for _ in range(500):
        tail = rng.randbytes(rng.randint(0, 30))
        octets = (
            header(UPSTREAM_ID, QR | RA, 1, rng.randint(0, 2), 0, rng.randint(0, 1)) + question(WWW) + tail
        )
        yield maker.case(plain, rng.choice(_WAYS), octets)
