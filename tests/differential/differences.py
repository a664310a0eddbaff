"""Where vpcdns, BIND and Unbound answer differently on purpose. Everything else is a bug, in one of them.

A line explains some fields of the responses to some queries. Lines that no query needs are an error too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.differential.comparing import Seen
from tests.differential.queries import Asked

BIND, UNBOUND = "bind", "unbound"
RECORDS = frozenset({"answer", "answer TTL", "authority", "authority TTL"})
CONTENT = RECORDS | {"AA", "rcode", "options"}
HEADER = frozenset({"AA", "RD", "RA", "Z", "AD", "CD", "TC"})
EVERYTHING = CONTENT | HEADER | {"response", "question", "EDNS", "DO", "EDNS Z", "opcode", "QR", "additional"}
When = Callable[[Asked, Seen, Seen], bool]


@dataclass(frozen=True)
class Difference:
    """`fields` may differ between us and `peers` where `when` holds, because of `reason`."""

    reason: str
    peers: tuple[str, ...]
    fields: frozenset[str]
    when: When


SPECIAL = ("loopback", "nonexistent", "reverse", "home.arpa", "resolver.arpa")
NOT_OURS = ("under the suffix", "beside custom", "below custom")
FORWARDED = (*NOT_OURS, "foreign", "root", "who")
FAULTS = ("FORMERR", "BADVERS")


def kind_in(*kinds: str) -> When:
    return lambda asked, ours, theirs: asked.plain and asked.kind in kinds


def _ttl_close(asked: Asked, ours: Seen, theirs: Seen) -> bool:
    fields = ("answer TTL", "authority TTL")
    pairs = [(numbers(ours[field]), numbers(theirs[field])) for field in fields]
    return asked.kind in FORWARDED and all(
        len(mine) == len(other) and all(abs(a - b) <= 300 for a, b in zip(mine, other, strict=True))
        for mine, other in pairs
    )


def numbers(values: object) -> list[int]:
    return sorted(values) if isinstance(values, frozenset) else []


def _rd(asked: Asked) -> bool:
    return bool(asked.flags & 0x0100)


DIFFERENCES = [
    Difference(
        "caches fill, and count down, at different seconds",
        (BIND, UNBOUND),
        RECORDS - {"answer", "authority"},
        _ttl_close,
    ),
    Difference(
        "we serve QUERY only: the body of any other opcode is not read, the answer is a header with NOTIMP",
        (BIND, UNBOUND),
        EVERYTHING,
        lambda asked, ours, theirs: asked.opcode != 0 and ours["rcode"] == "NOTIMP",
    ),
    Difference(
        "classes other than IN are REFUSED, as nothing is known of them; the peers say FORMERR or NOTIMP, "
        "answer ANY from IN, or without a question, and BIND shows its identity as whole zones",
        (BIND, UNBOUND),
        EVERYTHING,
        lambda asked, ours, theirs: (
            asked.opcode == 0
            and asked.rclass != 1
            and (ours["rcode"] in ("REFUSED", "FORMERR", "BADVERS") or asked.rtype == 255)
        ),
    ),
    Difference(
        "RA says whether we forward at all, in class CH as elsewhere; Unbound sets no AA on its identity",
        (BIND, UNBOUND),
        frozenset({"RA", "AA"}),
        lambda asked, ours, theirs: asked.rclass == 3,
    ),
    Difference(
        "BIND knows version.bind but not version.server, and limits the rate of class CH by silence",
        (BIND,),
        EVERYTHING,
        lambda asked, ours, theirs: (
            asked.rclass == 3
            and (theirs["response"] == "none" or asked.name.folded == (b"version", b"server"))
        ),
    ),
    Difference(
        "what is refused before its name is looked at says nothing of recursion, and has no options; "
        "Unbound sends options, EDNS version and header bits of the query back, and looks at the type first",
        (BIND, UNBOUND),
        HEADER | {"options", "EDNS", "rcode"},
        lambda asked, ours, theirs: ours["rcode"] in FAULTS and theirs["rcode"] in FAULTS,
    ),
    Difference(
        "strangers are REFUSED, with RA as it is for everybody, and get no NSID; Unbound sends a "
        "bare header, BIND answers transfers NOTAUTH",
        (BIND, UNBOUND),
        EVERYTHING,
        lambda asked, ours, theirs: (
            asked.client == "127.200.0.5"
            and ours["rcode"] in ("REFUSED", "FORMERR", "BADVERS")
            and not theirs.get("answer")
        ),
    ),
    Difference(
        "transfers are REFUSED for every name; BIND says NOTAUTH where no zone begins, Unbound refuses "
        "before it looks at EDNS, and sends options back",
        (BIND, UNBOUND),
        HEADER | {"rcode", "options", "EDNS"},
        lambda asked, ours, theirs: (
            asked.rtype == 252
            and ours["rcode"] in ("REFUSED", "BADVERS")
            and theirs["rcode"] in ("REFUSED", "NOTAUTH")
        ),
    ),
    Difference(
        "a name beside ours is not ours, and is forwarded; the peers need a zone, which owns all below it",
        (BIND, UNBOUND),
        CONTENT,
        lambda asked, ours, theirs: asked.plain and asked.kind in NOT_OURS and not ours["AA"],
    ),
    Difference(
        "a VPC domain with a search domain behind it must not leak: NXDOMAIN here, forwarded by the peers",
        (BIND, UNBOUND),
        CONTENT,
        lambda asked, ours, theirs: (
            asked.plain and asked.kind == "search expanded" and ours["rcode"] in ("NXDOMAIN", "REFUSED")
        ),
    ),
    Difference(
        "BIND has no zones for these names, or gives its empty ones up when everything is forwarded",
        (BIND,),
        CONTENT,
        kind_in(*SPECIAL),
    ),
    Difference(
        "without RD we ask upstream without RD, BIND sends a referral to the root",
        (BIND,),
        CONTENT,
        lambda asked, ours, theirs: asked.plain and asked.kind in FORWARDED and not _rd(asked),
    ),
    Difference(
        "without RD BIND does not follow a CNAME from one of its zones into another",
        (BIND,),
        CONTENT,
        lambda asked, ours, theirs: (
            asked.plain and asked.kind in ("custom", "custom, off", "wildcard") and not _rd(asked)
        ),
    ),
    Difference(
        "BIND must be given an NS record for each zone",
        (BIND,),
        RECORDS,
        lambda asked, ours, theirs: asked.kind == "suffix" and asked.rtype in (2, 255),
    ),
    Difference(
        "when an RRset does not fit, we fill in what does; BIND and Unbound send nothing, or other parts",
        (BIND, UNBOUND),
        frozenset({"answer", "answer TTL", "AD"}),  # BIND: nothing is there, so all of it is authentic
        lambda asked, ours, theirs: bool(ours["TC"] and theirs["TC"]),
    ),
    Difference(
        "TC in a query: we clear it and answer, Unbound says FORMERR",
        (UNBOUND,),
        EVERYTHING,
        lambda asked, ours, theirs: bool(asked.flags & 0x0200) and theirs["rcode"] == "FORMERR",
    ),
    Difference(
        "Unbound REFUSES what is not its own without RD",
        (UNBOUND,),
        CONTENT,
        lambda asked, ours, theirs: asked.plain and not _rd(asked) and theirs["rcode"] == "REFUSED",
    ),
    Difference(
        "ANY: one RRset (RFC 8482), or whatever upstream says; BIND and Unbound answer it out of their "
        "caches, Unbound's local-data does not at all",
        (BIND, UNBOUND),
        RECORDS | {"TC"},
        lambda asked, ours, theirs: asked.plain and asked.rtype == 255,
    ),
    Difference(
        "Unbound 1.17 does not know .alt (RFC 9476) and resolver.arpa (RFC 9462), and forwards them",
        (UNBOUND,),
        CONTENT,
        lambda asked, ours, theirs: (
            asked.plain and (asked.name.folded[-1:] == (b"alt",) or asked.kind == "resolver.arpa")
        ),
    ),
    Difference(
        "RFC 6761 §6.4, RFC 7686: no name under them exists, not even the apex, where Unbound has a SOA",
        (UNBOUND,),
        CONTENT,
        lambda asked, ours, theirs: asked.plain and asked.kind == "nonexistent" and len(asked.name) == 1,
    ),
    Difference(
        "`test` is forwarded: test networks use it; Unbound answers it itself",
        (UNBOUND,),
        CONTENT,
        lambda asked, ours, theirs: asked.plain and asked.name.folded[-1:] == (b"test",),
    ),
    Difference(
        "Unbound's local-data does not follow CNAMEs",
        (UNBOUND,),
        CONTENT,
        lambda asked, ours, theirs: asked.plain and asked.kind in ("custom", "custom, off"),
    ),
    Difference("Unbound's local-data has no wildcards", (UNBOUND,), CONTENT, kind_in("wildcard")),
    Difference(
        "Unbound answers special-use names with a SOA and TTLs of its own",
        (UNBOUND,),
        RECORDS | {"AA"},
        lambda asked, ours, theirs: (
            asked.plain and asked.kind in SPECIAL and ours["rcode"] == theirs["rcode"]
        ),
    ),
]


def explained(
    peer: str,
    asked: Asked,
    ours: Seen,
    theirs: Seen,
    fields: Iterable[str],
    differences: Iterable[Difference] = DIFFERENCES,
) -> tuple[list[Difference], set[str]]:
    """The lines that explain a difference, and the fields that none of them does."""
    left, used = set(fields), []
    for difference in differences:
        if peer in difference.peers and left & difference.fields and _holds(difference, asked, ours, theirs):
            used.append(difference)
            left -= difference.fields
    return used, left


def _holds(difference: Difference, asked: Asked, ours: Seen, theirs: Seen) -> bool:
    try:
        return difference.when(asked, ours, theirs)
    except KeyError:  # one of them has no response with such a field
        return False
