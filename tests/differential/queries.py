"""What all three are asked: every kind of name, type, flag and EDNS, from every kind of client."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tests.conformance.names import (
    BIG,
    CUSTOM,
    DEDICATED_A,
    DEDICATED_B,
    IN_A,
    IN_B,
    IN_B_NESTED,
    IN_C,
    INTERNET,
    OFF,
    OFF_CUSTOM,
    ON_PREMISES,
    SERVERLESS,
    SHANGHAI,
    STRANGER,
    SUFFIX,
    UNKNOWN,
)
from vpcdns.model.names import Name
from vpcdns.wire.buffer import write_name

# 127.0.0.1 may name other clients, and is believed; here it names none.
CLIENTS = (IN_A, IN_A, IN_B, IN_B_NESTED, IN_C, ON_PREMISES, INTERNET, "127.50.0.5", STRANGER)

# What a name is, as far as the list of differences needs to know.
NAMES: dict[str, tuple[str, ...]] = {
    "vpc domain": (SERVERLESS, SHANGHAI, DEDICATED_A, DEDICATED_B, BIG),
    "closed world": (
        OFF,
        UNKNOWN,
        f"x-vpc.{SUFFIX}",
        f"-vpc.{SUFFIX}",
        f"{'d' * 31}-cn-hangzhou-vpc.{SUFFIX}",
    ),
    "below": (f"a.{DEDICATED_A}", f"a.b.{SERVERLESS}", f"_dns.{UNKNOWN}", f"\\000\\255.{OFF}"),
    "suffix": (SUFFIX,),
    "under the suffix": (f"www.{SUFFIX}", f"a.b.{SUFFIX}", f"vpc.{SUFFIX}"),
    "search expanded": (f"{DEDICATED_A}.corp.test", f"{UNKNOWN}.a.b"),
    "custom": (CUSTOM, "orders.example.com", "b.wild.example.com"),
    "custom, off": (OFF_CUSTOM,),
    "wildcard": ("a.wild.example.com", "x.y.wild.example.com", "\\*.wild.example.com"),
    "beside custom": ("www.example.com", "example.com", "wild.example.com"),
    "below custom": (f"a.{CUSTOM}", "x.b.wild.example.com"),
    "loopback": ("localhost", "a.localhost"),
    "nonexistent": ("invalid", "a.invalid", "x.onion", "a.b.alt"),
    "reverse": (
        *("1.0.0.127.in-addr.arpa", "127.in-addr.arpa", "5.0.1.10.in-addr.arpa", "10.in-addr.arpa"),
        *("168.192.in-addr.arpa", "9.16.172.in-addr.arpa", "7.64.100.in-addr.arpa"),
        *("1.254.169.in-addr.arpa", "255.255.255.255.in-addr.arpa", "0.in-addr.arpa"),
        *(".".join("1" + "0" * 31) + ".ip6.arpa", ".".join("10008bd01002") + ".ip6.arpa", "d.f.ip6.arpa"),
        *("a.e.f.ip6.arpa", "2.0.192.in-addr.arpa"),
    ),
    "home.arpa": ("home.arpa", "a.home.arpa"),
    "resolver.arpa": ("resolver.arpa", "_dns.resolver.arpa"),
    "foreign": (
        "www.example.org",
        "a.test",
        "nx.example.org",
        "nodata.example.net",
        "\\001\\255.example.org",
    ),
    "root": (".",),
    "who": ("version.bind", "id.server", "hostname.bind", "version.server", "authors.bind"),
}
TYPES = {
    **dict.fromkeys((1,), 10),
    **dict.fromkeys((28, 65, 16, 6, 5), 3),
    **dict.fromkeys((2, 12, 15, 33, 64, 257, 48, 1000, 65280, 0, 255, 252, 41), 1),
}
CLASSES = {1: 60, 3: 2, 4: 1, 255: 1, 254: 1, 77: 1}


@dataclass(frozen=True)
class Asked:
    """One question: the octets, and what the list of differences goes by."""

    kind: str
    name: Name
    rtype: int
    rclass: int
    flags: int
    opcode: int
    edns: int | None
    options: tuple[tuple[int, bytes], ...]
    payload: int
    do: bool
    client: str
    tcp: bool
    octets: bytes

    @property
    def plain(self) -> bool:
        """A query of class IN that gets as far as its name."""
        return self.opcode == 0 and self.rclass == 1 and not self.edns and self.client != STRANGER

    def __str__(self) -> str:
        edns = "" if self.edns is None else f" edns={self.edns}/{self.payload}{' do' if self.do else ''}"
        options = "".join(f" opt{code}={value.hex()}" for code, value in self.options)
        return (
            f"[{self.kind}] {self.name} TYPE{self.rtype} CLASS{self.rclass} flags={self.flags:#06x} "
            f"opcode={self.opcode}{edns}{options} from {self.client} over {'tcp' if self.tcp else 'udp'}"
        )


def questions(count: int, seed: int) -> Iterator[Asked]:
    chance = random.Random(seed)
    kinds = list(NAMES)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        name = cased(Name.from_text(chance.choice(NAMES[kind])), chance)
        rtype = chance.choices(list(TYPES), list(TYPES.values()))[0]
        rclass = chance.choices(list(CLASSES), list(CLASSES.values()))[0]
        if kind == "who" and chance.random() < 0.9:
            rtype, rclass = chance.choice((16, 16, 255, 1)), 3
        if kind == "reverse" and chance.random() < 0.5:
            rtype = 12
        flags = 0x0100 if chance.random() < 0.8 else 0
        if chance.random() < 0.25:
            flags |= chance.choice((0x0010, 0x0020, 0x0040, 0x0080, 0x0200, 0x0400, 0x0030))
        opcode = chance.choice((1, 2, 3, 4, 5, 6, 15)) if chance.random() < 0.03 else 0
        edns = None if chance.random() < 0.35 else (0 if chance.random() < 0.95 else chance.choice((1, 100)))
        yield _asked(chance, number, kind, name, (rtype, rclass), flags, opcode, edns)


def _asked(
    chance: random.Random,
    number: int,
    kind: str,
    name: Name,
    what: tuple[int, int],
    flags: int,
    opcode: int,
    edns: int | None,
) -> Asked:
    payload, do = chance.choice((0, 512, 1232, 1232, 4096)), chance.random() < 0.3
    options: tuple[tuple[int, bytes], ...] = ()
    if edns is not None and chance.random() < 0.25:
        options = chance.choice((((3, b""),), ((100, b"abc"),), ((10, b"8 octets"),), ((12, bytes(20)),)))
    how = chance.choice(CLIENTS), chance.random() < 0.1
    return asked(number, kind, name, what, *how, flags, opcode, edns, options, payload, do=do)


def asked(
    number: int,
    kind: str,
    name: Name,
    what: tuple[int, int],
    client: str,
    tcp: bool,
    flags: int = 0x0100,
    opcode: int = 0,
    edns: int | None = None,
    options: tuple[tuple[int, bytes], ...] = (),
    payload: int = 1232,
    *,
    do: bool = False,
) -> Asked:
    """The question of that type and class, with the octets that ask it."""
    opt = b""
    if edns is not None:
        rdata = b"".join(struct.pack("!HH", code, len(value)) + value for code, value in options)
        opt = struct.pack("!BHHBBHH", 0, 41, payload, 0, edns, 0x8000 * do, len(rdata)) + rdata
    head = struct.pack("!6H", number & 0xFFFF, flags | opcode << 11, 1, 0, 0, bool(opt))
    octets = head + write_name(name) + struct.pack("!HH", *what) + opt
    return Asked(kind, name, *what, flags, opcode, edns, options, payload, do, client, tcp, octets)


def cased(name: Name, chance: random.Random) -> Name:
    """The name with its letters in any case, every other time."""
    if chance.random() < 0.5:
        return name
    return Name(
        tuple(
            bytes(
                octet ^ 0x20 if chr(octet).isalpha() and octet < 128 and chance.random() < 0.5 else octet
                for octet in label
            )
            for label in name.labels
        )
    )
