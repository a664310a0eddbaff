"""How long a plan takes to be seen: caches keep old answers for as long as their TTLs say.

Knows the answers before a change; not who caches them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from vpcdns.rehearsal.plan import Plan, Row


@dataclass(frozen=True, slots=True)
class CacheWindow:
    """Seconds for which old answers may live on, and old answers that there is nothing (RFC 2308).

    `private_zones` have some of these answers; the TTLs of the others are those of `answers`.
    """

    ttl: int = 0
    negative_ttl: int = 0
    private_zones: list[str] = field(default_factory=list)

    @property
    def longest(self) -> int:
        return max(self.ttl, self.negative_ttl)


def cache_window(plan: Plan) -> CacheWindow:
    """That of the answers that change; who only loses or gains the way to an address has none."""
    ttl = negative_ttl = 0
    zones: dict[str, None] = {}
    for section in plan.sections:
        for row in section.rows:
            if (row.before.answer, row.before.records) != (row.after.answer, row.after.records):
                gone = _gone(row)
                ttl, negative_ttl = max(ttl, gone), max(negative_ttl, row.before.negative_ttl)
                if section.flow.before.zone and gone:
                    zones[section.flow.before.zone] = None
    return CacheWindow(ttl, negative_ttl, list(zones))


def _gone(row: Row) -> int:
    """The longest TTL of records that are no longer there."""
    now = {(record.name, record.rtype, record.rdata) for record in row.after.cached}
    old = (one for one in row.before.cached if (one.name, one.rtype, one.rdata) not in now)
    return max((record.ttl for record in old), default=0)


def window_text(window: CacheWindow) -> Iterator[str]:
    """Sentences; none if nothing is kept."""
    if not window.longest:
        return
    kept = [f"old answers for {window.ttl:,} s"] if window.ttl else []
    kept += [f"that there is no answer for {window.negative_ttl:,} s"] if window.negative_ttl else []
    raised = "resolvers in between that raise TTLs keep them longer"
    yield f"Caches may keep {' and '.join(kept)} after the change; {raised}."
    first = [f"`ttl` of records in {', '.join(window.private_zones)}"] if window.private_zones else []
    first += ["`answers.ttl`"] if window.ttl and not first else []
    first += ["`answers.negative_ttl`"] if window.negative_ttl else []
    lowered, wait = " and ".join(first), f"{window.longest:,} s"
    yield f"To shorten this, lower {lowered} first, and wait {wait} before the change."
