"""Zone files that vpcdns and BIND both serve, to which VPCs, and what is asked about the names in them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from tests.conformance.names import IN_A, IN_B, IN_B_NESTED, IN_C, INTERNET, ON_PREMISES
from tests.differential.queries import Asked, asked, cased
from vpcdns.model.names import Name

HEAD = "$TTL 300\n@ 400 IN SOA ns hostmaster ( 7 3600 600 86400 60 )\n@ 500 NS ns\nns A 10.1.0.1\n"
BULK = "\n".join(f'many TXT "{number} {"x" * 90}"' for number in range(30))
PTRS = (("9.0.1", "db"), ("10.0.1", "db"), ("10.0.1", "mail"), ("*.7", "any"))

# Apex, the VPCs that see it, and the records behind HEAD.
ZONES: list[tuple[str, tuple[str, ...], str]] = [
    (
        "corp.test",
        ("vpc-a",),
        rf"""
@ MX 10 mail
@ TXT "v=spf1 -all"
@ CAA 0 issue "ca.example"
mail 20 A 10.1.0.25
mail AAAA fd00::25
db 60 A 10.1.0.9
db 60 A 10.1.0.10
db 60 A 10.1.0.11
zero 0 A 10.1.0.12
large 2147483647 A 10.1.0.13
unequal 90 A 10.1.0.14
unequal 30 A 10.1.0.15
*.apps A 10.1.1.1
*.apps TXT "wild"
exact.apps A 10.1.1.2
a.b.deep.apps A 10.1.1.3
*.*.stars A 10.1.1.4
\*.escaped A 10.1.1.5
*.to CNAME alias
stop.to A 10.1.1.6
x.ent.empty A 10.1.1.7
alias CNAME db
chain1 CNAME chain2
chain2 CNAME Chain3.CORP.test.
chain3 CNAME wild.apps
sideways CNAME www.plain.test.
inward CNAME primary.db.corp.test.
unseen CNAME here.b.test.
outward CNAME www.example.org.
gone CNAME nx.example.org.
none CNAME nodata.example.net.
dangling CNAME missing
half CNAME ns.db.corp.test.
srv._tcp SRV 1 2 443 db
_sip._udp SRV 0 0 5060 mail.corp.test.
naptr NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@corp.test!" .
web HTTPS 1 . alpn=h2,h3 ipv4hint=10.1.0.9
web A 10.1.0.9
svc SVCB 2 web port=8443
svc SVCB 0 other.elsewhere.
odd TYPE65280 \# 4 0a000001
odd A \# 4 0a010110
long TXT "{"a" * 255}" "{"b" * 255}" "" "c"
quoted TXT "a \"quoted\" \\ \127\000 ; text" bare\;word
a\.dot A 10.1.2.1
\000\255\032 A 10.1.2.2
\@ A 10.1.2.3
under_score A 10.1.2.4
UPPER A 10.1.2.5
upper AAAA fd00::5
sshfp SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
tlsa._tcp TLSA 3 1 0 0d6fce13243aa7
loc LOC 31 14 0 N 121 28 0 E 4m
hinfo HINFO "PC" "Linux"
uri URI 10 1 "https://db.corp.test/"
rp RP admin.corp.test. txt.corp.test.
{"l" * 63}.label A 10.1.2.6
one.db A 10.9.9.9 ; hidden by the zone below
$GENERATE 1-3 host$ A 10.1.3.$
$ORIGIN sub.corp.test.
k A 10.1.4.1
@ TXT "sub"
{BULK}
""",
    ),
    (
        "db.corp.test",
        ("vpc-a",),
        "primary A 10.1.5.1\n* A 10.1.5.2\nup CNAME db.corp.test.\nback CNAME alias.corp.test.\n",
    ),
    (
        "plain.test",
        ("vpc-a", "vpc-b"),
        "www A 10.1.6.1\nwww AAAA fd00::61\ntoday CNAME db.corp.test.\n@ A 10.1.6.2\n",
    ),
    ("B.test", ("vpc-b",), "here A 10.2.0.1\nthere CNAME db.corp.test.\n* CNAME here\n@ HTTPS 1 . alpn=h2\n"),
    ("below.plain.test", ("vpc-b",), "www A 10.2.1.1\n"),
    ("corp.test", ("vpc-b",), "db A 10.2.0.9\nown A 10.2.0.8\n"),
    (
        "10.in-addr.arpa",
        ("vpc-a",),
        "\n".join(f"{owner} PTR {name}.corp.test." for owner, name in PTRS) + "\n",
    ),
    (f"{'.'.join('0' * 14)}.d.f.ip6.arpa", ("vpc-a",), f"{'.'.join('52' + '0' * 14)} PTR mail.corp.test.\n"),
]
TYPES = (
    1,
    28,
    5,
    2,
    6,
    12,
    13,
    15,
    16,
    17,
    29,
    33,
    35,
    39,
    43,
    44,
    46,
    47,
    48,
    52,
    64,
    65,
    255,
    256,
    257,
    65280,
)
CLIENTS = (IN_A, IN_A, IN_A, IN_B, IN_B_NESTED, IN_C, ON_PREMISES, INTERNET)


def file_of(index: int) -> str:
    return f"{index}.zone"


def write(folder: Path) -> None:
    for index, (_, _, text) in enumerate(ZONES):
        (folder / file_of(index)).write_text(HEAD + text)


def configuration() -> str:
    """The `private_zones` of vpcdns."""
    lines = [
        f"  - {{zone: {apex}, vpcs: [{', '.join(vpcs)}], file: {file_of(index)}, zone_id: z{index}}}"
        for index, (apex, vpcs, _) in enumerate(ZONES)
    ]
    return "\n".join(["private_zones:", *lines, ""])


def views(folder: Path) -> dict[str, dict[str, str]]:
    """The same for BIND."""
    seen: dict[str, dict[str, str]] = {view: {} for view in ("vpc-a", "vpc-b", "vpc-c", "internet")}
    for index, (apex, vpcs, _) in enumerate(ZONES):
        for vpc_id in vpcs:
            seen[vpc_id][apex] = str(folder / file_of(index))
    return seen


def names(owners: set[Name]) -> dict[Name, str]:
    """Owner names, what lies above, below and beside them, and what each is."""
    found: dict[Name, str] = {}
    for owner in sorted(owners, key=lambda name: name.folded):
        found[owner] = "owner"
        labels = owner.labels
        for above in owner.ancestors():
            found.setdefault(above, "above")
        for first in ((b"x",), (b"*",), (b"x", b"y"), (b"\0",), (b"db",)):
            found.setdefault(Name((*first, *labels)), "below")
        if owner.is_wildcard:
            found.setdefault(Name((b"q", b"r", *labels[1:])), "below")
        for first in ((b"zz",), (labels[0][:-1] + b"~",), (labels[0] + b"0",)):
            if len(first[0]) < 64:
                found.setdefault(Name((*first, *labels[1:])), "beside")
    return found


def questions(owners: set[Name], seed: int) -> Iterator[Asked]:
    """Owner names with every type out of two VPCs, others with some; flags and EDNS by chance."""
    chance, number = random.Random(seed), 0
    for name, kind in names(owners).items():
        is_owner = kind == "owner"
        some = [(rtype, chance.choice(CLIENTS)) for rtype in chance.sample(TYPES, 6)]
        for rtype, client in product(TYPES, (IN_A, IN_B, INTERNET)) if is_owner else some:
            number += 1
            flags = 0x0100 if chance.random() < 0.9 else 0
            edns = None if chance.random() < 0.4 else 0
            yield asked(
                number,
                kind,
                cased(name, chance),
                (rtype, 1),
                client,
                chance.random() < 0.15,
                flags | chance.choice((0, 0, 0, 0x0010, 0x0020)),
                0,
                edns,
                payload=chance.choice((512, 1232, 4096)),
                do=chance.random() < 0.3,
            )
