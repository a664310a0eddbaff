"""Queries to record: what is asked of names of ours and of others, well formed and not.

Every list is made the same each time: chance comes from seeds.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from random import Random
from typing import Final

from tests.corpus.configurations import FORWARDING, LONG_NAME
from tests.corpus.messages import (
    AA,
    AD,
    CD,
    CLASSES,
    COOKIE,
    EXPIRE,
    KEEPALIVE,
    NSID,
    PADDING,
    QR,
    RA,
    RD,
    SUBNET,
    TC,
    TYPES,
    Z,
    flipped,
    header,
    opt,
    option,
    pointer,
    query,
    question,
    subnet,
    wire,
)
from tests.corpus.recording import Arrival, Case, Configuration, Kind

SUFFIX: Final = "alicloudapi.com"
LETTERS: Final = "abcde09"
DEDICATED: Final = f"{'d' * 32}-cn-hangzhou-vpc.{SUFFIX}"
MANY: Final = f"{'b' * 32}-cn-hangzhou-vpc.{SUFFIX}"
OFF: Final = f"{'0' * 32}-cn-hangzhou-vpc.{SUFFIX}"

_FORMED: Final = (
    *(f"{letter * 32}-cn-hangzhou-vpc.{SUFFIX}" for letter in LETTERS),
    *(f"{letter * 32}-cn-shanghai-vpc.{SUFFIX}" for letter in "acd"),
    *(f"{letter * 32}-cn-hangzhou-vpc.gateway.test" for letter in "ad"),
    f"523e8dc7bbe04613b5b1d726c2a7889d-cn-hangzhou-vpc.{SUFFIX}",
    f"8f0c2b6a4d9e47f1a3c5e7b9d1f30a2c-cn-hangzhou-vpc.{SUFFIX}",
    f"c4a1e9d07b5f4e28936ad0f1b2c3d4e5-cn-hangzhou-vpc.{SUFFIX}",
    f"{'D' * 32}-CN-Hangzhou-VPC.AliCloudAPI.com",
    f"{'d' * 31}-cn-hangzhou-vpc.{SUFFIX}",
    f"{'d' * 33}-cn-hangzhou-vpc.{SUFFIX}",
    f"{'d' * 32}-cn-nowhere-vpc.{SUFFIX}",
    f"{'d' * 32}-cn-hangzhou.{SUFFIX}",
    f"x-vpc.{SUFFIX}",
    "x-vpc.gateway.test",
    f"www.{SUFFIX}",
    f"www.{DEDICATED}",
    f"a.b.c.{DEDICATED}",
    f"{DEDICATED}.corp.example",
    f"{DEDICATED}.svc.cluster.local",
)
_CUSTOM: Final = (
    *(f"{label}.example.com" for label in ("api", "off", "orders", "shared", "many", "sub.api", "none")),
    *("Api.EXAMPLE.com", "a.wild.example.com", "b.wild.example.com", "c.b.wild.example.com"),
    *("x.y.wild.example.com", "wild.example.com", "*.wild.example.com", "example.com", "example"),
    *("host1.example", "host3.example", "foo.bar.example", "_ssh._tcp.host2.example", "host2.example"),
    *("*.example", "sub.host1.example", "ghost.*.example", LONG_NAME, f"w.{LONG_NAME}"[-253:]),
)
_SPECIAL: Final = (
    *("localhost", "www.localhost", "invalid", "x.invalid", "x.onion", "x.alt", "home.arpa", "h.home.arpa"),
    *("resolver.arpa", "_dns.resolver.arpa", "x._dns.resolver.arpa", "1.0.0.127.in-addr.arpa"),
    *("0.0.127.in-addr.arpa", "127.in-addr.arpa", "5.0.1.10.in-addr.arpa", "5.0.2.10.in-addr.arpa"),
    *("1.1.168.192.in-addr.arpa", "1.64.100.in-addr.arpa", "8.8.8.8.in-addr.arpa", "d.f.ip6.arpa"),
    *(".".join("1" + "0" * 31) + ".ip6.arpa", "b.8.b.d.0.1.0.0.2.ip6.arpa", "arpa", "local", "x.local"),
)
_SERVER: Final = (
    *("vpcdns.internal", "whoami.vpcdns.internal", "WhoAmI.VPCdns.Internal", "explain.vpcdns.internal"),
    *(f"{name}.explain.vpcdns.internal" for name in (DEDICATED, MANY, OFF, "api.example.com", "localhost")),
    *("www.example.org.explain.vpcdns.internal", "nothing.vpcdns.internal", "internal"),
    *("version.bind", "version.server", "id.server", "hostname.bind", "VERSION.Bind", "authors.bind"),
)
_FOREIGN: Final = (
    *("www.example.org", "mail.corp.example", "corp.example", "xn--bcher-kva.example.net", "com", ""),
    *(SUFFIX, "gateway.test", "AliCloudAPI.com", "a.gateway.test", "alicloudapi.com.cn", "xalicloudapi.com"),
    ".".join(["a"] * 126),
    "\xff\x00 \\.x y.example.org",
)
NAMES: Final = (*_FORMED, *_CUSTOM, *_SPECIAL, *_SERVER, *_FOREIGN)
_RTYPES: Final = (*TYPES.values(), 0, 1000, 32768, 65280, 65535)
_RCLASSES: Final = (*CLASSES.values(), 0, 2, 5, 65280, 65535)
CLIENTS: Final = (
    *("127.0.0.1", "127.10.0.5", "127.20.0.5", "127.30.0.5", "127.40.0.5", "127.10.7.9", "127.200.0.5"),
    *("10.1.0.5", "10.2.0.5", "10.3.0.5", "10.9.0.5", "172.30.1.5", "172.30.1.200", "192.168.0.5"),
    *("192.168.77.5", "203.0.113.9", "fd00:1::5", "fd00:2::5", "2001:db8::5", "::1", "::ffff:10.1.0.5"),
)
_USUAL: Final = ("127.0.0.1", "10.1.0.5", "10.2.0.5", "127.10.0.5", "127.20.0.5")
_COOKIE: Final = b"8 octets"

PLAIN_EDNS: Final = (b"", opt(), opt(), opt(size=512), opt(size=4096), opt(do=True))
SUBNETS: Final = (
    subnet(1, 32, bytes((10, 1, 0, 5))),
    subnet(1, 32, bytes((10, 2, 0, 5))),
    subnet(1, 32, bytes((203, 0, 113, 5))),
    subnet(1, 24, bytes((10, 1, 3))),
    subnet(1, 20, bytes((10, 2, 0x30))),
    subnet(1, 1, b"\x80"),
    subnet(1, 0, b""),
    subnet(0, 0, b""),
    subnet(2, 0, b""),
    subnet(2, 56, bytes.fromhex("fd000001000000")),
    subnet(2, 128, ip_address("fd00:1::5").packed),
    subnet(2, 128, ip_address("::ffff:10.1.0.5").packed),
)
_BAD_SUBNETS: Final = (
    option(SUBNET),
    option(SUBNET, b"\0\1\x20"),
    subnet(1, 33, bytes((10, 1, 0, 5, 0))),
    subnet(1, 32, bytes((10, 1, 0))),
    subnet(1, 24, bytes((10, 1, 0, 5))),
    subnet(1, 24, bytes((10, 1, 0)), scope=24),
    subnet(1, 20, bytes((10, 1, 0x3F))),
    subnet(1, 25, bytes((10, 1, 0, 0x40))),
    subnet(2, 129, bytes(17)),
    subnet(2, 64, bytes(16)),
    subnet(3, 8, b"\x0a"),
    subnet(0, 8, b"\x0a"),
    subnet(65535, 0, b""),
)
GOOD_EDNS: Final = (
    *PLAIN_EDNS,
    *(opt(size=size) for size in (0, 1, 511, 513, 1231, 1233, 65535)),
    opt(z=0x7FFF),
    opt(z=0x4000, do=True),
    opt(rcode=0xFF),
    *(opt(data) for data in SUBNETS),
    opt(option(NSID)),
    opt(option(NSID, b"x")),
    opt(option(COOKIE, _COOKIE)),
    *(opt(option(COOKIE, _COOKIE + bytes(size))) for size in (8, 9, 32)),
    opt(option(KEEPALIVE)),
    opt(option(KEEPALIVE, b"\0\x64")),
    opt(option(PADDING, bytes(16))),
    opt(option(EXPIRE)),
    opt(option(65001, b"unknown") + option(0) + option(65535, bytes(40))),
    opt(option(NSID) + option(COOKIE, _COOKIE) + SUBNETS[0] + option(KEEPALIVE), do=True),
    opt(option(NSID) + option(NSID) + SUBNETS[0] + SUBNETS[1], size=4096),
    opt(b"".join(option(65001 + number) for number in range(16))),
    opt(option(15, b"\0\x12said by the client")),
)
BAD_EDNS: Final = (
    *(opt(version=version) for version in (1, 2, 255)),
    opt(option(NSID) + b"\0", version=1, do=True),
    opt(b"\0\3", version=1),
    *(opt(data) for data in _BAD_SUBNETS),
    *(opt(option(COOKIE, bytes(size))) for size in (0, 1, 7, 9, 15, 41, 64)),
    opt(b"\0"),
    opt(b"\0\3\0"),
    opt(b"\0\3\0\1"),
    opt(option(NSID) + b"\0\x0a\0\xff12345678"),
    opt(b"".join(option(65001 + number) for number in range(17))),
    opt(option(NSID) * 40),
    opt(owner=b"\1x\0"),
    opt(owner=pointer(12)),
    opt(owner=b"\1x" + pointer(12), version=1),
    opt(owner=b"\x40"),
)


def asked(configurations: Sequence[Configuration]) -> Iterator[Case]:
    """All cases of this module."""
    numbers = {configuration.name: number for number, configuration in enumerate(configurations)}
    for number, configuration in enumerate(configurations):
        yield from _everywhere(number, Random(f"asked {configuration.name}"))
    conformance, forwarding = numbers["tests/conformance/vpcdns.yaml"], numbers[FORWARDING[0]]
    for number in (conformance, forwarding, len(configurations) - 1):
        yield from _edns(number)
    yield from _proxied(forwarding)
    for number in (conformance, forwarding):
        yield from _headers(number)
    yield from _sizes(conformance, forwarding, len(configurations) - 1)
    yield from _listeners(numbers["overlapping-blocks"])
    for number in (conformance, forwarding):
        yield from _broken(number, Random(f"broken {number}"))


def _everywhere(number: int, rng: Random) -> Iterator[Case]:
    """Every name and every type, of several clients each, and much by chance."""

    def case(name: str, rtype: int, client: str, edns: bytes, flags: int = RD, rclass: int = 1) -> Case:
        octets = query(name, rtype, edns, rclass=rclass, flags=flags)
        return Case(Kind.ASK, octets, number, Arrival(client, "tcp" if rng.random() < 0.3 else "udp"))

    for name in NAMES:
        for client in (*rng.sample(CLIENTS, 3), rng.choice(_USUAL)):
            rtype = TYPES["TXT" if name in _SERVER else "PTR" if name.endswith(".arpa") else "A"]
            rclass = 3 if name.endswith((".bind", ".server")) else 1
            yield case(name, rtype, client, rng.choice(PLAIN_EDNS), rclass=rclass)
    for rtype in _RTYPES:
        for name in (DEDICATED, "api.example.com", *rng.sample(NAMES, 4)):
            yield case(name, rtype, rng.choice(_USUAL), rng.choice(PLAIN_EDNS))
    for rclass in _RCLASSES:
        for name in (DEDICATED, "version.bind", "id.server", rng.choice(NAMES)):
            yield case(name, rng.choice((1, 16, 255)), rng.choice(_USUAL), rng.choice(PLAIN_EDNS), RD, rclass)
    for _ in range(300):
        name, flags = rng.choice(NAMES), RD
        if rng.random() < 0.1:
            name = "".join(
                letter.upper() if letter.isascii() and rng.random() < 0.5 else letter for letter in name
            )
        if rng.random() < 0.2:
            flags = rng.choice((0, RD | CD, RD | AD, RD | AD | CD, AA, TC | RD, RA, Z))
        rtype = rng.choice((1, 1, 28, 16, 5, 6, 255, 65, 43, 15, 12))
        edns = rng.choice(GOOD_EDNS if rng.random() < 0.8 else BAD_EDNS)
        yield case(name, rtype, rng.choice(CLIENTS), edns, flags, rng.choice((1,) * 9 + (3,)))


def _edns(number: int) -> Iterator[Case]:
    """Every form of EDNS, for answers of every kind and whoever asks."""
    asking = (
        *((DEDICATED, "A", 1), (OFF, "A", 1), ("api.example.com", "AAAA", 1), (SUFFIX, "SOA", 1)),
        *(("whoami.vpcdns.internal", "TXT", 1), ("version.bind", "TXT", 3), ("www.example.org", "A", 1)),
    )
    for place, edns in enumerate((*GOOD_EDNS, *BAD_EDNS)):
        for name, rtype, rclass in asking:
            octets = query(name, rtype, edns, rclass=rclass, identity=0x5000 + place)
            for client in ("127.0.0.1", "10.1.0.5", "203.0.113.9"):
                yield Case(Kind.ASK, octets, number, Arrival(client, "udp"))
            yield Case(Kind.ASK, octets, number, Arrival("127.0.0.1", "tcp"))
            if name in (DEDICATED, "www.example.org"):
                yield Case(Kind.SERVFAIL, octets)
                yield Case(Kind.OVER_TCP, octets)
                yield Case(Kind.NOT_READY, octets, number, Arrival("10.1.0.5", "udp"))
        second = query(DEDICATED, "A", edns) + opt()
        yield Case(Kind.ASK, second[:11] + b"\2" + second[12:], number, Arrival("127.0.0.1"))
        signed = query(DEDICATED, "A", edns) + wire("key") + struct.pack("!HHIH", 250, 255, 0, 4) + b"data"
        yield Case(
            Kind.ASK, signed[:11] + bytes((1 + bool(edns),)) + signed[12:], number, Arrival("10.1.0.5")
        )


def _proxied(number: int) -> Iterator[Case]:
    """PROXY headers before a query, good and bad, and clients that one named over TCP."""
    message = query("whoami.vpcdns.internal", "TXT", opt(SUBNETS[1]))
    ipv4 = bytes((10, 2, 0, 5, 127, 0, 0, 1)) + struct.pack("!HH", 40000, 53)
    ipv6 = ip_address("fd00:1::5").packed + ip_address("::1").packed + struct.pack("!HH", 40000, 53)
    mapped = ip_address("::ffff:10.2.0.5").packed + ipv6[16:]
    signature = b"\r\n\r\n\0\r\nQUIT\n"
    for command in (0x20, 0x21, 0x22, 0x11, 0x31):
        for family, addresses in (
            *((0x11, ipv4), (0x12, ipv4), (0x21, ipv6), (0x22, mapped), (0, b""), (0x31, bytes(216))),
            *((0x12, ipv4 + b"\4\0\1x"), (0x12, ipv4[:8]), (0x22, ipv4), (0x12, ipv4 + bytes(520))),
        ):
            head = signature + bytes((command, family)) + len(addresses).to_bytes(2, "big") + addresses
            for client in ("127.0.0.1", "10.1.0.5"):
                yield Case(Kind.ASK, head + message, number, Arrival(client))
            if command == 0x21 and family == 0x12:
                yield from (
                    Case(Kind.ASK, (head + message)[:end], number, Arrival("127.0.0.1"))
                    for end in range(len(head) + 14)
                )
    for proxied in CLIENTS:
        for client in ("127.0.0.1", "10.1.0.5", "203.0.113.9"):
            for octets in (message, query(DEDICATED), query("mail.corp.example", "MX", opt())):
                yield Case(Kind.ASK, octets, number, Arrival(client, "tcp", "", proxied))


def _headers(number: int) -> Iterator[Case]:
    """Bits of the header, opcodes and counts."""
    here = Arrival("10.1.0.5")
    for edns in (b"", opt(do=True)):
        good = question(DEDICATED, "A"), question("www.example.org", "A")
        for bits in range(128):
            flags = (bits >> 1) << 4 | (bits & 1) << 8 | (RD if bits & 2 else 0)
            for asking in good:
                yield Case(Kind.ASK, header(flags=flags, ar=bool(edns)) + asking + edns, number, here)
        for opcode in range(16):
            for more in (0, RD, CD | AD, QR, 0xF):
                octets = header(flags=opcode << 11 | more, ar=bool(edns)) + good[0] + edns
                yield Case(Kind.ASK, octets, number, here)
                yield Case(Kind.SERVFAIL, octets)
                yield Case(Kind.OVER_TCP, octets)
        for qd in (0, 1, 2, 3, 65535):
            for counts in ((0, 0), (1, 0), (0, 1), (1, 1), (65535, 65535)):
                for ar in (0, 1, 2, 3, 65535):
                    octets = header(qd=qd, an=counts[0], ns=counts[1], ar=ar) + good[0] + edns
                    yield Case(Kind.ASK, octets, number, here)
        for qd in (0, 2):
            octets = header(qd=qd, ar=bool(edns)) + (good[0] * qd) + edns
            for kind in (Kind.ASK, Kind.SERVFAIL, Kind.OVER_TCP):
                yield Case(kind, octets, number, here)
        for identity in (0, 1, 0x7FFF, 0x8000, 0xFFFF):
            yield Case(Kind.ASK, query(DEDICATED, "A", edns, identity=identity), number, here)


def _sizes(conformance: int, forwarding: int, largest: int) -> Iterator[Case]:
    """Answers of more than the client takes, and strangers, who get no more than they sent."""
    for number in (conformance, forwarding):
        for size in (*range(480, 1248, 8), 1500, 4096):
            for options in (b"", option(NSID) + SUBNETS[0]):
                yield Case(
                    Kind.ASK,
                    query(MANY, "A", opt(options, size)),
                    number,
                    Arrival("127.10.0.5" if not options else "127.0.0.1"),
                )
        for name in ("many.example.com", LONG_NAME, f"{DEDICATED}.explain.vpcdns.internal"):
            for edns in (b"", *(opt(size=size) for size in range(512, 1232, 48))):
                yield Case(
                    Kind.ASK,
                    query(name, "TXT" if "explain" in name else "A", edns),
                    number,
                    Arrival("10.2.0.5"),
                )
        for padding in range(140):
            for client in ("127.200.0.5", "203.0.113.9"):
                octets = query(DEDICATED, "A", opt(option(PADDING, bytes(padding))))
                yield Case(Kind.ASK, octets, number, Arrival(client))
        for name in (DEDICATED, "www.example.org", "localhost"):
            for transport in ("udp", "tcp"):
                for edns in GOOD_EDNS[::3]:
                    octets = query(name, "A", edns)
                    yield Case(
                        Kind.ASK,
                        octets,
                        number,
                        Arrival("203.0.113.9", "tcp" if transport == "tcp" else "udp"),
                    )
    for name in (MANY, "many.example.com", LONG_NAME):
        for edns in (b"", opt(), opt(option(NSID) + option(KEEPALIVE))):
            yield Case(Kind.ASK, query(name, "A", edns), largest, Arrival("10.2.0.5", "tcp"))
            yield Case(Kind.ASK, query(name, "A", edns), largest, Arrival("10.2.0.5", "udp"))


def _listeners(number: int) -> Iterator[Case]:
    """Listeners whose clients all count as one VPC's; of one that is gone, too."""
    for listener in ("vpc-x", "vpc-y", "vpc-gone"):
        for client in CLIENTS:
            for name, rtype in ((DEDICATED, "A"), (f"{'a' * 32}-cn-hangzhou-vpc.{SUFFIX}", "A")):
                yield Case(Kind.ASK, query(name, rtype, opt()), number, Arrival(client, "udp", listener))
            octets = query("whoami.vpcdns.internal", "TXT", opt(SUBNETS[0]))
            yield Case(Kind.ASK, octets, number, Arrival(client, "udp", listener))


