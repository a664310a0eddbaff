"""How long a plan takes to be seen: caches keep old answers for as long as their TTLs say.

Knows the answers before a change; not who caches them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from vpcdns.model.dns import Record
from vpcdns.model.names import Name
from vpcdns.rehearsal.plan import Plan, Row


@dataclass(frozen=True, slots=True)
class CacheWindow:
    """Seconds for which old answers may live on, and old answers that there is nothing (RFC 2308).

    `private_zones` have some of the former, `negative_zones` some of the latter. The TTLs of the others are
    those of `answers`, which count for records and zones without TTL and SOA as well; `own_ttl` says whether
    there are others.
    """

    ttl: int = 0
    negative_ttl: int = 0
    private_zones: list[str] = field(default_factory=list)
    negative_zones: list[str] = field(default_factory=list)
    own_ttl: bool = False

    @property
    def longest(self) -> int:
        return max(self.ttl, self.negative_ttl)


def cache_window(plan: Plan) -> CacheWindow:
    """That of the answers that change; who only loses or gains the way to an address has none."""
    ttl = negative_ttl = 0
    zones: dict[str, None] = {}
    negative: dict[str, None] = {}
    own = False
    for section in plan.sections:
        zone = section.flow.before.zone
        around = Name.from_text(zone) if zone else None
        for row in section.rows:
            if (row.before.answer, row.before.records) == (row.after.answer, row.after.records):
                continue
            for record in _gone(row):
                ttl = max(ttl, record.ttl)
                if around is not None and record.name.is_at_or_below(around):
                    zones[zone] = None
                else:
                    own = True
            if row.before.negative_ttl:
                negative_ttl = max(negative_ttl, row.before.negative_ttl)
                negative |= {zone: None} if zone else {}
    return CacheWindow(ttl, negative_ttl, list(zones), list(negative), own)


def _gone(row: Row) -> Iterator[Record]:
    """The records that are no longer there."""
    now = {(record.name, record.rtype, record.rdata) for record in row.after.cached}
    return (one for one in row.before.cached if (one.name, one.rtype, one.rdata) not in now)


def window_text(window: CacheWindow) -> Iterator[str]:
    """Sentences; none if nothing is kept."""
    if not window.longest:
        return
    kept = [f"old answers for {window.ttl:,} s"] if window.ttl else []
    kept += [f"that there is no answer for {window.negative_ttl:,} s"] if window.negative_ttl else []
    raised = "resolvers in between that raise TTLs keep them longer"
    yield f"Caches may keep {' and '.join(kept)} after the change; {raised}."
    first = [f"`ttl` of records in {', '.join(window.private_zones)}"] if window.private_zones else []
    first += ["`answers.ttl`"] if window.own_ttl else []
    first += ["`answers.negative_ttl`"] if window.negative_ttl else []
    if window.negative_zones:
        first[-1] += f" (or the SOA record of {', '.join(window.negative_zones)}, if it has one)"
    lowered, wait = " and ".join(first), f"{window.longest:,} s"
    yield f"To shorten this, lower {lowered} first, and wait {wait} before the change."
