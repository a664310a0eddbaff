"""Where private zones and BIND's zones of the same files answer differently on purpose."""

from __future__ import annotations

from tests.differential.comparing import Seen
from tests.differential.differences import BIND, CONTENT, RECORDS, Difference, numbers
from tests.differential.private import ZONES
from tests.differential.queries import Asked
from tests.differential.upstream import TTL
from vpcdns.model.names import Name

NS, DS, RRSIG, NSEC, ANY = 2, 43, 46, 47, 255
REVERSE = (Name.from_text("10.in-addr.arpa"), Name.from_text("d.f.ip6.arpa"))
APEXES = {Name.from_text(apex) for apex, _, _ in ZONES}


def _forwarded(ours: Seen) -> bool:
    return not ours["AA"]


def _rd(asked: Asked) -> bool:
    return bool(asked.flags & 0x0100)


def _aged(ours: Seen, theirs: Seen) -> bool:
    """Whether the TTLs differ in what was cached only."""
    fields = ("answer TTL", "authority TTL")
    differing = [{*numbers(ours[field])} ^ {*numbers(theirs[field])} for field in fields]
    return all(TTL - 300 <= ttl <= TTL for ttls in differing for ttl in ttls)


def _has_cname(ours: Seen) -> bool:
    answer = ours["answer"]
    return isinstance(answer, frozenset) and any(" CNAME " in record for record in answer)


DIFFERENCES = [
    Difference(
        "caches fill, and count down, at different seconds",
        (BIND,),
        frozenset({"answer TTL", "authority TTL"}),
        lambda asked, ours, theirs: _aged(ours, theirs),
    ),
    Difference(
        "a name where another zone begins that the client sees does exist, so its DS is NODATA; BIND looks "
        "for it in the zone above alone, where nothing delegates to it",
        (BIND,),
        frozenset({"rcode"}),
        lambda asked, ours, theirs: (
            asked.rtype == DS and asked.name in APEXES and theirs["rcode"] == "NXDOMAIN"
        ),
    ),
    Difference(
        "without RD we ask upstream without RD; BIND sends a referral to the root, or what it has cached",
        (BIND,),
        CONTENT,
        lambda asked, ours, theirs: not _rd(asked) and _forwarded(ours),
    ),
    Difference(
        "without RD BIND does not follow a CNAME from one of its zones into another",
        (BIND,),
        RECORDS | {"rcode"},
        lambda asked, ours, theirs: not _rd(asked) and _has_cname(ours),
    ),
    Difference(
        "reverse zones of private space are answered here (RFC 6303); BIND gives its empty ones up when "
        "everything is forwarded",
        (BIND,),
        CONTENT,
        lambda asked, ours, theirs: (
            any(asked.name.is_at_or_below(zone) for zone in REVERSE) and not theirs["AA"]
        ),
    ),
    Difference(
        "BIND adds the addresses of name servers that it is asked for",
        (BIND,),
        frozenset({"additional"}),
        lambda asked, ours, theirs: asked.rtype == NS and not ours["additional"],
    ),
    Difference(
        "ANY: one RRset (RFC 8482), of the first record; BIND takes another one",
        (BIND,),
        RECORDS,
        lambda asked, ours, theirs: asked.rtype == ANY and bool(ours["answer"]) and bool(theirs["answer"]),
    ),
    Difference(
        "RRSIG and NSEC may stand beside a CNAME (RFC 4034 §3, §4), so BIND does not follow it for them; "
        "none ever do in a private zone, which is not signed",
        (BIND,),
        RECORDS | {"rcode"},
        lambda asked, ours, theirs: asked.rtype in (RRSIG, NSEC) and _has_cname(ours),
    ),
    Difference(
        "RRSIG alone is resolved like any type (RFC 4035 §3.2.1); BIND does not look it up in the Internet",
        (BIND,),
        RECORDS | {"RA", "AD"},
        lambda asked, ours, theirs: asked.rtype == RRSIG and not theirs["AA"],
    ),
    Difference(
        "an RRset has the lowest of its TTLs (RFC 2181 §5.2); BIND takes the first one",
        (BIND,),
        frozenset({"answer TTL"}),
        lambda asked, ours, theirs: asked.name.folded[0] == b"unequal",
    ),
    Difference(
        "when an RRset does not fit, we fill in what does; BIND sends nothing",
        (BIND,),
        frozenset({"answer", "answer TTL"}),
        lambda asked, ours, theirs: bool(ours["TC"] and theirs["TC"]),
    ),
]