def _broken(number: int, rng: Random) -> Iterator[Case]:
    """Octets that are no good queries."""
    full = opt(option(NSID) + option(COOKIE, _COOKIE) + SUBNETS[0], do=True)
    good = (
        *(query(DEDICATED, "A", edns) for edns in (b"", opt(), full)),
        query("api.example.com", "AAAA", full),
        query("version.bind", "TXT", opt(), rclass=3),
        query("www.example.org", "A", full),
        query("", "NS", opt()),
    )
    broken: list[bytes] = [message[:end] for message in good for end in range(len(message))]
    broken += [message + bytes(size) for message in good for size in (1, 2, 4, 5, 10, 11, 12, 50)]
    broken += [message + opt() for message in good]
    broken += [flipped(message, (bit,)) for message in good[2:6:3] for bit in range(len(message) * 8)]
    broken += [
        flipped(message, rng.sample(range(16, len(message) * 8), rng.randint(2, 6)))
        for message in good
        for _ in range(100)
    ]
    broken += [rng.randbytes(rng.randint(0, 40)) for _ in range(200)]
    broken += [header(ar=rng.randint(0, 1)) + rng.randbytes(rng.randint(0, 40)) for _ in range(300)]
    broken += [header(ar=1) + question(DEDICATED) + rng.randbytes(rng.randint(0, 24)) for _ in range(200)]
    broken += [query(DEDICATED, "A", opt(rng.randbytes(rng.randint(1, 16)))) for _ in range(300)]
    broken += [header() + question(name) for name in _odd_names()]
    broken += [header(ar=1) + question(name) + opt() for name in _odd_names()]
    for place, octets in enumerate(broken):
        yield Case(Kind.ASK, octets, number, Arrival("10.1.0.5", "tcp" if place % 5 == 0 else "udp"))
        if place % 2:
            yield Case(Kind.ASK, octets, number, Arrival("203.0.113.9", "udp"))
        if place % 3 == 0:
            yield Case(Kind.SERVFAIL, octets)
            yield Case(Kind.OVER_TCP, octets)


def _odd_names() -> Iterator[bytes]:
    """Names that a question may not have, or just may."""
    for size in (1, 62, 63, 64, 65, 127, 128, 191, 192, 255):
        yield bytes((size,)) + b"x" * size + b"\0"
        yield bytes((size,)) + b"x" * min(size, 63) + b"\0"
    for last in range(50, 64):
        yield b"".join(bytes((size,)) + b"y" * size for size in (63, 63, 63, last)) + b"\0"
    for count in range(120, 132):
        yield b"\1z" * count + b"\0"
    for offset in (0, 2, 11, 12, 13, 14, 40, 0x3FFF):
        yield pointer(offset)
        yield b"\3www" + pointer(offset)
        yield wire("www.example.org")[:-1] + pointer(offset)
    yield from (
        b"\x40" + bytes(8),
        b"\x80\0",
        b"\x41\x08\xff\0",
        b"\xbf" + b"x" * 63 + b"\0",
        b"\xc0",
        b"\xff\xff",
    )
    yield from (wire("\0.\xff.*"), b"\7a.b.c.d\0", b"\x05 \t\r\n\\\0", bytes(range(64, 84)))
